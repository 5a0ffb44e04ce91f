"""The page in a real browser: clicks, keys, dragging, both languages, and not a sound."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import corrente as co
from corrente import layout
from corrente.figures import number
from corrente.narrator import narrate
from corrente.scene.picture import PIXELS

pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
EVIL = "<img src=x onerror=alert(1)>"


def product(x, y, z):
    q = x + y
    return q * z


def neuron(w, x):
    s = w[0] * x[0] + w[1] * x[1] + w[2]
    return 1 / (1 + np.exp(-s))


def layer(W, b, x):
    h = np.tanh(W @ x + b)
    return np.sum(h * h)


def cell(h, x):
    return np.tanh(h * 0.9 + x)


def deep(x):
    for _ in range(2500):
        x = cell(x, 0.1)
        x = x * 1.01
    return x


def branch(x):
    if x > 0:
        return x * 3.0
    return x * x


def texts(page: Any, selector: str) -> list[str]:
    return page.eval_on_selector_all(selector, "all => all.map(each => each.textContent)")


def slide(page: Any, name: str, value: float) -> None:
    """Move a slider as dragging does, by its events."""
    page.eval_on_selector(
        f'input[type=range][data-input="{name}"]',
        """(slider, value) => {
            slider.value = value;
            slider.dispatchEvent(new Event("input"));
            slider.dispatchEvent(new Event("change"));
        }""",
        value,
    )


def numbers(page: Any, kind: str) -> list[Any]:
    """Return what the page holds on every wire: a number, a flat array, or None."""
    return page.evaluate(
        f"""corrente.wires.map(wire => {{
            const found = corrente.{kind}Of(wire.id);
            return found === null ? null : found.scalar ? found.value : Array.from(found.data);
        }})"""
    )


def check_numbers(page: Any, program: Any) -> None:
    run = program.run
    for wire, (value, gradient) in enumerate(
        zip(numbers(page, "value"), numbers(page, "gradient"), strict=True)
    ):
        np.testing.assert_allclose(value, np.ravel(run.values[wire])[()], rtol=1e-9, atol=1e-12)
        if wire in run.gradients:
            found = np.ravel(gradient)
            np.testing.assert_allclose(found, np.ravel(run.gradients[wire]), rtol=1e-9, atol=1e-12)
        else:
            assert gradient is None


# --- the same as elsewhere -----------------------------------------------------------------------


def some_graph(seed: int) -> tuple[list[layout.Node], list[layout.Edge]]:
    draw = random.Random(seed)
    nodes, edges = [], []
    for k in range(draw.randint(2, 40)):
        ins = tuple(10.0 + 28.0 * each for each in range(draw.randint(0, min(3, k))))
        outs = tuple(12.0 + 28.0 * each for each in range(draw.randint(1, 3)))
        high = max([30.0, *(level + 20 for level in (*ins, *outs))])
        reach = draw.choice([None, None, 0, 3])
        nodes.append(layout.Node(float(draw.randint(20, 150)), high, ins, outs, reach))
        for slot in range(len(ins)):
            tail = draw.randrange(k)
            edges.append(layout.Edge(tail, draw.randrange(len(nodes[tail].outs)), k, slot))
    return nodes, edges


def test_it_lays_out_as_every_other_picture(opened):
    page = opened(co.trace(product)(-2.0, 5.0, -4.0))
    for seed in range(12):
        nodes, edges = some_graph(seed)
        expected = layout.arrange(nodes, edges, PIXELS.spacing)
        found = page.evaluate(
            "([nodes, edges]) => corrente.arrange(nodes, edges)",
            [[node._asdict() for node in nodes], [edge._asdict() for edge in edges]],
        )
        assert tuple(found["layers"]) == expected.layers
        assert found["x"] == pytest.approx(expected.x)
        assert found["y"] == pytest.approx(expected.y)
        for route, other in zip(found["routes"], expected.routes, strict=True):
            assert np.ravel(route) == pytest.approx(np.ravel(other))
        assert (found["width"], found["height"]) == pytest.approx((expected.width, expected.height))


def test_it_writes_numbers_as_every_other_picture(opened):
    page = opened(co.trace(product)(-2.0, 5.0, -4.0))
    draw = np.random.default_rng(5)
    several = (draw.normal(size=60) * 10.0 ** draw.integers(-12, 12, size=60)).tolist()
    several += [0.0, -0.0, 0.5, 2.5, 1e-4, 9.9999e-5, 99995.0, 123456.7, 1e6, 1e20, -12.0, 1 / 3]
    for digits in (2, 3, 4):
        found = page.evaluate(f"all => all.map(x => corrente.number(x, {digits}))", several)
        assert found == [number(x, digits) for x in several]


def test_the_circuit_shows_what_the_scene_shows(opened):
    page = opened(co.trace(neuron, argnums=0)([2.0, -3.0, -3.0], [-1.0, -2.0]))
    assert "∂ 0.1966" in texts(page, "#drawing .label.gradient text")
    assert "0.7311" in texts(page, "#drawing .label.value text")
    assert "·-0.53" in texts(page, "#drawing text.corrente-local")
    place = "document.querySelector('#drawing .{} text').getBoundingClientRect().y"
    assert page.evaluate(place.format("label.value")) < page.evaluate(
        place.format("label.gradient")
    )


# --- moving --------------------------------------------------------------------------------------


def test_every_number_follows_an_input(opened):
    page = opened(co.trace(product)(-2.0, 5.0, -4.0))
    check_numbers(page, co.trace(product)(-2.0, 5.0, -4.0))
    slide(page, "x", 1.0)
    slide(page, "z", 2.5)
    check_numbers(page, co.trace(product)(1.0, 5.0, 2.5))
    assert "15" in texts(page, "#drawing .label.value text")
    assert "circuit" not in page.inner_text("#summary")
    assert "= 15" in page.inner_text("#summary")
    assert "q = 6" in page.inner_text("#source")
    page.click("#recorded")
    check_numbers(page, co.trace(product)(-2.0, 5.0, -4.0))


def test_a_real_drag_moves_it_too(opened):
    page = opened(co.trace(product)(-2.0, 5.0, -4.0))
    box = page.locator('input[data-input="y"]').bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75, middle, steps=5)
    page.mouse.up()
    y = float(page.input_value('input[type=number][aria-label="number y"]'))
    assert y > 8
    check_numbers(page, co.trace(product)(-2.0, float(numbers(page, "value")[1]), -4.0))


def test_an_element_of_an_array_moves_by_keys(opened):
    W, b, x = np.arange(6.0).reshape(2, 3) / 10, np.zeros(2), np.array([1.0, -1.0, 0.5])
    page = opened(co.trace(layer, argnums=(0, 1))(W, b, x))
    page.click('[data-element="4"]')
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    moved = np.array(numbers(page, "value")[0]).reshape(2, 3)
    assert moved[1, 1] > W[1, 1]
    check_numbers(page, co.trace(layer, argnums=(0, 1))(moved, b, x))
    assert "W[1, 1]" in page.inner_text("#tangent")


def test_the_tangent_has_the_slope_of_the_gradient(opened):
    page = opened(co.trace(lambda x: x * x)(3.0))
    assert "slope 6 at x = 3" in page.inner_text("#tangent")
    ends = page.get_attribute("#tangent .tangent", "d")
    (x0, y0), (x1, y1) = (map(float, point.split()) for point in ends[1:].split("L"))
    assert x1 > x0
    assert y1 < y0, "it climbs"
    slide(page, "x", -1.0)
    assert "slope -2 at x = -1" in page.inner_text("#tangent")


def test_beyond_the_recorded_path_it_says_so(opened):
    page = opened(co.trace(branch)(2.0))
    assert page.inner_text("#beyond") == ""
    slide(page, "x", -1.0)
    assert "Beyond the recorded path" in page.inner_text("#beyond")
    assert "if x > 0" in page.inner_text("#beyond")
    slide(page, "x", 1.0)
    assert page.inner_text("#beyond") == ""


def test_a_large_circuit_says_that_it_shows_what_was_recorded(opened):
    page = opened(co.trace(deep)(0.3))
    assert "too large to move" in page.inner_text("#inputs")
    assert page.locator("input[data-input]").count() == 0


# --- step by step --------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["en", "pt"])
def test_the_arrow_keys_tell_the_narrators_story(opened, lang):
    program = co.trace(neuron, argnums=0)([2.0, -3.0, -3.0], [-1.0, -2.0])
    page = opened(program, lang)
    said = {}
    for sentence in narrate(program.run):
        phase = "backward" if sentence.phase == "fork" else sentence.phase
        if sentence.step is not None:
            said.setdefault((phase, sentence.step), []).append(sentence.says.into(lang))
    count = len(program.circuit.steps)
    for k in range(count):
        page.keyboard.press("ArrowRight")
        assert texts(page, "#sentence p") == said["forward", k]
        assert page.get_attribute(".box.here", "data-step") == str(k)
    page.keyboard.press("ArrowRight")
    for k in sorted((k for phase, k in said if phase == "backward"), reverse=True):
        page.keyboard.press("ArrowRight")
        assert texts(page, "#sentence p") == said["backward", k]
    page.keyboard.press("ArrowLeft")
    assert texts(page, "#sentence p") == said["backward", 1]


def test_when_moved_it_tells_the_new_numbers_in_the_same_form(opened):
    page = opened(co.trace(product)(-2.0, 5.0, -4.0))
    other = co.trace(product)(1.0, 5.0, -4.0)
    slide(page, "x", 1.0)
    page.keyboard.press("Escape")
    backward = [each.says.en for each in narrate(other.run) if each.phase == "backward"]
    forward = [each.says.en for each in narrate(other.run) if each.phase == "forward"]
    found = []
    for _ in range(5):
        page.keyboard.press("ArrowRight")
        found += texts(page, "#sentence p")
    assert found[:2] == forward
    assert found[3:] == backward[1:]


def test_what_is_not_yet_known_is_dim(opened):
    page = opened(co.trace(product)(-2.0, 5.0, -4.0))

    def dim(kind: str) -> list[str]:
        return texts(page, f"#drawing .label.{kind}.later")

    assert not dim("value")
    assert not dim("gradient")
    page.keyboard.press("ArrowRight")
    assert dim("value") == ["-12"]
    assert len(dim("gradient")) == 5
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert dim("gradient") == ["∂ -4", "∂ -4", "∂ 3", "∂ -4"]
    page.keyboard.press("ArrowRight")
    assert dim("gradient") == ["∂ -4", "∂ -4"]
    page.keyboard.press("End")
    assert not dim("gradient")


# --- line, wire and backward line ----------------------------------------------------------------


def test_one_lights_the_other_two_and_what_is_kept(opened):
    page = opened(co.trace(product)(-2.0, 5.0, -4.0))
    line = page.locator("#code .row", has_text="dz = dvalue * q").or_(
        page.locator("#code .row", has_text="* q")
    )
    line.last.hover()
    wires = page.eval_on_selector_all("#drawing .wire.hot", "a => a.map(e => e.dataset.wires)")
    assert set(wires) == {"2"}, "the gradient of z"
    cached = page.eval_on_selector_all("#drawing .wire.cached", "a => a.map(e => e.dataset.wires)")
    assert set(cached) == {"3"}, "q is kept for it"
    assert "return q * z" in " ".join(texts(page, "#source .row.hot"))
    page.locator("#source .row", has_text="q = x + y").hover()
    hot = texts(page, "#code .row.hot")
    assert any("dx = dq" in text for text in hot)
    assert page.locator('#drawing .wire.hot[data-wires="3"]').count() == 1
    page.locator('#drawing .label.value[data-wires="3"]').hover()
    assert any("q = x + y" in text for text in texts(page, "#source .row.hot"))
    assert any("dx = dq" in text for text in texts(page, "#code .row.hot"))
    page.locator('#drawing .label.value[data-wires="4"]').hover()
    cached = page.eval_on_selector_all("#drawing .wire.cached", "a => a.map(e => e.dataset.wires)")
    assert set(cached) == {"2", "3"}, "both factors are kept for the product"


def test_a_kept_wire_says_which_line_needs_it(opened):
    page = opened(co.trace(product)(-2.0, 5.0, -4.0))
    page.click('#drawing .label.value[data-wires="3"] text')
    told = page.inner_text("#wire")
    assert "kept because line" in told
    line = int(told.split("kept because line")[1].split()[0])
    assert "* q" in page.inner_text(f'#code .row[data-line="{line}"] code')
    page.click('#drawing .label.value[data-wires="0"] text')
    assert "not kept" in page.inner_text("#wire")


def test_a_tile_opens_to_the_whole_matrix(opened):
    W, b, x = np.arange(6.0).reshape(2, 3) / 10, np.zeros(2), np.array([1.0, -1.0, 0.5])
    program = co.trace(layer, argnums=(0, 1))(W, b, x)
    page = opened(program)
    page.click("#drawing .tile.gradient")
    cells = texts(page, "#wire table td.value")
    assert cells == [number(each) for each in W.ravel()]
    gradient = program.run.gradients[0]
    assert texts(page, "#wire table td.gradient") == [number(each) for each in gradient.ravel()]


def test_a_larger_matrix_opens_whole_and_a_huge_one_around_what_is_looked_at(opened):
    for shape, whole in (((20, 30), True), ((50, 60), False)):
        W = np.random.default_rng(0).normal(size=shape)
        program = co.trace(lambda W: np.sum(np.tanh(W)))(W)
        page = opened(program)
        page.click("#drawing .tile.value >> nth=0")
        for kind, expected in (("value", W), ("gradient", program.grads[0])):
            cells = texts(page, f"#wire table td.{kind}")
            if whole:
                assert cells == [number(each) for each in expected.ravel()]
            else:
                assert len(cells) == 8 * 6
        page.focus('#wire canvas[data-kind="value"]')
        page.keyboard.press("ArrowRight")
        for _ in range(18):
            page.keyboard.press("ArrowDown")
        at = texts(page, "#wire td.at")
        assert at == [number(W[18, 1]), number(program.grads[0][18, 1])]
        box = page.locator("#wire td.at").first.bounding_box()
        around = page.locator("#wire .scroll").first.bounding_box()
        assert around["y"] <= box["y"] <= around["y"] + around["height"]


# --- folding, finding, looking -------------------------------------------------------------------


def test_ten_thousand_gates_open_folded(opened):
    page = opened(co.trace(deep)(0.3))
    assert page.evaluate("corrente.steps.length") == 10_000
    boxes = int(page.get_attribute("#drawing", "data-boxes"))
    assert boxes <= 60
    assert "10\N{NO-BREAK SPACE}000 gates are folded" in page.inner_text("#notes")
    for _ in range(6):
        page.click("#unfold")
        assert int(page.get_attribute("#drawing", "data-boxes")) <= 300
    page.click("#fold")
    page.locator("#drawing [data-fold] .knob").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("#open .chip").count() == 1
    assert page.evaluate("document.activeElement.classList.contains('knob')")
    page.fill("#search", "cell")
    page.keyboard.press("Escape")
    page.eval_on_selector("#at", "at => { at.value = 15000; at.dispatchEvent(new Event('input')) }")
    assert "The" in page.inner_text("#sentence")
    assert page.locator(".box.here").count() == 1


def test_what_is_opened_by_hand_folds_what_was_opened_first(opened):
    page = opened(co.trace(deep)(0.3))
    crowded = []
    for _ in range(9):
        turns = page.locator("#drawing [data-fold]", has_text="turns").first
        turns.locator(".knob").focus()
        page.keyboard.press("Enter")
        assert int(page.get_attribute("#drawing", "data-boxes")) <= 300
        crowded.append("There is room for 300 boxes" in page.inner_text("#notes"))
    assert any(crowded)


def test_a_function_opens_and_folds_again(opened):
    def f(x):
        return cell(cell(x, 1.0), 2.0) * x

    page = opened(co.trace(f)(0.5), fold="auto")
    frames = page.locator("#drawing .frame").count()
    assert frames >= 1
    page.locator("#open .chip").first.click()
    assert page.locator("#drawing [data-fold]").count() == 1
    assert "3 of 7 gates are folded into 1 box" in page.inner_text("#notes")
    page.locator("#drawing [data-fold] rect").last.click()
    assert page.locator("#drawing [data-fold]").count() == 0


def test_loops_say_how_often_they_turn(opened):
    page = opened(co.trace(lambda x: deep(x) + 1.0)(0.3))
    page.click("#fold")
    assert "× 2\N{NO-BREAK SPACE}500" in " ".join(texts(page, "#drawing text"))


def grid(x, w):
    for _ in range(5):
        for _ in range(4):
            x = np.tanh(x * w)
    return x


def test_a_loop_around_a_loop_is_a_box_that_opens(opened):
    page = opened(co.trace(grid)(0.3, 0.7), fold="functions")
    page.click("#fold")
    assert page.locator("#drawing [data-fold]").count() == 1
    assert "× 5, 40 gates" in " ".join(texts(page, "#drawing text"))
    norms = page.get_attribute("#drawing .spark", "d") or ""
    assert len(norms.split("L")) == 5, "one norm for each turn of the outer loop"
    page.locator("#drawing [data-fold] .knob").focus()
    page.keyboard.press("Enter")
    inner = page.locator("#drawing [data-fold]")
    assert inner.count() == 5
    assert " ".join(texts(page, "#drawing text")).count("× 4, 8 gates") == 5
    inner.nth(0).locator("rect").last.click()
    assert page.locator("#drawing [data-fold]").count() == 8, "four turns in place of the loop"
    assert texts(page, "#open .chip") == ["▾ for _ in range(5)", "▾ for _ in range(4)"]
    page.locator("#drawing .frame", has_text="range(4)").locator("text").click()
    assert page.locator("#drawing [data-fold]").count() == 5


def test_search_opens_what_is_folded(opened):
    def f(x):
        for _ in range(60):
            x = cell(x, 0.1)
        unlike = x * 2.0
        return unlike + x

    page = opened(co.trace(f)(0.3))
    page.click("#fold")
    page.keyboard.press("/")
    page.keyboard.type("unlike")
    assert page.inner_text("#found") == "1 found" or "found" in page.inner_text("#found")
    page.keyboard.press("Enter")
    assert page.locator("#wire .name b").inner_text() == "unlike"
    assert "unlike" in " ".join(texts(page, "#drawing .label.name.hot text"))


def test_zoom_and_pan(opened):
    page = opened(co.trace(product)(-2.0, 5.0, -4.0))
    scale = "corrente.look.scale"
    before = page.evaluate(scale)
    page.click("#in")
    assert page.evaluate(scale) > before
    page.keyboard.press("0")
    box = page.locator("#stage").bounding_box()
    page.mouse.move(box["x"] + 40, box["y"] + 20)
    here = page.evaluate(scale)
    page.mouse.wheel(0, -300)
    page.wait_for_function(f"{scale} > {here}")
    x = page.evaluate("corrente.look.x")
    page.mouse.down()
    page.mouse.move(box["x"] + 140, box["y"] + 60, steps=4)
    page.mouse.up()
    assert page.evaluate("corrente.look.x") == pytest.approx(x + 100, abs=2)
    page.locator("#drawing .knob").first.focus()
    page.keyboard.press("Shift+ArrowLeft")
    assert page.evaluate("corrente.look.x") > x + 100


def test_everything_is_reached_by_keys_alone(opened):
    page = opened(co.trace(product)(-2.0, 5.0, -4.0))
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate(
                "(e => e.id || e.dataset.input || e.closest('[id]')?.id)(document.activeElement)"
            )
        )
    assert {"search", "theme", "next", "at", "x", "y", "z", "camera", "source", "code"} <= reached
    page.locator("#drawing .knob").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert "x + y" in page.inner_text("#wire")
    assert page.locator("#source .row.hot").count() == 1


# --- two languages, two lights, paper ------------------------------------------------------------


def test_both_languages_in_one_page(opened):
    page = opened(co.trace(product)(-2.0, 5.0, -4.0))
    english = page.inner_text("body")
    page.click("[data-lang=pt]")
    portuguese = page.inner_text("body")
    assert page.get_attribute("html", "lang") == "pt-BR"
    for before, after in (
        ("Circuit of product", "Circuito de product"),
        ("YOUR SOURCE", "O SEU CÓDIGO"),
        ("value, above the wire", "valor, acima do fio"),
        ("Move an input", "Mova uma entrada"),
        ("everything shown", "tudo à mostra"),
        ("Return the value", "Devolve o valor"),
    ):
        assert before in english
        assert before not in portuguese
        assert after in portuguese
    assert page.get_attribute("#next", "aria-label") == "Um passo adiante (→)"
    page.click("[data-lang=en]")
    assert page.inner_text("body") == english


def test_light_and_dark(opened):
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light = opened(co.trace(product)(-2.0, 5.0, -4.0))
    dark = opened(co.trace(product)(-2.0, 5.0, -4.0), color_scheme="dark")
    first, second = light.evaluate(ground), dark.evaluate(ground)
    assert first != second
    light.click("#theme")
    dark.click("#theme")
    assert (light.evaluate(ground), dark.evaluate(ground)) == (second, first)


def test_on_paper_there_is_all_and_no_buttons(opened):
    page = opened(co.trace(neuron, argnums=0)([2.0, -3.0, -3.0], [-1.0, -2.0]))
    page.emulate_media(media="print", color_scheme="dark")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert not page.locator("button:visible").count()
    assert page.locator(".strip").count() >= 1
    told = page.inner_text("#story")
    assert "The gradient of neuron with respect to itself is 1" in told
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(31, 35, 40)"
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator(".strip").count() == 0


def test_it_fits_a_narrow_screen(opened):
    page = opened(
        co.trace(neuron, argnums=0)([2.0, -3.0, -3.0], [-1.0, -2.0]),
        viewport={"width": 380, "height": 800},
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= 380


# --- what is odd ---------------------------------------------------------------------------------

ODD = {
    "nothing is done": (lambda x: x, (2.0,)),
    "two outputs": (lambda x: (x * 2.0, x + 1.0), (2.0,)),
    "a complex number that forks": (lambda z: np.real(z * z + z * np.conj(z)), (1 + 2j,)),
    "a complex array": (lambda z: np.sum(np.abs(z * z + z)), (np.array([1 + 2j, 3 - 1j, 1j, 2]),)),
    "log 0": (lambda x: np.log(x) * x, (0.0,)),
    "nan in an array": (lambda x: np.sum(np.log(x) * x), (np.array([0.0, -1.0, 2.0, 3.0]),)),
    "an empty slice": (lambda x: np.sum(x[:0]) + np.sum(x), (np.ones(4),)),
    "float32": (lambda x: np.sum(np.exp(x)), (np.ones((4, 5), np.float32),)),
    "three axes": (lambda x: np.sum(np.tanh(x)), (np.arange(24.0).reshape(2, 3, 4),)),
    "many inputs": (lambda p: sum(x * x for x in p), ([float(k) for k in range(300)],)),
    "several outputs of one gate": (lambda A: np.sum(np.linalg.svd(A)[1]), (np.eye(3) * 2,)),
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.filterwarnings("ignore:.*:RuntimeWarning")
def test_what_is_odd_is_shown_quietly(opened, name):
    f, args = ODD[name]
    page = opened(co.trace(f)(*args))
    for key in ["ArrowRight"] * 12 + ["ArrowLeft"] * 3 + ["End"]:
        page.keyboard.press(key)
    for label in page.locator("#drawing .label.value").all()[:4]:
        label.dispatch_event("pointerdown")
        label.dispatch_event("pointerup")
    for slider in page.locator("input[data-input]").all()[:2]:
        slider.focus()
        page.keyboard.press("ArrowRight")
    page.click("[data-lang=pt]")
    assert "undefined" not in page.inner_text("body")
    assert "[object" not in page.inner_text("body")


# --- safe and open to all ------------------------------------------------------------------------


def test_a_name_that_looks_like_markup_stays_text(opened):
    def f(p):
        q = p[EVIL] * 2.0
        return q * p[EVIL]

    f.__name__ = EVIL
    page = opened(co.trace(f)({EVIL: 2.0}))
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.click("#drawing .label.value text")
    page.click("[data-lang=pt]")
    page.fill("#search", "<img")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("img").count() == 0
    assert EVIL in page.inner_text("#title")


def test_nothing_that_gets_in_may_fetch_or_run(browser, tmp_path):
    path = tmp_path / "c.html"
    co.trace(product)(-2.0, 5.0, -4.0).save(path)
    page = browser.new_page()
    asked: list[str] = []
    refused: list[str | None] = []
    page.on("requestfinished", lambda request: asked.append(request.url))
    page.on("requestfailed", lambda request: refused.append(request.failure))
    page.goto(path.as_uri())
    page.evaluate(
        """() => {
            document.body.insertAdjacentHTML("beforeend",
                '<img src="https://example.org/a.png" onerror="window.ran = 1">');
            const script = document.createElement("script");
            script.textContent = "window.ran = 1";
            document.body.append(script);
            return fetch("https://example.org/").catch(() => 0);
        }"""
    )
    page.wait_for_timeout(100)
    assert page.evaluate("window.ran") is None
    assert asked == [path.as_uri()]
    assert set(refused) <= {"csp"}, "stopped by the page's own policy, not by the network"
    page.close()


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not there")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("lang", ["en", "pt"])
def test_it_is_accessible(opened, scheme, lang):
    W, b, x = np.arange(6.0).reshape(2, 3) / 10, np.zeros(2), np.array([1.0, -1.0, 0.5])
    page = opened(co.trace(layer, argnums=(0, 1))(W, b, x), lang, color_scheme=scheme)
    page.click("#drawing .tile.gradient")
    page.keyboard.press("ArrowRight")
    page.eval_on_selector("details", "each => { each.open = true }")
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("axe.run(document)")
    assert [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]] == []
    assert len(found["passes"]) > 30
