"""Forms of rooms: finding by time, booking, the rules of a room, blockings, a weekly series, and reasons."""

from collections.abc import Collection, Iterable
from datetime import date, datetime, time, timedelta
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, RadioField, SelectField, TextAreaField
from wtforms.validators import NumberRange, Optional, ValidationError

from portal.catalogue.forms.agreement import Agreement
from portal.catalogue.models.rooms import BookedBy, Booker, RoomBooking, RoomRule
from portal.catalogue.service.rooms import words
from portal.catalogue.service.rooms.booking import Wish
from portal.catalogue.service.rooms.finding import clock_choices
from portal.catalogue.service.rooms.rules import RuleFacts
from portal.catalogue.service.rooms.series import Weekly
from portal.core import clock
from portal.core.clock import today
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
from portal.registry.models import Organisation, Person
from portal.registry.service.resources import hours

PERSON, ORGANISATION = "p", "o"
HEADS = (1, 500)
NUMBERS = ("most_ahead", "least_ahead", "cancel_ahead", "longest", "buffer", "most_held")


def _between(least: int, most: int) -> NumberRange:
    return NumberRange(least, most, _l("请填 %(min)s 到 %(max)s 之间的整数"))


def moment_of(day: date, words_: str) -> datetime:
    """A day and HH:MM; 24:00 is the beginning of the next day."""
    if words_ == "24:00":
        return clock.at(day + timedelta(days=1), time(0))
    return clock.at(day, time.fromisoformat(words_))


class TimesForm(OnceForm):
    """A day and two times on the quarter. What the page calls 几点到几点."""

    day = DayField(_l("哪一天"), validators=[required(_l("请选日期"))])
    opens = SelectField(_l("几点开始"), validators=[required(_l("请选开始时间"))])
    closes = SelectField(_l("几点结束"), validators=[required(_l("请选结束时间"))])
    headcount = CountField(_l("多少人"), validators=[required(_l("请填人数")), _between(*HEADS)])

    def offer_times(self, rules: Collection[RoomRule]) -> None:
        times = clock_choices(rules)
        self.opens.choices = [(at, at) for at in times[:-1]]
        self.closes.choices = [(at, at) for at in times[1:]]

    def starts_at(self) -> datetime:
        return moment_of(self.day.data or today(), str(self.opens.data))

    def ends_at(self) -> datetime:
        return moment_of(self.day.data or today(), str(self.closes.data))

    def refused_field(self, field: str) -> str:
        return {"from": "opens", "until": "closes"}.get(field, field)

    def refuse(self, refused: Any) -> None:
        refused.field = self.refused_field(refused.field)
        super().refuse(refused)


class FindForm(TimesForm):
    """Asked by an address: what is free at a time."""

    class Meta(TimesForm.Meta):
        csrf = False

    def is_asked(self) -> bool:
        return self.formdata_given and bool(self.validate())

    formdata_given = False


def find_form(asked: Any, rules: Collection[RoomRule]) -> FindForm:
    """The form as the address fills it, or with tomorrow morning."""
    given = bool(asked.get("day"))
    times = clock_choices(rules)
    begins = next((at for at in times if at >= "09:00"), times[0] if times else "")
    ends = next((at for at in times if at >= "10:00"), times[-1] if times else "")
    fresh = {"day": today() + timedelta(days=1), "opens": begins, "closes": ends, "headcount": 10}
    form = FindForm(asked if given else None, data=fresh)
    form.formdata_given = given
    form.offer_times(rules)
    return form


class BookForm(TimesForm):
    whose = RadioField(_l("给谁约"), validators=[required(_l("请选给谁约"))])
    purpose = TrimmedField(
        _l("用来做什么"), validators=[required(_l("请写用途，例如：家庭聚会、合唱队排练")), at_most(60)]
    )

    def offer(self, rule: RoomRule, whom: Iterable[Person], organisations: Iterable[Organisation]) -> None:
        self.offer_times([rule])
        people = [(f"{PERSON}:{person.public_id}", person.name) for person in whom]
        bodies = [(f"{ORGANISATION}:{body.id}", body.name) for body in organisations]
        self.whose.choices = people + bodies
        if not self.whose.data and self.whose.choices:
            self.whose.data = self.whose.choices[0][0]

    def wish(self, whom: Iterable[Person], organisations: Iterable[Organisation], me: Person | None) -> Wish:
        person = next((one for one in whom if f"{PERSON}:{one.public_id}" == self.whose.data), None)
        body = next((one for one in organisations if f"{ORGANISATION}:{one.id}" == self.whose.data), None)
        through = BookedBy.SELF if person is not None and person == me else BookedBy.AGENT
        return Wish(
            purpose=self.text("purpose"),
            headcount=self.headcount.data or 0,
            starts_at=self.starts_at(),
            ends_at=self.ends_at(),
            through=BookedBy.ORGANISATION if body else through,
            person=me if body else person,
            organisation=body,
        )


