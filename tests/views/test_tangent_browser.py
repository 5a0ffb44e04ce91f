"""The tangent in a real browser: the line, the plane, and what is said where there is none."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import corrente as co

pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
HERE = (0.7, 0.5)


def hill(x, y):
    return np.sin(x) * np.cos(y) + 0.1 * x * y


def square(x):
    return x * x - 3.0


def product(x, y, z):
    return (x + y) * z


def layer(W, b, x):
    h = np.tanh(W @ x + b)
    return np.sum(h * h)


def long(x, y):
    for _ in range(200):
        x = np.tanh(x * y + 0.1)
    return x


def program_of_a_layer() -> Any:
    W, b, x = np.arange(6.0).reshape(2, 3) / 10, np.zeros(2), np.array([1.0, -1.0, 0.5])
    return co.trace(layer, argnums=(0, 1))(W, b, x)


def points(path: str) -> list[tuple[float, float]]:
    """Return the places that a path of straight lines goes through."""
    found = re.findall(r"(-?[\d.]+) (-?[\d.]+)", path)
    return [(float(x), float(y)) for x, y in found]


def path_of(page: Any, selector: str) -> list[tuple[float, float]]:
    return points(page.get_attribute(f"#figures {selector}", "d"))


def place_of(page: Any, kind: str) -> tuple[float, float]:
    at = page.locator(f"#figures .{kind} .at")
    return float(at.get_attribute("cx")), float(at.get_attribute("cy"))


def ticks(page: Any, kind: str) -> list[float]:
    """Return how far the axes of a figure go: from and to, then high and low."""
    found = page.eval_on_selector_all(
        f"#figures .{kind} .tick", "all => all.map(each => each.textContent)"
    )
    return [float(text) for text in found]


def values(page: Any) -> list[float]:
    return page.evaluate("corrente.wires.map(wire => corrente.valueOf(wire.id).value)")


def drag(page: Any, selector: str, by: tuple[float, float], start: tuple[float, float]) -> None:
    """Drag inside of an element from a place, by shares of its width and height."""
    page.locator(selector).scroll_into_view_if_needed()
    box = page.locator(selector).bounding_box()
    x, y = box["x"] + start[0] * box["width"], box["y"] + start[1] * box["height"]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + by[0] * box["width"], y + by[1] * box["height"], steps=6)
    page.mouse.up()


# --- the line -----------------------------------------------------------------------------------


def test_the_line_touches_the_curve_and_has_the_slope_of_the_gradient(opened):
    page = opened(co.trace(square)(1.5))
    x, y = place_of(page, "line")
    (x0, y0), (x1, y1) = path_of(page, "path.tangent")
    slope = (y1 - y0) / (x1 - x0)
    assert slope == pytest.approx((y - y0) / (x - x0), rel=0.01), "it goes through the point"
    curve = path_of(page, "path.curve")
    assert min(np.hypot(u - x, v - y) for u, v in curve) < 3
    assert all(v <= y0 + slope * (u - x0) + 0.2 for u, v in curve), "from above"
    least, most, high, low = ticks(page, "line")
    across, up = (most - least) / (400 - 58 - 16), (high - low) / (230 - 24 - 38)
    assert -slope * up / across == pytest.approx(3.0, rel=0.02)


def test_the_line_names_its_axes_and_is_told(opened):
    page = opened(co.trace(square)(1.5))
    names = page.eval_on_selector_all("#figures .axis-name", "a => a.map(e => e.textContent)")
    assert names == ["x", "square"]
    told = page.get_attribute("#figures svg", "aria-label")
    assert "slope 3 at x = 1.5, where square = -0.75" in told
    assert told == page.inner_text("#slopes")


def test_the_line_is_dragged(opened):
    page = opened(co.trace(square)(1.5))
    drag(page, "#figures .line", (-0.2, 0.0), (0.53, 0.5))
    x = values(page)[0]
    assert x < 0.5
    told = re.search(r"slope (\S+) at x = (\S+),", page.inner_text("#slopes"))
    assert told
    assert float(told[1]) == pytest.approx(2 * x, rel=1e-3)
    assert "As recorded" in page.inner_text("#inputs")


def test_it_goes_along_the_input_that_is_brought_to_hand(opened):
    page = opened(co.trace(product)(-2.0, 5.0, -4.0))
    assert "slope -4 at x = -2" in page.inner_text("#slopes")
    page.focus('input[data-input="z"]')
    assert "slope 3 at z = -4" in page.inner_text("#slopes")
    page.select_option("#along", label="y")
    assert "slope -4 at y = 5" in page.inner_text("#slopes")
    assert page.evaluate("document.activeElement.id") == "along"


def test_elements_of_small_arrays_are_offered(opened):
    program = program_of_a_layer()
    page = opened(program)
    page.select_option("#along", label="W[1, 2]")
    gradient = program.grads[0][1, 2]
    assert f"slope {gradient:.4g} at W[1, 2] = 0.5" in page.inner_text("#slopes")
    assert page.locator('input[data-input="W[1, 2]"]').count() == 1
    offered = page.eval_on_selector_all("#along option", "all => all.map(each => each.textContent)")
    assert len(offered) == 8, "those of W and of b; x is data, and data has no slope"
    drag(page, "#figures .line", (0.1, 0.0), (0.6, 0.5))
    moved = page.evaluate("corrente.valueOf(0).data[5]")
    assert moved != pytest.approx(0.5)


# --- the plane ----------------------------------------------------------------------------------


def test_two_inputs_have_a_plane(opened):
    page = opened(co.trace(hill)(*HERE))
    gx, gy = co.grad(hill, argnums=(0, 1))(*HERE)
    told = page.inner_text("#slopes")
    assert f"slope {gx:.4g} along x, slope {gy:.4g} along y" in told
    assert f"by {np.hypot(gx, gy):.4g} for each unit" in told
    for figure in page.locator("#figures svg").all():
        assert figure.get_attribute("aria-label") == told
    names = page.eval_on_selector_all("#figures .map .axis-name", "a => a.map(e => e.textContent)")
    assert names == ["x", "y"]


@pytest.mark.parametrize("here", [HERE, (3.0, -1.2), (-2.5, 2.0)])
def test_lines_of_equal_height_touch_at_the_point_and_the_arrow_stands_on_them(opened, here):
    page = opened(co.trace(hill)(*here))
    x, y = place_of(page, "map")
    (x0, y0), (x1, y1) = path_of(page, ".map .tangent.here")
    along = np.array([x1 - x0, y1 - y0]) / np.hypot(x1 - x0, y1 - y0)
    beside = np.array([-along[1], along[0]])
    assert abs(beside @ [x - x0, y - y0]) < 0.5, "the plane's line goes through the point"
    curve = np.array(path_of(page, ".map .curve.here")) - [x, y]
    near = curve[np.hypot(*curve.T) < 12]
    assert len(near) > 1
    aside = np.abs(near @ beside)
    assert np.all(aside < 0.5 + 0.3 * np.hypot(*near.T)), "so does the surface's, in its direction"
    (ax, ay), (bx, by) = path_of(page, ".map .uphill")
    arrow = np.array([bx - ax, by - ay])
    assert (ax, ay) == (x, y)
    assert abs(arrow @ along) < 0.02 * np.hypot(*arrow)
    gx, gy = co.grad(hill, argnums=(0, 1))(*here)
    assert np.sign(arrow) == pytest.approx(np.sign([gx, -gy])), "uphill; y goes up"


def test_warm_is_higher_and_cold_is_lower(opened):
    page = opened(co.trace(hill)(*HERE))
    for kind, sign in (("plus", 1), ("minus", -1)):
        cells = page.eval_on_selector_all(
            f"#figures .map .corrente-{kind}",
            """all => all.map(e => ["x", "y", "width", "height"]
                .map(name => Number(e.getAttribute(name))))""",
        )
        assert len(cells) > 20
        for left, top, wide, high in cells[::7]:
            u = (left + wide / 2 - 52) / (330 - 52 - 18)
            v = 1 - (top + high / 2 - 24) / (320 - 24 - 38)
            rise = hill(-1.3 + 4 * u, -1.5 + 4 * v) - hill(*HERE)
            assert sign * rise > -0.02


def test_the_point_on_the_map_is_dragged_and_everything_follows(opened):
    page = opened(co.trace(hill)(*HERE))
    before = page.get_attribute("#figures .map .curve.here", "d")
    drag(page, "#figures .map", (0.2, -0.15), (0.55, 0.45))
    x, y = values(page)[:2]
    assert x > 1
    assert y > 0.8
    gx, gy = co.grad(hill, argnums=(0, 1))(x, y)
    assert f"slope {gx:.4g} along x, slope {gy:.4g} along y" in page.inner_text("#slopes")
    assert float(page.input_value('input[type=number][aria-label="number x"]')) == pytest.approx(
        x, rel=1e-5
    )
    assert page.get_attribute("#figures .map .curve.here", "d") != before


def test_the_surface_turns_by_mouse_and_by_keys(opened):
    page = opened(co.trace(hill)(*HERE))

    def outline() -> str:
        return page.locator("#figures .space .field").get_attribute("d")

    first = outline()
    drag(page, "#figures .space", (0.2, 0.1), (0.5, 0.5))
    second = outline()
    assert second != first
    assert values(page)[:2] == list(HERE), "turning moves no input"
    page.focus("#turnAround")
    page.keyboard.press("ArrowRight")
    assert outline() != second
    assert page.locator("#figures .space .surface").count() > 100
    assert page.locator("#figures .space .touching").count() > 8


def test_the_plane_lies_on_the_surface_at_the_point(opened):
    """Seen from the side, along the plane, it is a line that touches."""
    page = opened(co.trace(hill)(*HERE))
    facets = [
        points(each.get_attribute("d")) for each in page.locator("#figures .space .touching").all()
    ]
    at = place_of(page, "space")
    corners = [corner for facet in facets for corner in facet]
    assert min(np.hypot(x - at[0], y - at[1]) for x, y in corners) < 1.0


def test_any_two_are_chosen_and_one_again(opened):
    page = opened(co.trace(product)(-2.0, 5.0, -4.0))
    assert page.locator("#figures .line").count() == 1
    page.select_option("#and", label="z")
    assert page.locator("#figures .map").count() == 1
    assert "slope -4 along x, slope 3 along z" in page.inner_text("#slopes")
    page.select_option("#along", label="z")
    assert "slope 3 along z, slope -4 along x" in page.inner_text("#slopes"), "they change places"
    page.focus('input[data-input="y"]')
    assert "slope -4 along y, slope 3 along z" in page.inner_text("#slopes")
    page.select_option("#and", index=0)
    assert page.locator("#figures .map").count() == 0
    assert "slope -4 at y = 5" in page.inner_text("#slopes")


def test_where_nothing_rises_there_is_no_arrow(opened):
    page = opened(co.trace(lambda x, y: x * x + y * y)(0.0, 0.0))
    assert page.locator("#figures .uphill").count() == 0
    assert page.locator("#figures .map .tangent").count() == 0
    assert "slope 0 along x, slope 0 along y" in page.inner_text("#slopes")


# --- where less is known ------------------------------------------------------------------------


def test_a_circuit_that_does_not_move_has_its_tangent_alone(opened):
    program = co.trace(long)(0.3, 0.9)
    page = opened(program)
    assert "does not move in the page, so only the tangent" in page.inner_text("#tangent")
    assert page.locator("#figures .map .tangent").count() > 2
    assert page.locator("#figures .curve").count() == 0
    assert page.locator("#figures .surface").count() == 0
    assert f"slope {program.grads[1]:.4g} along y" in page.inner_text("#slopes")
    page.select_option("#and", index=0)
    assert page.locator("#figures .line .tangent").count() == 1
    drag(page, "#figures .line", (0.1, 0.0), (0.5, 0.5))
    assert values(page)[0] == 0.3


WITHOUT = [
    (lambda x: np.tanh(x), np.ones(3), "does not end in one real number"),
    (lambda x: (x * 2.0, x + 1.0), 2.0, "does not end in one real number"),
    (lambda x: np.sum(np.abs(x)), np.ones(3, complex), "no parameter is a number"),
    (lambda x: np.sum(x * x), np.ones(40), "no parameter is a number"),
    (lambda x: np.log(x) * x, 0.0, "There is no tangent here"),
]


@pytest.mark.filterwarnings("ignore:.*:RuntimeWarning")
@pytest.mark.parametrize(("f", "x", "sentence"), WITHOUT)
def test_where_there_is_no_tangent_it_says_why(opened, f, x, sentence):
    page = opened(co.trace(f)(x))
    assert sentence in page.inner_text("#tangent")
    assert page.locator("#figures svg").count() == 0


def branch(x):
    if x > 0:
        return x * 3.0
    return x * x


def test_where_another_path_begins_the_curve_ends_and_it_says_so(opened):
    page = opened(co.trace(branch)(2.0))
    least, most, *_ = ticks(page, "line")
    nought = 58 + (0 - least) / (most - least) * (400 - 58 - 16)
    xs = [x for x, _ in path_of(page, "path.curve")]
    assert min(xs) == pytest.approx(nought, abs=4)
    assert max(xs) == pytest.approx(400 - 16)
    assert "would take another path" in page.inner_text("#cut")
    page.fill('input[type=number][aria-label="number x"]', "-1")
    page.keyboard.press("Enter")
    assert "Beyond the recorded path" in page.inner_text("#beyond")
    assert page.inner_text("#cut") == ""
    assert min(x for x, _ in path_of(page, "path.curve")) == pytest.approx(58)


def test_an_element_of_a_long_array_has_one_when_it_moves(opened):
    page = opened(co.trace(lambda x: np.sum(x * x))(np.arange(40.0)))
    page.locator("#drawing .tile.value").first.click()
    page.click("#wire canvas >> nth=0", position={"x": 30, "y": 5})
    page.click("#move")
    told = re.search(r"slope (\S+) at x\[\d+\] = (\S+),", page.inner_text("#slopes"))
    assert told
    assert float(told[1]) == 2 * float(told[2])


# --- both languages, both lights, paper ---------------------------------------------------------


def test_it_is_told_in_both_languages(opened):
    page = opened(co.trace(hill)(*HERE))
    page.click("[data-lang=pt]")
    told = page.inner_text("#tangent")
    for words in ("A TANGENTE", "ao longo de", "o plano tangente", "Visto de cima", "girar"):
        assert words in told
    assert "undefined" not in told
    page.select_option("#and", index=0)
    assert "a tangente no ponto: inclinação" in page.inner_text("#slopes")


def test_it_has_its_colours_in_both_lights(opened):
    stroke = "getComputedStyle(document.querySelector('#figures .curve')).stroke"
    page = opened(co.trace(hill)(*HERE))
    light = page.evaluate(stroke)
    page.click("#theme")
    assert page.evaluate(stroke) != light


def test_it_is_printed(opened):
    page = opened(co.trace(hill)(*HERE))
    page.emulate_media(media="print")
    assert page.locator("#figures svg:visible").count() == 2
    assert page.locator("#slopes:visible").count() == 1
    assert page.locator("#tangent select:visible, #tangent input:visible").count() == 0


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not there")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("lang", ["en", "pt"])
def test_it_is_accessible(opened, scheme, lang):
    page = opened(co.trace(hill)(*HERE), lang, color_scheme=scheme)
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("axe.run(document)")
    assert [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]] == []


def test_on_a_narrow_screen_it_stays_inside(opened):
    page = opened(co.trace(hill)(*HERE), viewport={"width": 360, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
