"""Every sentence that a user can see stands in both languages: in the house, pages and docs."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

import pytest

import corrente.gates  # noqa: F401  (fills the table)
from corrente.record import NAMES, Gate
from corrente.words import LANGUAGES

ROOT = Path(__file__).parent.parent
HOUSE = ROOT / "corrente"
DOCS = ROOT / "docs"
FILES = sorted(HOUSE.rglob("*.py"))
ASSETS = HOUSE / "views" / "assets"
SCRIPTS = sorted(HOUSE.rglob("assets/*.js"))
PAGES = sorted(HOUSE.rglob("assets/*.html"))
TRANSLATED = sorted(DOCS.rglob("*.pt.md"))

# what is the same in both languages: code, commands, options
SAME = re.compile(r"corrente |co\.|--|pip |lay_out\(|jac|logical_|where\(|\"L-BFGS|·|R²|% zeros")
# the same word in both, on the pages
SAME_WORDS = {"× {0}"}
# where English alone is right, and why
ALONE = {
    "__init__.py": "Python's own words for a missing attribute",
    "blocks/loops.py": "a pass that joins a loop wrongly: no program of a user reaches it",
    "blocks/records.py": "a pass that joins a loop wrongly: no program of a user reaches it",
    "exercises/plans.py": "a plan of ours that never comes out: no seed of a user reaches it",
    "gates": "what NumPy says, word for word; the records' sentences are read below",
    "homework/guessing.py": "names that parameters have, whatever the language",
    "homework/sandbox.py": "both languages in one line: it is raised in the student's own process",
    "homework/truth.py": "caught at once by the room itself, which then says it in both",
    "layout.py": "a scene of ours that runs backward: no program of a user reaches it",
    "native": "between the compiler's own rooms, which fall back on NumPy",
    "passes/simplify.py": "reasons for the readers of a table of rules",
    "record.py": "whoever writes a record wrongly reads it at import",
    "source": "code that is written out, and the words that languages keep for themselves",
    "tracer/box.py": "Python's own words for len() of a number",
    "tracer/operators.py": "Python's own words for a missing attribute",
    "translation.py": "caught at once by the room itself, which then takes the plain way",
    "words.py": "both languages in one line: the language asked for is the one that is not there",
}
PROSE = re.compile(
    r"\b(the|of|is|are|not|an?|to|and|or|no|with|for|in|on|must|has|have|does|cannot|needs|than|"
    r"that|from|by|as|at)\b"
)


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def worded(text: str) -> bool:
    """Tell whether a sentence has a word of its own, besides the places to fill."""
    return bool(re.search(r"[^\W\d_]{2,}", re.sub(r"\{[^{}]*\}", "", text)))


def agree(english: str, portuguese: str) -> str:
    """Say what is wrong with a sentence in two languages; nothing if nothing is."""
    if bool(english.strip()) != bool(portuguese.strip()):
        return "one of them is empty"
    if placeholders(english) != placeholders(portuguese):
        return "they are filled differently"
    if english.count("corrente ") != portuguese.count("corrente "):
        return "they name different commands"
    if english == portuguese and worded(english) and not SAME.search(english):
        return "they are the same"
    return ""


# --- the house -----------------------------------------------------------------------------------


def text_of(node: ast.AST | None) -> str | None:
    """Return a text that stands in the source; what is put into it is not looked at."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = (part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
        return "".join(str(part) for part in parts)
    return None


def called(node: ast.AST) -> str:
    return ast.unparse(node.func).rpartition(".")[2] if isinstance(node, ast.Call) else ""


def sentences(tree: ast.AST) -> Iterator[tuple[int, str, str]]:
    """Go through the sentences written in a file: line, English, Portuguese."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and called(node) == "Says":
            named = {part.arg: part.value for part in node.keywords}
            given = dict(zip(LANGUAGES, node.args, strict=False)) | named
            english, portuguese = (text_of(given.get(lang)) for lang in LANGUAGES)
            if english is not None and portuguese is not None:
                yield node.lineno, english, portuguese


def english_alone(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Go through what reads like English and is in no sentence: line and text."""
    quiet: set[int] = set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        for statement in body if isinstance(body, list) else ():
            if isinstance(statement, ast.Expr):
                quiet.add(id(statement.value))
            if isinstance(statement, ast.Assert) and statement.msg is not None:
                quiet.add(id(statement.msg))
        if called(node) == "Says" or isinstance(node, ast.JoinedStr):
            quiet.update(id(part) for part in ast.walk(node) if part is not node)
    for node in ast.walk(tree):
        text = text_of(node) if id(node) not in quiet else None
        if text is not None and reads(text):
            yield node.lineno, text


