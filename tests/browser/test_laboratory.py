"""The laboratory in a reader's hands: drawn in, spoilt, healed, and left again."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from dae_tutorial.further.image_files import write_image
from dae_tutorial.loaders import load_mnist
from tests.browser.axe import OF_COLOUR, settle, violations
from tests.laboratory.digits import DRAWN_DIGITS

pytestmark = pytest.mark.slow

PATH = "laboratory/"
HEAL = ".laboratory[data-part=heal]"
TRAINED = ("dense", "conv", "unet")
HOSTILE = "1.s%00%3Cimg%20src=x%20onerror=alert(1)%3E.__proto__.999.-7.1e9"


def start(page: Page, address: str) -> None:
    page.goto(address)
    page.locator(".lab-go").first.click()
    page.wait_for_selector(f"{HEAL}[data-ready]")
    painted(page)


def painted(page: Page) -> None:
    """Wait until the pictures show the newest input."""
    page.wait_for_function(
        f"(({{version, painted}}) => version === painted)"
        f"(document.querySelector('{HEAL}').dataset)"
    )


def button(page: Page, name: str) -> Locator:
    return page.locator("article").get_by_role("button", name=name)


def runs(page: Page) -> int:
    return int(page.locator(HEAL).get_attribute("data-runs"))


def gains(page: Page) -> dict[str, float]:
    """Return by how many decibels each model beats doing nothing."""
    shown = {n: page.locator(f".lab-tile.lab-{n} .lab-gain") for n in TRAINED}
    return {
        name: float(
            gain.inner_text().replace("\N{MINUS SIGN}", "-").removesuffix(" dB")
        )
        for name, gain in shown.items()
    }


def draw(page: Page, strokes: list) -> None:
    button(page, "Clear").click()
    pad = page.locator(".lab-pad")
    # All of it: what the site's header covers cannot be drawn on.
    pad.evaluate("pad => pad.scrollIntoView({block: 'center'})")
    pad.hover()  # waits until it lies still
    box = pad.bounding_box()
    for stroke in strokes:
        points = [
            (box["x"] + x * box["width"], box["y"] + y * box["height"])
            for x, y in stroke
        ]
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points[1:]:
            page.mouse.move(*point)
        page.mouse.up()


def strokes_on(page: Page) -> int:
    return page.locator(".lab-pad polyline").count()


@pytest.fixture(scope="module")
def seen() -> dict[str, list[str]]:
    return {"requests": [], "errors": []}


@pytest.fixture(scope="module")
def started(browser: Browser, site_root: str, seen: dict) -> Iterator[Page]:
    """Start the laboratory once, for all that does not need a fresh one."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 900}, reduced_motion="reduce"
    )
    page = context.new_page()
    page.on("request", lambda request: seen["requests"].append(request.url))
    page.on("pageerror", lambda error: seen["errors"].append(str(error)))
    start(page, site_root + PATH)
    yield page
    context.close()


def test_ten_drawn_digits_come_back_closer_to_what_was_drawn(started: Page):
    for digit, strokes in enumerate(DRAWN_DIGITS):
        draw(started, strokes)
        assert strokes_on(started) == len(strokes)
        painted(started)
        assert min(gains(started).values()) > 3, digit


def test_a_blank_pad_runs_nothing(started: Page):
    draw(started, DRAWN_DIGITS[0])
    painted(started)
    button(started, "Clear").click()
    expect(started.locator(".lab-message")).to_contain_text("Draw something")
    started.wait_for_timeout(300)  # what was under way has come, and the curves
    before = runs(started)
    level = started.get_by_role("slider", name="Level")
    for value in ("0.2", "0.8", "0.5"):
        level.fill(value)
    started.wait_for_timeout(300)
    assert runs(started) == before
    assert started.locator(".lab-tile strong").all_inner_texts() == [""] * 4


def test_draw_undo_and_erase(started: Page):
    draw(started, DRAWN_DIGITS[4])
    button(started, "Undo").click()
    assert strokes_on(started) == 1
    eraser = button(started, "Erase")
    eraser.click()
    started.locator(".lab-pad").hover()
    pad = started.locator(".lab-pad").bounding_box()
    x, y = pad["x"] + 0.3 * pad["width"], pad["y"] + 0.48 * pad["height"]
    started.mouse.move(x, y)
    started.mouse.down()
    started.mouse.up()
    assert strokes_on(started) == 2, "a gap where the rubber was"
    eraser.click()
    button(started, "Undo").click()
    assert strokes_on(started) == 1


