"""Forms of the counter and of the paper list."""

from collections.abc import Iterable, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField
from wtforms import FieldList, HiddenField, RadioField, SelectField
from wtforms import Form as Part
from wtforms.fields import BooleanField, FormField
from wtforms.validators import AnyOf, NumberRange, Optional, Regexp

from portal.core.errors import Refused
from portal.core.forms import CountField, Form, OnceForm, TrimmedField, at_most
from portal.meals.models import MealOrder, OrderState, Payment, RedemptionMeans
from portal.meals.service.paying import Payer
from portal.meals.service.redemption import Handover
from portal.meals.service.settlement import Ticked
from portal.meals.service.words import choices


class FindForm(Form):
    """The ways to find an order that are posted: a photograph of the QR code, or name and last four figures.

    `by` is the button that was pressed: photo or name.
    """

    by = HiddenField()
    code = TrimmedField(_l("取餐码"), [at_most(500)])
    photo = FileField(_l("二维码照片"))
    name = TrimmedField(_l("姓名"), [at_most(60)])
    tail = TrimmedField(_l("手机号后四位"), [Regexp(r"^([0-9]{4})?$", message=_l("请填 4 位数字"))])

    def validate(self, extra_validators: Any = None) -> bool:
        fine = super().validate(extra_validators)
        asked = [self.photo] if self.by.data == "photo" else [self.name, self.tail]
        for field in asked:
            if not field.data and not field.errors:
                field.errors = [_("请选一张照片") if field is self.photo else _("请填写这一项")]
                fine = False
        return fine


# What somebody at a counter may take; points are chosen beside it, and pay before money.
MONEY = {payment.value for payment in Payment if payment is not Payment.POINTS}


def _money() -> list[Any]:
    return [choice for choice in choices(Payment) if choice[0] in MONEY]


def _payer_words(payer: Payer) -> str:
    said = {"name": payer.person.name, "most": payer.most}
    if payer.is_eater:
        return _("%(name)s本人，最多 %(most)d 分", **said)
    return _("家人%(name)s，最多 %(most)d 分", **said)


class HandoverForm(OnceForm):
    means = HiddenField(
        default=RedemptionMeans.NAME.value, validators=[AnyOf([means.value for means in RedemptionMeans])]
    )
    payment = RadioField(_l("收款"), default=Payment.CASH.value)
    reason = TrimmedField(_l("免收原因"), [Optional(), at_most(200)])
    payer = SelectField(_l("用志愿积分付"), default="", validators=[Optional()])
    points = CountField(_l("用多少分"), validators=[Optional(), NumberRange(1, 100_000, _l("请填 1 到 100000"))])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.payment.choices = _money()
        self.payer.choices = [("", _("不用积分"))]

    @classmethod
    def offering(cls, payers: Sequence[Payer], means: str) -> "HandoverForm":
        """The form of an order that these people's points could pay for."""
        form = cls(means=means)
        others = [(one.person.public_id, _payer_words(one)) for one in payers]
        form.payer.choices = [("", _("不用积分")), *others]
        return form

    def handover(self) -> Handover:
        return Handover(
            means=RedemptionMeans(self.means.data or ""),
            payment=Payment(self.payment.data),
            reason=self.reason.data or "",
            payer=self.payer.data or "",
            points=self.points.data,
            key=self.idem.data or "",
            body=self.body(),
        )


class TickPart(Part):
    """One line of the paper list."""

    order = HiddenField()
    ticked = BooleanField(_l("已取"))
    payment = SelectField(_l("收款"), default=Payment.CASH.value)
    reason = TrimmedField(_l("免收原因"), [Optional(), at_most(200)])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.payment.choices = _money()


class OutageForm(Form):
    """The whole paper list on one page."""

    rows = FieldList(FormField(TickPart))

    @classmethod
    def of(cls, orders: Iterable[MealOrder]) -> "OutageForm":
        rows = [{"order": order.public_id, "ticked": order.state is OrderState.COLLECTED} for order in orders]
        return cls(data={"rows": rows})

    def refuse(self, refused: Refused) -> None:
        """Put what is refused of one line beside that line; the rest concerns the whole list."""
        entry = next((entry for entry in self.rows if entry.form.order.data == refused.field), None)
        if entry is None:
            super().refuse(refused)
            return
        entry.form.reason.errors = [*entry.form.reason.errors, refused.message]
        self.rows.errors = [each.errors for each in self.rows]

    def ticked(self) -> dict[str, Ticked]:
        return {
            str(row.order.data): Ticked(Payment(row.payment.data), row.reason.data or "")
            for row in (entry.form for entry in self.rows)
            if row.ticked.data
        }
