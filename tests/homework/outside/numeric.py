"""Verify every label of the outside set by central differences, with nothing but NumPy.

Run `python -m tests.homework.outside.numeric` from the root of the repository: each right file
must agree with the differences, each wrong file must disagree, and must agree again once the
lines its label names are repaired; a table of counts ends the report.
"""

import ast
import collections
import copy
import inspect
import json
import pathlib
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
STEP = 1e-5
RIGHT = 1e-6
WRONG = 1e-3
MISTAKES = (
    "transpose",
    "missing-sum",
    "overwrite",
    "sign",
    "missing-mean",
    "mask",
    "swapped",
    "missing-local-gradient",
    "stale-cache",
    "keepdims",
    "regularisation",
    "axis",
    "factor-two",
    "upstream-forgotten",
)

Label = dict[str, Any]


def read_labels() -> list[Label]:
    """Read the labels of all files of the set."""
    return json.loads((HERE / "labels.json").read_text(encoding="utf-8"))


def load(text: str, name: str) -> types.ModuleType:
    """Run a student's text as a module of its own."""
    module = types.ModuleType(pathlib.Path(name).stem)
    sys.modules[module.__name__] = module
    try:
        exec(compile(text, name, "exec"), module.__dict__)
    finally:
        del sys.modules[module.__name__]
    return module


def look_up(arguments: dict[str, Any], path: str) -> Any:
    """Find an argument, or what a dict or a sequence holds, by its dotted path."""
    found: Any = arguments
    for key in path.split("."):
        found = found[int(key)] if isinstance(found, list | tuple) else found[key]
    return found


def put(arguments: dict[str, Any], path: str, value: Any) -> None:
    """Put another value where the dotted path leads."""
    *way, last = path.split(".")
    holder: Any = look_up(arguments, ".".join(way)) if way else arguments
    holder[int(last) if isinstance(holder, list) else last] = value


def spread(result: Any) -> list[Any]:
    """List the results of a call that may return one thing or several."""
    return list(result) if isinstance(result, tuple | list) else [result]


def pair_outputs(label: Label, forward: Callable, arguments: dict[str, Any]) -> dict[str, Any]:
    """Call the forward pass and name its results as the label says."""
    results = forward(*copy.deepcopy(list(arguments.values())))
    if label["backward"] is None:
        return {"out": results[0], "rest": results[1:]}
    results = spread(results) if len(label["returns"]) > 1 else [results]
    assert len(results) == len(label["returns"]), "the label's `returns` has another length"
    return dict(zip(label["returns"], results, strict=True))


def draw_upstreams(outputs: dict[str, Any]) -> dict[str, Any]:
    """Draw one upstream gradient for each output `out…`."""
    random = np.random.default_rng(20)
    return {
        name.replace("out", "upstream"): random.normal(size=np.shape(value)) + 0.3
        for name, value in outputs.items()
        if name.startswith("out")
    }


def run_backward(
    label: Label, module: types.ModuleType, arguments: dict[str, Any]
) -> tuple[Any, dict[str, Any]]:
    """Run both passes: the gradients as returned, and the upstream gradients used."""
    forward = getattr(module, label["forward"])
    if label["backward"] is None:
        outputs = pair_outputs(label, forward, arguments)
        rest = outputs["rest"]
        upstream = arguments[label["upstream"]] if label.get("upstream") else 1.0
        return (rest[0] if len(rest) == 1 else rest), {"upstream": upstream}
    kept = copy.deepcopy(list(arguments.values()))
    results = forward(*kept)
    results = spread(results) if len(label["returns"]) > 1 else [results]
    outputs = dict(zip(label["returns"], results, strict=True))
    upstreams = draw_upstreams(outputs)
    known = {**dict(zip(arguments, kept, strict=True)), **outputs, **copy.deepcopy(upstreams)}
    backward = getattr(module, label["backward"])
    return backward(*[known[name] for name in label["passes"]]), upstreams


def differentiate(
    label: Label,
    module: types.ModuleType,
    arguments: dict[str, Any],
    path: str,
    upstreams: dict[str, Any],
) -> Any:
    """Find the gradient at one argument by central differences."""
    forward = getattr(module, label["forward"])

    def measure(value: Any) -> float:
        moved = copy.deepcopy(arguments)
        put(moved, path, value)
        outputs = pair_outputs(label, forward, moved)
        return sum(
            float(np.sum(upstream * outputs[name.replace("upstream", "out")]))
            for name, upstream in upstreams.items()
        )

    point = look_up(arguments, path)
    if np.ndim(point) == 0:
        return (measure(point + STEP) - measure(point - STEP)) / (2 * STEP)
    gradient = np.zeros(point.shape)
    for place in np.ndindex(point.shape):
        above, below = point.copy(), point.copy()
        above[place] += STEP
        below[place] -= STEP
        gradient[place] = (measure(above) - measure(below)) / (2 * STEP)
    return gradient


