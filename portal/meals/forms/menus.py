"""Forms of canteens, their dishes and their menus."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, FieldList, HiddenField, SelectField, TextAreaField
from wtforms import Form as Part
from wtforms.fields import FormField
from wtforms.validators import NumberRange, Optional, ValidationError

from portal.core import ids
from portal.core.clock import today
from portal.core.forms import (
    ClockField,
    CountField,
    DayField,
    Form,
    ManyField,
    TrimmedField,
    YuanField,
    at_most,
    required,
)
from portal.meals.models import Canteen, Dish, Meal, Menu, SetClass, Way
from portal.meals.service import menus
from portal.meals.service.canteens import Facts, Recipe, Serving
from portal.meals.service.words import choices
from portal.registry.models import Diet

MOST_PORTIONS = 2000
WORDS = re.compile(r"[、，,；;\s]+")


class DishForm(Form):
    name = TrimmedField(_l("菜品名称"), [required(), at_most(60)])
    price = YuanField(_l("价格（元）"), [required(_l("请填价格"))])
    set_class = SelectField(_l("类别"))
    diets = ManyField(_l("适合的饮食"), [Optional()])
    allergens = TrimmedField(_l("过敏原"), [Optional(), at_most(80)])
    description = TextAreaField(_l("说明"), [Optional(), at_most(200)])

    def __init__(self, *args: Any, dish: Dish | None = None, **kwargs: Any) -> None:
        if dish is not None:
            kwargs["data"] = {
                "name": dish.name,
                "price": dish.price_fen,
                "set_class": dish.set_class.value,
                "diets": list(dish.diets),
                "allergens": _("、").join(dish.allergens),
                "description": dish.description,
            }
        super().__init__(*args, **kwargs)
        self.set_class.choices = choices(SetClass)
        self.diets.choices = choices(Diet)

    def recipe(self) -> Recipe:
        words = dict.fromkeys(word for word in WORDS.split(self.allergens.data or "") if word)
        return Recipe(
            name=self.name.data or "",
            price_fen=int(self.price.data or 0),
            set_class=SetClass(self.set_class.data),
            diets=tuple(Diet(code) for code in self.diets.data or []),
            allergens=tuple(words),
            description=(self.description.data or "").strip(),
        )


class ServingPart(Part):
    """When one meal is served; left out when the box is not ticked."""

    serves = BooleanField(_l("供应这一餐"))
    opens = ClockField(_l("开始供应"), [Optional()])
    closes = ClockField(_l("结束供应"), [Optional()])
    cutoff_days = SelectField(_l("订餐截止"), coerce=int)
    cutoff = ClockField(_l("截止时间"), [Optional()])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cutoff_days.choices = [(0, _("当天")), (1, _("前一天")), (2, _("前两天")), (3, _("前三天"))]

    def validate(self, extra_validators: Mapping[str, Sequence[Any]] | None = None) -> bool:
        fine = super().validate(extra_validators)
        if not self.serves.data:
            return fine
        for field in (self.opens, self.closes, self.cutoff):
            if field.data is None and not field.errors:
                field.errors = [_("请填时间，例如 11:00")]
                fine = False
        return fine

    def serving(self, meal: Meal) -> Serving:
        assert self.opens.data
        assert self.closes.data
        assert self.cutoff.data
        return Serving(meal, self.opens.data, self.closes.data, int(self.cutoff_days.data), self.cutoff.data)


class CanteenForm(Form):
    community = SelectField(_l("所在社区"))
    name = TrimmedField(_l("名称"), [required(), at_most(60)])
    address = TrimmedField(_l("地址"), [required(), at_most(120)])
    phone = TrimmedField(_l("电话"), [required(), at_most(20)])
    ways = ManyField(_l("取餐方式"), [required(_l("请至少选一种取餐方式"))])
    delivery_fee = YuanField(_l("送餐费（元/单）"), [Optional()])
    closed_on_holidays = BooleanField(_l("法定节假日休息"))
    breakfast = FormField(ServingPart, _l("早餐"))
    lunch = FormField(ServingPart, _l("午餐"))
    dinner = FormField(ServingPart, _l("晚餐"))

    def __init__(self, *args: Any, canteen: Canteen | None = None, **kwargs: Any) -> None:
        if canteen is not None:
            kwargs["data"] = _said_of(canteen)
        super().__init__(*args, **kwargs)
        self.ways.choices = choices(Way)

    def validate_phone(self, field: TrimmedField) -> None:
        try:
            field.data = ids.check_phone(field.data or "")
        except ids.InvalidNumber as invalid:
            raise ValidationError(str(invalid)) from None

    def parts(self) -> list[tuple[Meal, Any]]:
        return [(meal, self[meal.value]) for meal in Meal]

    def facts(self) -> Facts:
        return Facts(
            name=self.name.data or "",
            address=self.address.data or "",
            phone=self.phone.data or "",
            ways=tuple(Way(way) for way in self.ways.data or []),
            delivery_fee_fen=int(self.delivery_fee.data or 0),
            closed_on_holidays=bool(self.closed_on_holidays.data),
            servings=tuple(part.form.serving(meal) for meal, part in self.parts() if part.form.serves.data),
        )


def _said_of(canteen: Canteen) -> dict[str, Any]:
    served = {
        time.meal.value: {
            "serves": True,
            "opens": time.opens,
            "closes": time.closes,
            "cutoff_days": time.cutoff_days,
            "cutoff": time.cutoff,
        }
        for time in canteen.times
    }
    return {
        "community": canteen.community.code,
        "name": canteen.name,
        "address": canteen.address,
        "phone": canteen.phone,
        "ways": list(canteen.ways),
        "delivery_fee": canteen.delivery_fee_fen,
        "closed_on_holidays": canteen.closed_on_holidays,
        **served,
    }


class ServedDishPart(Part):
    """One dish of the list: whether it is on the menu, how many portions, at what price."""

    dish_id = HiddenField()
    chosen = BooleanField(_l("选用"))
    portions = CountField(_l("份数"), [Optional(), NumberRange(0, MOST_PORTIONS, _l("请填 0 到 2000 之间的整数"))])
    price = YuanField(_l("当天价格（元）"), [Optional()])

    def validate(self, extra_validators: Mapping[str, Sequence[Any]] | None = None) -> bool:
        fine = super().validate(extra_validators)
        if not self.chosen.data:
            return True
        for field, words in ((self.portions, _("请填份数")), (self.price, _("请填价格"))):
            if field.data is None and not field.errors:
                field.errors = [words]
                fine = False
        return fine


class MenuForm(Form):
    """The whole menu on one page: every dish of the canteen is a row. `publish` is the second button."""

    rows = FieldList(FormField(ServedDishPart))
    publish = HiddenField()

    @classmethod
    def of(cls, menu: Menu | None, dishes: Iterable[Dish], portions: int) -> "MenuForm":
        """A form filled from what stands; a dish that is not on the menu offers its usual price."""
        on_menu = {row.dish_id: row for row in menu.dishes} if menu else {}
        rows = [
            {
                "dish_id": str(dish.id),
                "chosen": dish.id in on_menu,
                "portions": on_menu[dish.id].capacity.total if dish.id in on_menu else portions,
                "price": on_menu[dish.id].price_fen if dish.id in on_menu else dish.price_fen,
            }
            for dish in dishes
        ]
        return cls(data={"rows": rows})

    def servings(self) -> list[menus.Serving]:
        return [
            menus.Serving(int(row.dish_id.data or 0), int(row.portions.data or 0), int(row.price.data or 0))
            for row in (entry.form for entry in self.rows)
            if row.chosen.data and str(row.dish_id.data).isdigit()
        ]


class ReasonForm(Form):
    reason = TrimmedField(_l("原因"), [required(_l("请写明原因")), at_most(200)])


class ClosingForm(Form):
    """From when a canteen is closed, and until when if not for good."""

    first = DayField(_l("从哪天起停止供餐"), [required(_l("请填日期"))], default=today)
    reopens_on = DayField(_l("哪天恢复供餐"), [Optional()])
    reason = TrimmedField(_l("原因"), [required(_l("请写明原因")), at_most(200)])
    withdraw = BooleanField(_l("撤回这些日子的菜单，取消订餐并通知本人"))

    def facts(self) -> dict[str, Any]:
        return {
            "first": self.first.data,
            "reopens_on": self.reopens_on.data,
            "reason": self.reason.data or "",
            "withdraw": bool(self.withdraw.data),
        }
