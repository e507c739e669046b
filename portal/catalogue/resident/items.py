"""Resident pages of the catalogue: looking around, searching, reading a service, 我能办吗, 证明查询."""

from collections.abc import Sequence
from typing import Any

from flask import Response, current_app, flash, request, url_for
from flask_babel import gettext as _

from portal.areas.models import Area
from portal.catalogue.forms.lists import MissForm
from portal.catalogue.models.codes import ItemKind, ListKind, ProviderKind, Situation
from portal.catalogue.models.items import Item
from portal.catalogue.resident.blueprint import bp
from portal.catalogue.service import conditions, dictionary, grounds, item_words, items, lists, searching
from portal.catalogue.service.conditions import Reader
from portal.core import web
from portal.core.access import Platform, actor_or_none, public
from portal.core.clock import today
from portal.core.errors import Missing
from portal.registry.models import Person
from portal.registry.service import people

bp.add_app_template_filter(item_words.service_word, "service_word")
bp.add_app_template_filter(item_words.situation_words, "situation_words")
bp.add_app_template_filter(item_words.condition_words, "condition_words")
bp.add_app_template_filter(item_words.state_tint, "service_tint")
bp.add_app_template_global(item_words.cost_words, "cost_words")

# Where an item of a kind is had, once the pages that do it are there.
DOORS = {ItemKind.APPOINTMENT: "catalogue.resident.book", ItemKind.APPLICATION: "catalogue.resident.apply"}


def _me() -> Person | None:
    actor = actor_or_none()
    if actor is None or actor.platform is not Platform.RESIDENT:
        return None
    return people.person_of_or_none(actor, lean=True)


def _here() -> tuple[list[Area], Area]:
    """Every community, and the one whose services the reader looks at."""
    found, me = grounds.communities(), _me()
    return found, grounds.looked_at(found, request.args.get("community", ""), me.community_id if me else None)


@bp.errorhandler(grounds.NoCommunity)
def nothing_yet(_error: grounds.NoCommunity) -> Response:
    """A portal in which no community is set up has its pages all the same."""
    return web.page("catalogue/resident/nothing_yet.html")


@bp.route("/")
@public
def index() -> Response:
    communities, here = _here()
    facts: dict[str, Any] = {"communities": communities, "here": here, "icons": item_words.ICONS}
    return web.page("catalogue/resident/index.html", counted=items.counted(here), **facts)


@bp.route("/list")
@public
def listing() -> Response:
    """Everything, or what suits one situation, or what one kind of provider does."""
    _communities, here = _here()
    situation = next((one for one in Situation if one == request.args.get("situation")), None)
    kind = next((one for one in ProviderKind if one == request.args.get("provider")), None)
    page = min(max(web.number_asked("page", 1), 1), 1000)
    shown, count = items.published(here, situation=situation, kind=kind, page=page)
    facts: dict[str, Any] = {"here": here, "situation": situation, "kind": kind, "page": page}
    facts |= {"count": count, "more": count > page * items.SHOWN}
    return web.page("catalogue/resident/listing.html", items=shown, **facts)


@bp.route("/search")
@public
def search() -> Response:
    _communities, here = _here()
    found = searching.find(here, request.args.get("q", "")[:200])
    form = MissForm(formdata=None, data={"words": found.words})
    facts: dict[str, Any] = {"proofs": lists.proofs_sought(here, found.words), "situations": list(Situation)}
    return web.page("catalogue/resident/search.html", here=here, found=found, form=form, **facts)


@bp.route("/missing", methods=["POST"])
@public
def missing() -> Response:
    """Words that somebody found nothing under: kept without who she is."""
    _communities, here = _here()
    form = MissForm()
    source = request.remote_addr or ""
    if form.carries_out(lambda: dictionary.note_miss(here, form.text("words"), source=source)):
        flash(_("记下了，社区会补上。只记您找的词，不记您是谁。"), "ok")
        return web.go(".index", community=here.code)
    return web.page("catalogue/resident/missing.html", here=here, form=form, status=form.status)


@bp.route("/<int:item_id>")
@public
def item(item_id: int) -> Response:
    found = items.shown(item_id)
    return web.page("catalogue/resident/item.html", item=found, door=_door(found))


def _door(item: Item) -> str:
    endpoint = DOORS.get(item.kind, "")
    return url_for(endpoint, item_id=item.id) if endpoint in current_app.view_functions else ""


@bp.route("/<int:item_id>/print")
@public
def item_print(item_id: int) -> Response:
    address = web.absolute(".item", item_id=item_id)
    return web.page("catalogue/resident/item_print.html", item=items.shown(item_id), address=address, today=today())


@bp.route("/<int:item_id>/check", methods=["GET", "POST"])
@public
def check(item_id: int) -> Response:
    """我能办吗. What is answered comes with the form and goes nowhere: nothing is kept."""
    found, me = items.shown(item_id), _me()
    whom = _whom(me)
    person = next((one for one in whom if one.public_id == request.values.get("whom")), whom[0] if whom else None)
    reader = Reader(person, is_agent=person is not None and person != me)
    answers = _answers(found)
    verdict = conditions.judge(found, reader, answers, today())
    tabs = [(one.public_id, one.name, url_for(".check", item_id=item_id, whom=one.public_id)) for one in whom]
    facts: dict[str, Any] = {"tabs": tabs, "person": person, "answers": answers, "today": today()}
    return web.page("catalogue/resident/check.html", item=found, verdict=verdict, door=_door(found), **facts)


def _whom(me: Person | None) -> list[Person]:
    """Herself and those she may book for; nobody for who is not known."""
    actor = actor_or_none()
    known = actor is not None and actor.platform is Platform.RESIDENT
    return people.people_for(actor, conditions.ACTION, me=me) if actor and known else []


def known_against(item: Item, persons: Sequence[Person]) -> list[tuple[Person, str]]:
    """Of some persons those for whom the register says no to a condition, and in which words."""
    if not item.conditions or not persons:
        return []
    me = _me()
    readers = [(one, conditions.judge(item, Reader(one, is_agent=one != me), {}, today())) for one in persons]
    return [(one, "".join(step.words for step in found.failed)) for one, found in readers if found.failed]


bp.add_app_template_global(known_against, "known_against")


# What may be answered; who does not know says so and is told whom to ask.
_SAID: dict[str, bool | None] = {"yes": True, "no": False, "unsure": None}


def _answers(item: Item) -> dict[int, bool | None]:
    said = {one.id: request.form.get(f"answer-{one.id}", "") for one in item.conditions}
    return {number: _SAID[answer] for number, answer in said.items() if answer in _SAID}


@bp.route("/proofs")
@public
def proofs() -> Response:
    """证明查询: what a residents' committee must not issue, and where to go instead."""
    _communities, here = _here()
    found, words = lists.proofs(here), request.args.get("q", "").strip()[:40]
    meant = lists.proofs_like(found, words) if words else found
    return web.page("catalogue/resident/proofs.html", here=here, proofs=found, meant=meant, words=words)


@bp.route("/lists")
@bp.route("/lists/<kind>")
@public
def four_lists(kind: str = ListKind.WORK) -> Response:
    if kind not in set(ListKind):
        raise Missing
    _communities, here = _here()
    chosen = ListKind(kind)
    tabs = [
        (one, item_words.short_list(one), url_for(".four_lists", kind=one, community=here.code)) for one in ListKind
    ]
    entries = lists.shown(here, chosen)
    return web.page("catalogue/resident/four_lists.html", here=here, entries=entries, kind=chosen, tabs=tabs)