def reads(text: str) -> bool:
    """Tell whether a text is English; code, patterns and styles have signs that it has not."""
    words = re.findall(r"[A-Za-z’']{2,}", text)
    signs = re.search(r"[{}\\%=|<>]|\(\?|\)\(", text)
    return len(words) > 2 and signs is None and PROSE.search(text) is not None


def raised_alone(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Go through the errors that are raised with a text of one language."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
            text = text_of(node.exc.args[0])
            if text and worded(text):
                yield node.lineno, text


def excused(path: Path) -> str | None:
    """Return the entry that excuses a file."""
    name = path.relative_to(HOUSE).as_posix()
    return next((each for each in ALONE if name == each or name.startswith(each + "/")), None)


in_every_file = pytest.mark.parametrize(
    "path", FILES, ids=lambda path: str(path.relative_to(HOUSE))
)


@in_every_file
def test_both_languages_say_the_same_things(path: Path):
    found = sentences(ast.parse(path.read_text("utf-8")))
    wrong = [(line, fault, english) for line, english, pt in found if (fault := agree(english, pt))]
    assert not wrong


@in_every_file
def test_nothing_is_said_in_english_alone(path: Path):
    tree = ast.parse(path.read_text("utf-8"))
    if excused(path) is None:
        assert [*english_alone(tree), *raised_alone(tree)] == []


def test_every_excuse_is_needed():
    trees = {path: ast.parse(path.read_text("utf-8")) for path in FILES}
    used = {excused(path) for path, tree in trees.items() if any(raised_alone(tree))}
    used |= {excused(path) for path, tree in trees.items() if any(english_alone(tree))}
    assert set(ALONE) <= used


@in_every_file
def test_warnings_carry_both_languages(path: Path):
    tree = ast.parse(path.read_text("utf-8"))
    warned = [node.args[0] for node in ast.walk(tree) if called(node) == "warn" and node.args]
    # what came from elsewhere is passed on as it is; what the house says, it says in both
    english = [
        ast.unparse(one) for one in warned if text_of(one) or getattr(one, "attr", "") == "en"
    ]
    assert not english, "warn(SomeWarning(Says(…)))"


@pytest.mark.parametrize("gate", NAMES.values(), ids=lambda gate: gate.name)
def test_gates_teach_in_both_languages(gate: Gate):
    for said in (gate.does, gate.teaches):
        assert all(said)
        assert not agree(*said)


def test_a_sentence_that_is_wrong_is_found():
    assert agree("adds {0}", "soma {1}")
    assert agree("adds", "")
    assert agree("adds", "adds")
    assert agree("corrente view\ncorrente check", "corrente view")
    assert not agree("{0}: {1}", "{0}: {1}")
    tree = ast.parse('"""A."""\nraise ValueError(f"{x} is not there")\nsay("what the gate has")')
    assert [line for line, _ in english_alone(tree)] == [2, 3]
    assert [line for line, _ in raised_alone(tree)] == [2]
    assert list(sentences(ast.parse('Says("a", pt="b")'))) == [(1, "a", "b")]


# --- the living pages ----------------------------------------------------------------------------


def page_words() -> dict[str, list[str]]:
    """Read the table of words of the pages as data."""
    source = (ASSETS / "words.js").read_text("utf-8")
    table = source[source.index("{", source.index("WORDS")) : source.index("\n};") + 2]
    return ast.literal_eval(re.sub(r"^  (\w+):", r'  "\1":', table, flags=re.MULTILINE))


def test_the_pages_say_everything_in_both_languages():
    wrong = {
        key: fault
        for key, (english, portuguese) in page_words().items()
        if english not in SAME_WORDS and (fault := agree(english, portuguese))
    }
    assert not wrong


def test_the_pages_use_the_words_they_have_and_no_other():
    words = page_words()
    own = "".join(path.read_text("utf-8") for path in SCRIPTS if path.parent == ASSETS)
    assert set(re.findall(r"\bsay\([\"'](\w+)[\"']", own)) <= set(words)
    table = (ASSETS / "words.js").read_text("utf-8")
    text = own.replace(table, "") + "".join(
        path.read_text("utf-8") for path in [*PAGES, *FILES] if path.is_relative_to(HOUSE / "views")
    )
    assert not [key for key in words if not re.search(rf"[\"'`.]{key}\b", text)]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_holds_no_words_of_its_own(path: Path):
    # but its name for each language, and what it says where no script may run: both in one
    page = re.sub(
        r"<(script|style|noscript|title)\b.*?</\1>|<!--.*?-->",
        "",
        path.read_text("utf-8"),
        flags=re.DOTALL,
    )
    spoken = re.sub(r"\{\{\w+\}\}", "", " ".join(re.findall(r">([^<]+)<", page)))
    assert set(re.findall(r"[^\W\d_]{2,}", spoken)) <= {"EN", "PT"}
    quiet = re.search(r"<noscript>(.*?)</noscript>", path.read_text("utf-8"), re.DOTALL)
    assert quiet is None or ("page" in quiet[1] and "página" in quiet[1])


# --- the documentation ---------------------------------------------------------------------------

FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
# a terminal's legend is printed in English only, so one of the two tutorials leaves it out
DRAWING = {"print(t)", "print(drawing)", 'drawing, legend = str(t).split("\\n\\n")'}
OPTION = re.compile(r" --(homework-)?lang (en|pt)")


class Wordless(ast.NodeTransformer):
    """Take the words out of code: strings, and the language that was asked for."""

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        return ast.Constant("") if isinstance(node.value, str) else node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.Constant:
        return ast.Constant("")

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        return node.value if node.attr in LANGUAGES else node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        node.args = [one for one in node.args if text_of(one) not in LANGUAGES]
        node.keywords = [one for one in node.keywords if one.arg != "lang"]
        self.generic_visit(node)
        # what is printed is rendered, in English where nothing else is said
        bare = not node.args and not node.keywords
        said = isinstance(node.func, ast.Attribute) and node.func.attr in ("render", "into")
        return node.func.value if bare and said else node


def english(page: Path) -> Path:
    return page.with_name(page.name.replace(".pt.md", ".md"))


def headings(page: Path) -> list[int]:
    """Return the level of every heading."""
    text = FENCE.sub("", page.read_text("utf-8"))
    return [len(marks) for marks in re.findall(r"^(#+) ", text, re.MULTILINE)]


def code(page: Path) -> list[tuple[str, str]]:
    """Return every block of code with its kind, without words, comments and outputs."""
    return [
        (kind, wordless(kind, text)) for _, kind, text in FENCE.findall(page.read_text("utf-8"))
    ]


def wordless(kind: str, text: str) -> str:
    if kind == "console":
        commands = re.findall(r"^\s*\$ (.*)$", text, re.MULTILINE)
        # a file may have a name of either language
        return re.sub(r"[\w-]+\.(\w+)\b", r"….\1", OPTION.sub("", "\n".join(commands)))
    if kind == "pycon":
        text = "\n".join(re.findall(r"^(?:>>>|\.\.\.) (.*)$", text, re.MULTILINE))
    if kind not in ("pycon", "python"):
        return text
    lines = (line for line in text.splitlines() if line not in DRAWING)
    return ast.unparse(Wordless().visit(ast.parse("\n".join(lines))))


def differs(one: str, other: str) -> str:
    """Say where two codes part; names may be in either language, as long as each keeps its own."""
    here, there = (re.findall(r"\w+|[^\w\s]", text) for text in (one, other))
    names: dict[str, str] = {}
    for a, b in zip_longest(here, there, fillvalue=""):
        if a.isidentifier() and b.isidentifier():
            fits = names.setdefault(a, b) == b and [*names.values()].count(b) == 1
        else:
            fits = a == b
        if not fits:
            return f"{a!r} is {b!r} in the translation"
    return ""


in_every_translation = pytest.mark.parametrize("page", TRANSLATED, ids=lambda page: page.name)


def test_there_are_translated_pages():
    names = {page.name for page in TRANSLATED}
    assert {"tutorial.pt.md", "gallery.pt.md", "checker.pt.md"} <= names


@in_every_translation
def test_a_translation_has_its_original_and_each_leads_to_the_other(page: Path):
    assert english(page).exists()
    assert f"]({english(page).name})" in page.read_text("utf-8")
    assert f"]({page.name})" in english(page).read_text("utf-8")


@in_every_translation
def test_a_translation_has_the_same_headings(page: Path):
    assert headings(page) == headings(english(page))


@in_every_translation
def test_a_translation_has_the_same_code(page: Path):
    for (kind, here), (other, there) in zip_longest(
        code(english(page)), code(page), fillvalue=("", "")
    ):
        assert kind == other
        if kind == "text":  # what is printed in the language of the page
            assert len(here.splitlines()) == len(there.splitlines())
        else:
            assert not differs(here, there)


def test_codes_that_differ_are_found():
    assert not differs("loss = f(x)", "perda = f(x)")
    assert differs("loss = f(loss)", "perda = f(x)")
    assert differs("f(x) + g(y)", "f(x) + g(x)")
    assert differs("f(x)", "f(x, 1)")
    assert wordless("pycon", '>>> f(f"a {x}", lang="pt").pt\nb\n') == "f('')"
    assert wordless("console", "$ corrente check a.py --lang pt\nout\n") == "corrente check ….py"


@in_every_translation
def test_a_translation_is_linked_before_its_original_in_portuguese(page: Path):
    # who reads Portuguese is sent to an English page only where there is no other
    for name in re.findall(r"\]\(([\w/-]+)\.md", page.read_text("utf-8")):
        if (DOCS / f"{name}.pt.md").exists():
            assert f"{name}.md" == english(page).name
