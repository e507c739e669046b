"""What a timetable opens: a day's slots worked out from the pattern, written ahead, never moving what is booked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.catalogue.models.appointments import HOLDS, Appointment
from portal.catalogue.models.schedules import DayException, Slot, SlotState, Timetable
from portal.catalogue.service import holds
from portal.core import clock, reasons
from portal.core.calendar import SpecialDay, special_days
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.places import service as places
from portal.places.models import Capacity

CHANGED = reasons.declare("catalogue.timetable_changed", label=lambda: _("时间表改了"))
Minutes = tuple[int, int]


@dataclass(frozen=True)
class Span:
    """One slot to be: from an instant until another."""

    starts_at: datetime
    ends_at: datetime


@dataclass
class Opened:
    """What an opening did: slots made, slots taken away, those that no longer fit but are booked, and clashes."""

    made: int = 0
    withdrawn: int = 0
    misfits: list[Slot] = field(default_factory=list)
    clashes: list[Span] = field(default_factory=list)


def times(hours: Iterable[Minutes], breaks: Iterable[Minutes], *, length: int, rest: int) -> list[Minutes]:
    """The slots of a day, in minutes of it: as many as fit into the hours between the breaks, a rest after each."""
    found: list[Minutes] = []
    for opens, closes in _without(_joined(hours), _joined(breaks)):
        begins = opens
        while begins + length <= closes:
            found.append((begins, begins + length))
            begins += length + rest
    return _rested(found, rest)


def _joined(spans: Iterable[Minutes]) -> list[Minutes]:
    """The same time in spans that neither touch nor overlap."""
    joined: list[Minutes] = []
    for opens, closes in sorted(spans):
        if joined and opens <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], closes))
        else:
            joined.append((opens, closes))
    return joined


def _without(spans: Sequence[Minutes], breaks: Sequence[Minutes]) -> list[Minutes]:
    left: list[Minutes] = []
    for opens, closes in spans:
        begins = opens
        for pause, resumes in breaks:
            if begins < resumes and pause < closes:
                left.append((begins, pause))
                begins = resumes
        left.append((begins, closes))
    return [(opens, closes) for opens, closes in left if opens < closes]


def _rested(found: Sequence[Minutes], rest: int) -> list[Minutes]:
    """Also over a short break the rest is kept."""
    kept: list[Minutes] = []
    for opens, closes in found:
        if not kept or kept[-1][1] + rest <= opens:
            kept.append((opens, closes))
    return kept


def hours_on(timetable: Timetable, day: date, special: SpecialDay | None) -> list[tuple[time, time]]:
    """The hours of a day: an exception first, then the holidays and worked weekends, then the week."""
    if not timetable.holds(day) or not timetable.is_kept():
        return []
    exception = exception_on(timetable, day)
    if exception is not None:
        opens, closes = exception.opens, exception.closes
        return [] if opens is None or closes is None else [(opens, closes)]
    weekday = _weekday(timetable, day, special)
    return [(row.opens, row.closes) for row in timetable.hours if row.weekday == weekday]


def exception_on(timetable: Timetable, day: date) -> DayException | None:
    """The exception in force on a day: of several the one written last."""
    standing = [row for row in timetable.exceptions if row.holds(day)]
    return max(standing, key=lambda row: row.id, default=None)


def _weekday(timetable: Timetable, day: date, special: SpecialDay | None) -> int | None:
    """Whose weekday's hours hold; none when it is closed."""
    if special is None:
        return day.weekday()
    if not special.works:
        return day.weekday() if timetable.on_holidays else None
    return timetable.make_up.weekday(day) if day.weekday() >= 5 else day.weekday()


def _weekday_of(timetable: Timetable, day: date, special: SpecialDay | None) -> int:
    """Whose weekday's breaks hold: on a worked weekend those of the weekday it stands for."""
    weekday = None if exception_on(timetable, day) else _weekday(timetable, day, special)
    return day.weekday() if weekday is None else weekday


def slots_of(timetable: Timetable, day: date, special: SpecialDay | None) -> list[Span]:
    """The slots that a day is to have."""
    hours = [(_minute(opens), _minute(closes)) for opens, closes in hours_on(timetable, day, special)]
    weekday = _weekday_of(timetable, day, special)
    breaks = [(_minute(row.opens), _minute(row.closes)) for row in timetable.breaks if row.weekday == weekday]
    midnight = clock.at(day, time(0))
    return [
        Span(midnight + timedelta(minutes=opens), midnight + timedelta(minutes=closes))
        for opens, closes in times(hours, breaks, length=timetable.slot_minutes, rest=timetable.buffer_minutes)
    ]


def _minute(moment: time) -> int:
    """Of a day; 23:59 is its end."""
    return 24 * 60 if moment >= time(23, 59) else moment.hour * 60 + moment.minute