def test_draw_with_the_keyboard(started: Page):
    button(started, "Clear").click()
    pad = started.locator(".lab-pad")
    pad.focus()
    for key in ("Space", *["ArrowDown"] * 6, *["ArrowRight"] * 3, "Space"):
        started.keyboard.press(key)
    assert strokes_on(started) == 1
    painted(started)
    expect(started.locator(".lab-tile strong").first).to_contain_text("dB")
    started.keyboard.press("Backspace")
    assert strokes_on(started) == 0


def test_a_resize_in_mid_stroke_keeps_the_stroke(started: Page):
    button(started, "Clear").click()
    pad = started.locator(".lab-pad")
    pad.evaluate("pad => pad.scrollIntoView({block: 'center'})")
    box = pad.bounding_box()
    started.mouse.move(box["x"] + 50, box["y"] + 50)
    started.mouse.down()
    started.mouse.move(box["x"] + 90, box["y"] + 120)
    started.set_viewport_size({"width": 700, "height": 1200})
    box = pad.bounding_box()
    started.mouse.move(box["x"] + 120, box["y"] + 150)
    started.mouse.up()
    started.set_viewport_size({"width": 1280, "height": 900})
    points = started.locator(".lab-pad polyline").get_attribute("points")
    assert all(0 <= float(x) <= 1000 for x in re.split("[ ,]", points))
    painted(started)


def test_the_wheel_scrolls_past_the_pad(started: Page):
    pad = started.locator(".lab-pad")
    pad.scroll_into_view_if_needed()
    pad.hover()
    before = started.evaluate("scrollY")
    started.mouse.wheel(0, 300)
    started.wait_for_function(f"scrollY > {before} + 100")


def test_the_address_holds_the_state(started: Page):
    started.get_by_role("radio", name="Salt and pepper").check()
    started.get_by_role("slider", name="Level").fill("0.4")
    button(started, "Test digit 5, number 2").click()
    started.wait_for_function("location.search === '?lab=1.d11.salt.40.1'")
    started.locator(".lab-card details").evaluate("fold => fold.open = true")
    program = started.locator(".lab-card details code")
    expect(program).to_contain_text("add_salt_and_pepper_noise(clean, 0.4")
    start(started, started.url)
    expect(started.get_by_role("radio", name="Salt and pepper")).to_be_checked()
    assert started.get_by_role("slider", name="Level").input_value() == "0.4"


def test_a_click_on_the_curves_sets_the_level(started: Page):
    started.get_by_role("radio", name="Gaussian").check()
    strip = started.locator(".lab-strip")
    expect(strip.locator("polyline")).to_have_count(5)
    box = strip.bounding_box()
    strip.click(position={"x": 34 + 0.8 * (box["width"] - 42), "y": 80})
    assert started.get_by_role("slider", name="Level").input_value() == "0.8"


def test_failures_are_a_click_away(started: Page):
    for name in ("A letter", "A noise never trained on", "Hardly any noise"):
        button(started, name).click()
        painted(started)
        expect(started.locator(".lab-card p[role=status]").last).to_be_visible()
    assert min(gains(started).values()) < -3, "worse than hardly any noise"


def test_a_picture_of_ones_own(started: Page, tmp_path):
    digit = load_mnist(train=False).images[0]
    paper = 1 - digit.repeat_interleave(4, dim=1).repeat_interleave(4, dim=2)
    write_image(paper, tmp_path / "seven.png")
    (tmp_path / "text.png").write_text("no picture")
    started.get_by_role("slider", name="Level").fill("0.5")
    chosen = started.locator("input[type=file]")
    chosen.set_input_files(tmp_path / "seven.png")
    expect(button(started, "Copy link")).to_be_disabled()
    painted(started)
    assert min(gains(started).values()) > 3
    chosen.set_input_files(tmp_path / "text.png")
    expect(started.get_by_text("That is no picture")).to_be_visible()


def test_a_walk_in_the_code(started: Page):
    picture = started.locator(".lab-walk canvas").nth(1)
    shown = "canvas => canvas.toDataURL()"
    middle = picture.evaluate(shown)
    started.get_by_role("slider", name="Between them").fill("0.9")
    started.wait_for_function(
        "before => document.querySelectorAll('.lab-walk canvas')[1].toDataURL()"
        " !== before",
        arg=middle,
    )


def test_a_digit_is_born_and_half_a_digit_is_finished(started: Page):
    button(started, "Load the denoiser").click()
    expect(started.get_by_text("18 steps")).to_be_visible(timeout=30_000)
    started.evaluate(
        """document.querySelector(".laboratory[data-part=birth]").addEventListener(
        "finished", event => window.finished = [...event.detail.image])"""
    )
    button(started, "Let it finish").click()
    started.wait_for_function("window.finished")
    image = started.evaluate("window.finished")
    assert sum(image[14 * 28 :]) > 15, "something is drawn in the lower half"


