"""Forms for ordering: portions of each dish of one menu, the way of serving, a note; and why an order ends."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SearchField, SubmitField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from portal.core import settings
from portal.core.errors import Refused
from portal.core.forms import Form, OnceForm, TrimmedField, at_most, required, status_of
from portal.meals.models import MealOrder, Menu, Way
from portal.meals.service.words import said


class OrderForm(OnceForm):
    """Subclassed by order_form() with one field a dish."""

    way = RadioField(_l("怎么取餐"), validators=[InputRequired(_l("请选怎么取餐"))])
    note = TextAreaField(_l("给助餐点的话"), validators=[Optional(), at_most(60)])
    # The answer to a refused resend is 409, to anything else that must be mended 422.
    refused_with = 0

    def refuse(self, refused: Refused) -> None:
        super().refuse(refused)
        self.refused_with = status_of(refused)

    @property
    def status(self) -> int:
        return self.refused_with or super().status

    def dish_field(self, menu_dish_id: int) -> Any:
        return self[f"dish_{menu_dish_id}"]

    def portions(self) -> dict[int, int]:
        """Portions by menu dish id."""
        fields = {name: field for name, field in self._fields.items() if name.startswith("dish_")}
        return {int(name.removeprefix("dish_")): int(field.data or 0) for name, field in fields.items()}

    def chosen_way(self) -> Way:
        return Way(self.way.data) if self.way.data in set(Way) else Way.DINE_IN

    def words(self) -> str:
        return (self.note.data or "").strip()


def order_form(menu: Menu, *, asked: Mapping[str, str] | None = None, order: MealOrder | None = None) -> OrderForm:
    """The form of one menu: empty, filled from an order that is to be changed, or from an address (`asked`)."""
    most = settings.get("meals.most_portions")
    had = {item.menu_dish_id: item.portions for item in order.items} if order else {}
    counts = [(0, _("不要"))] + [(count, _("%(count)d 份", count=count)) for count in range(1, most + 1)]
    fields = {
        f"dish_{row.id}": RadioField(row.dish.name, coerce=int, default=had.get(row.id, 0), validate_choice=False)
        for row in menu.dishes
    }
    made: type[OrderForm] = type("MenuOrderForm", (OrderForm,), fields)
    ways = [(way.value, said(way)) for way in Way if way.value in menu.ways]
    data = {"way": order.way.value if order else ways[0][0], "note": order.note if order else ""} if ways else {}
    from_address = asked is not None and any(name.startswith("dish_") for name in asked)
    form = made(asked, data=data) if from_address else made(data=data)
    form.way.choices = ways
    for name in fields:
        form[name].choices = counts
    return form


class CancelForm(Form):
    reason = TrimmedField(_l("取消的原因"), validators=[Optional(), at_most(60)])
    submit = SubmitField(_l("确定取消"))


class WorkerCancelForm(Form):
    reason = TrimmedField(_l("取消的原因"), validators=[required(_l("请写明谁要求取消、为什么")), at_most(60)])


class FindForm(Form):
    q = SearchField(
        _l("找人"),
        validators=[required(_l("请填姓名、拼音首字母、手机号后四位或身份证号")), Length(max=40)],
        filters=[lambda text: (text or "").strip()],
    )

    def words(self) -> str:
        return self.q.data or ""

    def forget(self, kind: str) -> None:
        """Do not show a full number again that was typed to find somebody."""
        if kind in {"id_number", "phone"}:
            self.q.data = ""
