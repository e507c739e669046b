"""What the address of a resource list asks for, and what each of these pages needs besides its rows."""

from collections.abc import Callable
from typing import Any

from flask import request
from flask_babel import gettext as _

from portal.areas import service as areas
from portal.areas.models import Area
from portal.core import tokens, web
from portal.core.access import current_actor, may, scopes
from portal.core.errors import Missing
from portal.core.forms import OnceForm
from portal.identity.permissions import Permission
from portal.registry.forms.resources import FilterForm
from portal.registry.service.resources import listing
from portal.registry.service.resources.listing import Wanted


def wanted() -> Wanted:
    values = request.args
    return Wanted(
        q=" ".join(values.get("q", "")[:60].replace("\x00", "").split()),
        kind=values.get("kind", ""),
        community=values.get("community", ""),
        state=values.get("state", ""),
        page=max(1, web.number_asked("page", 1)),
    )


def around(
    asked: Wanted, kinds: list[tuple[str, str]] | None = None, states: list[tuple[str, str]] | None = None
) -> dict[str, Any]:
    """What every list shows: the filter, whether there are communities to choose from, and to enter things in."""
    reached = listing.communities(scopes(Permission.RESOURCES_READ))
    form = FilterForm.of(asked, communities=offered(reached), kinds=kinds or [], states=states or [])
    return {
        "wanted": asked,
        "filter": form,
        "several": len(reached) > 1,
        "may_edit": may(Permission.RESOURCES_EDIT),
    }


def own_communities() -> list[Area]:
    """Where this worker may enter resources; nowhere is no page."""
    found = areas.whole_communities(scopes(Permission.RESOURCES_EDIT))
    if not found:
        raise Missing
    return found


def offered(found: list[Area]) -> list[tuple[str, str]]:
    return [(area.code, area.name) for area in found]


def once(action: str, form: OnceForm, act: Callable[[], str]) -> str:
    """What an act led to, as its public id; a resend of the same form leads there again and acts no more."""
    actor, key, body = current_actor().public_id, form.text("idem"), form.body()
    earlier = tokens.same_request(actor, action, key, body)
    if earlier is not None:
        return earlier
    answer = act()
    tokens.remember_request(actor, action, key, body, answer)
    return answer


def saved(name: str) -> str:
    return _("“%(name)s”已保存。", name=name)
