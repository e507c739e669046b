"""What must hold before a topic moves on (中办发〔2015〕41号, rules 2.1), in words that say what to do first."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import settings
from portal.core.clock import today
from portal.core.db import db
from portal.core.errors import Refused
from portal.core.web import day_words
from portal.deliberation.models.codes import (
    ROAD,
    MeetingState,
    OpinionState,
    OutcomeState,
    PartyKind,
    Stage,
    TaskState,
    VoteState,
)
from portal.deliberation.models.meetings import Expert, Meeting
from portal.deliberation.models.opinions import Comment, Opinion, OpinionSheet
from portal.deliberation.models.outcomes import FollowUp, Outcome, Project
from portal.deliberation.models.topics import Topic, TopicEntry, TopicStage
from portal.deliberation.models.votes import Vote
from portal.deliberation.service import meeting_attendance, topic_samples
from portal.deliberation.service.meeting_attendance import Standing
from portal.deliberation.service.opinion_sheets import WAITS

LEAST_DAYS = "deliberation.collecting_days"
settings.declare(LEAST_DAYS, default=7, label=lambda: _("民意征集至少"), unit=lambda: _("天"), least=1, most=90)
MOST_DAYS = 730
LEAST_SUMMARY = 20
# Stages that may be passed over with a reason; so a reason also ends one where nothing came of it.
OPTIONAL = frozenset({Stage.EXPERTS, Stage.HEARING})
# Stages that a topic is in until a day that is said beforehand.
DATED = frozenset({Stage.COLLECTING})
STANDING_VOTES = (VoteState.ROLL, VoteState.OPEN, VoteState.CLOSED, VoteState.COUNTING)
STANDING_MEETINGS = (MeetingState.NOTIFIED, MeetingState.RUNNING)


@dataclass(frozen=True)
class Flaw:
    """One thing to do first. `heals`: a written reason does instead."""

    words: str
    heals: bool = False


def skipped(start: Stage, to: Stage) -> tuple[Stage, ...]:
    """The stages of the road between two that a move passes over; none on the way back."""
    return ROAD[ROAD.index(start) + 1 : ROAD.index(to)] if start in ROAD and to in ROAD else ()


def is_back(start: Stage, to: Stage) -> bool:
    return start in ROAD and to in ROAD and ROAD.index(to) < ROAD.index(start)


def asks_why(start: Stage, to: Stage) -> bool:
    """Whether a move must be explained: it skips a stage, goes back, or ends the topic."""
    return to is Stage.WITHDRAWN or is_back(start, to) or bool(skipped(start, to))


def flaws(topic: Topic, to: Stage) -> list[Flaw]:
    """Everything that keeps a topic from moving to a stage that it may become at all."""
    if to is Stage.WITHDRAWN or is_back(topic.stage, to):
        return _something_runs(topic)
    leaving = _LEAVING.get(topic.stage)
    round_it = _stepped_round(topic) if Stage.VOTING in skipped(topic.stage, to) else []
    return [*(leaving(topic) if leaving else ()), *round_it, *_vote_stands(topic)]


def first_day(to: Stage) -> date:
    """The earliest last day that a stage may have, begun today."""
    return today() + timedelta(days=settings.get(LEAST_DAYS) if to is Stage.COLLECTING else 0)


def check_until(to: Stage, until: date | None) -> None:
    """Refuse a stage without the last day that it must have, and an impossible one."""
    if until is None and to in DATED:
        raise Refused(_("请填这一步到哪一天为止。"), field="until")
    if until is not None and until < first_day(to):
        words = _("这一天太早，大家来不及看。最早填%(day)s。", day=day_words(first_day(to)))
        raise Refused(words, field="until")
    if until is not None and until > today() + timedelta(days=MOST_DAYS):
        raise Refused(_("这一天太远了，请填两年以内的日子。"), field="until")


def entered_at(topic: Topic) -> datetime:
    """When the topic came to where it is; a draft was made then."""
    query = sa.select(sa.func.max(TopicStage.entered_at)).where(
        TopicStage.topic_id == topic.id, TopicStage.stage == topic.stage, TopicStage.skipped.is_(False)
    )
    return db.session.scalar(query) or topic.made_at


def _counted(model: Any, *conditions: sa.ColumnElement[bool]) -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(model).where(*conditions)) or 0


def _in(states: Collection[StrEnum], column: Any, model: Any, topic: Topic) -> int:
    """How many of a topic's rows are in some states."""
    return _counted(model, model.topic_id == topic.id, column.in_(states))


