"""A community's week on one board: the grid, the hours nobody covers, and who answers now."""

from dataclasses import dataclass
from datetime import date, datetime

from portal.areas.models import Area
from portal.core.clock import now
from portal.duty.models import Fallback, Shift, ShiftRole
from portal.duty.service import answering, cover, people, rota
from portal.duty.service.answering import OnDuty
from portal.duty.service.cover import Gap


@dataclass(frozen=True)
class Board:
    """`days` are the seven days with the shifts of each role; `phones` are work telephones by account id."""

    community: Area
    monday: date
    days: list[tuple[date, dict[ShiftRole, list[Shift]]]]
    roles: list[ShiftRole]
    open_hours: list[Gap]
    ahead: list[Gap]
    answering: list[OnDuty]
    phones: dict[int, str]
    fallback: Fallback | None

    @property
    def last(self) -> date:
        return self.days[-1][0]


def board(community: Area, monday: date) -> Board:
    """One look at the shifts of the week and of the coming two, whatever is asked of them."""
    moment, (first, end) = now(), rota.bounds(monday)
    coming = (moment, moment + cover.AHEAD)
    shifts = rota.shifts_between([community.id], (first, end), coming)
    of_week = [shift for shift in shifts if first <= shift.starts_at < end]
    numbers = people.phones([turn.account for shift in shifts for turn in shift.turns])
    fallback = cover.fallback_of(community)
    return Board(
        community=community,
        monday=monday,
        days=rota.by_day(of_week, monday),
        roles=[role for role in ShiftRole if any(shift.role is role for shift in of_week)],
        open_hours=_still_open(community, (max(first, moment), end), shifts),
        ahead=cover.gaps_in([community], coming, shifts),
        answering=answering.among(community, moment, shifts, numbers, fallback),
        phones=numbers,
        fallback=fallback,
    )


def _still_open(community: Area, span: tuple[datetime, datetime], shifts: list[Shift]) -> list[Gap]:
    """What of the week is still to come and uncovered."""
    return cover.gaps_in([community], span, shifts) if span[0] < span[1] else []
