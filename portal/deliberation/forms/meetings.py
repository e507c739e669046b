"""Forms of meetings: arranging and announcing one, its list, running it, minutes and report, signing up and in."""

import re
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField
from wtforms import BooleanField, HiddenField, IntegerField, RadioField, SelectField, TextAreaField
from wtforms.validators import InputRequired, NumberRange, Optional, ValidationError

from portal.core import clock
from portal.core.errors import Refused
from portal.core.forms import (
    ClockField,
    CountField,
    DayField,
    FiguresField,
    Form,
    OnceForm,
    TrimmedField,
    at_most,
    required,
)
from portal.deliberation.models.codes import Body, Forum, Part
from portal.deliberation.models.meetings import Meeting
from portal.deliberation.models.topics import Topic
from portal.deliberation.service import (
    meeting_owners,
    meeting_rooms,
    meeting_rules,
    meeting_words,
    meetings,
    minutes_templates,
    topic_words,
)
from portal.deliberation.service.meeting_signup import Wish
from portal.deliberation.service.meetings import Facts, Line
from portal.deliberation.service.thresholds import Weight

ITEM = re.compile(r"^(?P<title>.*?)[\s,，:：]*(?P<minutes>\d{1,3})\s*(?:分钟|分)?(?:[\s,，:：]+(?P<speaker>\D.*))?$")
ITEM_MINUTES, MOST_ITEMS = 10, 20
OWN = (Part.SPEAKER, Part.LISTENER)


def between(least: int, most: int) -> list[Any]:
    words = _l("请填 %(min)d 到 %(max)d 之间的整数")
    return [InputRequired(_l("请填写这一项")), NumberRange(least, most, message=words)]


def agenda_of(text: str) -> tuple[Line, ...]:
    """The matters of an agenda, one a line: what, how many minutes, who tells of it."""
    found = []
    for line in filter(None, map(str.strip, text.splitlines())):
        told = ITEM.match(line)
        title = told["title"] if told and told["title"] else line
        minutes = int(told["minutes"]) if told and told["title"] else ITEM_MINUTES
        speaker = (told["speaker"] or "") if told and told["title"] else ""
        found.append(Line(title[:100], min(max(minutes, 1), 600), speaker.strip()[:60]))
    return tuple(found)


def agenda_text(lines: list[Line]) -> str:
    return "\n".join(f"{line.title} {line.minutes} {line.speaker}".rstrip() for line in lines)


class MeetingForm(OnceForm):
    """A meeting as it is arranged; `why` is asked for once it has been announced. `rooms` are names by id."""

    rooms: Mapping[int, str] = MappingProxyType({})

    title = TrimmedField(_l("会议名称"), [required(), at_most(80)])
    forum = SelectField(_l("用什么形式"))
    body = SelectField(_l("按哪种会议的法定规则"), default="")
    day = DayField(_l("哪天开"), [InputRequired(_l("请选日期"))])
    starts = ClockField(_l("几点开始"), [InputRequired(_l("请填时间，例如 14:00"))])
    ends = ClockField(_l("几点结束"), [InputRequired(_l("请填时间，例如 16:00"))])
    room = SelectField(_l("用社区的哪间房"), coerce=int, default=0)
    agreed = BooleanField(_l("已经和原来用这间房的说好了"))
    place = TrimmedField(_l("在哪里开"), [Optional(), at_most(100)])
    who = TrimmedField(_l("谁有权参加"), [required(_l("请写明谁有权参加，通知里要有")), at_most(200)])
    entitled = CountField(_l("有权参加的一共多少人（户）"), between(0, 1_000_000), default=0)
    entitled_area = FiguresField(_l("全体业主的专有面积（平方米）"), [Optional(), NumberRange(0, 99_999_999)], places=2)
    seats = CountField(_l("座位"), between(1, 5000), default=50)
    speakers = CountField(_l("居民报名发言的名额"), between(0, 200), default=8)
    agenda = TextAreaField(_l("议程"), [required(_l("请写要商量的事，一行一件")), at_most(3000)])
    why = TextAreaField(_l("为什么改"), [Optional(), at_most(200)])

    def validate_agenda(self, field: Any) -> None:
        if len(agenda_of(field.data or "")) > MOST_ITEMS:
            raise ValidationError(_("议程最多 %(most)d 项", most=MOST_ITEMS))

    def facts(self) -> Facts:
        return Facts(
            title=self.text("title"),
            forum=Forum(self.forum.data),
            body=self.text("body"),
            starts_at=self._moment(self.starts.data),
            ends_at=self._moment(self.ends.data),
            place=self._place(),
            seats=self.seats.data or 0,
            speakers=self.speakers.data or 0,
            entitled=self.entitled.data or 0,
            who=self.text("who"),
            agenda=agenda_of(self.text("agenda")),
            entitled_area=self.entitled_area.data or Decimal(0),
            room=self.room.data or 0,
            agreed=bool(self.agreed.data),
        )

    def _place(self) -> str:
        """In words, as the notice has it: the room by its name, with what is added to it."""
        named = [self.rooms[self.room.data]] if self.room.data in self.rooms else []
        words = _("，").join([*named, *filter(None, [self.text("place")])])
        if not words:
            raise Refused(_("请写明地点，或者选一间社区的房。"), field="place")
        return words

    def _moment(self, at: time | None) -> datetime:
        return clock.at(self.day.data or date.min, at or time(0))


