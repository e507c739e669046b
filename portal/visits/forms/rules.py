"""Forms of the street's tables."""

from collections.abc import Iterable
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import SelectField
from wtforms.validators import NumberRange, Optional

from portal.areas.models import Area
from portal.core.clock import today
from portal.core.forms import CountField, DayField, Form, TrimmedField, at_most, required
from portal.registry.models import TagKind
from portal.registry.service import words as registry
from portal.visits.forms.fields import ManyField, PickField
from portal.visits.models import FindingKind, Frequency, Level, StepKind
from portal.visits.service.tables import RuleFacts
from portal.visits.service.words import choices


def _age() -> NumberRange:
    return NumberRange(0, 120, _l("请填 0 到 120 之间的整数"))


class AreaForm(Form):
    """A row of a table: where it holds, and from when."""

    area = SelectField(_l("适用范围"))

    def __init__(self, places: Iterable[Area], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.area.choices = [(area.code, area.name) for area in places]


class RuleForm(AreaForm):
    name = TrimmedField(_l("规则名称"), validators=[required(), at_most(60)])
    tags = ManyField(_l("人群标签"), validators=[Optional()], description=_l("有其中一个就算"))
    age_from = CountField(_l("年龄从（岁）"), validators=[Optional(), _age()])
    age_to = CountField(_l("年龄到（岁）"), validators=[Optional(), _age()])
    level = PickField(_l("关爱等级"), validators=[required(_l("请选一项"))])
    valid_from = DayField(_l("开始日期"), validators=[required()], default=today)
    valid_to = DayField(_l("结束日期"), validators=[Optional()], description=_l("含这一天；不填就一直有效"))
    source = TrimmedField(_l("依据"), validators=[Optional(), at_most(200)])

    def __init__(self, places: Iterable[Area], *args: Any, **kwargs: Any) -> None:
        super().__init__(places, *args, **kwargs)
        self.tags.choices = [(kind.value, registry.tag(kind)) for kind in TagKind]
        self.level.choices = choices(Level)

    def facts(self) -> RuleFacts:
        return RuleFacts(
            name=self.text("name"),
            area_code=self.area.data,
            tags=frozenset(TagKind(tag) for tag in self.tags.data or ()),
            age_from=self.age_from.data,
            age_to=self.age_to.data,
            level=Level(self.level.data),
            valid_from=self.valid_from.data or today(),
            valid_to=self.valid_to.data,
            source=self.text("source"),
        )

    def refused_field(self, field: str) -> str:
        return "area" if field == "area_code" else field


class FrequencyForm(AreaForm):
    level = PickField(_l("关爱等级"), validators=[required(_l("请选一项"))])
    frequency = PickField(_l("多久探访一次"), validators=[required(_l("请选一项"))])
    valid_from = DayField(_l("从哪天起"), validators=[required()], default=today)

    def __init__(self, places: Iterable[Area], *args: Any, **kwargs: Any) -> None:
        super().__init__(places, *args, **kwargs)
        self.level.choices = choices(Level)
        self.frequency.choices = choices(Frequency)


class LadderForm(AreaForm):
    kind = PickField(_l("哪一步"), validators=[required(_l("请选一项"))])
    minutes = CountField(
        _l("没见到以后多少分钟内"),
        validators=[required(), NumberRange(1, 1440, _l("请填 1 到 1440 之间的整数"))],
    )
    valid_from = DayField(_l("从哪天起"), validators=[required()], default=today)

    def __init__(self, places: Iterable[Area], *args: Any, **kwargs: Any) -> None:
        super().__init__(places, *args, **kwargs)
        self.kind.choices = choices(StepKind)


class RouteForm(AreaForm):
    kind = PickField(_l("发现的问题"), validators=[required(_l("请选一项"))])
    party = TrimmedField(_l("转给谁"), validators=[required(), at_most(60)])
    days = CountField(
        _l("几天内办"), validators=[Optional(), NumberRange(0, 90, _l("请填 0 到 90 之间的整数"))], default=7
    )
    valid_from = DayField(_l("从哪天起"), validators=[required()], default=today)

    def __init__(self, places: Iterable[Area], *args: Any, **kwargs: Any) -> None:
        super().__init__(places, *args, **kwargs)
        self.kind.choices = choices(FindingKind)
