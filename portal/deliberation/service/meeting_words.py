"""Meetings in words: states, parts, times, who decides, how the quorum stands."""

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from flask_babel import gettext as _

from portal.core import clock, masking
from portal.core.ids import Sex
from portal.core.web import day_words
from portal.deliberation.models.codes import AttendeeState, Body, MeetingState, Part, SignIn
from portal.deliberation.models.meetings import AgendaItem, Attendee, Meeting, Motion
from portal.registry.models import Room


def state_said(state: MeetingState) -> str:
    return {
        MeetingState.DRAFT: _("准备中"),
        MeetingState.NOTIFIED: _("已通知"),
        MeetingState.RUNNING: _("正在开"),
        MeetingState.CLOSED: _("已散会"),
        MeetingState.REPORTED: _("已公布"),
        MeetingState.CANCELLED: _("已取消"),
    }[state]


def state_tint(state: MeetingState) -> str:
    tints = {MeetingState.NOTIFIED: "info", MeetingState.RUNNING: "warn", MeetingState.REPORTED: "ok"}
    return tints.get(state, "mute")


def part_said(part: Part) -> str:
    return {
        Part.MEMBER: _("会议成员"),
        Part.SPEAKER: _("发言"),
        Part.LISTENER: _("旁听"),
        Part.EXPERT: _("专家"),
    }[part]


def body_said(body: Body) -> str:
    """The bodies that meet, by whom they count."""
    return {
        Body.RESIDENTS_PERSONS: _("居民会议（18 岁以上居民）"),
        Body.RESIDENTS_HOUSEHOLDS: _("居民会议（每户派代表）"),
        Body.RESIDENTS_GROUPS: _("居民会议（小组代表）"),
        Body.RESIDENT_DELEGATES: _("居民代表会议"),
        Body.VILLAGERS_PERSONS: _("村民会议（18 岁以上村民）"),
        Body.VILLAGERS_HOUSEHOLDS: _("村民会议（每户派代表）"),
        Body.VILLAGE_DELEGATES: _("村民代表会议"),
        Body.VILLAGE_GROUP_PERSONS: _("村民小组会议（18 岁以上村民）"),
        Body.VILLAGE_GROUP_HOUSEHOLDS: _("村民小组会议（每户派代表）"),
        Body.VILLAGE_ELECTION: _("村委会选举"),
        Body.VILLAGE_ELECTION_AGAIN: _("村委会另行选举"),
        Body.VILLAGE_RECALL: _("罢免村委会成员"),
        Body.COMMITTEE: _("居委会会议"),
        Body.OWNERS_ORDINARY: _("业主大会（一般事项）"),
        Body.OWNERS_SPECIAL: _("业主大会（重大事项）"),
    }[body]


def attendee_said(one: Attendee) -> str:
    """How somebody stands with a meeting."""
    if one.came_at is not None:
        how = _("扫码或输码签到") if one.came_by is SignIn.CODE else _("签到台登记")
        return _("已到（%(how)s）", how=how)
    return {
        AttendeeState.GOING: _("已报名"),
        AttendeeState.WAITING: _("候补中"),
        AttendeeState.LEFT: _("已退出"),
    }[one.state]


def attendee_tint(one: Attendee) -> str:
    if one.came_at is not None:
        return "ok"
    return {AttendeeState.GOING: "info", AttendeeState.WAITING: "warn", AttendeeState.LEFT: "mute"}[one.state]


def name_of(one: Attendee) -> str:
    """The name as the desk and the sign-in sheet have it."""
    return one.person.name if one.person is not None else one.guest


def polite(name: str, sex: Sex | None) -> str:
    """王女士, 李先生: the family name alone."""
    family = name[:2] if name[:2] in masking.COMPOUND_SURNAMES and len(name) > 2 else name[:1]
    if sex is Sex.FEMALE:
        return _("%(family)s女士", family=family)
    if sex is Sex.MALE:
        return _("%(family)s先生", family=family)
    return _("%(family)s某", family=family)


def shown_name(one: Attendee) -> str:
    """The name as she chose that the report has it; "" where she is counted only."""
    if one.shown_as == "full":
        return name_of(one)
    if one.shown_as == "family":
        return polite(name_of(one), one.person.sex if one.person is not None else None)
    return ""


def shown_ways() -> list[tuple[str, str]]:
    return [
        ("", _("不写我的名字，只算进人数")),
        ("family", _("只写姓，例如“王女士”")),
        ("full", _("写我的全名")),
    ]


