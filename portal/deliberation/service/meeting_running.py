"""Running a meeting: opened, its matters one after the other with their times, motions and hands, closed."""

from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit
from portal.core.access import Actor
from portal.core.clock import now
from portal.core.db import db, guarded
from portal.core.errors import Missing, Refused
from portal.deliberation.models.codes import MeetingState
from portal.deliberation.models.meetings import AgendaItem, Meeting, Motion
from portal.deliberation.service import meeting_attendance, meeting_codes, meeting_rules, public_log
from portal.places import service as places


def _check_state(meeting: Meeting, state: MeetingState) -> None:
    """Both what is announced and what is closed may run: each by its own act."""
    if meeting.state is not state:
        raise Refused(_("会议的状态已经变了，请刷新页面看看。"))


def _move(meeting: Meeting, to: MeetingState, **values: object) -> None:
    """The one writer of a meeting's state while it runs; two at once: one of them is told."""
    before = [state for state in MeetingState if state is meeting.state and meeting.may_become(to)]
    moved = sa.update(Meeting).where(Meeting.id == meeting.id, Meeting.state.in_(before))
    if not before or not guarded(moved.values(state=to, **values)):
        raise Refused(_("会议的状态已经变了，请刷新页面看看。"))
    db.session.refresh(meeting)


def open_meeting(meeting: Meeting, *, by: Actor) -> None:
    """Begin; who waits for a seat waits no more. Without a quorum it may talk, and decides nothing."""
    if meeting.state is MeetingState.DRAFT:
        raise Refused(_("会议还没有通知，不能开始。请先发通知。"))
    _check_state(meeting, MeetingState.NOTIFIED)
    if now() < meeting_codes.opens_at(meeting):
        raise Refused(_("离开会还早，请到时间再开始。要提前开，请先改时间、重新通知。"))
    places.hold(meeting.capacity_id)
    _move(meeting, MeetingState.RUNNING, began_at=now())
    places.close_line(meeting.capacity_id, reason=_("会议开始"))
    stand = meeting_attendance.standing(meeting)
    audit.record("deliberation.meeting_opened", meeting, came=stand.came, counted=stand.counted, quorum=stand.quorum)
    public_log.log(meeting.topic, "meeting_opened", by_name=by.name, meeting=meeting.title)


def _running(meeting: Meeting) -> None:
    if meeting.state is not MeetingState.RUNNING:
        raise Refused(_("会议没有在开，请先点“开始会议”。"))


def item(meeting: Meeting, item_id: int) -> AgendaItem:
    found = next((one for one in meeting.agenda if one.id == item_id), None)
    if found is None:
        raise Missing
    return found


def begin_item(meeting: Meeting, one: AgendaItem) -> None:
    """Go on to a matter; the one before it ends. The same again changes nothing."""
    _running(meeting)
    if one.began_at is not None and one.ended_at is None:
        return
    moment = now()
    for other in meeting.agenda:
        if other.began_at is not None and other.ended_at is None:
            other.ended_at = moment
    one.began_at, one.ended_at = one.began_at or moment, None
    audit.record("deliberation.meeting_item_begun", one, meeting=meeting.id)


def end_item(meeting: Meeting, one: AgendaItem) -> None:
    _running(meeting)
    if one.began_at is None:
        raise Refused(_("这一项还没有开始。"))
    if one.ended_at is None:
        one.ended_at = now()
        audit.record("deliberation.meeting_item_ended", one, meeting=meeting.id)


def say(meeting: Meeting, one: AgendaItem, text: str) -> None:
    """What was said to a matter, in short, for everybody to read afterwards."""
    if meeting.state not in {MeetingState.RUNNING, MeetingState.CLOSED}:
        raise Refused(_("会议还没有开始，或情况已经公布，不能再写。"))
    one.said = text
    audit.record("deliberation.meeting_said", one, meeting=meeting.id, signs=len(text))


