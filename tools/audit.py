"""Lighthouse's scores of the built site: ``python -m tools.audit``.

Each page is loaded as on a mobile phone, from a server that compresses what it sends,
as the hosts of static sites do. The score that is printed is the median of the runs.
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
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median

from tqdm import tqdm

ROOT = Path(__file__).resolve().parent.parent
LIGHTHOUSE = ROOT / "node_modules" / "lighthouse" / "cli" / "index.js"
PAGES = ("", "learn/types-of-noise/", "reference/noise/")
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
CHROMIUM_FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
)
COMPRESSED = (".html", ".css", ".js", ".json", ".svg", ".xml")


class GzipHandler(SimpleHTTPRequestHandler):
    """Serves files, text compressed."""

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
            shutil.which("node") or "node",
            LIGHTHOUSE,
            url,
            "--quiet",
            "--output=json",
            f"--only-categories={','.join(CATEGORIES)}",
            f"--chrome-flags={CHROMIUM_FLAGS} --user-data-dir={profile}",
        ]
        chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or ""
        environment = os.environ | {"CHROME_PATH": chromium}
        run = subprocess.run(command, capture_output=True, text=True, env=environment)
    if run.returncode:
        sys.exit(f"Lighthouse could not look at {url}:\n{run.stderr[-2000:]}")
    categories = json.loads(run.stdout)["categories"]
    return {name: round(100 * categories[name]["score"]) for name in CATEGORIES}


def main() -> None:
    """Serve the site, run Lighthouse on a few pages, and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5, help="runs of each page")
    parser.add_argument("--site", type=Path, default=ROOT / "site")
    arguments = parser.parse_args()
    handler = partial(GzipHandler, directory=str(arguments.site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        root = f"http://127.0.0.1:{server.server_port}/"
        print(f"{'page':24}" + "".join(f"{name:>16}" for name in CATEGORIES))
        for path in PAGES:
            repeats = tqdm(range(arguments.runs), desc=path or "home", leave=False)
            runs = [scores(root + path) for _ in repeats]
            medians = [median(run[name] for run in runs) for name in CATEGORIES]
            row = "".join(f"{value:>16.0f}" for value in medians)
            print(f"{path or 'home':24}{row}")
        server.shutdown()


if __name__ == "__main__":
    main()
