"""Notices of meetings: announced as early as the body's rule asks, announced anew when something changes, cancelled."""

from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit, clock
from portal.core.access import Actor
from portal.core.clock import now, today
from portal.core.db import db, guarded
from portal.core.errors import Refused
from portal.core.web import day_words
from portal.deliberation.models.codes import AttendeeState, MeetingState
from portal.deliberation.models.meetings import Attendee, Meeting, Notice
from portal.deliberation.models.topics import TopicFollower
from portal.deliberation.service import meeting_rooms, meeting_rules, meeting_words, meetings, public_log, telling
from portal.deliberation.service.meetings import Facts
from portal.places import service as places
from portal.registry.models import Person
from portal.registry.service import people

KIND = "deliberation.meeting"
LIVE = (AttendeeState.GOING, AttendeeState.WAITING)


def flaws(meeting: Meeting) -> list[str]:
    """What is missing before a meeting may be announced, in words."""
    found = []
    if not meeting.topic.is_public:
        found.append(_("议题还没有发布，请先发布议题。"))
    if not meeting.agenda:
        found.append(_("还没有议程。通知要写明商量哪些事，请先填议程。"))
    day, first = clock.local(meeting.starts_at).date(), first_day(meeting)
    if day < first:
        found.append(
            _(
                "要提前 %(days)d 天通知，今天通知最早只能在 %(day)s 开，请改会议日期。",
                days=meeting.notice_days,
                day=day_words(first),
            )
        )
    if meeting.rule and not meeting.entitled:
        found.append(_("还没有填有权参加的人数，到会够不够没法算。请先填上。"))
    if meeting.rule and meeting.rule["by_area"] and not meeting.entitled_area:
        found.append(_("业主大会按人数和面积算，还没有填全体业主的专有面积。请先填上。"))
    return found


def first_day(meeting: Meeting) -> Any:
    """The earliest day for a meeting that is announced today."""
    return meeting_rules.earliest(meeting.notice_days, today())


def is_unchecked(meeting: Meeting) -> bool:
    """Whether the meeting stands on a rule that nobody has confirmed since the law changed."""
    return bool(meeting.rule) and not meeting.rule.get("confirmed")


def publish(meeting: Meeting, *, contact: str, checked: bool, by: Actor) -> Notice:
    """Announce a meeting: date, matters and who is entitled are fixed as they stand; followers are told."""
    wrong = flaws(meeting)
    if wrong:
        raise Refused(wrong[0])
    if is_unchecked(meeting):
        if not checked:
            raise Refused(_("这条规则还待核对。请居委会对照现行法律核对后打勾，再发通知。"), field="checked")
        meeting.rule = {**meeting.rule, "confirmed": True, "confirmed_by_name": by.name}
    moved = sa.update(Meeting).where(Meeting.id == meeting.id, Meeting.state == MeetingState.DRAFT)
    if not guarded(moved.values(state=MeetingState.NOTIFIED, notified_at=now())):
        raise Refused(_("通知已经发过了，请刷新页面看看。"))
    db.session.refresh(meeting)
    notice = _written(meeting, contact=contact, by=by)
    audit.record("deliberation.meeting_notified", meeting, starts=meeting.starts_at.isoformat(), checked=checked)
    public_log.log(meeting.topic, "meeting_notified", by_name=by.name, **_named(meeting))
    tell_everybody(meeting, "meeting_notified")
    return notice


def _written(meeting: Meeting, *, contact: str, by: Actor) -> Notice:
    facts = {
        "when": meeting_words.when(meeting),
        "starts": meeting.starts_at.isoformat(),
        "ends": meeting.ends_at.isoformat(),
        "where": meeting.place,
        "matters": [item.title for item in meeting.agenda],
        "entitled": meeting.who,
        "count": meeting.entitled,
        "quorum": meeting.quorum,
        "rule": meeting_words.rule_said(meeting.rule),
        "contact": contact,
    }
    notice = Notice(
        topic_id=meeting.topic_id,
        meeting_id=meeting.id,
        title=_("关于召开%(title)s的通知", title=meeting.title),
        facts=facts,
        published_by_name=by.name,
    )
    db.session.add(notice)
    db.session.flush()
    return notice


def _named(meeting: Meeting) -> dict[str, Any]:
    """What the public log says of a meeting."""
    return {"meeting": meeting.title, "starts": meeting.starts_at.isoformat()}