def _draft(topic: Topic) -> list[Flaw]:
    """People are told in plain words what it is about, what becomes of it, and who takes part (提前通报)."""
    kinds = {party.kind for party in topic.parties}
    gaps = topic_samples.left_open(f"{topic.title}\n{topic.summary}")
    checks = (
        (not gaps, _("模板里留空的地方还没有填：%(gaps)s。请先改好。", gaps=_("、").join(gaps))),
        (len(topic.summary.strip()) >= LEAST_SUMMARY, _("请用大白话写清这件事是怎么回事，至少 20 个字。")),
        (bool(topic.binding_words.strip()), _("请写明商量出结果以后怎么办，例如“过半数同意就动工”。")),
        (bool(topic.communities), _("请选这件事关系到哪些社区。")),
        (PartyKind.WORKING in kinds, _("请写上工作主体：谁召集、谁办事。")),
        (PartyKind.DELIBERATING in kinds, _("请写上协商主体：哪些人一起商量。")),
    )
    return [Flaw(words) for fine, words in checks if not fine]


def _collecting(topic: Topic) -> list[Flaw]:
    """It ends after its last day, and somebody was asked or has spoken."""
    found = []
    if topic.stage_until is not None and topic.stage_until >= today():
        words = _("民意征集到%(day)s为止，过了这一天再往下走。", day=day_words(topic.stage_until))
        found.append(Flaw(words))
    if not outreach(topic):
        found.append(Flaw(_("还没有一条居民的看法，也没有记过上门或座谈。请先征求意见，再记一笔。")))
    if papers := _in(WAITS, OpinionSheet.state, OpinionSheet, topic):
        found.append(Flaw(_("还有 %(count)d 份纸质意见没有录完第二遍，请先录完，或者作废。", count=papers)))
    return found


def outreach(topic: Topic) -> int:
    """How often people were heard: statements, comments, and what the committee noted of visits and talks."""
    said = Opinion.person_id.is_not(None) | Opinion.on_paper | (Opinion.entered_by_name == "")
    heard = _counted(Opinion, Opinion.topic_id == topic.id, Opinion.state != OpinionState.HIDDEN, said)
    heard += _counted(
        Comment,
        Comment.topic_id == topic.id,
        Comment.state != OpinionState.HIDDEN,
        Comment.person_id.is_not(None),
    )
    return heard + _counted(TopicEntry, TopicEntry.topic_id == topic.id, TopicEntry.deed == "outreach")


def _met(topic: Topic) -> list[Flaw]:
    """A meeting since the topic came here, with enough people, and its report for everybody to read.

    Where no quorum is asked, somebody at least must have come, as whatever.
    """
    meetings = _meetings_since(topic)
    if not meetings:
        return [Flaw(_("还没有开成会。请开会、关会，再发布会议报告。"))]
    found = [(meeting, meeting_attendance.standing(meeting)) for meeting in meetings]
    if any(_enough(meeting, stand) for meeting, stand in found):
        return []
    if any(_lacks_area_alone(meeting, stand) for meeting, stand in found):
        words = _(
            "按登记算，到会业主的面积不够，也就不够法定人数。有开发商、单位这样的业主到了会、面积没有算进来的，"
            "请写明是谁、多少平方米；面积真的不够的，请再开一次会。"
        )
        return [Flaw(words, heals=True)]
    return [Flaw(_("到会的人不够法定人数，这次会不算数。请再开一次。"))]


def _enough(meeting: Meeting, stand: Standing) -> bool:
    return stand.reached and stand.counted > 0 if meeting.quorum else stand.came > 0


def _lacks_area_alone(meeting: Meeting, stand: Standing) -> bool:
    """Owners who are no person (a developer, a company) come as guests, behind whom the register has no area."""
    return bool(meeting.quorum) and stand.counted >= stand.quorum and not stand.area_reached


def _meetings_since(topic: Topic) -> list[Meeting]:
    query = sa.select(Meeting).where(
        Meeting.topic_id == topic.id,
        Meeting.state == MeetingState.REPORTED,
        Meeting.reported_at >= entered_at(topic),
    )
    return list(db.session.scalars(query.order_by(Meeting.id)))


