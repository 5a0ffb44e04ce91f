"""The command line: what it prints, how it is asked, and that no input ends in a traceback."""

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest

from corrente import cli

MAIN = ["(x + y) * z", "x=-2", "y=5", "z=-4"]


@pytest.fixture
def run(capsys):
    """Run a command in this process: exit status, standard output, standard error."""

    def command(*words):
        status = cli.main(words)
        out, err = capsys.readouterr()
        return status, out, err

    return command


def listed(out):
    """Read the list under the drawing: label and figure of each row."""
    rows = re.findall(r"^(value|gradient of \S+) +(\S.*)$", out, re.MULTILINE)
    return {label.removeprefix("gradient of "): figure for label, figure in rows}


# --- the main job -------------------------------------------------------------------------------


def test_draws_and_lists(run):
    status, out, err = run(*MAIN)
    assert (status, err) == (0, "")
    assert listed(out) == {"value": "-12", "x": "-4", "y": "-4", "z": "3"}
    drawing = out[: out.index("\nvalue ")]
    assert len(drawing.splitlines()) > 3
    assert "-12" in drawing.replace("−", "-")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["-x*y", "x=1", "y=2"], {"value": "-2", "x": "-2", "y": "-1"}),
        (["-x", "x=1"], {"value": "-1", "x": "-1"}),
        (["--x*y", "x=1", "y=2"], {"value": "2", "x": "2", "y": "1"}),
        (["x=3", "--", "-x"], None),
        (["--lang=en", "--", "-x", "x=1"], {"value": "-1", "x": "-1"}),
        (["x/y", "x=1", "y=0"], {"value": "inf", "x": "inf", "y": "-inf"}),
        (["log(x)", "x=0"], {"value": "-inf", "x": "inf"}),
        (["x*pi", "x=pi/2"], {"value": "4.93480220054", "x": "3.14159265359"}),
        (["sum(W@x)", "W=[[1,2],[3,4]]", "x=[1,1]", "--wrt", "x"], {"value": "10", "x": "[4. 6.]"}),
        (["sum(relu(x))", "x=[-1,2]"], {"value": "2", "x": "[0. 1.]"}),
        (["view + 1", "view=2"], {"value": "3", "view": "1"}),
    ],
)
def test_expressions(run, words, expected):
    status, out, err = run(*words)
    if expected is None:
        assert status == 2
    else:
        assert (status, err) == (0, "")
        assert listed(out) == expected


def test_wrt_and_files(run, tmp_path):
    np.save(tmp_path / "k.npy", np.array([1, 2]))
    np.savez(tmp_path / "w.npz", W=np.array([[1.0, 2.0]], np.float32))
    words = ["sum(W * k * s)", f"k=@{tmp_path}/k.npy", f"W=@{tmp_path}/w.npz:W", "s=2"]
    status, out, _ = run(*words, "--wrt", "s,W")
    assert status == 0
    assert listed(out) == {"value": "10", "s": "5", "W": "[[2. 4.]]"}
    assert listed(run(*words)[1])["k"].startswith("none: whole numbers are data")
    status, out, err = run(*words, "--wrt", "k")
    assert (status, out) == (2, "")
    assert "int64 array, which has no gradient" in err
    assert "where: " not in err


def test_explain_and_languages(run):
    _, english, _ = run(*MAIN, "--explain")
    _, portuguese, _ = run(*MAIN, "--explain", "--lang", "pt")
    assert "multiplies" in english
    assert "multiplica" in portuguese
    assert re.search(r"^gradiente de z +3$", portuguese, re.MULTILINE)
    assert re.search(r"^valor +-12$", portuguese, re.MULTILINE)


def test_json_is_all_there_is(run):
    status, out, err = run("x / y", "x=1", "y=0", "--json", "--explain")
    assert (status, err) == (0, "")
    wires = {wire["name"]: wire for wire in json.loads(out)["wires"]}
    assert wires["x"]["value"] == 1.0
    assert wires["y"]["gradient"] == "-inf"


def test_ascii_and_plain_output(run):
    _, out, _ = run(*MAIN, "--ascii")
    assert out.isascii()
    _, out, _ = run(*MAIN)
    assert not out.isascii()
    assert "\x1b" not in out


# --- saving -------------------------------------------------------------------------------------


def test_saves_every_form(run, tmp_path):
    paths = [tmp_path / f"c.{suffix}" for suffix in ("svg", "txt", "json")]
    status, out, _ = run(*MAIN, *(word for path in paths for word in ("--save", str(path))))
    assert status == 0
    assert all(f"saved: {path}" in out for path in paths)
    assert paths[0].read_text("utf-8").startswith("<")
    assert json.loads(paths[2].read_text("utf-8"))["wires"]
    assert sorted(os.listdir(tmp_path)) == ["c.json", "c.svg", "c.txt"]


