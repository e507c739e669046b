"""What tests owe the machine that runs them: the same answer on any day, at any hour."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).parent
FEW = re.compile(r"[\w-]{1,4}", re.ASCII)
PAGES = {"page", "shown", "html", "text", "get_data"}
CLOCKS = {"now", "today", "utcnow"}
LATER = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def _when_imported(node: ast.AST) -> Iterator[ast.AST]:
    """What runs when a module is imported: not the bodies of functions, but what decorates them and their defaults."""
    yield node
    below = list(ast.iter_child_nodes(node))
    if isinstance(node, LATER):
        below = [*getattr(node, "decorator_list", []), *node.args.defaults, *filter(None, node.args.kw_defaults)]
    for child in below:
        yield from _when_imported(child)


def _asks_the_clock(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    return name in CLOCKS


def _may_stand_in_a_token(node: ast.AST) -> bool:
    """A few letters or digits said to be absent from a whole page, whose tokens hold any of them now and then."""
    asserted = node.test if isinstance(node, ast.Assert) else None
    if not (isinstance(asserted, ast.Compare) and isinstance(asserted.ops[0], ast.NotIn)):
        return False
    sought, where = asserted.left, asserted.comparators[0]
    if not (isinstance(sought, ast.Constant) and FEW.fullmatch(str(sought.value))):
        return False
    name = where.func if isinstance(where, ast.Call) else where
    return getattr(name, "attr", getattr(name, "id", "")) in PAGES


def test_no_test_asks_the_clock_before_it_runs():
    """A run that begins before midnight in Shanghai ends after it; what was today when it began is yesterday then."""
    found = [
        f"{path.relative_to(FOLDER)}:{node.lineno}"
        for path in sorted(FOLDER.rglob("*.py"))
        for node in _when_imported(ast.parse(path.read_text()))
        if _asks_the_clock(node)
    ]
    assert found == []


def test_no_test_misses_a_few_letters_in_a_whole_page():
    """Ask words_shown() instead: "137" stands in one random token of some thousands."""
    found = [
        f"{path.relative_to(FOLDER)}:{node.lineno}"
        for path in sorted(FOLDER.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if _may_stand_in_a_token(node)
    ]
    assert found == []
