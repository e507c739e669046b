"""Who is asking, and whether they may: the guard in front of every endpoint, which knows no roles."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Flask, abort, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.core.clock import now

View = TypeVar("View", bound=Callable[..., Any])


class Platform(StrEnum):
    RESIDENT = "resident"
    DESK = "desk"


@dataclass(frozen=True)
class Scope:
    """What a grant reaches: an opaque kind and public reference that the capability resolves."""

    kind: str
    ref: str


@dataclass(frozen=True)
class Grant:
    role: str
    scope: Scope


@dataclass(frozen=True)
class Actor:
    """The signed-in account as a request sees it. Detached from any session."""

    account_id: int
    public_id: str
    name: str
    platform: Platform
    grants: tuple[Grant, ...]
    session_id: int
    authenticated_at: datetime
    role_label: str = ""
    # While the account waits to be closed: the day it ends.
    closes_on: date | None = None
    is_authenticated: bool = True
    is_active: bool = True
    is_anonymous: bool = False
    cache: dict[str, Any] = field(default_factory=dict, compare=False, hash=False)

    def get_id(self) -> str:
        return self.public_id

    def is_fresh(self, at: datetime) -> bool:
        """Whether the password was given within the last five minutes."""
        return at - self.authenticated_at <= timedelta(minutes=5)


@dataclass(frozen=True)
class Guard:
    """What an endpoint asks for: nothing (public), a permission, and perhaps a password given lately."""

    permission: str = ""
    public: bool = False
    fresh: bool = False


def public(view: View) -> View:
    view.guard = Guard(public=True)  # type: ignore[attr-defined]
    return view


def requires(permission: StrEnum, *, fresh: bool = False) -> Callable[[View], View]:
    def mark(view: View) -> View:
        view.guard = Guard(permission=permission.value, fresh=fresh)  # type: ignore[attr-defined]
        return view

    return mark


Granting = Callable[[str, str], bool]
Denial = Callable[[Actor, str], None]


@dataclass(frozen=True)
class _Gate:
    grants: Granting
    sign_in: dict[Platform, str]
    confirm: str
    denied: Denial


def init(app: Flask, *, grants: Granting, sign_in: dict[Platform, str], confirm: str, denied: Denial) -> None:
    """Install the guard. `grants(role, permission)` answers the first question of access; `denied` records a no."""
    app.extensions["portal.access"] = _Gate(grants, sign_in, confirm, denied)
    app.before_request(_check)


def close_up(app: Flask) -> None:
    """Refuse to start with an endpoint that says neither who may come in nor that everybody may."""
    open_doors = [name for name, view in app.view_functions.items() if guard_of(view) is None]
    if open_doors:
        raise RuntimeError(f"endpoints without @requires or @public: {', '.join(sorted(open_doors))}")


def guard_of(view: Callable[..., Any]) -> Guard | None:
    return getattr(view, "guard", None)


def _gate() -> _Gate:
    gate: _Gate = current_app.extensions["portal.access"]
    return gate


def actor_or_none() -> Actor | None:
    user = current_user._get_current_object()  # noqa: SLF001 the proxy itself is never an Actor
    return user if isinstance(user, Actor) else None


def current_actor() -> Actor:
    actor = actor_or_none()
    if actor is None:
        abort(401)
    return actor


def may(permission: str) -> bool:
    """Whether the current actor holds a permission at all, on whatever scope."""
    actor = actor_or_none()
    return actor is not None and any(_gate().grants(grant.role, permission) for grant in actor.grants)


def may_enter(endpoint: str) -> bool:
    """Whether the current actor may open an endpoint at all: a page links only where its reader can go."""
    guard = guard_of(current_app.view_functions[endpoint])
    return guard is not None and (guard.public or may(guard.permission))


def scopes(permission: StrEnum) -> tuple[Scope, ...]:
    """The scopes on which the current actor holds a permission: the argument of every worker query."""
    return scopes_of(current_actor(), permission)


def scopes_of(actor: Actor, permission: StrEnum) -> tuple[Scope, ...]:
    """The same for an actor who is handed over, as to the doors of a capability."""
    held = [grant for grant in actor.grants if _gate().grants(grant.role, permission.value)]
    return tuple(dict.fromkeys(grant.scope for grant in held))


def _platform_of(path: str) -> Platform:
    return Platform.DESK if path == "/desk" or path.startswith("/desk/") else Platform.RESIDENT


def _check() -> ResponseReturnValue | None:
    if request.endpoint is None:
        return None
    guard = guard_of(request_view())
    if guard is None:
        abort(403)
    if guard.public:
        return None
    actor = actor_or_none()
    if actor is None:
        return _to_sign_in()
    if not may(guard.permission):
        _gate().denied(actor, guard.permission)
        abort(403)
    if guard.fresh and not actor.is_fresh(now()):
        return _away(url_for(_gate().confirm, next=_return_path()))
    return None


def request_view() -> Callable[..., Any]:
    view: Callable[..., Any] = current_app.view_functions[request.endpoint or ""]
    return view


def _return_path() -> str:
    """Where to go on after signing in: this page, or the page whose button was pressed."""
    if request.method in {"GET", "HEAD"}:
        return request.full_path.rstrip("?")
    home = "/desk" if _platform_of(request.path) is Platform.DESK else "/"
    came_from = urlsplit(request.referrer or "")
    if came_from.netloc != request.host:
        return home
    return safe_next(came_from._replace(scheme="", netloc="", fragment="").geturl(), home)


def _to_sign_in() -> ResponseReturnValue:
    return _away(url_for(_gate().sign_in[_platform_of(request.path)], next=_return_path()))


def _away(address: str) -> ResponseReturnValue:
    if request.headers.get("HX-Request"):
        return "", 204, {"HX-Redirect": address}
    return redirect(address, 303)


def safe_next(address: str | None, default: str) -> str:
    """A path of this portal, or the default: one leading slash, no backslash, no control characters."""
    if not address or not address.startswith("/") or address.startswith(("//", "/\\")):
        return default
    return default if any(ord(letter) < 33 or letter == "\\" for letter in address) else address
