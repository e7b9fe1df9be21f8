"""House rules that no linter knows, as tests. CONTRIBUTING.md says why each is there."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from offtake.cli.main import COMMANDS
from offtake.usage.reading import KINDS

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "offtake"
MODULES = sorted(PACKAGE.rglob("*.py"))
ROOMS = sorted(path.parent for path in PACKAGE.glob("*/__init__.py"))
CLAUSES = sorted(path for path in PACKAGE.glob("rating/clauses/*.py") if path.name != "__init__.py")
# Where a float could become money. A float may only be named to be refused: `isinstance(value, float)`.
MONEY_ROOMS = ("values", "usage", "catalog", "contract", "ledger", "rating", "assurance", "export")

LINES_MAX = 400
FUNCTION_LINES_MAX = 60
SCREEN_LINES_MAX = 60
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers", "base", "tools", "stuff"}


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def tracked() -> list[Path]:
    """The files of the repository: those that git knows or would add."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def documented(path: Path) -> str:
    """The docstring on top of a module, or nothing."""
    return ast.get_docstring(tree(path)) or ""


def test_a_module_says_what_it_is_for() -> None:
    assert [] == [shown(path) for path in MODULES if not documented(path)], "a docstring on top: what for, and why"


def test_a_module_is_short() -> None:
    assert [] == [shown(path) for path in MODULES if len(path.read_text().splitlines()) > LINES_MAX]


def test_a_function_fits_a_screen() -> None:
    functions = (
        (path, node)
        for path in MODULES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )

    assert [] == [
        f"{shown(path)}:{node.lineno}: {node.name}"
        for path, node in functions
        if (node.end_lineno or 0) - node.lineno >= FUNCTION_LINES_MAX
    ]


def test_a_module_is_named_after_a_concept() -> None:
    assert [] == [shown(path) for path in MODULES if path.stem.strip("_") in EMPTY_NAMES]


def test_nothing_is_left_for_later() -> None:
    marker = re.compile(r"\b(?:TODO|FIXME|XXX|HACK|NotImplementedError)\b")

    assert [] == [shown(path) for path in MODULES if marker.search(path.read_text())]


def test_no_float_becomes_money() -> None:
    money = [path for path in MODULES if path.relative_to(PACKAGE).parts[0] in MONEY_ROOMS]

    assert [] == [f"{shown(path)}:{line}: {what}" for path in money for line, what in floats(tree(path))]


def floats(module: ast.Module) -> Iterator[tuple[int, str]]:
    """Where a float is written, made or could come from: `/` gives a float or 28 digits, `values.money.divide` 60.

    Allowed are floats named to be refused, and how near two names are.
    """
    allowed: set[int] = set()
    for node in ast.walk(module):
        match node:
            case ast.Call(func=ast.Name(id="isinstance")) | ast.keyword(arg="cutoff"):
                allowed |= {id(inner) for inner in ast.walk(node)}
    for node in ast.walk(module):
        match node:
            case ast.Constant(value=float()) if id(node) not in allowed:
                yield node.lineno, f"the literal {node.value!r}"
            case ast.Name(id="float") if id(node) not in allowed:
                yield node.lineno, "float"
            case ast.Call(func=ast.Name(id="round")):
                yield node.lineno, "round(), which knows no contract; amounts round in rating/invoice.py"
            case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
                yield node.lineno, "/, where values.money.divide is meant"


def test_the_float_detector_detects() -> None:
    found = floats(
        ast.parse("a: float = 1.5\nb = float(c) / 2\nround(b)\nisinstance(d, float)\nnear(e, cutoff=0.6)\nf // 2")
    )

    assert [1, 1, 2, 2, 3] == sorted(line for line, _ in found)


def test_a_clause_names_its_term_its_paper_and_an_example() -> None:
    sections = ("Clause:", "Source:", "Example:")

    assert CLAUSES
    assert [] == [f"{shown(path)}: {each}" for path in CLAUSES for each in sections if each not in documented(path)]


def test_a_room_has_a_page_of_at_most_one_screen() -> None:
    """README.md: purpose, words, what it owns and does not own, invariants."""
    pages = [room / "README.md" for room in ROOMS]

    assert [] == [shown(page) for page in pages if not page.is_file()]
    assert [] == [shown(page) for page in pages if len(page.read_text().splitlines()) > SCREEN_LINES_MAX]


def test_no_module_is_dead() -> None:
    """Each module is imported by another, stands in a table of what is loaded on use, or is an entry point."""
    used = {name for path in MODULES for name in names_in(path)} | {"offtake.cli.main", "offtake.cli.__main__"}
    used |= {f"offtake.cli.{module}" for module, _ in COMMANDS.values()}
    used |= {kind.reader.partition(":")[0] for kind in KINDS}

    assert [] == sorted(dotted(path) for path in MODULES if dotted(path) not in used and path.name != "__init__.py")


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)


def names_in(path: Path) -> Iterator[str]:
    """Every module that this one imports, or names in full as text."""
    for node in ast.walk(tree(path)):
        match node:
            case ast.Import():
                yield from (alias.name for alias in node.names)
            case ast.ImportFrom(module=str(module)):
                yield module
                yield from (f"{module}.{alias.name}" for alias in node.names)
            case ast.Constant(value=str(text)) if text.startswith("offtake."):
                yield text.partition(":")[0]


def test_no_file_names_a_registry_or_a_place_on_someones_disk() -> None:
    # In two parts each, so that this file does not name them.
    hosts = [
        "py" + "pi.org",
        "python" + "hosted",
        "npm" + "js.",
        "crates" + ".io",
        "ana" + "conda.org",
        "golang" + ".org",
    ]
    places = ["/wo" + "rk/", "/ho" + "me/", "/Us" + "ers/", "/o" + "pt/", "file:" + "//"]
    forbidden = re.compile("|".join(re.escape(word) for word in hosts + places))
    found = []
    for path in tracked():
        data = path.read_bytes()
        if b"\0" not in data[:1024] and (match := forbidden.search(data.decode(errors="replace"))):
            found.append(f"{shown(path)}: {match[0]}")

    assert [] == found


PAGES = sorted(path for path in tracked() if path.suffix == ".md" and not path.is_symlink())


def test_a_page_has_one_title_and_it_comes_first() -> None:
    found = {}
    for path in PAGES:
        prose = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.DOTALL | re.MULTILINE)
        found[shown(path)] = [number for number, line in enumerate(prose.splitlines()) if line.startswith("# ")]

    assert {} == {path: titles for path, titles in found.items() if titles != [0]}


def test_a_link_to_a_file_leads_somewhere() -> None:
    link = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")
    links = ((path, name) for path in PAGES for name in link.findall(path.read_text()))

    assert [] == [f"{shown(path)}: {name}" for path, name in links if not (path.parent / name).exists()]


def test_the_rules_for_agents_fit_a_screen() -> None:
    assert len((ROOT / "AGENTS.md").read_text().splitlines()) <= 40
    assert (ROOT / "AGENTS.md") == (ROOT / "CLAUDE.md").resolve()
