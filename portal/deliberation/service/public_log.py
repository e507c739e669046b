"""The public log of a topic: what was done with it, by whom of the committee, and why. No resident is ever named.

Each deed has its words here, below the task it belongs to; a deed without words is shown by its code, which a test
refuses.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core.db import db
from portal.core.web import day_words, moment_words
from portal.deliberation.models.codes import Stage
from portal.deliberation.models.topics import Topic, TopicEntry
from portal.deliberation.service.project_words import step_code_said
from portal.deliberation.service.topic_words import field_words, stage_said

Facts = Mapping[str, Any]
Words = Mapping[str, Callable[[Facts], str]]
A_PAGE = 50


def log(topic: Topic, deed: str, *, by_name: str, why: str = "", **facts: Any) -> TopicEntry:
    """Write a line that everybody may read; `facts` are figures and names of things. "" is the system itself."""
    made = TopicEntry(topic_id=topic.id, deed=deed, by_name=by_name, why=why[:300], facts=facts)
    db.session.add(made)
    db.session.flush()
    return made


def entries(topic: Topic, *, page: int = 1, limit: int = A_PAGE) -> tuple[list[TopicEntry], bool]:
    """A page of a topic's log, the newest first; and whether there is more."""
    query = sa.select(TopicEntry).where(TopicEntry.topic_id == topic.id)
    query = query.order_by(TopicEntry.at.desc(), TopicEntry.id.desc())
    found = list(db.session.scalars(query.limit(limit + 1).offset((page - 1) * limit)))
    return found[:limit], len(found) > limit


def words_of(entry: TopicEntry) -> str:
    """What was done, in a sentence."""
    told = _words().get(entry.deed)
    return told(entry.facts or {}) if told else entry.deed


def who_of(entry: TopicEntry) -> str:
    return entry.by_name or _("系统")


def deeds() -> list[str]:
    """Every deed that has its words."""
    return sorted(_words())


def _words() -> Words:
    return {
        **_TOPIC,
        **_IDEA,
        **_OPINION,
        **_MAP,
        **_MEETING,
        **_ROLL,
        **_VOTE,
        **_PAPER,
        **_OUTCOME,
    }


def _day(said: Any) -> str:
    return day_words(date.fromisoformat(str(said))) if said else ""


def _when(facts: Facts) -> str:
    return moment_words(datetime.fromisoformat(facts["starts"]))


def _moved(facts: Facts) -> str:
    to = stage_said(Stage(facts["to"]))
    until = facts.get("until")
    if until:
        return _("议题进入“%(stage)s”，到%(day)s为止。", stage=to, day=_day(until))
    return _("议题进入“%(stage)s”。", stage=to)