def told(meeting: Meeting, **more: Any) -> dict[str, Any]:
    """What every message about a meeting says."""
    facts = {"meeting": meeting.title, "meeting_id": meeting.id, "place": meeting.place}
    return facts | {"starts": meeting.starts_at.isoformat(), "ends": meeting.ends_at.isoformat()} | more


def announce_anew(meeting: Meeting, facts: Facts, *, why: str, by: Actor) -> Notice:
    """Change what was announced: the old notice stays to be read, everybody on the list hears the new one.

    A new day, a further matter, or another body with its rule, is announced as early as the first.
    """
    if not why.strip():
        raise Refused(_("请写明为什么改，报了名的人会看到。"), field="why")
    _hold(meeting)
    before, matters = meeting.starts_at, {item.title for item in meeting.agenda}
    days, rule = meeting.notice_days, meeting.rule
    changed = meetings.change(meeting, facts, by=by)
    old = meetings.notice_of(meeting)
    later = meeting.starts_at != before or {item.title for item in meeting.agenda} - matters
    stricter = meeting.notice_days > days or meeting.rule != rule
    if (later or stricter) and clock.local(meeting.starts_at).date() < first_day(meeting):
        words = _(
            "改了时间、事项或开会的规则，要重新提前 %(days)d 天通知，最早 %(day)s 开。",
            days=meeting.notice_days,
            day=day_words(first_day(meeting)),
        )
        raise Refused(words, field="day")
    if not changed or old is None:
        raise Refused(_("没有改动，不用重新通知。"))
    if is_unchecked(meeting):
        raise Refused(_("换了一条还没核对的规则。请先取消这次会议，重新建一次。"), field="body")
    old.withdrawn_at, old.withdrawn_why = now(), why[:200]
    if meeting.starts_at != before:
        _remind_again(meeting)
    notice = _written(meeting, contact=old.facts.get("contact", ""), by=by)
    public_log.log(meeting.topic, "meeting_changed", by_name=by.name, why=why, **_named(meeting))
    tell_everybody(meeting, "meeting_changed", why=why)
    return notice


def _hold(meeting: Meeting) -> None:
    """Its seats first, as everybody who signs up; then the meeting as it stands now."""
    places.hold(meeting.capacity_id)
    db.session.refresh(meeting)


def _remind_again(meeting: Meeting) -> None:
    db.session.execute(sa.update(Attendee).where(Attendee.meeting_id == meeting.id).values(reminded=0))


def on_the_list(meeting: Meeting) -> sa.Select[int | None]:
    """Who comes or waits, of the register."""
    return sa.select(Attendee.person_id).where(
        Attendee.meeting_id == meeting.id, Attendee.state.in_(LIVE), Attendee.person_id.is_not(None)
    )


def tell_everybody(meeting: Meeting, event: str, **more: Any) -> None:
    """Tell who is on the list and who follows the topic, each once."""
    follow = sa.select(TopicFollower.person_id).where(TopicFollower.topic_id == meeting.topic_id)
    concerned = sa.or_(Person.id.in_(on_the_list(meeting)), Person.id.in_(follow))
    found = db.session.scalars(sa.select(Person).where(concerned).order_by(Person.id))
    for person in {one.id: one for one in map(people.resolved, found)}.values():
        if people.is_served(person):
            telling.tell(person, event, meeting.topic, **told(meeting, **more))


def cancel(meeting: Meeting, *, why: str, by: Actor) -> None:
    """Call a meeting off; who was on the list is told why, nobody waits any more."""
    _hold(meeting)
    before = meeting.state
    moved = sa.update(Meeting).where(
        Meeting.id == meeting.id, Meeting.state.in_((MeetingState.DRAFT, MeetingState.NOTIFIED))
    )
    if not guarded(moved.values(state=MeetingState.CANCELLED, cancelled_why=why[:200], closed_at=now())):
        raise Refused(_("会议已经开始、结束或取消，不能再取消。"))
    db.session.refresh(meeting)
    meeting_rooms.give_back(meeting, by)
    audit.record("deliberation.meeting_cancelled", meeting, reason=why)
    if before is MeetingState.DRAFT:
        return
    places.close_of(KIND, str(meeting.id), reason=why)
    notice = meetings.notice_of(meeting)
    if notice is not None:
        notice.withdrawn_at, notice.withdrawn_why = now(), why[:200]
    public_log.log(meeting.topic, "meeting_cancelled", by_name=by.name, why=why, **_named(meeting))
    tell_everybody(meeting, "meeting_cancelled", why=why)