class MoveForm(TimesForm):
    """Another time for a booking; what it is for and for whom stays."""

    @classmethod
    def of(cls, booking: RoomBooking, rule: RoomRule) -> "MoveForm":
        day = clock.local(booking.starts_at).date()
        opens, closes = words.clock_words(booking.starts_at), words.clock_words(booking.ends_at, ends=True)
        form = cls(data={"day": day, "opens": opens, "closes": closes, "headcount": booking.headcount})
        form.offer_times([rule])
        return form

    def wish(self, booking: RoomBooking) -> Wish:
        return Wish(
            purpose=booking.purpose,
            headcount=self.headcount.data or 0,
            starts_at=self.starts_at(),
            ends_at=self.ends_at(),
            through=BookedBy.ORGANISATION if booking.organisation else BookedBy.SELF,
            person=booking.person,
            organisation=booking.organisation,
        )


class WorkerBookForm(TimesForm):
    """Booking at the counter or on the telephone, or for the community itself."""

    purpose = TrimmedField(_l("用途"), validators=[required(), at_most(60)])
    organisation = SelectField(_l("组织"), validators=[Optional()])

    def consent(self) -> str:
        """The community's own use and an organisation's ask nobody."""
        return ""

    def offer(self, rule: RoomRule, organisations: Iterable[Organisation]) -> None:
        self.offer_times([rule])
        self.organisation.choices = [("", _("不是组织"))] + [(str(body.id), body.name) for body in organisations]

    def chosen(self, organisations: Iterable[Organisation]) -> Organisation | None:
        return next((body for body in organisations if str(body.id) == self.organisation.data), None)

    def wish(self, person: Person | None, organisations: Iterable[Organisation]) -> Wish:
        return Wish(
            purpose=self.text("purpose"),
            headcount=self.headcount.data or 0,
            starts_at=self.starts_at(),
            ends_at=self.ends_at(),
            through=BookedBy.COUNTER,
            person=person,
            organisation=self.chosen(organisations),
            consent=self.consent(),
        )


class ForPersonForm(Agreement, WorkerBookForm):
    """Booking for somebody says how she agreed."""


def counter_form(rule: RoomRule, person: Person | None, organisations: Collection[Organisation], asked: Any) -> Any:
    kind = ForPersonForm if person else WorkerBookForm
    form = kind(data={"day": _asked_day(asked), "opens": asked.get("opens", ""), "headcount": 10})
    form.offer(rule, organisations)
    return form


def _asked_day(asked: Any) -> date:
    try:
        return date.fromisoformat(asked.get("day", ""))
    except ValueError:
        return today()


def _an_hour_after(opens: str) -> str:
    """What is offered as the end where nobody asked for one."""
    try:
        begins = datetime.combine(today(), time.fromisoformat(opens))
    except ValueError:
        return ""
    return f"{begins + timedelta(hours=1):%H:%M}"


def book_form(
    rule: RoomRule, whom: Collection[Person], organisations: Collection[Organisation], asked: Any
) -> BookForm:
    """The resident's form, filled with what the page before knows."""
    opens = asked.get("opens", "")
    fresh = {"day": _asked_day(asked), "opens": opens, "closes": asked.get("closes") or _an_hour_after(opens)}
    count = asked.get("headcount", "")
    form = BookForm(data={**fresh, "headcount": int(count) if count.isascii() and count.isdigit() else None})
    form.offer(rule, whom, organisations)
    return form


class CancelForm(Form):
    reason = TrimmedField(_l("取消的原因"), validators=[Optional(), at_most(100)])


class ReasonForm(Form):
    """Every negative act of a worker says why; the resident reads it."""

    reason = TrimmedField(_l("原因"), validators=[required(_l("请写明原因，对方会看到")), at_most(100)])


