"""Forms of topics: their words and parties, moves with their reasons, papers, what was asked of people, templates."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField
from wtforms import BooleanField, FieldList, FormField, HiddenField, RadioField, SelectField, TextAreaField
from wtforms import Form as Part
from wtforms.validators import InputRequired, NumberRange, Optional, ValidationError

from portal.areas.models import Area, AreaKind
from portal.core.errors import Refused
from portal.core.forms import (
    CountField,
    DayField,
    Form,
    ManyField,
    OnceForm,
    TrimmedField,
    YuanField,
    at_most,
    required,
)
from portal.deliberation.models.codes import Category, Forum, PartyKind, Stage
from portal.deliberation.models.topics import Topic
from portal.deliberation.service import guards, paper_files, topic_words, topics
from portal.deliberation.service.topic_keeping import PLAIN, Party, TopicFacts

MOST_PARTIES = 12
MOST_ITEMS = 20
ITEM = re.compile(r"^(.*?)[\s,，:：]*(\d{1,3})\s*(?:分钟|分|min)?$")
ITEM_MINUTES = 10


class PartyPart(Part):
    """One of those who take part; a row without a name is none."""

    kind = SelectField(_l("作为什么"))
    name = TrimmedField(_l("谁"), [Optional(), at_most(80)])
    stake = TrimmedField(_l("有没有利害关系"), [Optional(), at_most(200)])

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.kind.choices = [
            (one.value, f"{topic_words.party_said(one)}（{topic_words.party_meaning(one)}）") for one in PartyKind
        ]

    def party(self) -> Party:
        return Party(PartyKind(self.kind.data), self.name.data or "", self.stake.data or "")


def agenda_of(text: str) -> tuple[dict[str, Any], ...]:
    """The items of an agenda, one a line, each with its minutes at the end."""
    found = []
    for line in filter(None, map(str.strip, text.splitlines())):
        told = ITEM.match(line)
        title, minutes = (told[1].strip(), int(told[2])) if told and told[1].strip() else (line, ITEM_MINUTES)
        found.append({"title": title[:100], "minutes": min(max(minutes, 1), 480)})
    return tuple(found)


def agenda_text(items: Sequence[Mapping[str, Any]]) -> str:
    return "\n".join(f"{item['title']} {item['minutes']}" for item in items)


class TopicForm(OnceForm):
    """A topic and who takes part. `made` is its number afterwards; `version` the one that was seen."""

    made = ""

    version = HiddenField()
    title = TrimmedField(_l("题目"), [required(), at_most(80)], description=_l("一句话说清要商量什么"))
    summary = TextAreaField(
        _l("是怎么回事"), [Optional(), at_most(4000)], description=_l("用大白话写：现在怎样、为什么要议、关系到谁")
    )
    category = SelectField(_l("内容类别"))
    forum = SelectField(_l("协商形式"))
    place = TrimmedField(_l("在哪里"), [Optional(), at_most(100)])
    cost_fen = YuanField(_l("大约花多少钱（元）"), [Optional()])
    cost_words = TextAreaField(_l("钱从哪里来"), [Optional(), at_most(300)])
    binding_words = TextAreaField(
        _l("商量出结果以后怎么办"), [Optional(), at_most(300)], description=_l("例如：过半数同意就动工")
    )
    agenda = TextAreaField(
        _l("打算怎么议"), [Optional(), at_most(2000)], description=_l("每行一项，后面写分钟数，例如：介绍方案 15")
    )
    looks_first = BooleanField(_l("居民的看法先由居委会看过再公布"))
    communities = ManyField(_l("关系到哪些社区"), [Optional()], coerce=int)
    parties = FieldList(FormField(PartyPart), max_entries=MOST_PARTIES)

    def validate_agenda(self, field: TextAreaField) -> None:
        if len(agenda_of(field.data or "")) > MOST_ITEMS:
            raise ValidationError(_("最多 %(count)d 项", count=MOST_ITEMS))

    def offer(self, area: Area) -> None:
        """What can be chosen for a topic of an area."""
        self.category.choices = [(one.value, topic_words.category_said(one)) for one in Category]
        self.forum.choices = [(one.value, topic_words.forum_said(one)) for one in Forum]
        near = topics.communities_of(area) if area.kind is AreaKind.STREET else []
        self.communities.choices = [(one.id, one.name) for one in near]
        # A street chooses two at least, which the service says; a community has none to choose.
        self.communities.flags.optional = not near

    def refuse(self, refused: Refused) -> None:
        """What is wrong with the parties as a whole stands on top: a list of parts has no place for words."""
        super().refuse(Refused(refused.message) if refused.field == "parties" else refused)

    def facts(self) -> TopicFacts:
        words = ("title", "summary", "place", "cost_words", "binding_words")
        text: dict[str, Any] = {name: self.text(name).strip() for name in words}
        return TopicFacts(
            **text,
            category=Category(self.category.data),
            forum=Forum(self.forum.data),
            cost_fen=self.cost_fen.data,  # type: ignore[arg-type]  # YuanField holds fen
            agenda=agenda_of(self.text("agenda")),
            looks_first=bool(self.looks_first.data),
            community_ids=tuple(self.communities.data or ()),
            parties=tuple(row.form.party() for row in self.parties if row.form.name.data),
        )

    def seen(self) -> int:
        said = self.text("version")
        return int(said) if said.isascii() and said.isdigit() and len(said) < 9 else 0


def topic_form(area: Area, filled: Mapping[str, Any] | None = None) -> TopicForm:
    """Empty, or filled from a template or from what stands; with two rows more for further parties."""
    data = dict(filled or {})
    rows = [*data.get("parties", ())][: MOST_PARTIES - 2]
    data["agenda"] = agenda_text(data.get("agenda") or ())
    form = TopicForm(data=data | {"parties": [*rows, {}, {}]})
    form.offer(area)
    return form


def stands(topic: Topic) -> dict[str, Any]:
    """The fields as the topic fills them."""
    plain = {name: getattr(topic, name) for name in PLAIN}
    return plain | {
        "version": str(topic.version),
        "category": topic.category.value,
        "forum": topic.forum.value,
        "agenda": topic.agenda,
        "communities": [area.id for area in topic.communities],
        "parties": [{"kind": row.kind.value, "name": row.name, "stake": row.stake} for row in topic.parties],
    }


def _skipped(topic: Topic, to: Stage) -> tuple[Stage, ...]:
    return guards.skipped(topic.stage, to) if topic.may_become(to) else ()


class MoveForm(OnceForm):
    """A move with its last day and its reason; the reasons of skipped stages stand beside it, one a stage."""

    until = DayField(_l("到哪一天为止"), [Optional()])
    why = TextAreaField(_l("原因"), [Optional(), at_most(300)], description=_l("会公布在议题的记录里"))
    skip_meeting = TrimmedField(validators=[Optional(), at_most(300)])
    skip_experts = TrimmedField(validators=[Optional(), at_most(300)])
    skip_hearing = TrimmedField(validators=[Optional(), at_most(300)])
    skip_voting = TrimmedField(validators=[Optional(), at_most(300)])

    def skips(self, topic: Topic, to: Stage) -> list[Any]:
        """The fields of the stages that a move passes over, each with the words that ask its reason."""
        found = []
        for stage in _skipped(topic, to):
            field = self[f"skip_{stage.value}"]
            field.flags.optional = False
            field.label.text = _("为什么跳过“%(stage)s”", stage=topic_words.stage_said(stage))
            found.append(field)
        return found

    def ask(self, start: Stage, to: Stage, *, healed: bool) -> None:
        """Say of the fields whether they may stay empty: a reason that heals must not."""
        self.until.flags.optional = to not in guards.DATED
        self.why.flags.optional = not healed and (bool(guards.skipped(start, to)) or not guards.asks_why(start, to))

    def skipping(self, topic: Topic, to: Stage) -> dict[Stage, str]:
        return {stage: self.text(f"skip_{stage.value}") for stage in _skipped(topic, to)}

    def last_day(self) -> date | None:
        return self.until.data


class ExtendForm(OnceForm):
    until = DayField(_l("延长到哪一天"), [required()])
    why = TrimmedField(_l("为什么延长"), [required(), at_most(300)], description=_l("会公布，并通知关注的人"))


class PaperForm(OnceForm):
    name = TrimmedField(_l("材料名称"), [required(), at_most(80)])
    words = TrimmedField(_l("一句话说明"), [Optional(), at_most(300)], description=_l("看图不便的人靠它知道图上是什么"))
    file = FileField(_l("文件"), description=_l("图片或 PDF，最多 10 MB；图片里的拍摄地点会去掉"))

    def paper(self) -> paper_files.Paper | None:
        """The file, fit to be published; before any query, because decoding takes its time."""
        try:
            return paper_files.checked(self.file.data.read() if self.file.data else b"")
        except Refused as refused:
            self.refuse(refused)
            return None


class WhyForm(OnceForm):
    why = TrimmedField(_l("原因"), [required(_l("请写明原因")), at_most(300)], description=_l("会公布在议题的记录里"))


class OutreachForm(OnceForm):
    how = TrimmedField(_l("怎么征求的"), [required(), at_most(80)], description=_l("例如：走访 6 号楼各户"))
    people = CountField(
        _l("问了多少人"),
        [InputRequired(_l("请填写这一项")), NumberRange(1, 100_000, _l("请填 1 到 100000 之间的整数"))],
    )


class FollowForm(Form):
    """A button."""


class SaveTemplateForm(OnceForm):
    name = TrimmedField(_l("模板名称"), [required(), at_most(60)])
    where = RadioField(_l("给谁用"), default="area")

    def offer(self, area: Area, *, street: bool) -> None:
        ours = [("area", _("只给%(name)s", name=area.name))]
        self.where.choices = [*ours, ("street", _("全街道"))] if street else ours
