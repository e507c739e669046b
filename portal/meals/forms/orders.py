"""Forms for ordering: portions of each dish of one menu, the way of serving, a note; and why an order ends."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, RadioField, SearchField, SubmitField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from portal.core import settings
from portal.core.errors import Refused
from portal.core.forms import Form, OnceForm, TrimmedField, at_most, required, status_of
from portal.meals.models import MealOrder, Menu, Way
from portal.meals.service.words import said


class OrderForm(OnceForm):
    """Subclassed by order_form() with one field a dish."""

    class Meta(OnceForm.Meta):
        # The token of every unsafe request is checked before its view; the template writes it.
        csrf = False

    way = RadioField(_l("怎么取餐"), validators=[InputRequired(_l("请选怎么取餐"))])
    note = TextAreaField(_l("给助餐点的话"), validators=[Optional(), at_most(60)])
    # What the page says each dish costs, so that no other price is ordered unseen.
    seen = HiddenField(default="")
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

    def show(self, menu: Menu) -> None:
        """Remember the prices that the page is about to show."""
        self.seen.data = json.dumps({str(row.id): row.price_fen for row in menu.dishes})

    def seen_prices(self) -> dict[int, int]:
        """By menu dish id; empty when the page said nothing that can be read."""
        try:
            return {int(number): int(price) for number, price in json.loads(self.seen.data or "{}").items()}
        except (ValueError, TypeError, AttributeError):
            return {}

    def chosen_way(self) -> Way:
        return Way(self.way.data) if self.way.data in set(Way) else Way.DINE_IN

    def words(self) -> str:
        return (self.note.data or "").strip()


def order_form(menu: Menu, *, asked: Mapping[str, str] | None = None, order: MealOrder | None = None) -> OrderForm:
    """The form of one menu: empty, filled from an order that is to be changed, or from an address (`asked`)."""
    most = settings.get("meals.most_portions")
    had = {item.menu_dish_id: item.portions for item in order.items} if order else {}
    counts = [(0, _("不要"))] + [(count, _("%(count)d 份", count=count)) for count in range(1, most + 1)]
    made = _form_of(tuple((row.id, row.dish.name) for row in menu.dishes))
    ways = [(way.value, said(way)) for way in Way if way.value in menu.ways]
    data: dict[str, Any] = {f"dish_{row.id}": had.get(row.id, 0) for row in menu.dishes}
    if ways:
        data |= {"way": order.way.value if order else ways[0][0], "note": order.note if order else ""}
    from_address = asked is not None and any(name.startswith("dish_") for name in asked)
    form = made(asked, data=data) if from_address else made(data=data)
    form.way.choices = ways
    for row in menu.dishes:
        form.dish_field(row.id).choices = counts
    return form


@lru_cache(maxsize=256)
def _form_of(dishes: tuple[tuple[int, str], ...]) -> type[OrderForm]:
    """The class for a menu with these dishes, by id and name: making one takes longer than filling it."""
    fields = {f"dish_{number}": RadioField(name, coerce=int, validate_choice=False) for number, name in dishes}
    return type("MenuOrderForm", (OrderForm,), fields)


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
