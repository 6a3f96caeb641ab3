"""What the laboratory weighs, and how fast it answers: python -m benchmarks.laboratory.

It drives headless Chromium over the built site. Times are of a machine that does
nothing else; on a busy one they say little, but for the seconds of processor that a
move of the slider costs all of the browser: these are counted, not waited for.
"""

import argparse
import gzip
import shutil
import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from playwright.sync_api import CDPSession, Page, sync_playwright

from tests.pages.built_site import SITE, serve

ADDRESS = "laboratory/"
ASSETS = SITE / "assets" / "vendor"
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--enable-precise-memory-info",
    "--js-flags=--expose-gc",
]
LONG = 50  # ms; a longer task makes a page feel stuck
# Move the slider as a reader does, and note when the pictures have followed.
MOVES = """async moves => {
    const root = document.querySelector(".laboratory[data-part=heal]");
    const slider = root.querySelector(".lab-level input");
    const waits = [];
    for (let i = 0; i < moves; i++) {
        await new Promise(requestAnimationFrame);
        const began = performance.now();
        const painted = new Promise(
            done => root.addEventListener("painted", done, {once: true}));
        slider.value = 0.01 * (1 + i % 99);
        slider.dispatchEvent(new Event("input", {bubbles: true}));
        await painted;
        waits.push(performance.now() - began);
    }
    return waits;
}"""
# As fast as the page takes them: what piles up shows in the memory.
FLOOD = """async moves => {
    const slider = document.querySelector(".lab-level input");
    for (let i = 0; i < moves; i++) {
        slider.value = 0.01 * (1 + i % 99);
        slider.dispatchEvent(new Event("input", {bubbles: true}));
        if (i % 20 === 0) await new Promise(done => setTimeout(done));
    }
}"""
LOADED = """[...document.querySelectorAll("link[rel=stylesheet], script[src]")]
    .map(element => element.href ?? element.src)"""
WATCH = """window.shift = 0;
new PerformanceObserver(list => {
    for (const entry of list.getEntries())
        if (!entry.hadRecentInput) window.shift += entry.value;
}).observe({type: "layout-shift", buffered: true});"""


def packed(file: Path) -> int:
    """Return the size of a file as servers send it."""
    return len(gzip.compress(file.read_bytes(), 6))


@contextmanager
def browsing() -> Iterator[tuple[Page, str]]:
    """Open a page of Chromium beside a server of the built site."""
    with serve(SITE) as root, sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(
            executable_path=path, args=CHROMIUM_ARGUMENTS
        )
        yield browser.new_page(viewport={"width": 1280, "height": 900}), root
        browser.close()


def start(page: Page) -> None:
    """Start the laboratory, and wait until its first pictures are there."""
    page.locator(".lab-go").first.click()
    page.wait_for_selector(".laboratory[data-painted]")
    page.wait_for_timeout(1500)  # the curves


def percentile(values: list[float]) -> float:
    """Return what 95 of 100 values are below."""
    return statistics.quantiles(values, n=20)[-1]


def weights(page: Page, root: str) -> None:
    """Print what is sent before the start, and what the start adds."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(root + ADDRESS, wait_until="networkidle")
    loaded = [root + ADDRESS, *page.evaluate(LOADED)]
    first = sum(packed(file_of(url, root)) for url in loaded) / 1000
    row("first paint without pictures, kB gzipped", first, "≤ 150")
    asked.clear()
    start(page)
    sizes = [packed(file_of(url, root)) for url in asked if "/vendor/" in url]
    row("runtime and models, MB gzipped", sum(sizes) / 1e6, "≤ 4.5")
    later = packed(ASSETS / "laboratory" / "multilevel.onnx") / 1e6
    row("the denoiser of all levels, when asked for, MB", later, "")


def file_of(url: str, root: str) -> Path:
    """Return the file that the server sends for an address."""
    path = SITE / url.removeprefix(root).partition("?")[0]
    return path / "index.html" if path.is_dir() else path


def processor_seconds() -> float:
    """Return how long the browser has computed until now, in all its processes."""
    times = [one.cpu_times() for one in psutil.Process().children(recursive=True)]
    return sum(one.user + one.system for one in times)


def thread_seconds(session: CDPSession) -> float:
    """Return how long the page's own thread has computed until now."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return next(one["value"] for one in metrics if one["name"] == "TaskDuration")


@contextmanager
def counted_tasks(page: Page) -> Iterator[None]:
    """Print how many tasks of the page's own thread computed for long meanwhile.

    It is what they computed that counts, and not how long they had to wait for the
    processor: so a busy machine does not matter.
    """
    session, events, ends = page.context.new_cdp_session(page), [], []
    session.on("Tracing.dataCollected", lambda part: events.extend(part["value"]))
    session.on("Tracing.tracingComplete", lambda end: ends.append(end))
    traced = {"includedCategories": ["toplevel"]}
    session.send("Tracing.start", {"traceConfig": traced})
    yield
    session.send("Tracing.end")
    while not ends:
        page.wait_for_timeout(50)
    names = [one for one in events if one["name"] == "thread_name"]
    own = {one["tid"] for one in names if one["args"]["name"] == "CrRendererMain"}
    tasks = [one for one in events if one["name"].endswith("::RunTask")]
    spent = [one["tdur"] / 1000 for one in tasks if one["tid"] in own and "tdur" in one]
    row(f"… tasks that computed for over {LONG} ms", sum(t > LONG for t in spent), "0")
    row("… the longest, ms", max(spent), "")


def speed(page: Page, moves: int) -> None:
    """Print how long all pictures wait for the slider, and how the page bears it."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    before, thread_before = processor_seconds(), thread_seconds(session)
    waits = page.evaluate(MOVES, moves)
    spent = 1000 * (processor_seconds() - before) / moves
    row("processor time of the browser for one move, ms", spent, "")
    spent = 1000 * (thread_seconds(session) - thread_before) / moves
    row("… of the page's own thread, ms", spent, "")
    row("slider → all four models painted, p95, ms", percentile(waits), "≤ 33")
    row("… median, ms", statistics.median(waits), "")
    with counted_tasks(page):
        page.evaluate(MOVES, moves)
    session.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    waits = page.evaluate(MOVES, moves // 2)
    session.send("Emulation.setCPUThrottlingRate", {"rate": 1})
    row("… with the page's thread 4 × slower, p95, ms", percentile(waits), "≤ 120")


def steadiness(page: Page, moves: int) -> None:
    """Print what many moves leave behind."""
    heap = "gc(), performance.memory.usedJSHeapSize / 1e6"
    before = page.evaluate(heap)
    page.evaluate(FLOOD, moves)
    page.wait_for_timeout(1000)
    after = page.evaluate(heap)
    row(f"memory after {moves:,} slider moves, MB more", after - before, "≈ 0")
    with counted_tasks(page):
        page.evaluate(FLOOD, moves // 10)
    row("layout shift", page.evaluate("window.shift"), "0")


def row(name: str, value: float, goal: str) -> None:
    """Print one row of the table."""
    number = f"{value}" if isinstance(value, int) else f"{value:.2f}"
    print(f"{name:<52}{number:>9}   {goal}", flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--moves", type=int, default=400)
    parser.add_argument("--flood", type=int, default=10_000)
    arguments = parser.parse_args()
    if not (SITE / ADDRESS).is_dir():
        sys.exit(f"there is no laboratory in {SITE}: build the site first")
    with browsing() as (page, root):
        page.add_init_script(WATCH)
        weights(page, root)
        speed(page, arguments.moves)
        steadiness(page, arguments.flood)


if __name__ == "__main__":
    main()