_TOPIC: Words = {
    "published": lambda facts: _("议题发布，开始征集民意，到%(day)s为止。", day=_day(facts["until"])),
    "moved": _moved,
    "skipped": lambda facts: _("跳过“%(stage)s”。", stage=stage_said(Stage(facts["stage"]))),
    "sent_back": lambda facts: _("议题退回“%(stage)s”。", stage=stage_said(Stage(facts["to"]))),
    "withdrawn": lambda _facts: _("议题撤回，不再往下走。"),
    "archived": lambda _facts: _("议题归档。"),
    "extended": lambda facts: _("这一步延长到%(day)s。", day=_day(facts["until"])),
    "edited": lambda facts: _("修改了：%(fields)s。", fields=_("、").join(map(field_words, facts["fields"]))),
    "paper_added": lambda facts: _("添加了材料“%(name)s”。", name=facts["name"]),
    "paper_withdrawn": lambda facts: _("撤下了材料“%(name)s”。", name=facts["name"]),
    "outreach": lambda facts: _("征求意见：%(how)s，%(people)d 人。", how=facts["how"], people=facts["people"]),
}
_IDEA: Words = {
    "idea_taken": lambda facts: _(
        "居民建议“%(idea)s”（%(count)d 人附议）列为议题。", idea=facts["idea"], count=facts["supports"]
    ),
    "recurred": lambda facts: _("%(count)d 件居民诉求说的是同一件事，列为议题。", count=facts["count"]),
}
_OPINION: Words = {
    "opinion_hidden": lambda facts: _("隐去了第 %(number)d 条看法。", number=facts["number"]),
    "opinion_restored": lambda facts: _("恢复公开第 %(number)d 条看法。", number=facts["number"]),
    "comment_hidden": lambda facts: _("隐去了第 %(number)d 条留言。", number=facts["number"]),
    "comment_restored": lambda facts: _("恢复公开第 %(number)d 条留言。", number=facts["number"]),
}
_MAP: Words = {
    "map_drawn": lambda facts: _(
        "画了意见地图：%(people)d 人，分成 %(groups)d 组。", people=facts["people"], groups=facts["groups"]
    ),
}
_MEETING: Words = {
    "meeting_notified": lambda facts: _(
        "通知开会：%(meeting)s，%(when)s。", meeting=facts["meeting"], when=_when(facts)
    ),
    "meeting_changed": lambda facts: _(
        "会议安排有变：%(meeting)s，%(when)s。", meeting=facts["meeting"], when=_when(facts)
    ),
    "meeting_cancelled": lambda facts: _("取消会议：%(meeting)s。", meeting=facts["meeting"]),
    "meeting_opened": lambda facts: _("会议开始：%(meeting)s。", meeting=facts["meeting"]),
    "meeting_closed": lambda facts: _(
        "散会：%(meeting)s，到会 %(came)d 人。", meeting=facts["meeting"], came=facts["came"]
    ),
    "meeting_reopened": lambda facts: _("会议接着开：%(meeting)s。", meeting=facts["meeting"]),
    "meeting_reported": lambda facts: _("公布会议情况：%(meeting)s。", meeting=facts["meeting"]),
    "expert_invited": lambda facts: _("请一位专家出主意（%(field)s）。", field=facts["field"]),
    "expert_published": lambda facts: _("公布一位专家的意见（%(field)s）。", field=facts["field"]),
    "expert_withdrawn": lambda facts: _("撤下一位专家（%(field)s）。", field=facts["field"]),
}
_ROLL: Words = {
    "roll_published": lambda facts: _("公布表决名册，共 %(heads)d 票，可以要求更正。", heads=facts["heads"]),
    "roll_remade": lambda facts: _("按更正后的登记重新生成表决名册，共 %(heads)d 票。", heads=facts["heads"]),
    "roll_struck": lambda facts: _("从表决名册划掉 %(number)d 号。", number=facts["number"]),
    "roll_restored": lambda facts: _("把 %(number)d 号恢复到表决名册。", number=facts["number"]),
    "roll_added": lambda facts: _("在表决名册上加了 %(number)d 号。", number=facts["number"]),
}
_VOTE: Words = {
    "vote_closed": lambda facts: _("投票截止：%(vote)s", vote=facts["vote"]),
    "vote_counted": lambda facts: _(
        "计票完成：%(vote)s 投票文件的校验号 %(head)s", vote=facts["vote"], head=facts["head"]
    ),
    "vote_void": lambda facts: _("投票作废：%(vote)s", vote=facts["vote"]),
}
_PAPER: Words = {
    "vote_rule_confirmed": lambda facts: _(
        "核对了表决“%(question)s”通过的规则：%(article)s。", question=facts["question"], article=facts["article"]
    ),
    "vote_announced": lambda facts: _("发布表决通知“%(question)s”。", question=facts["question"]),
    "vote_put_off": lambda facts: _("表决“%(question)s”的时间改了。", question=facts["question"]),
    "vote_opened": lambda facts: _(
        "表决“%(question)s”开始投票，名册共 %(count)d 票。", question=facts["question"], count=facts["count"]
    ),
    "vote_cancelled": lambda facts: _("取消表决“%(question)s”。", question=facts["question"]),
    "papers_booked": lambda facts: _("纸质票“%(box)s”入账 %(count)d 张。", box=facts["box"], count=facts["count"]),
    "papers_all_in": lambda facts: (
        _(
            "表决“%(question)s”的纸质票已全部录入，发出的选票有 %(left)d 张没有计入。",
            question=facts["question"],
            left=facts["left"],
        )
        if facts["left"]
        else _("表决“%(question)s”的纸质票已全部录入。", question=facts["question"])
    ),
}
_OUTCOME: Words = {
    "outcome_published": lambda facts: _(
        "公示结果“%(title)s”，到%(day)s为止。", title=facts["title"], day=_day(facts["until"])
    ),
    "outcome_stands": lambda facts: _("公示期满，结果“%(title)s”定下来了。", title=facts["title"]),
    "outcome_sent_back": lambda facts: _("有异议成立，结果“%(title)s”撤下，重新商量。", title=facts["title"]),
    "outcome_withdrawn": lambda facts: _("结果“%(title)s”撤下，重新商量。", title=facts["title"]),
    "objection_denied": lambda _facts: _("答复一条异议：不成立。"),
    "follow_up_made": lambda facts: _(
        "落实事项“%(task)s”，由%(owner)s负责，%(day)s以前办好。",
        task=facts["task"],
        owner=facts["owner"],
        day=_day(facts["due"]),
    ),
    "follow_up_edited": lambda facts: _("落实事项“%(task)s”有改动。", task=facts["task"]),
    "follow_up_done": lambda facts: _("落实事项“%(task)s”办好了。", task=facts["task"]),
    "follow_up_dropped": lambda facts: _("落实事项“%(task)s”不办了。", task=facts["task"]),
    "project_opened": lambda facts: _("开了项目“%(name)s”。", name=facts["name"]),
    "project_moved": lambda facts: _(
        "项目“%(name)s”进入“%(step)s”。", name=facts["name"], step=step_code_said(facts["step"])
    ),
    "project_ended": lambda facts: _("项目“%(name)s”评估完成。", name=facts["name"]),
}
