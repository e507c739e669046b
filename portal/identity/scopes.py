"""Scopes in words: what each kind of scope can reach, declared by whoever knows the kind."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from flask_babel import gettext as _

from portal.core.access import Scope

Choices = Callable[[], list[tuple[str, str]]]


@dataclass(frozen=True)
class ScopeKind:
    """A kind of scope: its word, and the references that exist with their names."""

    kind: str
    label: Callable[[], str]
    choices: Choices


KINDS: dict[str, ScopeKind] = {}


def declare(kind: str, choices: Choices, *, label: Callable[[], str]) -> None:
    """Name a kind of scope; `choices` lists (reference, name), `label` is said in the reader's language."""
    KINDS[kind] = ScopeKind(kind, label, choices)


def choices(kinds: Iterable[str]) -> list[tuple[Scope, str]]:
    """Every scope of some kinds with its name, kind by kind."""
    declared = [KINDS[kind] for kind in sorted(kinds) if kind in KINDS]
    return [(Scope(one.kind, ref), name) for one in declared for ref, name in one.choices()]


def names(scopes: Iterable[Scope]) -> dict[Scope, str]:
    """The name of each scope, one question a kind; one that is gone is said to be gone."""
    wanted = list(dict.fromkeys(scopes))
    known = dict(choices({scope.kind for scope in wanted}))
    return {scope: known.get(scope) or _("范围已不存在") for scope in wanted}


def label(kind: str) -> str:
    return KINDS[kind].label() if kind in KINDS else kind


declare("all", lambda: [("", _("全部范围"))], label=lambda: _("全部"))
