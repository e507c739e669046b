"""The form of a visit, made for one thumb: choices first, words only where they help, a draft at any moment."""

from datetime import date, time
from typing import Any, Self

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField
from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, SelectField, TextAreaField, TimeField
from wtforms.validators import Optional, ValidationError

from portal.core import clock, files
from portal.core.errors import Refused
from portal.core.forms import DayField, Form, TrimmedField, at_most, required
from portal.visits.forms.fields import ManyField, PickField
from portal.visits.models import (
    Condition,
    Deed,
    Family,
    FindingKind,
    Hazard,
    Method,
    Money,
    Need,
    Urgency,
    Visit,
)
from portal.visits.service.recording import Picture, Said, draft_of
from portal.visits.service.words import choices

MET, NOT_MET = "yes", "no"
MANY = ("hazards", "needs", "deeds", "findings")


class RecordForm(Form):
    method = PickField(_l("方式"), validators=[required(_l("请选探访方式"))])
    met = PickField(_l("见到本人了吗"), validators=[required(_l("请选有没有见到或接通"))])
    day = DayField(_l("日期"), validators=[required()])
    at = TimeField(_l("时间"), validators=[required(_l("请填时间，例如 09:30"))])
    body = PickField(_l("身体"), validators=[Optional()])
    mind = PickField(_l("精神"), validators=[Optional()])
    daily = PickField(_l("吃饭、起居"), validators=[Optional()])
    hazards = ManyField(_l("家里哪里不安全"), validators=[Optional()])
    home_note = TrimmedField(_l("住处说明"), validators=[Optional(), at_most(200)])
    money = PickField(_l("生活费"), validators=[Optional()])
    family = PickField(_l("赡养人"), validators=[Optional()])
    needs = ManyField(_l("需要什么服务"), validators=[Optional()])
    supplies = TrimmedField(_l("送了或需要的物资"), validators=[Optional(), at_most(100)])
    deeds = ManyField(_l("还做了什么"), validators=[Optional()])
    findings = ManyField(_l("发现的问题"), validators=[Optional()], description=_l("选了就会生成转介单"))
    finding_note = TextAreaField(_l("问题说明"), validators=[Optional(), at_most(500)])
    urgency = PickField(_l("紧急程度"), validators=[Optional()])
    note = TextAreaField(_l("其他要记的"), validators=[Optional(), at_most(1000)])
    with_whom = TrimmedField(_l("一起去的人"), validators=[Optional(), at_most(60)])
    confirmed = BooleanField(_l("本人或家属确认"))
    confirmed_by = TrimmedField(_l("确认人姓名"), validators=[at_most(30)])
    next_on = DayField(_l("约好下次"), validators=[Optional()])
    photo = FileField(_l("照片"), validators=[Optional()], description=_l("不会保存拍摄地点"))
    photo_consent = BooleanField(_l("本人同意拍照"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = {
            "method": Method,
            "body": Condition,
            "mind": Condition,
            "daily": Condition,
            "hazards": Hazard,
            "money": Money,
            "family": Family,
            "needs": Need,
            "deeds": Deed,
            "findings": FindingKind,
            "urgency": Urgency,
        }
        for name, kind in kinds.items():
            field = self._fields[name]
            assert isinstance(field, SelectField | ManyField)
            field.choices = choices(kind)
        self.met.choices = [(MET, _l("见到了，或通了话")), (NOT_MET, _l("没见到，没人接"))]

    def validate_confirmed_by(self, field: TrimmedField) -> None:
        if bool(field.data) != bool(self.confirmed.data):
            named = _("写了确认人的姓名，请同时勾选“本人或家属确认”；没有确认就清空姓名。")
            raise ValidationError(named if field.data else _("勾选了“本人或家属确认”，请写确认人的姓名。"))

    def validate_photo_consent(self, field: BooleanField) -> None:
        if self._chosen() and not field.data:
            raise ValidationError(_("拍照要先问本人，同意了请打勾。"))

    def _chosen(self) -> bool:
        """Whether a photograph was sent."""
        return bool(getattr(self.photo.data, "filename", ""))

    def again(self) -> Self:
        """The form as it goes back to be mended: a browser sends no file twice, so it says so beside the photograph."""
        if self.errors and self._chosen() and not self.photo.errors:
            self.refuse(Refused(_("照片要重新选一次"), field="photo"))
        return self

    def picture(self) -> Picture | None:
        """The photograph made anew without its location; called before any query, because decoding takes its time."""
        if not self._chosen():
            return None
        try:
            made = files.clean_image(self.photo.data.read(), max_side=1600)
            return Picture(made, bool(self.photo_consent.data))
        except files.BadFile as bad:
            self.refuse(Refused(bad.sentence, field="photo"))
            return None

    def said(self) -> Said:
        """The record as the service takes it."""
        day, at = self.day.data or clock.today(), self.at.data or time(0)
        texts = {
            name: self.text(name)
            for name in ("body", "mind", "daily", "home_note", "money", "family", "supplies", "with_whom", "note")
        }
        texts["confirmed_by"] = self.text("confirmed_by")
        return Said(
            method=Method(self.method.data),
            met=self.met.data == MET,
            at=clock.at(day, at),
            urgency=Urgency(self.urgency.data or Urgency.NONE.value),
            findings=tuple(FindingKind(kind) for kind in self.findings.data or ()),
            finding_note=self.text("finding_note"),
            next_on=self.next_on.data,
            hazards=tuple(self.hazards.data or ()),
            needs=tuple(self.needs.data or ()),
            deeds=tuple(self.deeds.data or ()),
            **texts,
        )


def form_for(visit: Visit) -> RecordForm:
    """The form as it was left, or fresh with what can be known beforehand."""
    draft = draft_of(visit)
    moment = clock.local(clock.now())
    if draft:
        typed = MultiDict((name, value) for name, values in draft.items() for value in values)
        typed.setdefault("day", f"{moment:%Y-%m-%d}")
        typed.setdefault("at", f"{moment:%H:%M}")
        return RecordForm(formdata=typed)
    fresh: dict[str, date | time | str] = {"method": visit.method.value, "day": moment.date(), "at": moment.time()}
    return RecordForm(formdata=None, data=fresh)


def kept_of(sent: MultiDict[str, str]) -> dict[str, list[str]]:
    """What a draft keeps of a form that was sent: its own fields, no file, no token, nothing endless."""
    known = set(RecordForm(formdata=None).data) - {"csrf_token", "photo"}
    return {name: [value[:1000] for value in sent.getlist(name)[:20]] for name in sent if name in known}