def meeting_form(topic: Topic, meeting: Meeting | None = None) -> MeetingForm:
    """The form, filled from the meeting or from what the topic says."""
    form = MeetingForm(data=_stands(meeting) if meeting else _begun(topic))
    form.forum.choices = [(one.value, topic_words.forum_said(one)) for one in Forum]
    form.body.choices = meeting_rules.bodies_of(topic)
    rooms = meeting_rooms.rooms_of(topic)
    form.rooms = {room.id: meeting_words.room_named(room) for room in rooms}
    offered = [(room.id, meeting_words.room_said(room)) for room in rooms]
    form.room.choices = [(0, _("不用社区的房，另外写地点")), *offered]
    return form


def _begun(topic: Topic) -> dict[str, Any]:
    """From the topic: its forum, its agenda, what the register would count."""
    body = meeting_rules.body_by_itself(topic, topic.forum)
    planned = [Line(str(one["title"]), int(one.get("minutes") or ITEM_MINUTES)) for one in topic.agenda or []]
    names = _("、").join(community.name for community in topic.communities)
    # Of another body nobody asks how many owners there are.
    whole = meeting_owners.entitled(topic) if not body or Body(body) in meeting_owners.OWNERS else Weight()
    return {
        "title": _("“%(topic)s”%(forum)s", topic=topic.title, forum=topic_words.forum_said(topic.forum))[:80],
        "forum": topic.forum.value,
        "body": body,
        "who": _("%(names)s的居民", names=names)[:200],
        "entitled": meeting_rules.entitled_by_register(topic, body, clock.today()) or whole.heads,
        "entitled_area": whole.area or None,
        "agenda": agenda_text(planned or meetings.usual_agenda()),
    }


def _added_to(meeting: Meeting) -> str:
    """What was written of the place beside the name of the room."""
    named = meeting_words.room_named(meeting.room) if meeting.room else ""
    return meeting.place.removeprefix(named).lstrip("，, ")


def _stands(meeting: Meeting) -> dict[str, Any]:
    starts, ends = clock.local(meeting.starts_at), clock.local(meeting.ends_at)
    return {
        "title": meeting.title,
        "forum": meeting.forum.value,
        "body": meeting.rule["body"] if meeting.rule else "",
        "day": starts.date(),
        "starts": starts.time(),
        "ends": ends.time(),
        "place": _added_to(meeting),
        "room": meeting.room_id or 0,
        "entitled_area": meeting.entitled_area or None,
        "who": meeting.who,
        "entitled": meeting.entitled,
        "seats": meeting.capacity.total,
        "speakers": meeting.speaking.total,
        "agenda": agenda_text(meetings.lines_of(meeting)),
    }


class NoticeForm(Form):
    """What a notice needs beyond the meeting itself."""

    contact = TrimmedField(_l("联系人和电话"), [required(_l("请写明有问题找谁")), at_most(80)])
    checked = BooleanField(_l("居委会已对照现行法律核对过这条规则"))


class WhyForm(Form):
    why = TextAreaField(_l("原因"), [required(_l("请写明原因")), at_most(200)])


class SeekForm(Form):
    """Whom to put on the list: a resident looked for narrowly."""

    q = TrimmedField(_l("居民的全名或手机号"), [required(_l("请先输入要查找的内容，再点查找。")), at_most(60)])


class ListForm(OnceForm):
    """Somebody for the list: a resident who was found, or a guest by name."""

    guest = TrimmedField(_l("姓名"), [Optional(), at_most(40)])
    part = SelectField(_l("以什么身份"))
    speaks_for = TrimmedField(_l("代表谁"), [Optional(), at_most(60)])
    owner = TrimmedField(_l("代表哪位业主出席"), [Optional(), at_most(60)])
    counts = BooleanField(_l("计入法定到会人数"))

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.part.choices = [(one.value, meeting_words.part_said(one)) for one in Part]

    def needs_name(self) -> None:
        if not self.text("guest"):
            raise Refused(_("请写姓名。"), field="guest")


