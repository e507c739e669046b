"""Forms: one base with Chinese refusals, an idempotency key, and the fields every package needs."""

import json
import secrets
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from flask import Response, after_this_request
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import (
    DateField,
    DecimalField,
    HiddenField,
    IntegerField,
    SelectMultipleField,
    StringField,
    TimeField,
    i18n,
)
from wtforms.validators import DataRequired, Length, StopValidation, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from portal.core import ids, money
from portal.core.clock import today
from portal.core.errors import Conflict, Refused, TooMany


class _Required(DataRequired):
    """What was typed and could not be read is told so by its field, not that nothing was typed."""

    def __call__(self, form: Any, field: Any) -> None:
        if field.process_errors and any(str(said).strip() for said in field.raw_data or ()):
            raise StopValidation
        super().__call__(form, field)


def required(message: str | None = None) -> DataRequired:
    return _Required(message or _l("请填写这一项"))


def at_most(count: int) -> Length:
    return Length(max=count, message=_l("最多 %(max)d 个字"))


@cache
def _stock_words(locale: str) -> Any:
    """What WTForms itself says, read from its catalogue once a language and not once a request."""
    return i18n.get_translations([locale])


def _with_when(seconds: int) -> Callable[[Response], Response]:
    def told(response: Response) -> Response:
        response.headers["Retry-After"] = str(seconds)
        return response

    return told


class Form(FlaskForm):
    """Shape and syntax of input. A service's refusal is put beside its field by refuse()."""

    class Meta(FlaskForm.Meta):
        def get_translations(self, form: Any) -> Any:
            return _stock_words(str(get_locale()))

        def wrap_formdata(self, form: Any, formdata: Any) -> Any:
            """What was sent, without NUL characters, which nobody types and PostgreSQL cannot hold."""
            sent = super().wrap_formdata(form, formdata)
            if not sent:
                return sent
            return MultiDict(
                (name, value.replace("\x00", "") if isinstance(value, str) else value)
                for name, value in sent.items(multi=True)
            )

    # Where a throttle was full.
    too_often = False

    def slow_down(self, full: TooMany) -> None:
        """Say when to try again, above what was typed, which stands."""
        self.too_often = True
        after_this_request(_with_when(full.retry_after))
        minutes = max(1, round(full.retry_after / 60))
        self.form_errors.append(_("操作太频繁，请大约 %(minutes)d 分钟后再试。急事请打社区电话。", minutes=minutes))

    def refuse(self, refused: Refused) -> None:
        fields = self._fields
        if refused.field in fields:
            fields[refused.field].errors = [*fields[refused.field].errors, refused.message]
        else:
            self.form_errors.append(refused.message)

    def carries_out(self, act: Callable[[], object]) -> bool:
        """Whether this was sent, holds, and its act went through; what the act refuses stands beside its field."""
        if not self.validate_on_submit():
            return False
        try:
            act()
        except Refused as refused:
            self.refuse(refused)
            return False
        return True

    def text(self, name: str) -> str:
        """What was typed into a text field; "" where nothing was."""
        return str(self._fields[name].data or "")

    @property
    def status(self) -> int:
        """The answer's status: 422 once something is to be mended, 429 if it came too often, else 200."""
        if self.too_often:
            return 429
        return 422 if self.errors else 200


class OnceForm(Form):
    """A form whose resend must not act twice: carries a random key from the page that showed it."""

    idem = HiddenField(default=lambda: secrets.token_urlsafe(18))

    def body(self) -> str:
        """What the form says, without its keys: two posts with one key must agree on it."""
        said = {name: str(value) for name, value in self.data.items() if name not in {"idem", "csrf_token"}}
        return json.dumps(said, ensure_ascii=False, sort_keys=True)


def status_of(refused: Refused) -> int:
    return 409 if isinstance(refused, Conflict) else 422


class TrimmedField(StringField):
    def process_formdata(self, valuelist: Sequence[Any]) -> None:
        super().process_formdata([str(value).strip() for value in valuelist])


class IdNumberField(TrimmedField):
    """An ID number, normalised; what was typed is kept when it is wrong."""

    def __init__(self, *args: Any, allow_test_region: Callable[[], bool], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.allow_test_region = allow_test_region

    def pre_validate(self, form: Any) -> None:
        if not self.data:
            return
        try:
            checked = ids.check_id_number(self.data, today=today(), allow_test_region=self.allow_test_region())
        except ids.InvalidNumber as invalid:
            raise ValidationError(str(invalid)) from None
        self.data = checked.number


class MobileField(TrimmedField):
    """A mobile number, normalised to eleven digits."""

    def pre_validate(self, form: Any) -> None:
        if not self.data:
            return
        try:
            self.data = ids.check_mobile(self.data)
        except ids.InvalidNumber as invalid:
            raise ValidationError(str(invalid)) from None


class YuanField(StringField):
    """An amount typed in yuan and held in integer fen."""

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return money.yuan(self.data) if isinstance(self.data, int) else ""

    def process_formdata(self, valuelist: Sequence[Any]) -> None:
        text = str(valuelist[0]).strip() if valuelist else ""
        if not text:
            self.data = None
            return
        try:
            self.data = money.parse_yuan(text)  # type: ignore[assignment]
        except ValueError:
            self.data = None
            raise ValueError(_("请填金额，例如 12.50")) from None


class CountField(IntegerField):
    def process_formdata(self, valuelist: Sequence[Any]) -> None:
        try:
            super().process_formdata(list(valuelist))
        except ValueError:
            raise ValueError(_("请填整数")) from None


class FiguresField(DecimalField):
    """A number with its decimals: infinity and "not a number", which Decimal takes too, are none."""

    def process_formdata(self, valuelist: Sequence[Any]) -> None:
        try:
            super().process_formdata(list(valuelist))
        except ValueError:
            raise ValueError(_("请填数字，例如 89.5")) from None
        if self.data is not None and not self.data.is_finite():
            self.data = None
            raise ValueError(_("请填数字，例如 89.5"))


class ManyField(SelectMultipleField):
    """Several of a few: a group of checkboxes."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class ClockField(TimeField):
    """A time of day; the seconds that some browsers send are dropped."""

    def process_formdata(self, valuelist: Sequence[Any]) -> None:
        try:
            super().process_formdata([str(value).strip()[:5] for value in valuelist])
        except ValueError:
            raise ValueError(_("请填时间，例如 08:30")) from None


class DayField(DateField):
    """A date as the browser's date field sends it; what was typed is kept when it is wrong."""

    def process_formdata(self, valuelist: Sequence[Any]) -> None:
        text = str(valuelist[0]).strip() if valuelist else ""
        if not text:
            self.data = None
            return
        try:
            super().process_formdata([text])
        except ValueError:
            raise ValueError(_("请填日期，例如 2026-05-01")) from None