def put_motion(meeting: Meeting, *, words: str, mover: str, seconder: str, item_id: int, by: Actor) -> Motion:
    _running(meeting)
    made = Motion(
        meeting_id=meeting.id,
        item_id=item(meeting, item_id).id if item_id else None,
        words=words,
        mover=mover,
        seconder=seconder,
    )
    db.session.add(made)
    db.session.flush()
    audit.record("deliberation.motion_put", made, meeting=meeting.id, by=by.name)
    return made


def motion(meeting: Meeting, motion_id: int) -> Motion:
    query = sa.select(Motion).where(Motion.id == motion_id, Motion.meeting_id == meeting.id)
    found = db.session.scalar(query)
    if found is None:
        raise Missing
    return found


def count(meeting: Meeting, one: Motion, *, yes: int, no: int, abstain: int) -> None:
    """Enter the hands: nobody has two of them, and without a quorum none count."""
    _running(meeting)
    stand = meeting_attendance.standing(meeting)
    if stand.counted >= stand.quorum and not stand.area_reached:
        words = _(
            "到会业主的面积不够：%(area)s 平方米，至少要 %(least)s 平方米，不能举手表决。可以先商量。",
            area=stand.area,
            least=stand.least_area,
        )
        raise Refused(words)
    if not stand.reached:
        words = _(
            "到会的不够法定人数，还差 %(missing)d 人，不能举手表决。可以先商量，等人到齐，或另外定时间再开。",
            missing=stand.missing,
        )
        raise Refused(words)
    if not stand.counted:
        raise Refused(_("还没有能举手的人到会。请先签到，并在名单里勾上“计入到会”。"))
    if yes + no + abstain > stand.counted:
        words = _(
            "举手一共 %(hands)d，比能举手的 %(here)d 人多，请再数一次。", hands=yes + no + abstain, here=stand.counted
        )
        raise Refused(words, field="yes")
    passed = meeting_rules.passed(meeting, yes, stand.counted)
    hands: dict[str, Any] = {"hands_for": yes, "hands_against": no, "hands_abstain": abstain, "present": stand.counted}
    _settle(one, result=passed, **hands)
    audit.record("deliberation.motion_counted", one, meeting=meeting.id, result=passed, **hands)


def withdraw(meeting: Meeting, one: Motion, *, why: str) -> None:
    _running(meeting)
    _settle(one, why=why[:200])
    audit.record("deliberation.motion_withdrawn", one, reason=why, meeting=meeting.id)


def _settle(one: Motion, **values: object) -> None:
    """Once: of two who enter the hands at the same time one is told."""
    open_one = sa.update(Motion).where(Motion.id == one.id, Motion.counted_at.is_(None))
    if not guarded(open_one.values(counted_at=now(), **values)):
        raise Refused(_("这个动议已经有结果了，请刷新页面看看。"))
    db.session.refresh(one)


def close(meeting: Meeting, *, by: Actor) -> None:
    """End a meeting; what was put must have its hands, or have been withdrawn."""
    waits = sa.select(sa.func.count(Motion.id)).where(Motion.meeting_id == meeting.id, Motion.counted_at.is_(None))
    if db.session.scalar(waits):
        raise Refused(_("还有动议没有举手。请先登记举手结果，或撤回它。"))
    for one in meeting.agenda:
        if one.began_at is not None and one.ended_at is None:
            one.ended_at = now()
    db.session.flush()
    _move(meeting, MeetingState.CLOSED, closed_at=now())
    stand = meeting_attendance.standing(meeting)
    audit.record("deliberation.meeting_closed", meeting, came=stand.came, counted=stand.counted, quorum=stand.quorum)
    public_log.log(meeting.topic, "meeting_closed", by_name=by.name, meeting=meeting.title, came=stand.came)


def reopen(meeting: Meeting, *, why: str, by: Actor) -> None:
    """It was closed by mistake: it goes on."""
    _check_state(meeting, MeetingState.CLOSED)
    _move(meeting, MeetingState.RUNNING, closed_at=None)
    audit.record("deliberation.meeting_reopened", meeting, reason=why)
    public_log.log(meeting.topic, "meeting_reopened", by_name=by.name, why=why, meeting=meeting.title)
