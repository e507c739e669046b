"""Signing up for a meeting: to speak or to listen, a seat or a place in the line, and what the line brings."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.core import audit, reasons
from portal.core.access import Actor
from portal.core.clock import now
from portal.core.db import db, guarded, insert_new
from portal.core.errors import Refused
from portal.core.ids import new_public_id
from portal.deliberation.models.codes import AttendeeState, MeetingState, Part
from portal.deliberation.models.meetings import Attendee, Meeting
from portal.deliberation.service import meeting_rules, meetings, telling
from portal.deliberation.service.meeting_notices import KIND, LIVE, told
from portal.places import service as places
from portal.places.models import Waiting
from portal.registry.models import Person
from portal.registry.service import people

DIED = reasons.declare("deliberation.attendee_died", label=lambda: _("登记为已去世"))
NO_SEAT = reasons.declare("deliberation.no_seat", label=lambda: _("到开会时没有空出座位"))


@dataclass(frozen=True)
class Wish:
    """As what she comes; how the report may name her."""

    part: Part
    matter: str = ""
    speaks_for: str = ""
    shown_as: str = ""


def mine(meeting: Meeting, person: Person | None) -> Attendee | None:
    """A person's row on the list of a meeting, whatever became of it; a live one first."""
    if person is None:
        return None
    live = sa.case((Attendee.state.in_(LIVE), 0), else_=1)
    query = sa.select(Attendee).where(Attendee.meeting_id == meeting.id, Attendee.person_id.in_(people.ids_of(person)))
    return db.session.scalar(query.options(joinedload(Attendee.person)).order_by(live, Attendee.id).limit(1))


def place_in_line(meeting: Meeting, person: Person) -> int:
    """How many wait before her, and she; 0 where she does not wait."""
    waiting = places.waiting_for(meeting.capacity_id, person)
    return places.place_in_line(waiting) if waiting else 0


def check_open(meeting: Meeting, *, at_door: bool = False) -> None:
    if meeting.state is MeetingState.CANCELLED:
        raise Refused(_("这次会议取消了。可以看看议题里还有什么能参加。"))
    if meeting.state not in meetings.AHEAD or now() >= meeting.ends_at:
        raise Refused(_("这次会议不再接受报名。散会后会公布会上说了什么。"))
    if not at_door and now() >= meeting.starts_at:
        raise Refused(_("会议已经开始，请直接到现场，在签到台登记。"))


def join(meeting: Meeting, person: Person, wish: Wish, *, by: Actor, at_door: bool = False) -> Attendee:
    """Take a seat, or a place in the line where none is left; the same again changes nothing."""
    places.hold(meeting.capacity_id)
    db.session.refresh(meeting)
    check_open(meeting, at_door=at_door)
    found = mine(meeting, person)
    if found is not None and found.state in LIVE:
        return found
    if wish.part is Part.SPEAKER:
        places.take(meeting.speaking_id, 1, refusal=_all_speak(meeting))
    state = _seated(meeting, person, by=by, at_door=at_door)
    made = _written(meeting, person, wish, state, by=by, found=found)
    audit.record(
        "deliberation.meeting_joined",
        made,
        on_behalf_of=person.public_id,
        meeting=meeting.id,
        part=wish.part.value,
        state=state.value,
    )
    if not at_door:
        event = "meeting_joined" if state is AttendeeState.GOING else "meeting_waiting"
        telling.tell(person, event, meeting.topic, **told(meeting))
    return made


def _all_speak(meeting: Meeting) -> Refused:
    if meeting.speaking.total == 0:
        return Refused(_("这次会议没有安排居民报名发言，可以报名旁听，或在议题里写下看法。"), field="part")
    return Refused(_("发言名额已经报满，可以改报旁听，或在议题里写下看法。"), field="part")


def _seated(meeting: Meeting, person: Person, *, by: Actor, at_door: bool) -> AttendeeState:
    full = Refused(_("座位已经坐满，请到签到台问一问。"))
    try:
        places.take(meeting.capacity_id, 1, refusal=full)
    except Refused:
        if at_door:
            raise
        places.join(meeting.capacity_id, person, kind=KIND, ref=str(meeting.id), closes_at=meeting.starts_at, by=by)
        return AttendeeState.WAITING
    return AttendeeState.GOING


