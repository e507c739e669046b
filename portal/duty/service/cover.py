"""The hours in which somebody must be on duty, and those of the coming two weeks in which nobody is yet."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.areas.models import Area
from portal.core import audit
from portal.core.clock import at, local, now
from portal.core.db import db
from portal.core.errors import Refused
from portal.duty.models import Cover, Fallback, Shift
from portal.duty.service import dayrules, people, rota
from portal.duty.service.dayrules import DayRules
from portal.identity.models import Account
from portal.registry.service.resources import hours
from portal.registry.service.resources.hours import Hours

AHEAD = timedelta(days=14)
Span = tuple[datetime, datetime]


@dataclass(frozen=True)
class Gap:
    """A span in which somebody must be on duty and nobody is."""

    community: Area
    starts: datetime
    ends: datetime


def required(community: Area) -> Hours:
    """The hours that must be covered, by weekday."""
    return _required([community])[community.id]


def _required(communities: Collection[Area]) -> dict[int, Hours]:
    """The same for some communities, by the id of each."""
    found: dict[int, Hours] = {community.id: {} for community in communities}
    query = sa.select(Cover).where(Cover.community_id.in_(found))
    for row in db.session.scalars(query.order_by(Cover.community_id, Cover.weekday, Cover.opens, Cover.id)):
        closes = "24:00" if row.closes == time(0) else f"{row.closes:%H:%M}"
        found[row.community_id].setdefault(str(row.weekday), []).append([f"{row.opens:%H:%M}", closes])
    return found


def set_required(community: Area, text: str) -> None:
    """Take the hours in the words people write: 每天 全天, or 周一至周五 8:30-17:30."""
    wanted = hours.parse(text, field="hours")
    people.hold(community)
    db.session.execute(sa.delete(Cover).where(Cover.community_id == community.id))
    for day, spans in wanted.items():
        for opens, closes in spans:
            row = Cover(community_id=community.id, weekday=int(day), opens=_time(opens), closes=_time(closes))
            db.session.add(row)
    db.session.flush()
    audit.record("duty.cover_set", community, days=len(wanted))


def _time(text: str) -> time:
    return time(0) if text == "24:00" else time.fromisoformat(text)


def gaps(communities: Collection[Area]) -> list[Gap]:
    """Uncovered hours of the coming two weeks; the earliest first."""
    span = (now(), now() + AHEAD)
    return gaps_in(communities, span, rota.shifts_between([community.id for community in communities], span))


def gaps_in(communities: Collection[Area], span: Span, shifts: Sequence[Shift]) -> list[Gap]:
    """The uncovered hours of a span, given the shifts that touch it."""
    taken: dict[int, list[Span]] = {}
    for shift in shifts:
        if any(turn.account.is_open(local(shift.starts_at).date()) for turn in shift.turns):
            taken.setdefault(shift.community_id, []).append((shift.starts_at, shift.ends_at))
    wanted = _required(communities)
    days = dayrules.of_span(local(span[0]).date(), local(span[1]).date())
    found = [
        Gap(community, *free)
        for community in communities
        for free in uncovered(_due(wanted[community.id], days, *span), taken.get(community.id, []))
    ]
    return sorted(found, key=lambda gap: (gap.starts, gap.community.code))


def _due(wanted: Hours, days: DayRules, starts: datetime, ends: datetime) -> list[Span]:
    """The required hours of each day inside a span, cut to it; a holiday has its own."""
    day, last, spans = local(starts).date(), local(ends).date(), list[Span]()
    while day <= last:
        for opens, closes in days.spans(day, wanted):
            end = at(day + timedelta(days=1), time(0)) if closes == "24:00" else at(day, time.fromisoformat(closes))
            first, final = max(at(day, time.fromisoformat(opens)), starts), min(end, ends)
            if first < final:
                spans.append((first, final))
        day += timedelta(days=1)
    return spans


def uncovered(due: Iterable[Span], taken: Iterable[Span]) -> list[Span]:
    """What of the due spans no taken span covers; spans that touch are one."""
    left: list[Span] = []
    busy = sorted(taken)
    for starts, ends in sorted(due):
        free = starts
        for begins, stops in busy:
            if stops <= free or begins >= ends:
                continue
            if begins > free:
                left.append((free, begins))
            free = max(free, stops)
        if free < ends:
            left.append((free, ends))
    return _joined(left)


def _joined(spans: list[Span]) -> list[Span]:
    joined: list[Span] = []
    for starts, ends in spans:
        if joined and starts <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], ends))
        else:
            joined.append((starts, ends))
    return joined


def fallback_of(community: Area) -> Fallback | None:
    return fallbacks([community]).get(community.id)


def fallbacks(communities: Collection[Area]) -> dict[int, Fallback]:
    """Who stands in, by the id of the community."""
    query = sa.select(Fallback).where(Fallback.community_id.in_([community.id for community in communities]))
    found = db.session.scalars(query.options(sa.orm.joinedload(Fallback.account)).order_by(Fallback.id))
    return {row.community_id: row for row in found}


def set_fallback(community: Area, account: Account, phone: str) -> Fallback:
    """Name who answers whenever nobody is on duty, and the line that always rings."""
    if not phone:
        raise Refused(_("请填随时打得通的电话。"), field="phone")
    people.hold(community)
    row = fallback_of(community) or Fallback(community_id=community.id)
    row.account, row.phone = account, phone
    db.session.add(row)
    db.session.flush()
    audit.record("duty.fallback_set", community, name=account.name)
    return row
