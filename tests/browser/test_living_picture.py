"""The picture of the front page, which comes alive once its slider is moved."""

import gzip
import re
from collections.abc import Callable

import pytest
import torch
from playwright.sync_api import Browser, Page, expect

from dae_tutorial.further.onnx_export import in_eight_bits
from dae_tutorial.further.pretrained import load_pretrained
from dae_tutorial.loaders import load_mnist
from dae_tutorial.noise import add_gaussian_noise
from tests.browser.axe import OF_COLOUR, settle, violations
from tests.pages.built_site import built_site

pytestmark = pytest.mark.slow

PLACE = "#living-picture"
LIVING = f"{PLACE} .lab-living"
FIGURE = f"{PLACE} .only-light.only-wide img, {PLACE} .only-light.only-narrow img"
WATCH = """window.shift = 0;
new PerformanceObserver(list => {
    for (const entry of list.getEntries()) window.shift += entry.value;
}).observe({type: "layout-shift", buffered: true});"""
GREY = """canvas => [...canvas.getContext("2d").getImageData(0, 0, 28, 28).data]
    .filter((_, i) => i % 4 === 0)"""


def move(page: Page, level: float) -> None:
    """Move the slider, and wait until the pictures have followed."""
    root = page.locator(PLACE)
    root.evaluate(
        """root => { root.addEventListener(
        "painted", () => { root.dataset.seen = "" }, {once: true}) }"""
    )
    page.get_by_role("slider", name="Noise").fill(f"{level}")
    expect(root).to_have_attribute("data-seen", "", timeout=20_000)
    root.evaluate("root => { delete root.dataset.seen }")
    page.locator(LIVING).wait_for()


def test_nothing_is_loaded_before_the_slider_is_moved(page: Page, site_root: str):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(site_root, wait_until="networkidle")
    slider = page.get_by_role("slider", name="Noise")
    slider.focus()
    page.wait_for_timeout(200)
    assert not [url for url in asked if "/vendor/laboratory" in url or "onnx" in url]
    page.keyboard.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", "σ = 0.51")
    expect(page.locator(f"{PLACE} output")).to_have_text("σ = 0.51")
    page.locator(LIVING).wait_for()
    expect(page.locator(FIGURE).locator("visible=true")).to_have_count(0)
    loaded = {url.removeprefix(site_root) for url in asked if "/vendor/" in url}
    models = {url for url in loaded if url.endswith(".onnx")}
    assert {url.rpartition("/")[2].partition("-")[0] for url in models} == {"dense"}
    ours = [built_site() / url for url in loaded if "katex" not in url]
    size = sum(len(gzip.compress(file.read_bytes(), 6)) for file in ours)
    page.goto(site_root)
    said = page.locator(f"{PLACE} [role=status]").inner_text()
    assert float(re.search(r"([\d.]+)\sMB", said)[1]) == round(size / 1e6, 1)


def test_it_shows_what_the_package_computes_and_axe_finds_no_violation(
    page: Page, site_root: str
):
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.goto(site_root)
    clean = load_mnist(train=False).images[1:2]
    model = in_eight_bits(load_pretrained("autoencoder"))
    for level in (0.8, 0.0, 0.5):
        move(page, level)
        generator = torch.Generator().manual_seed(0)
        noisy = add_gaussian_noise(clean, level, generator=generator)
        with torch.no_grad():
            healed = model(noisy).reshape(clean.shape)
        shown = [
            canvas.evaluate(GREY) for canvas in page.locator(f"{LIVING} canvas").all()
        ]
        for grey, image in zip(shown, (noisy, healed, clean), strict=True):
            gap = torch.tensor(grey) - 255 * image.flatten()
            assert gap.abs().max() < 0.6, level
        said = page.locator(f"{PLACE} [role=status]")
        share = ((healed - clean) ** 2).mean() / ((noisy - clean) ** 2).mean()
        errs_more = "errs more" if share > 1 else f"{round(100 * (1 - share.item()))} %"
        expect(said).to_contain_text(errs_more)
    settle(page)
    found = violations(page)
    page.emulate_media(color_scheme="dark")
    settle(page)
    assert not found + violations(page, OF_COLOUR)


@pytest.mark.parametrize("width", [1280, 375])
def test_nothing_jumps(page: Page, site_root: str, width: int):
    page.set_viewport_size({"width": width, "height": 800})
    page.add_init_script(WATCH)
    page.goto(site_root, wait_until="networkidle")
    page.evaluate("window.shift = 0")  # the theme's header may come in two pieces
    figure = page.locator(FIGURE).locator("visible=true").bounding_box()
    for level in (0.9, 0.0, 0.3):
        move(page, level)
    page.wait_for_timeout(100)
    assert page.evaluate("window.shift") == 0
    living = page.locator(LIVING).bounding_box()
    assert living["y"] == pytest.approx(figure["y"], abs=1)
    assert living["height"] == pytest.approx(figure["height"], abs=8)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_a_blocked_runtime_leaves_the_figure_and_can_be_tried_again(
    page: Page, site_root: str
):
    page.route("**/*.wasm", lambda route: route.abort())
    page.goto(site_root)
    slider = page.get_by_role("slider", name="Noise")
    slider.fill("0.7")
    said = page.locator(f"{PLACE} [role=status]")
    expect(said).to_contain_text("could not be loaded", timeout=20_000)
    expect(page.locator(FIGURE).locator("visible=true")).to_have_count(1)
    expect(page.locator(LIVING)).to_have_count(0)
    page.unroute("**/*.wasm")
    slider.fill("0.3")
    page.locator(LIVING).wait_for()


def test_it_comes_alive_again_after_an_instant_navigation(
    page: Page, site_root: str, follow: Callable
):
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(site_root, wait_until="networkidle")
    for _ in range(2):
        expect(page.locator(FIGURE).locator("visible=true")).to_have_count(1)
        move(page, 0.2)
        assert len([w for w in page.workers if "laboratory" in w.url]) == 1
        follow("glossary/", "Glossary")
        follow("", "Denoising autoencoders")
    assert not [worker for worker in page.workers if "laboratory" in worker.url]
    assert not errors


def test_without_javascript_there_is_only_the_figure(browser: Browser, site_root: str):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(site_root)
    expect(page.locator(FIGURE).locator("visible=true")).to_have_count(1)
    for control in page.locator(f"{PLACE} > :is(.lab-slider, .lab-hint)").all():
        expect(control).to_be_hidden()
    context.close()
