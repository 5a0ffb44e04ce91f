"""Exercises: the same by seed, pretty, right, answerable, and printed without the answers."""

from __future__ import annotations

import io
import json
import re
import xml.etree.ElementTree as ET
from fractions import Fraction
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corrente import exercises
from corrente.derivatives import grad
from corrente.errors import BadArgument, BadValue
from corrente.exercises import LEVELS, Exercise, ask, command, exercise, read, right, sheet
from corrente.exercises.answers import exact, write
from corrente.exercises.plans import OPERATIONS, perform
from corrente.scene import lay_out
from corrente.words import LANGUAGES

SEEDS = range(12)
every = pytest.mark.parametrize(
    ("level", "seed"), [(level, seed) for level in LEVELS for seed in range(6)]
)
levels = pytest.mark.parametrize("level", LEVELS)


def formula(task: Exercise):
    """Write the program once more, as a function for `grad` to differentiate."""

    def f(inputs):
        values = dict(inputs)
        for name, operation, reads in task.plan.lines:
            ins = [values[each] if isinstance(each, str) else each for each in reads]
            values[name] = OPERATIONS[operation].function(*ins)
        return values[task.plan.lines[-1].name]

    return f


# --- the circuits -------------------------------------------------------------------------------


@levels
def test_the_same_seed_gives_the_same_exercise(level):
    sheets = [sheet(exercise(level, 7), ".txt", solution=True) for _ in range(2)]
    assert sheets[0] == sheets[1]
    different = {str(exercise(level, seed).plan) for seed in SEEDS}
    assert len(different) > 9


def test_seeds_keep_their_exercises():
    """A sheet printed last year has its solution this year."""
    task = exercise(1, 0)
    assert [str(line) for line in task.plan.lines] == FIRST[0]
    assert task.plan.inputs == FIRST[1]


FIRST: tuple[list[str], dict[str, float]] = (
    ["q = y * z", "f = x + q"],
    {"x": 5.0, "y": -3.0, "z": -2.0},
)


@every
def test_numbers_are_small_and_pretty(level, seed):
    task = exercise(level, seed)
    numbers = [x for blank in task.blanks for x in np.ravel(blank.answer)]
    assert 4 <= len(task.blanks) <= 24
    assert all(abs(x) <= LEVELS[level].most for x in numbers)
    if level in (1, 2, 5):
        assert all(x == round(x) for x in numbers)
    if level == 3:
        assert all(Fraction(x).limit_denominator(1000).denominator <= 32 for x in numbers)
    zeros = [not np.any(value) for value in task.run.gradients.values()]
    assert sum(zeros) <= 1


@every
def test_gradients_are_those_of_the_program(level, seed):
    task = exercise(level, seed)
    found = grad(formula(task))(task.plan.inputs)
    named = {task.run.circuit.names[w]: w for w in task.run.circuit.ins}
    for name, value in found.items():
        assert np.allclose(value, task.run.gradients[named[name]])
        (blank,) = [b for b in task.blanks if b.wire == named[name] and b.kind == "gradient"]
        assert np.allclose(value, blank.answer)


def test_levels_train_what_they_say():
    used = {
        level: [{line.operation for line in exercise(level, seed).plan.lines} for seed in SEEDS]
        for level in LEVELS
    }
    assert all(each == {"add", "multiply"} for each in used[1])
    assert all("max" in each for each in used[2])
    assert all("divide" in each for each in used[3])
    assert any("power" in each for each in used[3])
    assert all({"exp", "negate", "divide"} <= each for each in used[4])
    assert all("matmul" in each for each in used[5])


@pytest.mark.parametrize("level", [0, 6, -1])
def test_other_levels_are_refused(level):
    with pytest.raises(BadValue, match=f"no level {level}") as caught:
        exercise(level)
    assert "não há nível" in caught.value.render("pt")


@levels
def test_many_seeds_keep_the_promises(level):
    for seed in range(100):
        task = exercise(level, seed)
        for step, line in zip(task.run.circuit.steps, task.plan.lines, strict=True):
            ins = [task.run.values[wire] for wire in step.ins]
            assert line.operation != "max" or not np.any(np.equal(*ins)), "a tie"
            assert line.operation != "divide" or abs(ins[1]) != 1, "one over one"
        written = [write(blank.answer) for blank in task.blanks]
        assert level != 2 or any(blank.kind == "part" for blank in task.blanks), "no fork"
        dull = sum(text in ("0", "1", "-1") for text in written)
        assert level == 4 or dull <= 0.65 * len(written), "too much of it is nought or one"