def pair_gradients(label: Label, returned: Any) -> Iterator[tuple[str, Any]]:
    """Pair each argument's path with the gradient returned for it."""
    wanted = label["gradients"]
    if isinstance(wanted, dict):
        for key, path in wanted.items():
            yield path, returned[key]
        return
    gradients = [returned] if len(wanted) == 1 and not isinstance(returned, tuple) else returned
    assert len(gradients) == len(wanted), "the label's `gradients` has another length"
    for path, gradient in zip(wanted, gradients, strict=True):
        if path is not None:
            yield path, gradient


def compare(gradient: Any, true: Any) -> float:
    """Compare a gradient with the differences: the error relative to the largest entry."""
    if np.shape(gradient) != np.shape(true):
        return np.inf
    scale = max(float(np.max(np.abs(true))), float(np.max(np.abs(gradient))), 1e-8)
    return float(np.max(np.abs(np.asarray(gradient) - true))) / scale


def measure_errors(label: Label, text: str) -> dict[str, float]:
    """Measure the relative error of every gradient a student's text returns."""
    module = load(text, label["file"])
    forward = getattr(module, label["forward"])
    example = module.example()
    names = list(inspect.signature(forward).parameters)[: len(example)]
    arguments = dict(zip(names, example, strict=True))
    returned, upstreams = run_backward(label, module, arguments)
    return {
        path: compare(gradient, differentiate(label, module, arguments, path, upstreams))
        for path, gradient in pair_gradients(label, returned)
    }


def repair(label: Label, text: str) -> str:
    """Put the right lines where the label says the wrong ones are."""
    lines = text.splitlines()
    cure = label["repair"]
    lines[cure["first"] - 1 : cure["last"]] = cure["text"].splitlines()
    return "\n".join(lines) + "\n"


def inspect_label(label: Label, text: str) -> str | None:
    """Say what is wrong with the label of a wrong file, if anything."""
    lines = text.splitlines()
    if not {label["mistake"], *label["mistakes_also"]} <= set(MISTAKES):
        return "a mistake that is not in the list"
    if label["variable"] and label["variable"] not in lines[label["line"] - 1]:
        return "the variable is not on the line"
    if any(not lines[line - 1].strip() for line in label["lines_also"]):
        return "another line that is empty"
    return None


def inspect_hostile(label: Label, text: str) -> str | None:
    """Say whether a hostile file parses exactly when its label expects it to; never run it."""
    try:
        ast.parse(text)
    except SyntaxError:
        return None if label["expected"]["verdict"] == "syntax" else "should parse"
    return "should not parse" if label["expected"]["verdict"] == "syntax" else None


def verify(label: Label) -> str | None:
    """Verify one label: None, or what does not hold."""
    text = (HERE / label["file"]).read_text(encoding="utf-8")
    if label["kind"] == "hostile":
        return inspect_hostile(label, text)
    ast.parse(text)
    with np.errstate(all="raise", under="ignore"):
        errors = measure_errors(label, text)
    worst = max(errors.values())
    if label["kind"] == "right":
        return None if worst < RIGHT else f"should be right: {errors}"
    if worst <= WRONG:
        return f"should be wrong: {errors}"
    cured = measure_errors(label, repair(label, text))
    if max(cured.values()) >= RIGHT:
        return f"is not cured by its repair: {cured}"
    return inspect_label(label, text)


def print_counts(labels: list[Label], field: str) -> None:
    """Print how many right and wrong files there are for each value of a field."""
    counts = collections.Counter((label.get(field), label["kind"]) for label in labels)
    print(f"\n{field:<26}{'right':>7}{'wrong':>7}")
    for value in sorted({value for value, _ in counts if value}):
        print(f"{value:<26}{counts[value, 'right']:>7}{counts[value, 'wrong']:>7}")


def main() -> int:
    """Verify all labels, print what does not hold and the counts."""
    labels = read_labels()
    failures = 0
    for label in labels:
        try:
            verdict = verify(label)
        except Exception as error:
            verdict = f"{type(error).__name__}: {error}"
        if verdict:
            failures += 1
            print(f"{label['file']}: {verdict}")
    for field in ("subject", "style", "mistake"):
        print_counts(labels, field)
    kinds = collections.Counter(label["kind"] for label in labels)
    loose = sum(label.get("loose", False) for label in labels)
    print(f"\n{dict(kinds)}; {loose} wrong files loosely named; {failures} labels do not hold")
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