def shown_said(way: str) -> str:
    return dict(shown_ways()).get(way, way)


def span(starts_at: datetime, ends_at: datetime) -> str:
    """11月28日 周六 14:00–16:00; an end on another day has its own day."""
    starts, ends = clock.local(starts_at), clock.local(ends_at)
    until = f"{ends:%H:%M}" if starts.date() == ends.date() else f"{day_words(ends.date())} {ends:%H:%M}"
    return f"{day_words(starts.date())} {starts:%H:%M}–{until}"


def when(meeting: Meeting) -> str:
    return span(meeting.starts_at, meeting.ends_at)


def seats_said(meeting: Meeting) -> str:
    left = meeting.capacity.left
    if left > 0:
        return _("共 %(total)d 座，还有 %(left)d 座", total=meeting.capacity.total, left=left)
    return _("共 %(total)d 座，已报满，可以候补", total=meeting.capacity.total)


def room_named(room: Room) -> str:
    """A room with its facility, as a notice has it."""
    return f"{room.facility.name} {room.name}"


def room_said(room: Room) -> str:
    """The same with how many it seats."""
    named = room_named(room)
    return _("%(room)s（%(count)d 人）", room=named, count=room.capacity) if room.capacity else named


def rule_said(rule: Mapping[str, Any]) -> str:
    """The body's rule as people read it: who, which article, whether it was checked."""
    if not rule:
        return _("这次会议只商量，不作法定表决。")
    body, article = body_said(Body(rule["body"])), rule["article"]
    if rule.get("confirmed"):
        return _("%(body)s，依据%(article)s。", body=body, article=article)
    return _("%(body)s，依据%(article)s（待核对）。", body=body, article=article)


def items_of(facts: Mapping[str, Any]) -> str:
    return _("；").join(facts.get("matters", []))


def item_length(item: AgendaItem, at: datetime) -> str:
    """How long an item has lasted against what was planned."""
    if item.began_at is None:
        return _("计划 %(planned)d 分钟", planned=item.minutes)
    spent = int(((item.ended_at or at) - item.began_at).total_seconds() // 60)
    if item.ended_at is None and spent > item.minutes:
        return _("已用 %(spent)d 分钟，超时 %(over)d 分钟", spent=spent, over=spent - item.minutes)
    if item.ended_at is None:
        return _("已用 %(spent)d 分钟，还剩 %(left)d 分钟", spent=spent, left=item.minutes - spent)
    return _("用了 %(spent)d 分钟，计划 %(planned)d 分钟", spent=spent, planned=item.minutes)


def motion_said(motion: Motion) -> str:
    if motion.counted_at is None:
        return _("等待举手")
    if motion.result is None:
        return _("已撤回")
    return _("通过") if motion.result else _("没有通过")


def motion_tint(motion: Motion) -> str:
    if motion.counted_at is None:
        return "warn"
    return {True: "ok", False: "bad", None: "mute"}[motion.result]


def hands_said(motion: Motion) -> str:
    """The hands of a counted motion; who raised none is said too."""
    if motion.hands_for is None:
        return ""
    raised = motion.hands_for + (motion.hands_against or 0) + (motion.hands_abstain or 0)
    return _(
        "能举手的到会 %(present)d 人：同意 %(yes)d，反对 %(no)d，弃权 %(abstain)d，没有举手 %(none)d",
        present=motion.present,
        yes=motion.hands_for,
        no=motion.hands_against or 0,
        abstain=motion.hands_abstain or 0,
        none=motion.present - raised,
    )


def meeting_said(code: StrEnum) -> str:
    """A state or a part in words, for a template."""
    return state_said(code) if isinstance(code, MeetingState) else part_said(Part(code))


def iso_span(starts: str, ends: str) -> str:
    """The same of an outbox row's facts."""
    return span(datetime.fromisoformat(starts), datetime.fromisoformat(ends))


FILTERS: dict[str, Callable[..., Any]] = {
    "meeting_said": meeting_said,
    "meeting_tint": state_tint,
    "meeting_when": when,
    "meeting_iso_span": iso_span,
    "meeting_seats": seats_said,
    "meeting_room": room_said,
    "meeting_rule": rule_said,
    "meeting_matters": items_of,
    "attendee_said": attendee_said,
    "attendee_tint": attendee_tint,
    "attendee_name": name_of,
    "attendee_shown": shown_name,
    "shown_said": shown_said,
    "item_length": item_length,
    "motion_said": motion_said,
    "motion_tint": motion_tint,
    "hands_said": hands_said,
}