@pytest.mark.parametrize("seed", [316, 350, 380, 395, 436])
def test_arrays_are_short_enough_for_a_drawing(seed):
    """The first matrices that these seeds draw by lot are not."""
    task = exercise(5, seed)
    drawn = lay_out(task.solved())
    assert not [line for label in drawn.labels for line in label.lines if "…" in line]


# --- the blanks ---------------------------------------------------------------------------------


@every
def test_every_wire_is_asked_for_once(level, seed):
    task = exercise(level, seed)
    circuit = task.run.circuit
    asked = [(blank.kind, blank.wire) for blank in task.blanks if blank.kind != "part"]
    values = {("value", step.outs[0]) for step in circuit.steps}
    gradients = {("gradient", wire) for wire in task.run.gradients if wire not in circuit.outs}
    assert set(asked) == values | gradients
    assert len(asked) == len(set(asked))
    kinds = [blank.kind for blank in task.blanks]
    assert kinds == sorted(kinds, key=lambda kind: kind != "value"), "values first"
    assert [blank.number for blank in task.blanks] == list(range(1, len(task.blanks) + 1))


@every
@pytest.mark.parametrize("lang", LANGUAGES)
def test_workings_end_in_the_answer_and_hints_do_not(level, seed, lang):
    for blank in exercise(level, seed).blanks:
        told = blank.working.into(lang).rpartition(" = ")[2].replace("−", "-")
        shape = np.shape(blank.answer)
        assert np.allclose(read(told, shape), blank.answer, rtol=1e-3, atol=1e-4)
        assert blank.hint.into(lang).endswith(" = ?")
        assert blank.asks.into(lang)
        assert bool(blank.teaches.into(lang)) == (blank.kind != "value")


def test_a_wrong_share_is_explained_by_local_times_upstream():
    task = exercise(1, 1)
    hints = [blank.hint.en for blank in task.blanks if blank.kind == "gradient"]
    assert all(re.search(r"∂f/∂\w · ∂\w/∂\w = \S+ × \S+ = \?$", hint) for hint in hints)


@every
def test_arrays_are_worked_out_in_numbers(level, seed):
    task = exercise(level, seed)
    for blank in task.blanks:
        if np.ndim(blank.answer):
            assert "shape" not in blank.working.en
            assert write(blank.answer) in blank.working.en


@pytest.mark.parametrize("seed", range(8))
def test_the_rules_for_arrays_hold(seed):
    """What is written beside an array's gradient gives it: vectors are columns."""
    task, checked = exercise(5, seed), 0
    run = task.run
    for wire, parts in run.contributions.items():
        for part in parts:
            step, line = run.circuit.steps[part.step], task.plan.lines[part.step]
            rule = OPERATIONS[line.operation].back[part.position]
            code = re.sub(r"\{(\w)\}", r"_\1", rule).replace("ᵀ", ".T").replace("−", "-")
            columns = {f"_{k}": column(run.values[each]) for k, each in enumerate(step.ins)}
            columns["_g"] = column(run.gradients[step.outs[0]])
            found = eval(code, {}, columns)  # the house's own table
            shape = np.shape(run.values[wire])
            assert np.allclose(
                np.broadcast_to(found, column(part.value).shape).reshape(shape), part.value
            )
            checked += 1
    assert checked >= 5


def column(value):
    array = np.asarray(value)
    return array if array.ndim == 2 else array.reshape(-1, 1)


@every
def test_a_solved_drawing_has_the_parts_where_they_belong(level, seed):
    task = exercise(level, seed)
    for wire, parts in task.solved().contributions.items():
        shown = {part[:2]: str(part.value) for part in parts}
        for part in task.run.contributions[wire]:
            value = write(part.value) if np.ndim(part.value) else float(part.value) + 0.0
            assert shown[part[:2]] == str(value)


# --- answers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("3", 3.0),
        ("-3", -3.0),
        ("−3", -3.0),
        ("+0,5", 0.5),
        ("0.5", 0.5),
        (".5", 0.5),
        ("-1/4", -0.25),
        ("1 / -4", -0.25),
        ("1,5/2", 0.75),
        (" 7 ", 7.0),
    ],
)
def test_numbers_are_read_as_people_write_them(typed, value):
    assert read(typed) == value


@pytest.mark.parametrize(
    "typed", ["", "x", "1/0", "1//2", "--1", "1e9", "9" * 40, "1 2", "nan", "inf", "1/2/3", "1.2.3"]
)
def test_what_is_no_number_is_none(typed):
    assert read(typed) is None