def preview(timetable: Timetable, first: date, days: int = 7) -> list[tuple[date, list[Span], str]]:
    """Some days with the slots they are to have, and why there are none, in words."""
    special = {row.day: row for row in special_days(first, first + timedelta(days=days - 1))}
    shown = []
    for offset in range(days):
        day = first + timedelta(days=offset)
        spans = slots_of(timetable, day, special.get(day))
        shown.append((day, spans, "" if spans else closed_because(timetable, day, special.get(day))))
    return shown


def closed_because(timetable: Timetable, day: date, special: SpecialDay | None) -> str:
    """Why a day has no slots."""
    exception = exception_on(timetable, day)
    if not timetable.holds(day):
        return _("不在有效期内")
    if exception is not None:
        return exception.reason
    if special is not None and _weekday(timetable, day, special) is None:
        return special.name
    return _("不开放")


def open_ahead(timetable: Timetable, *, by: str = "") -> Opened:
    """Open what the timetable says from now on; whoever changes it and the nightly job come one after the other."""
    holds.lock(timetable)
    moment, wanted = clock.now(), _wanted(timetable)
    coming = {slot.starts_at: slot for slot in coming_slots(timetable, moment, locked=True)}
    done = Opened()
    _fit(timetable, coming, wanted, done, by)
    again = [slot for slot in coming.values() if _is_withdrawn(slot) and _could_have(wanted, slot)]
    for slot in again:
        slot.ends_at = wanted[slot.starts_at].ends_at
        holds.release(slot)
    # What stands stays as it is when the last item was withdrawn: some may come all the same.
    fresh = [span for start, span in wanted.items() if start > moment and start not in coming and timetable.is_of_use()]
    _make(timetable, fresh, again, done)
    _note_clashes(timetable, done)
    db.session.flush()
    return done


def _wanted(timetable: Timetable) -> dict[datetime, Span]:
    """The slots that the days which are open to be booked are to have, by their beginning."""
    first = clock.today()
    last = first + timedelta(days=timetable.days_ahead)
    special = {row.day: row for row in special_days(first, last)}
    wanted: dict[datetime, Span] = {}
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        wanted |= {span.starts_at: span for span in slots_of(timetable, day, special.get(day))}
    return wanted


def left_out(timetable: Timetable) -> list[Span]:
    """The coming slots that a timetable is to have and has not."""
    moment = clock.now()
    standing = {slot.starts_at for slot in coming_slots(timetable, moment) if not _is_withdrawn(slot)}
    return [span for start, span in _wanted(timetable).items() if start > moment and start not in standing]


def coming_slots(timetable: Timetable, moment: datetime, *, locked: bool = False) -> list[Slot]:
    """The slots that have not begun; locked, nobody books them meanwhile."""
    query = sa.select(Slot).where(Slot.timetable_id == timetable.id, Slot.starts_at > moment)
    query = query.options(sa.orm.joinedload(Slot.capacity)).execution_options(populate_existing=True)
    query = query.order_by(Slot.starts_at, Slot.id)
    return list(db.session.scalars(query.with_for_update(of=Slot) if locked else query))


def holds_time(slot: Slot) -> bool:
    """Whether a slot still takes somebody's time: it stands, or people have booked it."""
    return slot.state is not SlotState.CALLED_OFF and (slot.fits or slot.capacity.taken > 0)


def _is_withdrawn(slot: Slot) -> bool:
    return slot.state is SlotState.CLOSED and not slot.fits


def _wants(wanted: dict[datetime, Span], slot: Slot) -> bool:
    return wanted.get(slot.starts_at) == Span(slot.starts_at, slot.ends_at)


def _could_have(wanted: dict[datetime, Span], slot: Slot) -> bool:
    """Whether a slot that was taken away may come back, perhaps with another end where nobody has booked it."""
    span = wanted.get(slot.starts_at)
    return span is not None and (span.ends_at == slot.ends_at or slot.capacity.taken == 0)


def _fit(
    timetable: Timetable, coming: dict[datetime, Slot], wanted: dict[datetime, Span], done: Opened, by: str
) -> None:
    """Hold what stands against what is wanted: places and turnout follow, what fits no longer is closed."""
    booked = _booked_in(coming.values())
    lined = places.lined([slot.capacity_id for slot in coming.values()])
    for slot in coming.values():
        if slot.state is SlotState.CALLED_OFF or _is_withdrawn(slot):
            continue
        if _wants(wanted, slot):
            _follow(timetable, slot)
            continue
        slot.fits, slot.changed_at, slot.changed_by = False, clock.now(), by
        if slot.state is SlotState.OPEN:
            slot.state, slot.reason = SlotState.CLOSED, CHANGED
        if slot.capacity_id in lined:
            places.close_line(slot.capacity_id, reason=CHANGED)
        if slot.id in booked:
            slot.settled = False
            done.misfits.append(slot)
        else:
            holds.release(slot)
            done.withdrawn += 1
    db.session.flush()