@pytest.mark.parametrize("name", ["c.png", "nowhere/c.svg", ".", "c\0.svg", ""])
def test_bad_paths(run, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    status, out, err = run(*MAIN, "--save", name)
    assert (status, out) == (2, "")
    assert err.startswith("corrente: cannot ")
    assert os.listdir(tmp_path) == []


# --- bad input ----------------------------------------------------------------------------------

BAD = [
    ([], "no expression was given"),
    ([""], "the expression is empty"),
    (["foo(x)", "x=1"], "no function called foo"),
    (["sqr(x)", "x=1"], "sqrt"),
    (["W @ x", "W=[[1,2,3],[4,5,6]]", "x=[1,2]"], "(2, 3) and (2,)"),
    (["x + y", "x=[1,2,3]", "y=[1,2]"], "(3,) and (2,)"),
    (["__import__('os').system('echo no')"], "an attribute"),
    (["__import__('os')"], "no function called __import__"),
    (["x + " * 25_000 + "x", "x=1"], "100001 characters"),
    (["(" * 100_000 + "x" + ")" * 100_000, "x=1"], "200001 characters"),
    (["(" * 4_000 + "x" + ")" * 4_000, "x=1"], "nested more than 100 deep"),
    (["2**10**10"], "beyond 1000"),
    (["x\0", "x=1"], "U+0000"),
    (["💡 + x", "x=1"], "character 💡"),
    (["x + y"], "missing: x, y"),
    (["x + y", "x"], "“x” is not NAME=VALUE; missing: x, y"),
    (["x + y", "x=abc", "y=", "q=1"], "x: cannot read “abc” as a number; y: there is no value"),
    (["x + y", "x=1", "x=2", "y=3"], "x is given twice"),
    (["x + y", "x=1", "y=2", "q=3"], "the expression has no q"),
    (["x", "x=" + "[" * 50_000], "nested more than 32 deep"),
    (["x", "x=[[1,2],[3]]"], "differ in shape: (2,) and (1,)"),
    (["x", 'x="hi"'], "is not a number"),
    (["x", 'x={"a":1}'], "is not a number"),
    (["x", "x=@none.npy"], "cannot read “none.npy”"),
    (["x * 2", "x=[1,2]"], "needs a scalar output, and it returned (2,)"),
    (["x * 2", "x=[1,2]"], 'corrente "sum(x * 2)"'),
    (["x > 0", "x=1"], "corrente: "),
    ([*MAIN, "--explian"], "no option --explian.\n  try: --explain"),
    ([*MAIN, "--lang", "fr"], "no language fr"),
    ([*MAIN, "--save"], "--save needs a value"),
    ([*MAIN, "--json=3"], "--json takes no value"),
    ([*MAIN, "--wrt", "q"], "no argument is called q"),
    ([*MAIN, "--wrt", ""], "--wrt"),
    ([*MAIN, "--listing"], "needs a source file"),
    (["view"], "is not FILE.py:FUNCTION"),
    (["view", "none.py:f"], "no Python file none.py"),
    (["reshape(x, (3, 5))", "x=[1,2]"], "corrente: "),
    (["sum(x, axis=5)", "x=[1,2]"], "corrente: "),
    (["sum(x, quux=5)", "x=[1,2]"], "corrente: "),
    (["x[9]", "x=[1,2]"], "corrente: "),
    (["tile(x, (9999999, 9999999))", "x=[1,2]"], "corrente: "),
]


@pytest.mark.parametrize(("words", "said"), BAD, ids=range(len(BAD)))
def test_bad_input(run, words, said):
    status, out, err = run(*words)
    assert (status, out) == (2, "")
    assert said in err
    assert err.startswith("corrente: ")
    assert "\n  try: " in err
    assert "something unexpected" not in err
    assert "where: " not in err or "<expression" in err
    status, out, portuguese = run(*words[:1], "--lang=pt", *words[1:])
    if "--lang" not in words:
        assert (status, out) == (2, "")
        assert "\n  tente: " in portuguese


def test_unexpected_failures_are_short(run, monkeypatch):
    def fail(*_, **__):
        raise ZeroDivisionError("a\nb")

    monkeypatch.setattr(cli, "trace", fail)
    status, out, err = run(*MAIN)
    assert (status, out) == (2, "")
    assert "ZeroDivisionError: a" in err
    assert "Traceback" not in err

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "trace", interrupt)
    assert run(*MAIN) == (130, "", "")


