"""Lighthouse's scores of the built site: ``python -m tools.audit``.

Each page is loaded as on a mobile phone, from a server that compresses what it sends,
as the hosts of static sites do. The score that is printed is the median of the runs.
The command ends with an error where a score is below its limit.
"""

import argparse
import gzip
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median

from tqdm import tqdm

from tools.node import node

ROOT = Path(__file__).resolve().parent.parent
LIGHTHOUSE = ROOT / "node_modules" / "lighthouse" / "cli" / "index.js"
PAGES = ("", "learn/types-of-noise/", "reference/noise/")
LEAST = {"performance": 90, "accessibility": 100, "best-practices": 100, "seo": 100}
CHROMIUM_FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
)
COMPRESSED = (".html", ".css", ".js", ".json", ".svg", ".xml")


class GzipHandler(SimpleHTTPRequestHandler):
    """Serves files, text compressed, one connection for many."""

    protocol_version = "HTTP/1.1"

    def handle(self) -> None:
        """Answer one browser until it goes, which it may do in mid-answer."""
        with suppress(ConnectionError):
            super().handle()

    def send_head(self) -> io.BufferedIOBase | None:
        """Send the headers, and return what is to follow them."""
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if path.is_dir() else path
        if path.suffix not in COMPRESSED or not path.is_file():
            return super().send_head()
        content = gzip.compress(path.read_bytes())
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        return io.BytesIO(content)

    def log_message(self, *arguments: object) -> None:
        """Stay silent."""


def scores(url: str) -> dict[str, int]:
    """Return the scores of one page, from one run of Lighthouse, out of 100."""
    with tempfile.TemporaryDirectory() as profile:
        command = [
            node(),
            LIGHTHOUSE,
            url,
            "--quiet",
            "--output=json",
            f"--only-categories={','.join(LEAST)}",
            f"--chrome-flags={CHROMIUM_FLAGS} --user-data-dir={profile}",
        ]
        chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or ""
        environment = os.environ | {"CHROME_PATH": chromium}
        run = subprocess.run(command, capture_output=True, text=True, env=environment)
    if run.returncode:
        sys.exit(f"Lighthouse could not look at {url}:\n{run.stderr[-2000:]}")
    categories = json.loads(run.stdout)["categories"]
    return {name: round(100 * categories[name]["score"]) for name in LEAST}


def audit(root: str, runs: int) -> bool:
    """Print the medians of a few pages of the site, and say whether all suffice."""
    print(f"{'median score':24}" + "".join(f"{name:>16}" for name in LEAST))
    suffices = True
    for path in PAGES:
        repeats = tqdm(range(runs), desc=path or "home", leave=False)
        found = [scores(root + path) for _ in repeats]
        medians = {name: median(run[name] for run in found) for name in LEAST}
        too_low = [name for name in LEAST if medians[name] < LEAST[name]]
        row = "".join(f"{medians[name]:>16.0f}" for name in LEAST)
        print(f"{path or 'home':24}{row}{'  <- ' * bool(too_low)}{', '.join(too_low)}")
        suffices = suffices and not too_low
    print(f"{'limit':24}" + "".join(f"{least:>16}" for least in LEAST.values()))
    return suffices


def main() -> None:
    """Serve the site, run Lighthouse on a few pages, and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5, help="runs of each page")
    parser.add_argument("--site", type=Path, default=ROOT / "site")
    arguments = parser.parse_args()
    handler = partial(GzipHandler, directory=str(arguments.site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        suffices = audit(f"http://127.0.0.1:{server.server_port}/", arguments.runs)
        server.shutdown()
    sys.exit(not suffices)


if __name__ == "__main__":
    main()