def _written(
    meeting: Meeting, person: Person, wish: Wish, state: AttendeeState, *, by: Actor, found: Attendee | None
) -> Attendee:
    """Her row: a new one, or the one that she left before."""
    facts: dict[str, Any] = {
        "part": wish.part,
        "state": state,
        "matter": wish.matter,
        "speaks_for": wish.speaks_for,
        "owner_id": None,
        "shown_as": wish.shown_as,
        "counts": meeting_rules.counts_by_itself(meeting, person),
        "signed_up_at": now(),
        "signed_up_by_name": by.name,
        "left_why": "",
        "reminded": 0,
    }
    twice = Refused(_("您已经报了名，请刷新页面看看。"))
    if found is not None:
        again = sa.update(Attendee).where(Attendee.id == found.id, Attendee.state == AttendeeState.LEFT)
        if not guarded(again.values(**facts)):
            raise twice
        db.session.refresh(found)
        return found
    row = {"public_id": new_public_id(), "meeting_id": meeting.id, "person_id": person.id, "guest": "", "came_at": None}
    made = insert_new(Attendee, {**row, **facts, "came_by": None})
    if made is None:
        raise twice
    return made


def leave(one: Attendee, *, why: str = "", by: Actor | None = None, quietly: bool = False) -> None:
    """Give up the seat or the place in the line; the seat goes to whoever waits."""
    meeting, before = one.meeting, one.state
    places.hold(meeting.capacity_id)
    out = sa.update(Attendee).where(
        Attendee.id == one.id, Attendee.state == before, Attendee.state.in_(LIVE), Attendee.came_at.is_(None)
    )
    if not guarded(out.values(state=AttendeeState.LEFT, left_why=why[:200])):
        raise Refused(_("已经签到或已经退出，不用再退。"))
    db.session.refresh(one)
    audit.record("deliberation.meeting_left", one, reason=why, meeting=meeting.id, by=by.name if by else "")
    if one.part is Part.SPEAKER:
        places.give_back(meeting.speaking_id, 1)
    if before is AttendeeState.GOING:
        places.give_back(meeting.capacity_id, 1)
    elif one.person is not None:
        waiting = places.waiting_for(meeting.capacity_id, one.person)
        if waiting is not None:
            places.leave(waiting, reason=why)
    if by is not None and one.person is not None and not quietly:
        telling.tell(one.person, "meeting_removed", meeting.topic, **told(meeting, why=reasons.said(why)))


def choose_shown(one: Attendee, way: str) -> None:
    """How the report names her, until it is published."""
    if one.meeting.state is MeetingState.REPORTED:
        raise Refused(_("会议情况已经公布，不能再改。要更正请联系社区。"), field="shown_as")
    one.shown_as = way
    audit.record("deliberation.meeting_shown_as", one, meeting=one.meeting_id, way=way)


# ---- what the line tells


def on_place_offered(*, waiting: Waiting, **_facts: object) -> None:
    """In the transaction that freed the seat: who is next has it at once, and is told."""
    one = _waits(waiting)
    if one is None:
        return
    seated = sa.update(Attendee).where(Attendee.id == one.id, Attendee.state == AttendeeState.WAITING)
    if guarded(seated.values(state=AttendeeState.GOING)):
        places.accept(waiting)
        db.session.refresh(one)
        audit.record("deliberation.meeting_seated", one, meeting=one.meeting_id)
        if one.person is not None:
            telling.tell(people.resolved(one.person), "meeting_seated", one.meeting.topic, **told(one.meeting))


def on_place_closed(*, waiting: Waiting, **_facts: object) -> None:
    """The meeting begins and no seat came free."""
    one = _waits(waiting)
    if one is None:
        return
    out = sa.update(Attendee).where(Attendee.id == one.id, Attendee.state == AttendeeState.WAITING)
    if guarded(out.values(state=AttendeeState.LEFT, left_why=NO_SEAT)):
        db.session.refresh(one)
        if one.part is Part.SPEAKER:
            places.give_back(one.meeting.speaking_id, 1)
        if one.person is not None:
            telling.tell(people.resolved(one.person), "meeting_no_seat", one.meeting.topic, **told(one.meeting))


def _waits(waiting: Waiting) -> Attendee | None:
    if waiting.kind != KIND:
        return None
    query = (
        sa.select(Attendee)
        .join(Attendee.meeting)
        .where(Meeting.capacity_id == waiting.capacity_id, Attendee.person_id == waiting.person_id)
        .options(joinedload(Attendee.person), joinedload(Attendee.meeting).joinedload(Meeting.topic))
    )
    return db.session.scalar(query.order_by(Attendee.id).limit(1))


def on_person_died(*, person: Person, **_facts: object) -> None:
    """Her seats are free for others; nobody writes to her."""
    query = (
        sa.select(Attendee)
        .join(Attendee.meeting)
        .where(
            Attendee.person_id.in_(people.ids_of(person)),
            Attendee.state.in_(LIVE),
            Attendee.came_at.is_(None),
            Meeting.state.in_((MeetingState.DRAFT, MeetingState.NOTIFIED)),
        )
        .order_by(Attendee.id)
    )
    for one in list(db.session.scalars(query)):
        leave(one, why=DIED, quietly=True)