def test_help_and_version(run):
    status, english, _ = run("--help")
    assert status == 0
    assert "RUNS THE CODE" in english
    _, portuguese, _ = run("--help", "--lang", "pt")
    assert "EXECUTA O CÓDIGO" in portuguese
    options = set(re.findall(r"^  --\w+", english, re.MULTILINE))
    assert options == set(re.findall(r"^  --\w+", portuguese, re.MULTILINE))
    assert {f"--{name}" for name in cli.Options._fields[1:]} == {o.strip() for o in options}
    assert max(map(len, (english + portuguese).splitlines())) <= 100
    assert run("--version")[1].startswith("corrente ")


def test_examples_of_the_help_run(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    examples = re.findall(r'^  corrente (".*)$', cli.HELP.en, re.MULTILINE)
    assert len(examples) == 3
    for example in examples:
        words = [part.strip('"') for part in re.findall(r'"[^"]*"|(?:[^\s"]|"[^"]*")+', example)]
        status, _, err = run(*(word.replace('="', "=") for word in words))
        assert (status, err) == (0, "")


# --- view ---------------------------------------------------------------------------------------

MODEL = """\
import numpy as np

print("imported")


def loss(W, x, labels=(0,), *, scale=1.0):
    scores = W @ x
    print("called")
    return np.sum(scores[list(labels)]) * scale


def repeated(x, n):
    for _ in range(n):
        x = x * 2
    return x


def broken(x):
    return x + [1, 2][7]


def mismatched(x):
    return np.sum(x) + np.sum(x @ np.ones((3, 3)))
"""


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.py"
    path.write_text(MODEL)
    return path


def test_view(run, model):
    arguments = ["W=[[1.0,2.0],[3.0,4.0]]", "x=[1.0,1.0]", "labels=[1]", "scale=2.0"]
    status, out, err = run("view", f"{model}:loss", *arguments)
    assert (status, err) == (0, "")
    assert "imported" in out
    rows = listed(out)
    assert rows["value"] == "14"
    assert rows["x"] == "[6. 8.]"
    assert rows["scale"] == "7"
    status, out, err = run("view", f"{model}:loss", *arguments, "--json", "--wrt", "scale,x")
    assert status == 0
    assert "imported" in err
    assert {wire["name"] for wire in json.loads(out)["wires"]} >= {"scores", "W", "scale"}


def test_view_keeps_whole_numbers_that_are_not_differentiated(run, model):
    status, out, _ = run("view", f"{model}:repeated", "x=3", "n=4", "--wrt", "x", "--listing")
    assert status == 0
    assert listed(out) == {"value": "48", "x": "16"}
    assert "x = x * 2" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nothing"], "has no function nothing"),
        (["loss"], "missing: W, x"),
        (["loss", "W=1", "q=2"], "missing: x; unknown: q"),
        (["loss", "W=", "x"], "W: there is no value after =; “x” is not NAME=VALUE"),
        (["broken", "x=1"], "IndexError: list index out of range"),
        (["broken", "x=1"], "model.py, line 19: return x + [1, 2][7]"),
        (["mismatched", "x=[1.0,2.0]"], "model.py, line 23"),
        (["repeated", "x=[1.0,2.0]", "n=1", "--wrt=x"], "needs a scalar output"),
        (["repeated", "x=[1,2]", "n=1", "--wrt=x"], "int64 array"),
    ],
)
def test_view_refuses(run, model, words, said):
    status, _, err = run("view", f"{model}:{words[0]}", *words[1:])
    assert status == 2
    assert said in err
    assert "Traceback" not in err


# --- the process --------------------------------------------------------------------------------


def process(words, **options):
    return subprocess.run(
        [sys.executable, "-m", "corrente", *words], capture_output=True, timeout=60, **options
    )


def test_process():
    done = process(
        [*MAIN, "--lang", "pt", "--explain"], env={**os.environ, "PYTHONIOENCODING": "ascii"}
    )
    assert done.returncode == 0
    assert done.stdout.isascii()
    bad = process(["foo(x)", "x=1"])
    assert bad.returncode == 2
    assert b"Traceback" not in bad.stderr


def test_broken_pipe_is_quiet():
    code = "import sys; from corrente.cli import main; sys.exit(main(sys.argv[1:]))"
    words = ["(x + y) * z", "x=-2", "y=5", "z=-4", "--explain"]
    with subprocess.Popen(
        [sys.executable, "-c", code, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"},
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        assert running.stderr.read() == b""
        assert running.wait(60) == cli.BROKEN_PIPE
