"""The exercise's page in a real browser: filled by keys, checked, explained, shown and printed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from corrente.exercises import LEVELS, Exercise, exercise, read, right, write, write_page

pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
levels = pytest.mark.parametrize("level", LEVELS)


@pytest.fixture
def posed(visit: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    """Open the page of an exercise."""

    def open_(task: Exercise, lang: str = "en", **options: Any) -> Any:
        path = tmp_path / f"exercise{len(list(tmp_path.iterdir()))}.html"
        path.write_text(write_page(task, lang), "utf-8")
        return visit(path, "#score:not(:empty)", **options)

    return open_


def give(page: Any, number: int, text: str) -> None:
    """Type an answer as keys do, and press Enter."""
    page.fill(f"#blank-{number}", text)
    page.press(f"#blank-{number}", "Enter")


def told(page: Any) -> list[str]:
    return page.eval_on_selector_all("#told p", "all => all.map(each => each.textContent)")


def here(page: Any) -> str:
    return page.evaluate("document.activeElement.id")


def wrong(blank: Any) -> str:
    return write(np.asarray(blank.answer) + 1.0)


# --- right and wrong ----------------------------------------------------------------------------


@levels
def test_it_is_filled_from_the_first_to_the_last_by_keys_alone(posed, level):
    task = exercise(level, 3)
    page = posed(task)
    page.focus("#blank-1")
    for blank in task.blanks:
        assert here(page) == f"blank-{blank.number}", "the next one is at hand"
        page.keyboard.type(write(blank.answer))
        page.keyboard.press("Enter")
        assert told(page)[0] == "Right."
        assert page.locator(f"#blank-{blank.number}.right").count() == 1
    count = len(task.blanks)
    assert told(page)[1] == f"{count} of {count} right at the first try."
    assert page.inner_text("#score") == f"{count} of {count} filled, {count} at the first try."
    assert page.locator("#blanks .state.isRight").count() == count
    assert here(page) == "again"


def test_gradients_open_when_the_values_are_there(posed):
    task = exercise(2, 3)
    values = [blank for blank in task.blanks if blank.kind == "value"]
    page = posed(task)
    assert page.locator(".blank.gradient:disabled").count() == len(task.blanks) - len(values)
    assert page.locator("#later:visible").count() == 1
    for blank in values:
        give(page, blank.number, write(blank.answer))
    assert told(page) == ["Right.", "Every value is there. Now back, from right to left."]
    assert page.locator(".blank:disabled").count() == 0
    assert page.locator("#later:visible").count() == 0


@levels
def test_a_wrong_answer_is_explained_by_the_narrator(posed, level):
    task = exercise(level, 3)
    page = posed(task)
    for blank in task.blanks:
        if blank.kind == "value":
            give(page, blank.number, write(blank.answer))
    first, second = [blank for blank in task.blanks if blank.kind != "value"][:2]
    give(page, first.number, wrong(first))
    assert told(page) == ["Not yet.", first.teaches.en, first.hint.en]
    assert page.get_attribute(f"#blank-{first.number}", "aria-invalid") == "true"
    assert "not yet right" in page.get_attribute(f"#blank-{first.number}", "aria-label")
    assert here(page) == f"blank-{first.number}"
    page.keyboard.type("1")
    assert page.get_attribute(f"#blank-{first.number}", "aria-invalid") == "false"
    give(page, first.number, write(first.answer))
    give(page, second.number, write(second.answer))
    count = len(task.blanks) - sum(blank.kind != "value" for blank in task.blanks)
    assert f"{count + 2} of {len(task.blanks)} filled, {count + 1} at" in page.inner_text("#score")


def test_what_is_no_number_is_said_and_costs_nothing(posed):
    task = exercise(1, 3)
    page = posed(task)
    give(page, 1, "seven")
    assert told(page) == ["That is no answer of this form: a number, such as -1/4 or 0.5."]
    give(page, 1, write(task.blanks[0].answer))
    assert "1 of 6 filled, 1 at the first try" in page.inner_text("#score")


def test_leaving_a_blank_checks_it_too(posed):
    task = exercise(1, 3)
    page = posed(task)
    page.focus("#blank-1")
    page.keyboard.type(write(task.blanks[0].answer))
    page.keyboard.press("Tab")
    assert told(page)[0] == "Right."
    page.keyboard.type(wrong(task.blanks[1]))
    page.click("#title")
    assert told(page)[0] == "Not yet."


def test_what_is_filled_is_shown_wherever_the_wire_goes(posed):
    task = exercise(2, 1)
    page = posed(task)
    assert page.locator('[data-again="1"]').all_text_contents() == ["(1)"] * 2
    give(page, 1, write(task.blanks[0].answer))
    assert (
        page.locator('[data-again="1"]').all_text_contents() == [write(task.blanks[0].answer)] * 2
    )


TYPED = [
    "3", "-3", "−3", "+0,5", "0.5", ".5", "-1/4", "1 / -4", "1,5/2", " 7 ", "", "x", "1/0", "1//2",
    "--1", "1e9", "9" * 40, "1 2", "nan", "1/2/3", "1.2.3", "½", "[1 2; 3 4]", "1 2 3 4",
    "1, 2; 3, 4", "[[1,2],[3,4]]", "0,5 1/4", "1,2", "1 2 3", "1 x", "(1, 2)", "1;2", "1,2,3,4",
]  # fmt: skip


def test_answers_are_read_as_in_the_terminal(posed):
    page = posed(exercise(1, 3))
    for shape in ((), (2,), (2, 2)):
        form = {"array": bool(shape), "count": int(np.prod(shape))}
        for typed in TYPED:
            expected = read(typed, shape)
            found = page.evaluate("([typed, form]) => workbook.read(typed, form)", [typed, form])
            assert found == (None if expected is None else np.ravel(expected).tolist()), typed


@levels
def test_near_is_right_as_in_the_terminal(posed, level):
    task = exercise(level, 3)
    page = posed(task)
    for k, blank in enumerate(task.blanks):
        for by in (0.0, 0.004, -0.005, 0.008, 0.05, -1.0):
            given = np.asarray(blank.answer) + by
            found = page.evaluate(
                "([given, k]) => workbook.isRight(given, workbook.blanks[k])",
                [np.ravel(given).tolist(), k],
            )
            assert found == right(given, blank.answer, task.rounded)


def test_fractions_and_decimal_commas_are_right(posed):
    task = exercise(3, 4)
    (blank, *_) = [b for b in task.blanks if b.kind == "value" and b.answer != round(b.answer)]
    page = posed(task)
    give(page, blank.number, write(blank.answer).replace(".", ","))
    assert told(page)[0] == "Right."


# --- help ---------------------------------------------------------------------------------------


def test_a_hint_for_each_blank(posed):
    task = exercise(1, 3)
    page = posed(task)
    first, second = task.blanks[:2]
    page.click("#hint")
    assert told(page) == [f"(1) {first.asks.en}", first.hint.en]
    give(page, 2, "?")
    assert told(page) == [f"(2) {second.asks.en}", second.hint.en]
    assert page.input_value("#blank-2") == ""
    give(page, 1, write(first.answer))
    give(page, 2, write(second.answer))
    assert "2 of 6 filled, 0 at the first try" in page.inner_text("#score")


@levels
def test_the_solution_is_shown_step_by_step(posed, level):
    task = exercise(level, 3)
    page = posed(task)
    for blank in task.blanks:
        page.click("#reveal")
        said = told(page)
        assert said[0].startswith(f"({blank.number}) is ")
        assert blank.working.en in said
        if blank.teaches.en:
            assert blank.teaches.en in said
        assert page.input_value(f"#blank-{blank.number}") == write(blank.answer)
        assert page.locator("#blanks .working").count() == blank.number
    count = len(task.blanks)
    assert told(page)[-1] == f"0 of {count} right at the first try."
    assert page.is_disabled("#reveal")
    assert page.is_disabled("#hint")


def test_the_answers_are_not_seen_before_they_are_given(posed):
    page = posed(exercise(4, 3))
    assert "0.8808" not in page.inner_text("body")
    assert page.locator("#blanks .working").count() == 0


def test_it_starts_again(posed):
    task = exercise(1, 3)
    page = posed(task)
    give(page, 1, write(task.blanks[0].answer))
    page.click("#reveal")
    page.click("#again")
    assert page.inner_text("#score") == "0 of 6 filled, 0 at the first try."
    assert page.input_value("#blank-1") == ""
    assert page.locator(".blank:disabled").count() == 4
    assert told(page) == []
    assert here(page) == "blank-1"
    give(page, 1, write(task.blanks[0].answer))
    assert "1 at the first try" in page.inner_text("#score")


# --- two languages, two lights, paper, everybody -------------------------------------------------


def test_both_languages_in_one_page(posed):
    task = exercise(2, 3)
    page = posed(task)
    give(page, 1, wrong(task.blanks[0]))
    english = page.inner_text("body")
    page.click("[data-lang=pt]")
    portuguese = page.inner_text("body")
    assert page.get_attribute("html", "lang") == "pt-BR"
    for before, after in (
        ("Exercise, level 2", "Exercício, nível 2"),
        ("Fill the blanks", "Preencha as lacunas"),
        ("Show the next step", "Mostrar o próximo passo"),
        ("Not yet.", "Ainda não."),
        (task.blanks[0].hint.en, task.blanks[0].hint.pt),
        ("0 of", "0 de"),
        ("VALUES", "VALORES"),
    ):
        assert before in english
        assert after in portuguese
    assert "o valor de" in page.get_attribute("#blank-1", "aria-label")
    page.click("[data-lang=en]")
    assert page.inner_text("body") == english


def test_light_and_dark(posed):
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light, dark = posed(exercise()), posed(exercise(), color_scheme="dark")
    first, second = light.evaluate(ground), dark.evaluate(ground)
    assert first != second
    light.click("#theme")
    dark.click("#theme")
    assert (light.evaluate(ground), dark.evaluate(ground)) == (second, first)


def test_printed_it_is_a_sheet_with_blanks(posed):
    task = exercise(2, 3)
    page = posed(task)
    page.emulate_media(media="print", color_scheme="dark")
    assert page.locator("button:visible").count() == 0
    assert page.locator("#name:visible").count() == 1
    assert page.locator("#blanks .line:visible").count() == len(task.blanks)
    assert page.locator(".blank:visible").count() == len(task.blanks)
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(31, 35, 40)"


def test_without_scripts_it_is_a_sheet_too(visit, tmp_path):
    path = tmp_path / "exercise.html"
    path.write_text(write_page(exercise(2, 3)), "utf-8")
    page = visit(path, "#drawing", java_script_enabled=False)
    assert page.locator("#drawing .blank").count() == len(exercise(2, 3).blanks)


@pytest.mark.parametrize("width", [360, 1400])
def test_it_fits_its_window(posed, width):
    page = posed(exercise(4, 3), viewport={"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_what_is_being_filled_is_not_hidden(posed):
    task = exercise(4, 3)
    page = posed(task, viewport={"width": 1000, "height": 600})
    page.focus("#blank-1")
    for blank in task.blanks:
        page.keyboard.type(write(blank.answer))
        page.keyboard.press("Enter")
        if blank is not task.blanks[-1]:
            assert page.evaluate(
                """() => {
                    const box = document.activeElement.getBoundingClientRect();
                    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
                    return document.elementFromPoint(x, y) === document.activeElement;
                }"""
            )


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not there")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("lang", ["en", "pt"])
def test_it_is_accessible(posed, scheme, lang):
    task = exercise(2, 1)
    page = posed(task, lang, color_scheme=scheme)
    page.evaluate(AXE.read_text("utf-8"))

    def faults() -> list[Any]:
        found = page.evaluate("axe.run(document)")
        return [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]]

    assert faults() == []
    for blank in task.blanks[:6]:
        give(page, blank.number, write(blank.answer))
    give(page, 7, wrong(task.blanks[6]))
    page.click("#reveal")
    assert faults() == []
