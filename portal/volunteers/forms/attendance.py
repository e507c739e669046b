"""Shape of what is typed about attendance: codes, marks, times by hand, the paper entered at once."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField
from wtforms import BooleanField, FieldList, FormField, HiddenField, TextAreaField
from wtforms import Form as Part
from wtforms.validators import InputRequired, NumberRange, Optional, Regexp

from portal.core.errors import Refused
from portal.core.forms import ClockField, CountField, Form, OnceForm, TrimmedField, at_most, required
from portal.volunteers.models.signups import Signup
from portal.volunteers.service.papers import Noted, Row

_SIX = Regexp(r"^[0-9]{6}$", message=_l("签到码是 6 位数字，请核对"))


class CodeForm(Form):
    """A PIN, what a camera read, or a photograph of the QR code."""

    code = TrimmedField(_l("签到码"), validators=[at_most(300)])
    photo = FileField(_l("二维码照片"))


class PressForm(Form):
    """The one button below a scanned code."""

    seen = HiddenField()


class ReasonForm(Form):
    reason = TextAreaField(_l("原因"), validators=[required(_l("请写明原因")), at_most(200)])


class MessageForm(OnceForm):
    words = TextAreaField(_l("要说的话"), validators=[required(_l("请写要通知的内容")), at_most(200)])


class ActForm(Form):
    """A button without fields."""


class TimesForm(Form):
    """Times by hand, as the clock showed them; a shift that ends on the next day understands them."""

    came = ClockField(_l("到达时间"), validators=[InputRequired(_l("请填到达时间，例如 08:30"))])
    left = ClockField(_l("离开时间"), validators=[Optional()])
    pause = CountField(
        _l("中间没有服务的时间（分钟）"),
        default=0,
        validators=[Optional(), NumberRange(0, 720, _l("请填 0 到 720 之间的整数"))],
    )
    words = TextAreaField(_l("说明"), validators=[Optional(), at_most(200)])

    def row(self) -> Row:
        return Row(self.came.data, self.left.data, self.pause.data or 0, self.text("words"))


class PaperPart(Part):
    """A line of the sign-in sheet."""

    signup = HiddenField()
    came = ClockField(_l("到达"), validators=[Optional()])
    left = ClockField(_l("离开"), validators=[Optional()])
    absent = BooleanField(_l("未到"))
    words = TrimmedField(_l("说明"), validators=[Optional(), at_most(200)])

    def row(self) -> Row:
        return Row(self.came.data, self.left.data, 0, self.words.data or "", bool(self.absent.data))


class NotedPart(Part):
    """What somebody noted on paper without network: code and time, for coming and for going."""

    signup = HiddenField()
    in_code = TrimmedField(_l("签到码"), validators=[Optional(), _SIX])
    in_at = ClockField(_l("签到时间"), validators=[Optional()])
    out_code = TrimmedField(_l("签退码"), validators=[Optional(), _SIX])
    out_at = ClockField(_l("签退时间"), validators=[Optional()])

    def row(self) -> tuple[Noted, Noted]:
        came = Noted(self.in_code.data or "", self.in_at.data)
        return came, Noted(self.out_code.data or "", self.out_at.data)


class LinesForm(Form):
    """A form with a line for everybody on a shift: what is refused of one stands beside her fields; one that says
    nothing of anybody is refused whole.
    """

    rows: Any

    @classmethod
    def of(cls, signups: Iterable[Signup]) -> Self:
        return cls(data={"rows": [{"signup": one.public_id} for one in signups]})

    def carry_out(self, people: Mapping[str, Signup], act: Callable[[Signup, Any], bool]) -> int | None:
        """How many lines said something; None where anything was refused, so that nothing is kept."""
        done = 0
        for part in [entry.form for entry in self.rows if entry.form.signup.data in people]:
            try:
                done += act(people[part.signup.data], part.row())
            except Refused as refused:
                field = part[refused.field if refused.field in part.data else "signup"]
                field.errors = [*field.errors, refused.message]
        self.rows.errors = [entry.form.errors for entry in self.rows if entry.form.errors]
        if not done and not self.errors:
            self.form_errors.append(_("一行也没有填。请照着纸上填好再提交。"))
        return None if self.errors else done


class PaperForm(LinesForm):
    rows = FieldList(FormField(PaperPart))


class NotedForm(LinesForm):
    rows = FieldList(FormField(NotedPart))
