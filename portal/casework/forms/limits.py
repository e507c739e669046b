"""Forms of the street's limits."""

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import SelectField
from wtforms.validators import InputRequired, NumberRange, Optional

from portal.areas.models import Area
from portal.casework.forms.worker import category_words
from portal.casework.models.categories import Category
from portal.casework.models.codes import CaseKind, Urgency
from portal.casework.models.limits import CaseLimit, LimitStep, LimitUnit
from portal.casework.service.limits import LimitFacts
from portal.casework.service.limitwords import steps, units
from portal.casework.service.words import choices
from portal.core.clock import today
from portal.core.forms import CountField, DayField, Form, required


class LimitForm(Form):
    area = SelectField(_l("适用范围"))
    step = SelectField(_l("哪一步"), validators=[InputRequired(_l("请选一项"))])
    category = SelectField(_l("类别"), validators=[Optional()])
    kind = SelectField(_l("要求"), validators=[Optional()])
    urgency = SelectField(_l("紧急程度"), validators=[Optional()])
    count = CountField(
        _l("多少"), validators=[InputRequired(_l("请填整数")), NumberRange(0, 720, _l("请填 0 到 720 之间的整数"))]
    )
    unit = SelectField(_l("单位"), validators=[InputRequired(_l("请选一项"))])
    valid_from = DayField(_l("从哪天起"), validators=[required()], default=today)

    def __init__(self, places: list[Area], leaves: list[Category], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.area.choices = [(area.code, area.name) for area in places]
        self.step.choices = steps()
        self.category.choices = [("", _("所有类别")), *((one.code, category_words(one)) for one in leaves)]
        self.kind.choices = [("", _("都一样")), *choices(CaseKind)]
        self.urgency.choices = [("", _("都一样")), *choices(Urgency)]
        self.unit.choices = units()

    @staticmethod
    def facts_of(row: CaseLimit) -> dict[str, Any]:
        """What stands, to be changed from a day on: the older row ends on the day before."""
        said = {"area": row.area_code, "step": row.step.value, "category": row.category_code, "count": row.count}
        kind, urgency = row.kind.value if row.kind else "", row.urgency.value if row.urgency else ""
        return said | {"kind": kind, "urgency": urgency, "unit": row.unit.value}

    def facts(self) -> LimitFacts:
        return LimitFacts(
            area_code=self.area.data,
            step=LimitStep(self.step.data),
            category_code=self.text("category"),
            kind=CaseKind(self.kind.data) if self.kind.data else None,
            urgency=Urgency(self.urgency.data) if self.urgency.data else None,
            count=self.count.data or 0,
            unit=LimitUnit(self.unit.data),
            valid_from=self.valid_from.data or today(),
        )


class EndLimitForm(Form):
    last_day = DayField(_l("有效到哪天"), validators=[required()])
