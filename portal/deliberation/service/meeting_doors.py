"""What the doors hand over of meetings."""

from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.core import clock, settings
from portal.core.access import Actor, scopes_of
from portal.core.clock import day_bounds, now
from portal.core.db import db
from portal.core.doors import Line, Todo
from portal.deliberation.models.codes import AttendeeState, MeetingState, Stage
from portal.deliberation.models.meetings import Attendee, Expert, Meeting, MinutesVersion
from portal.deliberation.models.topics import Topic
from portal.deliberation.service import meeting_words, meetings, reach
from portal.deliberation.service.meeting_notices import LIVE
from portal.deliberation.service.taking_part import Step
from portal.identity.permissions import Permission
from portal.registry.models import Person
from portal.registry.service import people

LATE_DAYS = "deliberation.report_late_days"
settings.declare(
    LATE_DAYS,
    default=7,
    label=lambda: _("散会后多久没公布会议情况算逾期"),
    unit=lambda: _("天"),
    least=1,
    most=60,
)
_UNSYNCED = {"synchronize_session": False}


def todo_of(worker: Actor) -> list[Todo]:
    """Meetings that are over and not finished: not closed, or not reported."""
    within = scopes_of(worker, Permission.DELIBERATION_KEEP)
    if not within:
        return []
    moment = now()
    late = moment - timedelta(days=settings.get(LATE_DAYS))
    over = sa.or_(
        Meeting.state == MeetingState.CLOSED,
        sa.and_(Meeting.state.in_(meetings.AHEAD), Meeting.ends_at < moment),
    )
    query = (
        sa.select(sa.func.count(Meeting.id), sa.func.min(Meeting.ends_at))
        .join(Meeting.topic)
        .where(reach.kept_by(within), over)
    )
    count, oldest = db.session.execute(query).one()
    if not count:
        return []
    words = _("开过的协商会还没散会登记或没公布情况")
    return [Todo(words, "deliberation.worker.meeting_list", count=count, late=oldest < late)]


def _of(person: Person) -> sa.Select[Attendee]:
    meeting = joinedload(Attendee.meeting)
    return sa.select(Attendee).where(Attendee.person_id.in_(people.ids_of(person))).options(meeting)


def timeline(person: Person, *, limit: int = 20) -> list[Line]:
    """When somebody came to a meeting, the newest first."""
    query = _of(person).where(Attendee.came_at.is_not(None))
    return [
        Line(
            one.came_at,
            _("参加协商会议：%(meeting)s", meeting=one.meeting.title),
            meeting_words.part_said(one.part),
        )
        for one in db.session.scalars(query.order_by(Attendee.came_at.desc(), Attendee.id.desc()).limit(limit))
        if one.came_at is not None
    ]


def export(person: Person) -> list[dict[str, Any]]:
    return [_exported(one) for one in db.session.scalars(_of(person).order_by(Attendee.id))]


def _exported(one: Attendee) -> dict[str, Any]:
    came = f"{clock.local(one.came_at):%Y-%m-%d %H:%M}" if one.came_at else ""
    return {
        _("协商会议"): one.meeting.title,
        _("会议时间"): f"{clock.local(one.meeting.starts_at):%Y-%m-%d %H:%M}",
        _("以什么身份"): meeting_words.part_said(one.part),
        _("替谁说话"): one.speaks_for,
        _("想说的事"): one.matter,
        _("公布时怎么写我"): meeting_words.shown_said(one.shown_as),
        _("报名时间"): f"{clock.local(one.signed_up_at):%Y-%m-%d %H:%M}",
        _("签到时间"): came,
    }


def purge(before: date) -> int:
    """Forget who was at meetings of topics that were archived before a day, and drafts of their minutes; what was
    published stays with the topic.
    """
    archived = sa.select(Topic.id).where(Topic.archived_at < day_bounds(before)[0])
    old = sa.select(Meeting.id).where(Meeting.topic_id.in_(archived))
    drafts = sa.delete(MinutesVersion).where(MinutesVersion.meeting_id.in_(old))
    db.session.execute(drafts, execution_options=_UNSYNCED)
    gone = sa.delete(Attendee).where(Attendee.meeting_id.in_(old))
    return int(getattr(db.session.execute(gone, execution_options=_UNSYNCED), "rowcount", 0))


