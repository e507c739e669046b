"""Forms of records: what was given, why it changes, how good it was, what is to be put right, what is looked for."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, NumberRange, Optional

from portal.areas.models import Area
from portal.core import clock
from portal.core.clock import today
from portal.core.errors import Refused
from portal.core.forms import (
    ClockField,
    CountField,
    DayField,
    Form,
    ManyField,
    OnceForm,
    TrimmedField,
    at_most,
    required,
)
from portal.registry.models import Organisation
from portal.volunteers.models.codes import ServiceKind
from portal.volunteers.models.records import RECORD_STEP, Correction, ServiceRecord
from portal.volunteers.service import kinds, record_words, recording
from portal.volunteers.service.recording import RecordFacts
from portal.volunteers.service.records import Asked


class HoursField(StringField):
    """Hours in tenths, held as minutes; what was typed is kept when it is wrong."""

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return record_words.hours(self.data) if isinstance(self.data, int) else ""

    def process_formdata(self, valuelist: Sequence[Any]) -> None:
        text = str(valuelist[0]).strip().replace("．", ".") if valuelist else ""
        if not text:
            self.data = None
            return
        if not re.fullmatch(r"[0-9]{1,2}(\.[0-9])?", text, re.ASCII):
            self.data = None
            raise ValueError(_("请填小时数，最多一位小数，例如 1.5"))
        whole, _point, tenth = text.partition(".")
        self.data = int(whole) * 60 + int(tenth or 0) * RECORD_STEP  # type: ignore[assignment]


class TimesForm(OnceForm):
    """When a service was, and how long of it counts."""

    day = DayField(_l("服务日期"), validators=[required(_l("请填服务日期"))])
    starts = ClockField(_l("开始时间"), validators=[required(_l("请填开始时间"))])
    ends = ClockField(_l("结束时间"), validators=[required(_l("请填结束时间"))])
    hours = HoursField(
        _l("服务时间（小时）"),
        # Not required(): a nought was typed, and is too few, not missing.
        validators=[InputRequired(_l("请填服务时间"))],
        description=_l("实际服务的时间，路上和休息的不算，例如 1.5"),
    )

    def span(self) -> tuple[datetime, datetime]:
        """An end at or before the beginning is on the next day."""
        day: date = self.day.data or today()
        assert self.starts.data is not None
        assert self.ends.data is not None
        following = self.ends.data <= self.starts.data
        return clock.at(day, self.starts.data), clock.at(day + timedelta(days=following), self.ends.data)

    def minutes(self) -> int:
        said: Any = self.hours.data
        return int(said or 0)

    @staticmethod
    def times_of(record: ServiceRecord) -> dict[str, Any]:
        starts, ends = clock.local(record.starts_at), clock.local(record.ends_at)
        return {"day": starts.date(), "starts": starts.time(), "ends": ends.time(), "hours": record.minutes}


class RecordForm(TimesForm):
    """A record as a worker writes or mends it."""

    activity = TrimmedField(_l("活动名称"), validators=[required(), at_most(60)])
    kind = SelectField(_l("服务类别"), validators=[required()])
    content = TextAreaField(_l("服务内容"), validators=[required(), at_most(300)], render_kw={"rows": 3})
    place = TrimmedField(_l("服务地点"), validators=[required(), at_most(120)])
    leader_name = TrimmedField(_l("活动负责人"), validators=[required(), at_most(60)])

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.kind.choices = kinds.choices()

    def facts(self, factor: int = 100) -> RecordFacts:
        starts_at, ends_at = self.span()
        texts = {name: self.text(name).strip() for name in ("activity", "content", "place", "leader_name")}
        return RecordFacts(
            kind=ServiceKind(self.kind.data),
            starts_at=starts_at,
            ends_at=ends_at,
            minutes=self.minutes(),
            factor=factor,
            **texts,
        )


class HandForm(RecordForm):
    """A record of what no shift stands for: whose it is, and which organiser of mine records it."""

    who = TrimmedField(
        _l("志愿者"),
        validators=[required(_l("请填志愿者编号或姓名")), at_most(60)],
        description=_l("志愿者编号，或本社区志愿者的姓名"),
    )
    organiser = SelectField(_l("活动组织单位"), validators=[required()])

    def offer(self, communities: Iterable[Area], organisations: Iterable[Organisation]) -> "HandForm":
        own = [(f"{one.id}-0", recording.organiser_name(one, None)) for one in communities]
        self.organiser.choices = own + [(f"{one.community_id}-{one.id}", one.name) for one in organisations]
        return self


class EditForm(RecordForm):
    version = HiddenField()
    reason = TrimmedField(_l("更正的原因"), validators=[required(_l("请写明原因，志愿者会看到")), at_most(200)])

    @classmethod
    def of(cls, record: ServiceRecord) -> "EditForm":
        names = ("activity", "content", "place", "leader_name")
        texts = {name: getattr(record, name) for name in names}
        return cls(data=texts | cls.times_of(record) | {"kind": record.kind.value, "version": str(record.version)})

    @property
    def seen(self) -> int:
        said = self.text("version")
        return int(said) if said.isascii() and said.isdigit() and len(said) < 9 else 0


class VoidForm(OnceForm):
    version = HiddenField()
    reason = TrimmedField(_l("作废的原因"), validators=[required(_l("请写明原因，志愿者会看到")), at_most(200)])

    seen = EditForm.seen


class RateForm(Form):
    version = HiddenField()
    quality = RadioField(_l("服务质量"), validators=[required(_l("请选一项"))])

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.quality.choices = record_words.qualities()

    seen = EditForm.seen


class RecordFilter(Form):
    """What is looked for; asked by the address."""

    class Meta(Form.Meta):
        csrf = False

    q = TrimmedField(_l("姓名、志愿者编号或活动名称"), validators=[Optional(), at_most(60)])
    month = TrimmedField(_l("月份"), validators=[Optional(), at_most(7)], render_kw={"type": "month"})
    kind = SelectField(_l("服务类别"), validators=[Optional()])
    show = SelectField(_l("显示"), validators=[Optional()])

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.kind.choices = [("", _("全部类别")), *kinds.choices()]
        self.show.choices = [("", _("有效的")), ("unrated", _("还没有评价的")), ("void", _("已作废的"))]

    def asked(self) -> Asked:
        kind = self.text("kind")
        known = ServiceKind(kind) if kind in set(ServiceKind) else None
        return Asked(q=self.text("q"), month=month_in(self.text("month")), kind=known, show=self.text("show"))

    def address(self) -> dict[str, str]:
        """The same question as an address writes it."""
        return {name: self.text(name) for name in ("q", "month", "kind", "show") if self.text(name)}


def month_in(text: str) -> date | None:
    """The first day of a month written as 2026-11; None for anything else."""
    if not re.fullmatch(r"20[0-9]{2}-(0[1-9]|1[0-2])", text, re.ASCII):
        return None
    return date(int(text[:4]), int(text[5:]), 1)


class SampleForm(Form):
    first_day = DayField(_l("从哪天"), validators=[required()], default=lambda: today().replace(day=1))
    last_day = DayField(_l("到哪天"), validators=[required()], default=today)
    count = CountField(
        _l("抽多少条"), default=20, validators=[required(), NumberRange(1, 500, _l("请填 1 到 500 之间的整数"))]
    )
    reason = TrimmedField(_l("为什么抽查"), validators=[required(_l("请写明由谁、为什么抽查")), at_most(100)])


class CorrectionForm(TimesForm):
    """A record as its volunteer would have it."""

    activity = TrimmedField(_l("活动名称"), validators=[required(), at_most(60)])
    place = TrimmedField(_l("服务地点"), validators=[required(), at_most(120)])
    content = TextAreaField(_l("服务内容"), validators=[required(), at_most(300)], render_kw={"rows": 3})
    reason = TextAreaField(
        _l("为什么要更正"),
        validators=[required(_l("请写明原因，例如：实际做到 11 点半")), at_most(300)],
        render_kw={"rows": 3},
    )

    @classmethod
    def of(cls, record: ServiceRecord) -> "CorrectionForm":
        texts = {name: getattr(record, name) for name in ("activity", "place", "content")}
        return cls(data=texts | cls.times_of(record))

    def facts(self, before: RecordFacts | None = None) -> RecordFacts:
        """`before` keeps what is not asked about."""
        starts_at, ends_at = self.span()
        said: dict[str, Any] = {name: self.text(name).strip() for name in ("activity", "place", "content")}
        said |= {"starts_at": starts_at, "ends_at": ends_at, "minutes": self.minutes()}
        if before is not None:
            return replace(before, **said)
        return RecordFacts(kind=ServiceKind.OTHER, leader_name="", **said)


class MissingForm(CorrectionForm):
    community = SelectField(_l("哪个社区组织的"), validators=[required()])
    # Nothing stands there yet that could be wrong.
    reason = TextAreaField(
        _l("为什么没有记上"),
        validators=[required(_l("请写明原因，例如：那天忘了签到")), at_most(300)],
        render_kw={"rows": 3},
    )

    def offer(self, communities: Iterable[Area], own: int) -> "MissingForm":
        self.community.choices = [(str(one.id), one.name) for one in communities]
        if not self.community.data:
            self.community.data = str(own)
        return self

    def chosen(self, communities: Iterable[Area]) -> Area:
        found = next((one for one in communities if str(one.id) == self.community.data), None)
        if found is None:
            raise Refused(_("请选组织活动的社区。"), field="community")
        return found


class AnswerForm(OnceForm):
    """Which of the wished fields are taken over; a missing record also needs what the volunteer was not asked."""

    taken = ManyField(_l("采纳哪些内容"), validators=[Optional()])
    words = TextAreaField(_l("答复"), validators=[Optional(), at_most(300)], render_kw={"rows": 3})
    kind = SelectField(_l("服务类别"), validators=[Optional()])
    leader = TrimmedField(_l("活动负责人"), validators=[Optional(), at_most(60)])
    organisation = SelectField(_l("活动组织单位"), validators=[Optional()])

    def offer(self, correction: Correction, organisations: Collection[Organisation]) -> "AnswerForm":
        labels = record_words.fields()
        self.taken.choices = [(name, labels[name]) for name in labels if name in correction.wishes]
        self.kind.choices = [("", _("请选")), *kinds.choices()]
        committee = recording.organiser_name(correction.community, None)
        self.organisation.choices = [("", committee), *((str(one.id), one.name) for one in organisations)]
        if correction.record_id is not None:
            del self.kind
            del self.leader
            del self.organisation
        return self

    def more(self, organisations: Iterable[Organisation]) -> dict[str, Any]:
        """What a missing record needs beside the wishes."""
        if "kind" not in self._fields:
            return {}
        kind, body = self.text("kind"), self.text("organisation")
        return {
            "kind": ServiceKind(kind) if kind else None,
            "leader": self.text("leader"),
            "organisation": next((one for one in organisations if str(one.id) == body), None),
        }