class MotionForm(OnceForm):
    words = TextAreaField(_l("动议"), [required(_l("请写明要大家举手表决什么")), at_most(300)])
    mover = TrimmedField(_l("谁提出"), [Optional(), at_most(40)])
    seconder = TrimmedField(_l("谁附议"), [Optional(), at_most(40)])
    item = SelectField(_l("属于哪项议程"), coerce=int, default=0)

    def offer(self, meeting: Meeting) -> None:
        self.item.choices = [(0, _("不属于哪一项")), *((one.id, one.title) for one in meeting.agenda)]


class HandsForm(Form):
    yes = CountField(_l("同意"), between(0, 100_000), default=0)
    no = CountField(_l("反对"), between(0, 100_000), default=0)
    abstain = CountField(_l("弃权"), between(0, 100_000), default=0)


class SaidForm(Form):
    said = TextAreaField(_l("说了什么"), [Optional(), at_most(5000)])


class MinutesForm(Form):
    """`seen` is the version that was on the page."""

    seen = IntegerField(_l("版本"), [InputRequired()], default=0)
    minutes = TextAreaField(_l("纪要"), [Optional(), at_most(50_000)])


class FileForm(Form):
    seen = HiddenField(default="0")
    file = FileField(_l("写好的文件"))


class TemplateForm(OnceForm):
    """A community's own document for minutes."""

    file = FileField(_l("做好的 .docx 文件"), description=_l("最多 5 MB，可以带徽标；带程序（宏）的不收"))

    def content(self) -> bytes | None:
        """The document, checked and tried with a made-up meeting; before any query, because that takes its time."""
        try:
            return minutes_templates.checked(self.file.data.read() if self.file.data else b"")
        except Refused as refused:
            self.refuse(refused)
            return None


class ReportForm(Form):
    report = TextAreaField(_l("会议情况"), [required(_l("请写会议情况")), at_most(20_000)])
    cover = BooleanField(_l("自动遮住没有同意公开的姓名和号码"))


class JoinForm(Form):
    """As what a resident comes, and how the report may name her."""

    part = RadioField(_l("我想"), default=Part.LISTENER.value)
    matter = TextAreaField(_l("想说什么"), [Optional(), at_most(140)])
    speaks_for = TrimmedField(_l("替谁说话"), [Optional(), at_most(60)])
    shown_as = RadioField(_l("公布会议情况时，怎么写我"), default="")

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.part.choices = [(Part.LISTENER.value, _("去旁听")), (Part.SPEAKER.value, _("去发言"))]
        self.shown_as.choices = meeting_words.shown_ways()

    def wish(self) -> Wish:
        part = Part(self.part.data)
        if part is Part.SPEAKER and not self.text("matter"):
            raise Refused(_("请写一句想说什么，方便排发言次序。"), field="matter")
        return Wish(part, self.text("matter"), self.text("speaks_for"), self.text("shown_as"))


class ShownForm(Form):
    shown_as = RadioField(_l("公布会议情况时，怎么写我"))

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.shown_as.choices = meeting_words.shown_ways()


class LeaveForm(Form):
    why = TextAreaField(_l("原因"), [Optional(), at_most(200)])


class CodeForm(Form):
    """The figures on the wall, what a camera read, or a photograph of the QR code."""

    code = TrimmedField(_l("签到码"), [at_most(300)])
    photo = FileField(_l("二维码照片"))


class PressForm(Form):
    """The one button below a scanned code."""

    seen = HiddenField()


class ExpertForm(OnceForm):
    name = TrimmedField(_l("专家姓名"), [required(), at_most(40)])
    field = TrimmedField(_l("懂什么"), [required(_l("请写专业，例如：电梯安全")), at_most(60)])
    organisation = TrimmedField(_l("单位"), [Optional(), at_most(80)])
    phone = TrimmedField(_l("电话"), [Optional(), at_most(20)])
    asked = TextAreaField(_l("请教什么"), [Optional(), at_most(300)])
    has_stake = RadioField(_l("利害关系"), default="")
    stake = TrimmedField(_l("有什么利害关系"), [Optional(), at_most(200)])
    advice = TextAreaField(_l("专家的意见"), [Optional(), at_most(10_000)])

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.has_stake.choices = [
            ("", _("还没有问")),
            ("no", _("申报了：没有利害关系")),
            ("yes", _("申报了：有利害关系")),
        ]
