"""What tests owe the machine that runs them: the same answer on any day, at any hour."""

import ast
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).parent
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


def test_no_test_asks_the_clock_before_it_runs():
    """A run that begins before midnight in Shanghai ends after it; what was today when it began is yesterday then."""
    found = [
        f"{path.relative_to(FOLDER)}:{node.lineno}"
        for path in sorted(FOLDER.rglob("*.py"))
        for node in _when_imported(ast.parse(path.read_text()))
        if _asks_the_clock(node)
    ]
    assert found == []
