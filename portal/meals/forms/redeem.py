"""Forms of the counter and of the paper list."""

from collections.abc import Iterable
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField
from wtforms import FieldList, HiddenField, RadioField, SelectField
from wtforms import Form as Part
from wtforms.fields import BooleanField, FormField
from wtforms.validators import AnyOf, Optional, Regexp

from portal.core.forms import Form, OnceForm, TrimmedField, at_most
from portal.meals.models import MealOrder, OrderState, Payment, RedemptionMeans
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


class HandoverForm(OnceForm):
    means = HiddenField(
        default=RedemptionMeans.NAME.value, validators=[AnyOf([means.value for means in RedemptionMeans])]
    )
    payment = RadioField(_l("收款"), default=Payment.CASH.value)
    reason = TrimmedField(_l("免收原因"), [Optional(), at_most(200)])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.payment.choices = choices(Payment)

    def handover(self) -> Handover:
        return Handover(
            means=RedemptionMeans(self.means.data or ""),
            payment=Payment(self.payment.data),
            reason=self.reason.data or "",
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
        self.payment.choices = choices(Payment)


class OutageForm(Form):
    """The whole paper list on one page."""

    rows = FieldList(FormField(TickPart))

    @classmethod
    def of(cls, orders: Iterable[MealOrder]) -> "OutageForm":
        rows = [{"order": order.public_id, "ticked": order.state is OrderState.COLLECTED} for order in orders]
        return cls(data={"rows": rows})

    def ticked(self) -> dict[str, Ticked]:
        return {
            str(row.order.data): Ticked(Payment(row.payment.data), row.reason.data or "")
            for row in (entry.form for entry in self.rows)
            if row.ticked.data
        }