def _booked_in(slots: Iterable[Slot]) -> set[int]:
    """Which of some slots somebody holds a place of."""
    query = sa.select(Appointment.slot_id).where(
        Appointment.slot_id.in_([slot.id for slot in slots]), Appointment.state.in_(HOLDS)
    )
    return set(db.session.scalars(query.distinct()))


def _follow(timetable: Timetable, slot: Slot) -> None:
    """The places and the turnout of a slot that stands; never fewer places than are taken."""
    if slot.capacity.total != timetable.people:
        places.fit(slot.capacity_id, timetable.people)
        places.offer_next(slot.capacity_id)
    if slot.minimum != timetable.minimum:
        slot.minimum, slot.decide_at = timetable.minimum, _decide_at(timetable, slot.starts_at)


def on_place_freed(*, capacity_id: int, **_facts: object) -> None:
    """A slot that kept more places than its timetable has, because they were booked, has one fewer of them now."""
    query = sa.select(Timetable.people).join(Slot, Slot.timetable_id == Timetable.id)
    query = query.join(Capacity, Capacity.id == Slot.capacity_id)
    people = db.session.scalar(query.where(Capacity.id == capacity_id, Capacity.total > Timetable.people))
    if people is not None:
        places.fit(capacity_id, people)


def _decide_at(timetable: Timetable, starts_at: datetime) -> datetime | None:
    return starts_at - timedelta(hours=timetable.decide_hours) if timetable.minimum > 1 else None


def _make(timetable: Timetable, fresh: Sequence[Span], again: Sequence[Slot], done: Opened) -> None:
    """Open new slots and those that were withdrawn, where nobody else has the person or the room."""
    spans = [*fresh, *(Span(slot.starts_at, slot.ends_at) for slot in again)]
    taken = holds.taken(timetable, spans)
    made = [_new(timetable, span) for span in fresh if not holds.clashes(timetable, span, taken)]
    back = [slot for slot in again if not holds.clashes(timetable, Span(slot.starts_at, slot.ends_at), taken)]
    for slot in back:
        slot.fits, slot.settled = True, False
        # What a worker had closed herself stays closed, for her to open.
        if slot.reason == CHANGED:
            slot.state, slot.reason = SlotState.OPEN, ""
        slot.minimum, slot.decide_at = timetable.minimum, _decide_at(timetable, slot.starts_at)
        places.fit(slot.capacity_id, timetable.people)
    db.session.add_all(made)
    db.session.flush()
    holds.hold(timetable, [*made, *back])
    done.made = len(made) + sum(slot.state is SlotState.OPEN for slot in back)
    done.clashes = [span for span in spans if holds.clashes(timetable, span, taken)]


def is_own(timetable: Timetable, span: Span) -> bool:
    """Whether what stands in the way is a slot of the same timetable that somebody has booked."""
    query = sa.select(Slot.id).where(
        Slot.timetable_id == timetable.id, Slot.starts_at < span.ends_at, Slot.ends_at > span.starts_at
    )
    return db.session.scalar(query.where(sa.not_(Slot.fits)).limit(1)) is not None


def _note_clashes(timetable: Timetable, done: Opened) -> None:
    """What was left out stands with the timetable, for the worker's list of things to do."""
    left = [span for span in done.clashes if not is_own(timetable, span)]
    timetable.clashes, timetable.clash_at = len(left), min((span.starts_at for span in left), default=None)


def _new(timetable: Timetable, span: Span) -> Slot:
    return Slot(
        timetable_id=timetable.id,
        day=clock.local(span.starts_at).date(),
        starts_at=span.starts_at,
        ends_at=span.ends_at,
        capacity=Capacity(total=timetable.people, taken=0),
        minimum=timetable.minimum,
        decide_at=_decide_at(timetable, span.starts_at),
    )


def open_all() -> int:
    """The nightly job: every timetable opens its next day; answers how many slots came."""
    day = clock.today()
    standing = sa.or_(Timetable.valid_to.is_(None), Timetable.valid_to >= day)
    query = sa.select(Timetable.id).where(Timetable.ended_at.is_(None), standing).order_by(Timetable.id)
    with transaction() as session:
        known = list(session.scalars(query))
    made = 0
    for timetable_id in known:
        try:
            with transaction() as session:
                made += open_ahead(session.get_one(Timetable, timetable_id)).made
        except Refused:
            _note_refused(timetable_id)
    return made


def _note_refused(timetable_id: int) -> None:
    """One timetable that could not be opened holds up no other: what it lacks stands on the worker's list."""
    with transaction() as session:
        timetable = session.get_one(Timetable, timetable_id)
        left = left_out(timetable)
        timetable.clashes, timetable.clash_at = len(left), min((span.starts_at for span in left), default=None)