class RuleForm(Form):
    is_open = BooleanField(_l("开放预约"), default=True)
    open_to = ManyField(_l("谁可以自己约"), validators=[Optional()], description=_l("都不选，就只由工作人员安排"))
    hours = TextAreaField(
        _l("哪几天、几点到几点可以约"),
        validators=[required(), at_most(300)],
        description=_l("例如：周一至周五 8:30-17:00；周六 9:00-12:00"),
    )
    on_holidays = BooleanField(_l("法定节假日也开放"))
    most_ahead = CountField(_l("最多提前几天约"), validators=[required(), _between(1, 365)], default=30)
    least_ahead = CountField(_l("至少提前几小时约"), validators=[Optional(), _between(0, 720)], default=2)
    cancel_ahead = CountField(_l("最晚提前几小时取消"), validators=[Optional(), _between(0, 720)], default=2)
    longest = CountField(_l("一次最长多少分钟"), validators=[required(), _between(15, 1440)], default=120)
    buffer = CountField(_l("用完留多少分钟打扫"), validators=[Optional(), _between(0, 240)], default=15)
    most_held = CountField(_l("一人同时最多约几次"), validators=[required(), _between(1, 50)], default=2)
    needs_confirmation = BooleanField(_l("要工作人员确认才算约上"))
    equipment = TrimmedField(_l("设备"), validators=[Optional(), at_most(200)])
    access = TrimmedField(_l("无障碍说明"), validators=[Optional(), at_most(200)])
    cost = TrimmedField(_l("费用说明"), validators=[Optional(), at_most(120)], description=_l("不填就写“免费”"))
    note = TrimmedField(_l("其他说明"), validators=[Optional(), at_most(300)])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.open_to.choices = words.choices(Booker)

    def facts(self) -> RuleFacts:
        said: dict[str, Any] = {name: int(self._fields[name].data or 0) for name in NUMBERS}
        said |= {name: self.text(name) for name in ("equipment", "access", "cost", "note")}
        said |= {name: bool(self._fields[name].data) for name in ("is_open", "on_holidays", "needs_confirmation")}
        open_to = tuple(Booker(code) for code in self.open_to.data or ())
        return RuleFacts(open_to=open_to, hours=self.text("hours"), **said)


def rule_form(rule: RoomRule | None) -> RuleForm:
    if rule is None:
        return RuleForm(data={"open_to": [Booker.RESIDENT.value, Booker.ORGANISATION.value]})
    names = [name for name in RuleForm(formdata=None)._fields if name not in {"hours", "csrf_token"}]
    return RuleForm(data={**{name: getattr(rule, name) for name in names}, "hours": hours.said(rule.hours)})


class BlockForm(Form):
    first_day = DayField(_l("从哪天"), validators=[required()])
    opens = ClockField(_l("几点"), validators=[required()], default=time(8, 0))
    last_day = DayField(_l("到哪天"), validators=[required()])
    until = ClockField(_l("几点结束"), validators=[required()], default=time(18, 0))
    reason = TrimmedField(_l("为什么停用"), validators=[required(_l("请写明原因，居民会看到")), at_most(100)])
    clear = BooleanField(_l("连同这段时间的预约一起取消，并通知预约的人"))

    def _whole(self, field: Any) -> None:
        if field.data and field.data.minute % 15:
            raise ValidationError(_("请填整刻：00、15、30 或 45 分"))

    def validate_opens(self, field: ClockField) -> None:
        self._whole(field)

    def validate_until(self, field: ClockField) -> None:
        self._whole(field)

    def times(self) -> tuple[datetime, datetime]:
        first, last = self.first_day.data or today(), self.last_day.data or today()
        return clock.at(first, self.opens.data or time(0)), clock.at(last, self.until.data or time(0))


class SeriesForm(OnceForm):
    purpose = TrimmedField(_l("用途"), validators=[required(), at_most(60)])
    organisation = SelectField(_l("组织"), validators=[Optional()])
    headcount = CountField(_l("多少人"), validators=[required(), _between(*HEADS)], default=10)
    first_day = DayField(_l("第一次是哪天"), validators=[required()], description=_l("以后每周这一天"))
    last_day = DayField(_l("最后一次不晚于哪天"), validators=[required()])
    opens = SelectField(_l("几点开始"), validators=[required()])
    closes = SelectField(_l("几点结束"), validators=[required()])
    skip = BooleanField(_l("跳过排不上的日期"))

    def offer(self, rule: RoomRule, organisations: Iterable[Organisation]) -> None:
        times = clock_choices([rule])
        self.opens.choices = [(at, at) for at in times[:-1]]
        self.closes.choices = [(at, at) for at in times[1:]]
        bodies = [(str(body.id), body.name) for body in organisations]
        self.organisation.choices = [("", _("社区自用")), *bodies]

    def weekly(self, organisations: Iterable[Organisation]) -> Weekly:
        closes = str(self.closes.data)
        return Weekly(
            purpose=self.text("purpose"),
            headcount=self.headcount.data or 0,
            first_day=self.first_day.data or today(),
            last_day=self.last_day.data or today(),
            opens=time.fromisoformat(str(self.opens.data)),
            closes=time(0) if closes == "24:00" else time.fromisoformat(closes),
            organisation=next((body for body in organisations if str(body.id) == self.organisation.data), None),
        )

    def refuse(self, refused: Any) -> None:
        refused.field = {"from": "opens", "until": "closes", "day": "first_day"}.get(refused.field, refused.field)
        super().refuse(refused)


class CodeForm(Form):
    """A booking's code as somebody says it at the door, or as a scanner reads it."""

    code = TrimmedField(_l("预约码"), validators=[required(_l("请填预约码")), at_most(200)])