def _advised(topic: Topic) -> list[Flaw]:
    advised = _counted(
        Expert,
        Expert.topic_id == topic.id,
        Expert.published_at.is_not(None),
        Expert.published_at >= entered_at(topic),
        Expert.withdrawn_at.is_(None),
    )
    return [] if advised else [Flaw(_("还没有公布专家的意见。请先公布，或者写明为什么没有。"), heals=True)]


def _heard(topic: Topic) -> list[Flaw]:
    if not _met(topic):
        return []
    return [Flaw(_("补充听证还没有发布会议报告。请先发布，或者写明为什么没有。"), heals=True)]


def _voted(topic: Topic) -> list[Flaw]:
    """A vote since the topic came here that enough people took part in, whatever it decided."""
    query = sa.select(Vote.result).where(
        Vote.topic_id == topic.id, Vote.state == VoteState.COUNTED, Vote.counted_at >= entered_at(topic)
    )
    results = list(db.session.scalars(query))
    if any((result or {}).get("quorum_met") is not False for result in results):
        return []
    if results:
        return [Flaw(_("参加表决的人不够，结果不算数。请退回去再商量，或者另开一次表决。"))]
    return [Flaw(_("还没有计票的表决。请先办表决，等计票。"))]


def _stepped_round(topic: Topic) -> list[Flaw]:
    """Too few took part in the last vote: talking it over again does not decide it either."""
    query = sa.select(Vote.result).where(Vote.topic_id == topic.id, Vote.state == VoteState.COUNTED)
    last = db.session.scalars(query.order_by(Vote.counted_at.desc(), Vote.id.desc()).limit(1)).first()
    if (last or {}).get("quorum_met") is not False:
        return []
    return [Flaw(_("上一次表决参加的人不够，不能跳过表决。请再办一次表决，或者撤回议题。"))]


def _stood(topic: Topic) -> list[Flaw]:
    """The outcome was published for its days, and no objection holds."""
    if _in((OutcomeState.PUBLISHED,), Outcome.state, Outcome, topic):
        return [Flaw(_("结果还在公示期里，等公示期满、异议都答复了再往下走。"))]
    stands = _counted(
        Outcome,
        Outcome.topic_id == topic.id,
        Outcome.state == OutcomeState.STANDS,
        Outcome.closed_at >= entered_at(topic),
    )
    return [] if stands else [Flaw(_("还没有公示期满、站得住的结果。请先公示结果。"))]


def _carried_out(topic: Topic) -> list[Flaw]:
    found = []
    if _in((TaskState.OPEN, TaskState.DOING), FollowUp.state, FollowUp, topic):
        found.append(Flaw(_("还有没办完的落实事项。请办完，或者写明不办的原因。")))
    if not _in(tuple(TaskState), FollowUp.state, FollowUp, topic):
        found.append(Flaw(_("还没有一件落实事项。请先记下怎么落实，或者写明为什么不用。"), heals=True))
    if _counted(Project, Project.topic_id == topic.id, Project.ended_at.is_(None)):
        found.append(Flaw(_("开的项目五步还没有走完。请先走到评估完成，或者写明为什么不再做。"), heals=True))
    return found


def _vote_stands(topic: Topic) -> list[Flaw]:
    if _in(STANDING_VOTES, Vote.state, Vote, topic):
        return [Flaw(_("还有没结束的表决。请等计票，或者先取消它。"))]
    return []


def _something_runs(topic: Topic) -> list[Flaw]:
    """What was called together is called off first, and what was published is decided."""
    found = _vote_stands(topic)
    if _in(STANDING_MEETINGS, Meeting.state, Meeting, topic):
        found.append(Flaw(_("还有通知出去的会。请先开完，或者取消它，到会的人会收到通知。")))
    if _in((OutcomeState.PUBLISHED,), Outcome.state, Outcome, topic):
        found.append(Flaw(_("结果还在公示期里。请先答复异议，或者撤下公示。")))
    return found


_LEAVING: dict[Stage, Callable[[Topic], list[Flaw]]] = {
    Stage.DRAFT: _draft,
    Stage.COLLECTING: _collecting,
    Stage.MEETING: _met,
    Stage.EXPERTS: _advised,
    Stage.HEARING: _heard,
    Stage.VOTING: _voted,
    Stage.NOTICE: _stood,
    Stage.FOLLOW_UP: _carried_out,
}