def steps(topic: Topic, person: Person | None, at: datetime) -> list[Step]:
    """The meetings to come and those that were, and what experts said."""
    mine = sa.orm.aliased(Attendee)
    own = mine.person_id.in_(people.ids_of(person)) if person else sa.false()
    query = (
        sa.select(Meeting, mine)
        .outerjoin(mine, sa.and_(mine.meeting_id == Meeting.id, own, mine.state.in_(LIVE)))
        .where(Meeting.topic_id == topic.id, Meeting.notified_at.is_not(None))
        .options(joinedload(Meeting.capacity))
        .order_by(Meeting.starts_at.desc(), Meeting.id.desc())
        .limit(10)
    )
    found = [_step(meeting, one, at) for meeting, one in db.session.execute(query).unique()]
    return found + _advised(topic, "deliberation.resident.expert_list")


def _step(meeting: Meeting, mine: Attendee | None, at: datetime) -> Step:
    endpoint, values = "deliberation.resident.meeting_page", {"meeting_id": meeting.id}
    said = meeting_words.when(meeting)
    if meeting.state is MeetingState.CANCELLED:
        return Step(_("会议取消：%(title)s", title=meeting.title), meeting.cancelled_why, endpoint, values)
    if meeting.state is MeetingState.REPORTED:
        words = _("会上说了什么、谁参加了、怎么举手的，都公布了。")
        return Step(_("看会议情况：%(title)s", title=meeting.title), words, endpoint, values)
    if meeting.state is MeetingState.CLOSED or at >= meeting.ends_at:
        return Step(_("会议已散：%(title)s", title=meeting.title), _("情况整理好就公布。"), endpoint, values)
    if mine is not None:
        words = (
            _("您在候补。%(when)s", when=said)
            if mine.state is AttendeeState.WAITING
            else _("您已报名。%(when)s", when=said)
        )
        return Step(_("参加会议：%(title)s", title=meeting.title), words, endpoint, values, meeting.ends_at, now=True)
    if at >= meeting.starts_at or meeting.state is MeetingState.RUNNING:
        words = _("可以直接到%(place)s，签到后旁听。", place=meeting.place)
        return Step(_("正在开会：%(title)s", title=meeting.title), words, endpoint, values, meeting.ends_at, now=True)
    words = _("%(when)s，%(seats)s", when=said, seats=meeting_words.seats_said(meeting))
    return Step(_("报名参加会议：%(title)s", title=meeting.title), words, endpoint, values, meeting.starts_at, now=True)


def _advised(topic: Topic, endpoint: str) -> list[Step]:
    query = sa.select(sa.func.count(Expert.id)).where(
        Expert.topic_id == topic.id, Expert.published_at.is_not(None), Expert.withdrawn_at.is_(None)
    )
    count = db.session.scalar(query) or 0
    if not count:
        return []
    words = _("公布了 %(count)d 位专家的意见和利害关系申报。专家只出主意，没有表决权。", count=count)
    return [Step(_("看专家怎么说"), words, endpoint, {"topic_id": topic.id})]


def desk_steps(topic: Topic, at: datetime) -> list[Step]:
    """The meetings with what comes next for each, a new one, the experts."""
    found = [_desk_step(meeting, at) for meeting in meetings.of_topic(topic, public=False)]
    given = {"topic_id": topic.id}
    if topic.stage not in meetings.OVER:
        here = topic.stage in (Stage.MEETING, Stage.HEARING)
        words = _("从常用议程开始，写明时间、地点和谁有权参加，再发通知。")
        found.append(Step(_("安排一次会议"), words, "deliberation.worker.meeting_new", given, now=here and not found))
    query = sa.select(sa.func.count(Expert.id)).where(Expert.topic_id == topic.id, Expert.withdrawn_at.is_(None))
    words = _("请了 %(count)d 位专家。请来出主意，先申报利害关系。", count=db.session.scalar(query) or 0)
    asked = topic.stage is Stage.EXPERTS
    found.append(Step(_("专家意见"), words, "deliberation.worker.expert_desk", given, now=asked))
    return found


def _desk_step(meeting: Meeting, at: datetime) -> Step:
    values, when = {"meeting_id": meeting.id}, meeting_words.when(meeting)
    page = "deliberation.worker.meeting_desk"
    match meeting.state:
        case MeetingState.DRAFT:
            return Step(_("发会议通知：%(title)s", title=meeting.title), when, page, values, now=True)
        case MeetingState.RUNNING:
            run = "deliberation.worker.meeting_run"
            return Step(_("主持会议：%(title)s", title=meeting.title), when, run, values, now=True)
        case MeetingState.CLOSED:
            words = _("写好纪要，公布会议情况。")
            return Step(_("公布会议情况：%(title)s", title=meeting.title), words, page, values, now=True)
        case _:
            words = _("%(state)s，%(when)s", state=meeting_words.state_said(meeting.state), when=when)
            soon = meeting.state is MeetingState.NOTIFIED and at >= meeting.starts_at
            return Step(meeting.title, words, page, values, now=soon)