@pytest.mark.parametrize(
    "typed", ["[1 2; 3 4]", "1 2 3 4", "1, 2; 3, 4", "[[1,2],[3,4]]", "1 2\n3 4"]
)
def test_matrices_are_read_row_by_row(typed):
    assert read(typed, (2, 2)).tolist() == [[1, 2], [3, 4]]


def test_decimal_commas_in_arrays():
    assert read("0,5 1/4", (2,)).tolist() == [0.5, 0.25]
    assert read("1,2", (2,)).tolist() == [1, 2]
    assert read("1 2 3", (2,)) is None
    assert read("1 x", (2,)) is None


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=30), st.sampled_from([(), (2,), (2, 2)]))
def test_no_text_breaks_the_reader(typed, shape):
    found = read(typed, shape)
    assert found is None or np.shape(found) == shape


@given(st.fractions(min_value=-30, max_value=30, max_denominator=25))
def test_what_is_written_is_read_back(fraction):
    value = float(fraction)
    assert right(read(write(value)), value)
    assert read(exact(value).partition(" = ")[0]) == pytest.approx(value, rel=1e-3)


def test_near_is_right_and_far_is_not():
    assert right(0.33, 1 / 3)
    assert not right(0.35, 1 / 3)
    assert right(0.2, 0.1966, rounded=True)
    assert not right(-0.2, 0.1966, rounded=True)
    assert not right(np.array([1.0, 2.0]), np.array([2.0, 1.0]))


# --- in the terminal ----------------------------------------------------------------------------


def talk(task, answers, lang="en"):
    """Hold a dialogue and return its score and everything said and drawn."""
    said, left = [], iter(answers)

    def hear(prompt):
        said.append(prompt)
        try:
            return next(left)
        except StopIteration:
            raise EOFError from None

    def show(scene):
        said.extend(line for label in scene.labels for line in label.lines)

    return ask(task, lang, hear=hear, say=said.append, show=show), "\n".join(said)


@every
def test_right_answers_are_right(level, seed):
    task = exercise(level, seed)
    score, said = talk(task, [write(blank.answer) for blank in task.blanks])
    assert score == (len(task.blanks), len(task.blanks), True)
    assert "Not yet" not in said


@levels
@pytest.mark.parametrize("lang", LANGUAGES)
def test_wrong_answers_are_explained_and_then_told(level, lang):
    task = exercise(level, 3)
    wrong = [write(np.asarray(blank.answer) + 1.0) for blank in task.blanks]
    score, said = talk(task, [text for text in wrong for _ in range(2)], lang)
    assert score == (0, len(task.blanks), True)
    for blank in task.blanks:
        assert blank.hint.into(lang) in said
        assert blank.working.into(lang) in said
        assert exact(blank.answer) in said


def test_a_second_try_counts_no_more():
    task = exercise(1, 2)
    first, *rest = [write(blank.answer) for blank in task.blanks]
    assert talk(task, ["99", first, *rest])[0].first == len(rest)
    assert talk(task, ["?", first, *rest])[0].first == len(rest)
    score, said = talk(task, ["hm", first, *rest])
    assert score.first == len(rest) + 1, "a slip of the keys is no wrong answer"
    assert "no answer of this form" in said


def test_it_can_be_left():
    score, said = talk(exercise(2, 5), ["1"])
    assert not score.done
    assert "corrente exercise --level 2 --seed 5" in said


def test_what_is_filled_is_drawn():
    task = exercise(1, 2)
    _, said = talk(task, [write(blank.answer) for blank in task.blanks])
    first, second = said.split("(1) the value")[0], said.split("Now back")[0]
    value = write(task.blanks[0].answer)
    assert "(1)" in first
    assert value in second.rsplit("(2) the value", 1)[1]


# --- sheets -------------------------------------------------------------------------------------


class Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.words = [], []

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta",):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def shown(text: str, suffix: str) -> str:
    """Return what a sheet shows."""
    if suffix == ".svg":
        return "\n".join(
            element.text or ""
            for element in ET.fromstring(text).iter()
            if "style" not in element.tag
        )
    if suffix == ".html":
        reader = Reader()
        reader.feed(text)
        assert not reader.open
        return "\n".join(reader.words)
    return text


