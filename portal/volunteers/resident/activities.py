"""Resident pages of activities: the first page, the list, the calendar, what is free near somebody, one activity."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from flask import Response, current_app, request
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import Actor, actor_or_none, public
from portal.core.clock import now, today
from portal.core.errors import Missing
from portal.volunteers.models.codes import ServiceKind
from portal.volunteers.resident.blueprint import bp
from portal.volunteers.service import guardians, kinds, leading, offering
from portal.volunteers.service.offering import PARTS, Reader, Seeking

# What the first page leads to, as far as it is there: label, endpoint, icon, whether only for who is signed in.
ENTRIES: tuple[tuple[Callable[[], str], str, str, bool], ...] = (
    (lambda: _("找活动"), "activity_list", "search", False),
    (lambda: _("活动日历"), "activity_calendar", "calendar-event", False),
    (lambda: _("就近空班次"), "activity_near", "map-pin", False),
    (lambda: _("我的班次"), "my_shifts", "list-check", True),
    (lambda: _("我要签到"), "attend_today", "scan", True),
    (lambda: _("志愿者资料"), "profile_page", "user", True),
    (lambda: _("我的志愿时间"), "hours_mine", "clock", True),
    (lambda: _("服务证明"), "certificates_mine", "file-text", True),
    (lambda: _("志愿星级"), "stars_mine", "star", True),
    (lambda: _("我的积分"), "points_mine", "coin", True),
    (lambda: _("爱心超市"), "shop", "wallet", True),
    (lambda: _("志愿队"), "team_list", "users", True),
    (lambda: _("服务站点"), "station_places", "building-community", False),
    (lambda: _("时长公示"), "hours_published", "clipboard-list", False),
    (lambda: _("我负责的班次"), "lead_shifts", "flag", True),
    (lambda: _("孩子的志愿服务"), "wards_page", "friends", True),
)


# Whom an entrance leads anywhere at all: who leads something, who is a guardian.
_WHOSE: dict[str, Callable[[Actor], object]] = {"lead_shifts": leading.leads_any, "wards_page": guardians.wards}


def _entries(who: Reader) -> list[tuple[str, str, str]]:
    actor, known = actor_or_none(), current_app.view_functions
    return [
        (label(), f"volunteers.resident.{view}", icon)
        for label, view, icon, own in ENTRIES
        if f"volunteers.resident.{view}" in known
        and (who.known or not own)
        and (view not in _WHOSE or (actor is not None and _WHOSE[view](actor)))
    ]


def _who() -> Reader:
    return offering.reader(actor_or_none())


def _day(name: str, default: date) -> date:
    """A day that the address names, not further than a year from today."""
    try:
        asked = date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return default
    return asked if abs((asked - today()).days) <= 366 else default


def _seeking(who: Reader, first: date, last: date) -> tuple[Seeking, dict[str, Any]]:
    """What the filters ask for, and what their form needs; the reader's own community unless another is asked."""
    places, skills = offering.communities(), offering.skills()
    said = request.args.get("community")
    here = next((one for one in places if (said == one.code if said is not None else one.id == who.community_id)), None)
    part = request.args.get("part", "")
    skill = next((one for one in skills if one.id == web.number_asked("skill")), None)
    kind = next((one for one in ServiceKind if one == request.args.get("kind")), None)
    part = part if part in PARTS else ""
    wanted = Seeking(first, last, here.id if here else None, kind, skill.id if skill else None, part)
    asked = {
        "community": here.code if here else "",
        "kind": kind.value if kind else None,
        "skill": skill.id if skill else None,
        "part": part or None,
    }
    facts = {"places": places, "here": here, "skills": skills, "kinds": kinds.choices(), "asked": asked}
    return wanted, facts


@bp.route("/")
@public
def index() -> Response:
    who = _who()
    facts = {"entries": _entries(who), **_nearest(who, limit=3)}
    return web.page("volunteers/resident/index.html", who=who, **facts)


def _nearest(who: Reader, *, limit: int = offering.NEAREST) -> dict[str, Any]:
    """The next free shifts; where there are none, why she could join none."""
    moment = now()
    found = offering.nearest(who, moment, limit=limit)
    return {"offers": found, "halted": "" if found else offering.halted(who, moment)}


@bp.route("/activities")
@public
def activity_list() -> Response:
    who, moment = _who(), now()
    first = max(_day("day", today()), today())
    wanted, facts = _seeking(who, first, first + timedelta(days=offering.DAYS_AHEAD))
    found = offering.lines(wanted, moment, who)
    return web.page("volunteers/resident/activity_list.html", lines=found, who=who, first=first, today=today(), **facts)


@bp.route("/activities/near")
@public
def activity_near() -> Response:
    who = _who()
    return web.page("volunteers/resident/activity_near.html", who=who, **_nearest(who))


@bp.route("/activities/calendar")
@public
def activity_calendar() -> Response:
    """A week with every shift, or a month with how many there are on each day."""
    day, month = _day("day", today()), request.args.get("view") == "month"
    first, last = offering.month_of(day) if month else offering.week_of(day)
    wanted, facts = _seeking(_who(), first, last)
    facts["asked"] |= {"view": "month" if month else None}
    days = offering.by_day(offering.offers(wanted, now()), first, last)
    earlier, later = offering.beside(day, month=month)
    facts |= {"days": days, "day": day, "month": month, "earlier": earlier, "later": later, "today": today()}
    return web.page("volunteers/resident/activity_calendar.html", **facts)


@bp.route("/activities/<public_id>")
@public
def activity_page(public_id: str) -> Response:
    found = offering.shown(public_id)
    if found is None:
        raise Missing
    who = _who()
    offers = offering.coming(found, who, now())
    return web.page("volunteers/resident/activity_page.html", activity=found, who=who, offers=offers)