def test_a_dropped_point_follows_the_arrows(started: Page):
    end = started.locator(".lab-dropped")
    before = end.get_attribute("cx")
    plane = started.locator(".lab-plane")
    plane.scroll_into_view_if_needed()
    box = plane.bounding_box()
    plane.click(position={"x": 0.1 * box["width"], "y": 0.1 * box["height"]})
    assert end.get_attribute("cx") != before


@pytest.mark.parametrize("width", [320, 768, 1280])
def test_nothing_scrolls_sideways(started: Page, width: int):
    started.set_viewport_size({"width": width, "height": 800})
    assert started.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_axe_finds_no_violation_in_the_running_laboratory(started: Page):
    started.set_viewport_size({"width": 1280, "height": 900})
    started.emulate_media(color_scheme="light")
    settle(started)
    found = violations(started)
    started.emulate_media(color_scheme="dark")
    settle(started)
    assert not found + violations(started, OF_COLOUR)
    started.emulate_media(color_scheme="light")


def test_no_request_leaves_the_origin_and_nothing_was_thrown(
    started: Page, seen: dict, site_root: str
):
    """Comes after all that is done with the laboratory above."""
    assert any("ort-wasm" in url for url in seen["requests"])
    strangers = [
        url
        for url in seen["requests"]
        if not url.startswith((site_root, "data:", "blob:"))
    ]
    assert not strangers
    assert not seen["errors"]


def test_a_hostile_address_is_harmless(page: Page, site_root: str):
    """Node tries very many; here is one of markup and of numbers out of range."""
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("dialog", lambda dialog: errors.append(dialog.message))
    start(page, f"{site_root}{PATH}?lab={HOSTILE}")
    assert "NaN" not in page.locator(HEAL).inner_text()
    assert page.locator(f"{HEAL} img").count() == 0
    assert not errors


def test_draw_with_a_finger(browser: Browser, site_root: str):
    context = browser.new_context(
        viewport={"width": 375, "height": 800}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    start(page, site_root + PATH)
    button(page, "Clear").click()
    pad = page.locator(".lab-pad")
    pad.evaluate("pad => pad.scrollIntoView({block: 'center'})")
    box, device = pad.bounding_box(), context.new_cdp_session(page)
    before = page.evaluate("scrollY")

    def touch(kind: str, *points: tuple[float, float]) -> None:
        at = [
            {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]}
            for x, y in points
        ]
        device.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

    for stroke in DRAWN_DIGITS[4]:
        touch("touchStart", stroke[0])
        for point in stroke[1:]:
            touch("touchMove", point)
        touch("touchEnd")
    assert strokes_on(page) == 2
    assert page.evaluate("scrollY") == before, "drawing does not scroll"
    painted(page)
    assert min(gains(page).values()) > 3
    margin = pad.evaluate("pad => pad.getBoundingClientRect().left")
    assert margin > 30, "room for a finger that scrolls past the pad"
    context.close()


def test_without_javascript_the_figures_teach(browser: Browser, site_root: str):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(site_root + PATH)
    expect(page.locator(f"{HEAL} noscript")).to_be_visible()
    for start_button in page.locator(".lab-go").all():
        expect(start_button).to_be_hidden()
    expect(page.locator("article .only-light img:visible").first).to_be_visible()
    context.close()


def test_a_blocked_runtime_is_told_and_can_be_tried_again(page: Page, site_root: str):
    page.route("**/*.wasm", lambda route: route.abort())
    page.goto(site_root + PATH)
    page.locator(".lab-go").first.click()
    status = page.locator(".lab-status")
    expect(status).to_contain_text("could not be loaded")
    expect(page.locator("article .only-light img:visible").first).to_be_visible()
    page.unroute("**/*.wasm")

    def late(route: Route) -> None:
        page.wait_for_timeout(500)
        route.continue_()

    page.route("**/unet.onnx", late)  # a slow network
    button(page, "Try again").click()
    expect(page.locator(".lab-status")).to_contain_text("Loading")
    page.wait_for_selector(f"{HEAL}[data-ready]")


def test_it_is_there_again_after_three_instant_navigations(
    page: Page, site_root: str, follow: Callable
):
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(site_root + PATH, wait_until="networkidle")
    for visit in range(3):
        if visit:
            follow("laboratory/", "Laboratory")
        page.locator(".lab-go").first.click()
        page.wait_for_selector(f"{HEAL}[data-ready]")
        painted(page)
        ours = [worker for worker in page.workers if "laboratory" in worker.url]
        assert len(ours) == 1, "the one before has ended"
        follow("glossary/", "Glossary")
    assert not errors