@levels
@pytest.mark.parametrize("suffix", [".svg", ".html", ".txt"])
@pytest.mark.parametrize("lang", LANGUAGES)
def test_sheets_ask_everything_and_tell_nothing(level, suffix, lang):
    task = exercise(level, 1)
    words = shown(sheet(task, suffix, lang), suffix)
    solved = shown(sheet(task, suffix, lang, solution=True), suffix)
    for blank in task.blanks:
        assert f"({blank.number})" in words
    for line in task.plan.lines:
        assert str(line) in words.replace("\N{NO-BREAK SPACE}", " ")
    told = {write(blank.answer) for blank in task.blanks if len(write(blank.answer)) > 2}
    given_ = {write(value) for value in task.plan.inputs.values()}
    for answer in told - given_:
        assert not re.search(rf"(?<![\d.]){re.escape(answer)}(?![\d.])", words)
        assert answer in solved
    assert {"en": "seed 1", "pt": "semente 1"}[lang] in words


@levels
def test_local_gradients_are_to_be_found(level):
    task = exercise(level, 1)
    kinds = [{label.kind for label in lay_out(run).labels} for run in (task.posed(), task.solved())]
    assert "local" not in kinds[0]
    assert "local" in kinds[1]


def test_pointing_at_a_sheet_tells_nothing():
    assert "<title>" not in re.sub(r"<title id.*?</title>", "", sheet(exercise(2, 1), ".svg"))


def test_pages_load_nothing():
    text = sheet(exercise(2, 1), ".html", solution=True)
    assert "default-src 'none'" in text
    assert not re.search(r"<script|\son\w+=|href=|src=", text)


def test_other_sheets_are_refused():
    with pytest.raises(BadValue, match=r"no sheet is written as '\.pdf'"):
        sheet(exercise(), ".pdf")


@levels
def test_data_holds_answers_only_when_asked(level):
    task = exercise(level, 4)
    posed = json.loads(json.dumps(exercises.plain_data(task)))
    solved = json.loads(json.dumps(exercises.plain_data(task, solution=True), allow_nan=False))
    assert not [entry for entry in posed["blanks"] if "answer" in entry or "working" in entry]
    for entry, blank in zip(solved["blanks"], task.blanks, strict=True):
        assert np.array_equal(entry["answer"], blank.answer)
        assert entry["shape"] == list(np.shape(blank.answer))


# --- the command --------------------------------------------------------------------------------


def test_the_command_prints_a_solution(capsys):
    command(["--level", "3", "--seed", "2", "--solution", "--lang", "pt"])
    assert capsys.readouterr().out == sheet(exercise(3, 2), ".txt", "pt", solution=True)


def test_the_command_writes_sheets(tmp_path, capsys):
    paths = [tmp_path / "a.svg", tmp_path / "b.html", tmp_path / "c.txt"]
    command(["--seed", "5", *(word for path in paths for word in ("--sheet", str(path)))])
    assert capsys.readouterr().out.count("saved: ") == 3
    for path in paths:
        assert path.read_text("utf-8") == sheet(exercise(1, 5), path.suffix)


def test_the_command_prints_data(capsys):
    command(["--level", "2", "--seed", "5", "--json"])
    data = json.loads(capsys.readouterr().out)
    assert data == exercises.plain_data(exercise(2, 5))


def test_the_command_asks(monkeypatch, capsys):
    answers = [write(blank.answer) for blank in exercise(1, 6).blanks]
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(answers)))
    command(["--seed", "6"])
    out = capsys.readouterr().out
    assert "6 of 6 right at the first try." in out
    assert out.count("┏━━━┓") >= 6


def test_without_a_seed_it_says_which_it_took(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO())
    command([])
    first = re.search(r"--seed (\d+)", capsys.readouterr().out)
    assert first


@pytest.mark.parametrize(
    "words",
    [["--level"], ["--level", "x"], ["--levels", "2"], ["--lang", "fr"], ["more"], ["--json=1"]],
)
def test_what_is_mistyped_is_refused(words):
    with pytest.raises(BadArgument) as caught:
        command(words)
    assert caught.value.render("pt") != caught.value.render("en")


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(BadValue, match="cannot write"):
        command(["--seed", "1", "--sheet", str(tmp_path / "none" / "a.svg")])


@pytest.mark.parametrize("lang", LANGUAGES)
def test_help_names_every_option_and_level(lang, capsys):
    command(["--help", "--lang", lang])
    out = capsys.readouterr().out
    for word in ("level", "seed", "sheet", "solution", "json", "lang", "help"):
        assert f"--{word}" in out
    for level in LEVELS.values():
        assert level.trains.into(lang) in out


def test_a_plan_performs_as_written():
    task = exercise(2, 3)
    again = perform(task.plan)
    assert str(again.circuit) == str(task.run.circuit)
    assert again.gradients == task.run.gradients
