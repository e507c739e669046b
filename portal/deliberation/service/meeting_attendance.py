"""Who came: signed in by the wall's code or by the list, who was added at the door, and how the quorum stands."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.core import audit, clock
from portal.core.access import Actor
from portal.core.clock import now
from portal.core.db import db, guarded
from portal.core.errors import Missing, Refused
from portal.deliberation.models.codes import AttendeeState, MeetingState, Part, SignIn
from portal.deliberation.models.meetings import Attendee, Meeting
from portal.deliberation.service import meeting_codes, meeting_owners, meeting_rules, meeting_signup, telling
from portal.deliberation.service.meeting_codes import Link
from portal.deliberation.service.meeting_notices import told
from portal.deliberation.service.meeting_owners import Came
from portal.deliberation.service.meeting_signup import Wish
from portal.deliberation.service.thresholds import Weight, threshold_of
from portal.places import service as places
from portal.registry.models import Person
from portal.registry.models.owners import Owner

CENT = Decimal("0.01")
# Codes and lists count from the notice until somebody says that the meeting is closed; who was forgotten is entered
# until the report is out.
MARKED = (MeetingState.NOTIFIED, MeetingState.RUNNING, MeetingState.CLOSED)


@dataclass(frozen=True)
class Standing:
    """How many are there, and of them how many count; `quorum` is how many must.

    Of owners heads count, and their area in m²: `area` is there, of `entitled_area`, and `least_area` must be.
    """

    going: int
    waiting: int
    came: int
    counted: int
    quorum: int
    entitled: int
    area: Decimal = Decimal(0)
    least_area: Decimal = Decimal(0)
    entitled_area: Decimal = Decimal(0)
    area_reached: bool = True

    @property
    def reached(self) -> bool:
        return self.counted >= self.quorum and self.area_reached

    @property
    def missing(self) -> int:
        return max(0, self.quorum - self.counted)


def standing(meeting: Meeting) -> Standing:
    live = Attendee.state == AttendeeState.GOING
    came = sa.and_(live, Attendee.came_at.is_not(None))

    def how_many(condition: sa.ColumnElement[bool]) -> Any:
        return sa.func.coalesce(sa.func.sum(sa.case((condition, 1), else_=0)), 0)

    query = sa.select(
        how_many(live),
        how_many(Attendee.state == AttendeeState.WAITING),
        how_many(came),
        how_many(sa.and_(came, Attendee.counts.is_(True))),
    ).where(Attendee.meeting_id == meeting.id)
    going, waiting, here, counted = db.session.execute(query).one()
    stand = Standing(going, waiting, here, counted, meeting.quorum, meeting.entitled)
    return _of_owners(meeting, stand) if meeting.rule and meeting.rule["by_area"] else stand


def _of_owners(meeting: Meeting, stand: Standing) -> Standing:
    """The same by heads and area: co-owners who both came are one head. Once reported, as it was counted then."""
    then = meeting.rule.get("held")
    found = Weight(then["heads"], Decimal(then["area"])) if then else _present(meeting)
    area = found.area.quantize(CENT)
    share, whole = threshold_of(meeting.rule).quorum, Fraction(meeting.entitled_area)
    return replace(
        stand,
        counted=found.heads,
        area=area,
        least_area=share.least_area(meeting.entitled_area),
        entitled_area=meeting.entitled_area,
        area_reached=not whole or share.met(Fraction(area), whole),
    )


def held(meeting: Meeting, stand: Standing) -> dict[str, Any]:
    """The rule of a meeting with what was counted by it: a later vote or sale does not change who was there."""
    counted = {"held": {"heads": stand.counted, "area": str(stand.area)}}
    return meeting.rule | counted if meeting.rule and meeting.rule["by_area"] else meeting.rule


def _present(meeting: Meeting) -> Weight:
    query = sa.select(Attendee.person_id, Attendee.owner_id).where(
        Attendee.meeting_id == meeting.id,
        Attendee.state == AttendeeState.GOING,
        Attendee.came_at.is_not(None),
        Attendee.counts.is_(True),
    )
    came = [Came(person, owner) for person, owner in db.session.execute(query.order_by(Attendee.id))]
    return meeting_owners.present(meeting, came)


def attendee(meeting: Meeting, public_id: str) -> Attendee:
    query = sa.select(Attendee).where(Attendee.meeting_id == meeting.id, Attendee.public_id == public_id)
    found = db.session.scalar(query.options(joinedload(Attendee.person)))
    if found is None:
        raise Missing
    return found


def come(one: Attendee, by: SignIn, at: datetime) -> Attendee:
    """She is there; the same again changes nothing."""
    if one.state is not AttendeeState.GOING:
        raise Refused(_("还没有座位（候补中或已退出），请到签到台问一问。"), field="code")
    here = sa.update(Attendee).where(
        Attendee.id == one.id, Attendee.state == AttendeeState.GOING, Attendee.came_at.is_(None)
    )
    if guarded(here.values(came_at=at, came_by=by)):
        db.session.refresh(one)
        audit.record("deliberation.meeting_came", one, meeting=one.meeting_id, by=by.value)
    return one


# ---- by the wall's code


def opened(meeting: Meeting, link: Link, person: Person) -> str:
    """A scanned code that was opened: signed words for the button that follows."""
    moment = now()
    meeting_codes.check_window(meeting, moment)
    meeting_codes.check_link(meeting, link, moment)
    return meeting_codes.seen(meeting, person.public_id)


def press(meeting: Meeting, link: Link, seen: str, person: Person, *, by: Actor) -> Attendee:
    """The button below a scanned code: valid now, or opened a moment ago by the same person."""
    moment = now()
    meeting_codes.check_window(meeting, moment)
    if not meeting_codes.was_seen(seen, meeting, person.public_id):
        meeting_codes.check_link(meeting, link, moment)
    return come(_at_door(meeting, person, by=by), SignIn.CODE, moment)


def enter(meeting: Meeting, text: str, person: Person, *, by: Actor) -> Attendee:
    """What was typed, scanned or photographed on the page of the meeting."""
    said, moment = meeting_codes.read(text), now()
    meeting_codes.check_window(meeting, moment)
    if isinstance(said, Link):
        meeting_codes.check_link(meeting, said, moment)
    else:
        meeting_codes.count_try(meeting, person.public_id)
        meeting_codes.check_pin(meeting, said, moment)
    return come(_at_door(meeting, person, by=by), SignIn.CODE, moment)


def _at_door(meeting: Meeting, person: Person, *, by: Actor) -> Attendee:
    """Her row; who had not signed up listens, where a seat is left."""
    found = meeting_signup.mine(meeting, person)
    if found is not None and found.state is not AttendeeState.LEFT:
        return found
    return meeting_signup.join(meeting, person, Wish(Part.LISTENER), by=by, at_door=True)


# ---- by the list


def mark(one: Attendee) -> Attendee:
    if one.meeting.state not in MARKED:
        raise Refused(_("会议还没有通知，或情况已经公布，不能再登记到会。"))
    if now() < meeting_codes.opens_at(one.meeting):
        raise Refused(meeting_codes.trouble(one.meeting, now()) or _("还没到签到时间。"))
    return come(one, SignIn.LIST, now())


def unmark(one: Attendee, *, why: str) -> None:
    """Somebody was marked by mistake."""
    if one.meeting.state not in MARKED:
        raise Refused(_("会议情况已经公布，不能再改到会登记。"))
    back = sa.update(Attendee).where(Attendee.id == one.id, Attendee.came_at.is_not(None))
    if not guarded(back.values(came_at=None, came_by=None)):
        raise Refused(_("没有到会登记，不用撤销。"))
    db.session.refresh(one)
    audit.record("deliberation.meeting_unmarked", one, reason=why, meeting=one.meeting_id)


def set_counting(one: Attendee, *, counts: bool) -> None:
    """Whether she counts towards the quorum: who advises or only listens never does."""
    if counts and one.part is Part.EXPERT:
        raise Refused(_("专家只出主意，不计入法定到会人数。"))
    if one.meeting.state not in MARKED:
        raise Refused(_("会议情况已经公布，不能再改。"))
    one.counts = counts
    audit.record("deliberation.meeting_counts", one, meeting=one.meeting_id, counts=counts)


def add(
    meeting: Meeting,
    who: Person | str,
    part: Part,
    *,
    speaks_for: str,
    counts: bool,
    by: Actor,
    owner: Owner | None = None,
) -> Attendee:
    """Put somebody on the list: a resident, or a guest by name. She takes a seat like everybody. `owner`: whom she
    comes for at a meeting of owners; then she counts, unless she only advises.
    """
    places.hold(meeting.capacity_id)
    db.session.refresh(meeting)
    if meeting.state not in (MeetingState.DRAFT, *MARKED):
        raise Refused(_("会议已经取消或公布，不能再加人。"))
    person = who if isinstance(who, Person) else None
    found = meeting_signup.mine(meeting, person)
    if found is not None and found.state is not AttendeeState.LEFT:
        raise Refused(_("%(name)s已经在名单里。", name=person.name if person else ""), field="person")
    places.take(meeting.capacity_id, 1, refusal=Refused(_("座位满了。请先在“修改安排”里增加座位。"), field="person"))
    if part is Part.SPEAKER:
        full = Refused(_("发言名额满了。请先增加名额，或改为旁听。"), field="part")
        places.take(meeting.speaking_id, 1, refusal=full)
    one = found or Attendee(meeting_id=meeting.id, person_id=person.id if person else None)
    one.guest = "" if person else str(who)
    one.part, one.state, one.owner_id = part, AttendeeState.GOING, owner.id if owner else None
    one.speaks_for = speaks_for or (owner.name if owner else "")
    one.counts = part is not Part.EXPERT and (
        counts or owner is not None or (person is not None and meeting_rules.counts_by_itself(meeting, person))
    )
    one.signed_up_at, one.signed_up_by_name, one.left_why = now(), by.name, ""
    db.session.add(one)
    db.session.flush()
    audit.record("deliberation.meeting_added", one, meeting=meeting.id, part=part.value, counts=one.counts)
    if person is not None and meeting.state is MeetingState.NOTIFIED:
        telling.tell(person, "meeting_invited", meeting.topic, **told(meeting))
    return one


def add_delegates(meeting: Meeting, *, by: Actor) -> int:
    """Put the delegates of the meeting's body on the list, as members who count; how many came new."""
    body = meeting_rules.body_of(meeting)
    added, day = 0, clock.local(meeting.starts_at).date()
    known = meeting_rules.delegates(meeting.topic, body, day) if body else []
    for person in known:
        found = meeting_signup.mine(meeting, person)
        if found is None or found.state is AttendeeState.LEFT:
            add(meeting, person, Part.MEMBER, speaks_for="", counts=True, by=by)
            added += 1
        elif found.part is not Part.MEMBER or not found.counts:
            _sits(found)
    if not known:
        raise Refused(_("没有登记这个会议的代表。请先在代表名单里登记，或一个一个加。"))
    return added


def _sits(one: Attendee) -> None:
    """A delegate who had signed up by herself: she is there as a member, and leaves her turn to speak to others."""
    meeting, spoke = one.meeting, one.part is Part.SPEAKER
    places.hold(meeting.capacity_id)
    one.part, one.counts = Part.MEMBER, True
    audit.record("deliberation.meeting_counts", one, meeting=meeting.id, counts=True)
    if spoke:
        places.give_back(meeting.speaking_id, 1)
