"""The house stands: floors, no hidden imports, sizes, and a test for every room."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import corrente

ROOT = Path(__file__).parent.parent
HOUSE = ROOT / "corrente"
FILES = sorted(HOUSE.rglob("*.py"))

# from the ground up; a room imports only from floors below its own
FLOORS = [
    "words",
    "places",
    "errors",
    "convention extras record",
    "gates",
    "circuit trees figures grammar loading numerals options",
    "optimisers tape vectors",
    "tracer",
    "generators layers",
    "nn recording interpreter",
    "backprop networks narrator listing layout expression special purity",
    "batching blocks derivatives scene",
    "memory",
    "passes",
    "backward jacobians native replay source views",
    "custom pages strictness",
    "widgets",
    "program translation",
    "checker compiler exercises",
    "curvature minimising",
    "training",
    "doctor",
    "learn learning",
    "inputs",
    "consultation homework usage",
    "cli",
    "__main__",
]
FLOOR = {room: height for height, rooms in enumerate(FLOORS) for room in rooms.split()}
DRAWERS = {
    "batching",
    "blocks",
    "checker",
    "doctor",
    "exercises",
    "gates",
    "homework",
    "learning",
    "memory",
    "native",
    "passes",
    "scene",
    "source",
    "tracer",
    "training",
    "views",
}
FRONT_DOOR = "__init__"
MAX_LINES, MAX_FUNCTION = 400, 50


def room_of(path: Path) -> str:
    return path.relative_to(HOUSE).with_suffix("").parts[0]


def module_imports(tree: ast.AST) -> list[tuple[ast.stmt, str]]:
    """Return every import of the house's own modules, as (node, dotted name below corrente)."""
    found = []
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            assert node.level == 0, "imports are absolute"
        for name in names:
            if name == "corrente" or name.startswith("corrente."):
                found.append((node, name.removeprefix("corrente").lstrip(".")))
    return found


def code_lines(source: str) -> int:
    """Count lines that are neither blank, comment nor docstring."""
    tree = ast.parse(source)
    quiet: set[int] = set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        for statement in body if isinstance(body, list) else ():
            value = statement.value if isinstance(statement, ast.Expr) else None
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                quiet.update(range(statement.lineno, (statement.end_lineno or 0) + 1))
    lines = source.splitlines()
    return sum(
        bool(line.strip()) and not line.strip().startswith("#") and number not in quiet
        for number, line in enumerate(lines, 1)
    )


def test_every_room_has_a_floor():
    rooms = {room_of(path) for path in FILES} - {FRONT_DOOR}
    assert rooms == set(FLOOR)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(HOUSE)))
def test_imports_go_down(path: Path):
    room = room_of(path)
    if room == FRONT_DOOR:
        return
    for node, name in module_imports(ast.parse(path.read_text())):
        other = name.split(".")[0]
        if other == room and room in DRAWERS:
            continue
        assert other, f"line {node.lineno}: a room does not import the front door"
        assert FLOOR[other] < FLOOR[room], f"line {node.lineno}: {room} imports {other}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(HOUSE)))
def test_no_hidden_imports_of_our_own(path: Path):
    tree = ast.parse(path.read_text())
    inside = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for node in ast.walk(function)
    }
    hidden = [name for node, name in module_imports(tree) if id(node) in inside]
    assert not hidden


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(HOUSE)))
def test_files_and_functions_stay_small(path: Path):
    source = path.read_text()
    assert code_lines(source) <= MAX_LINES
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = code_lines(ast.unparse(node))
            assert length <= MAX_FUNCTION, f"{node.name}: {length} lines"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(HOUSE)))
def test_every_module_says_what_it_is(path: Path):
    assert ast.get_docstring(ast.parse(path.read_text())), "a module opens with one sentence"


def test_every_room_has_a_test():
    tested = {path.stem.removeprefix("test_") for path in (ROOT / "tests").rglob("test_*.py")}
    folders = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir()}
    rooms = {room_of(path) for path in FILES} - {FRONT_DOOR, "__main__"}
    assert rooms - tested - folders == set()


def test_the_front_door_opens_every_room_it_names():
    for name in corrente.__all__:
        assert getattr(corrente, name) is not None
    assert set(corrente.__all__) <= set(dir(corrente))


def test_a_verb_does_not_hide_its_room():
    rooms = {path.stem for path in FILES}
    assert rooms.intersection(corrente.__all__) <= {"nn", "optimisers", "special"}


def test_the_project_speaks_of_itself_alone():
    words = ["/work/" + "main", "/tmp/" + "v", "pypi" + ".org", "farm" + "-"]
    for path in [*FILES, *(ROOT / "docs").rglob("*.md"), ROOT / "README.md", ROOT / "Makefile"]:
        text = path.read_text()
        assert not [word for word in words if word in text], path
