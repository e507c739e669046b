"""The form of an extra round."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import SelectField
from wtforms.validators import Optional

from portal.areas.models import Area
from portal.core.clock import today
from portal.core.forms import DayField, OnceForm, TrimmedField, at_most, required
from portal.registry.models import TagKind
from portal.registry.service import words as registry
from portal.visits.forms.fields import ManyField, PickField
from portal.visits.models import Level, Method, RoundKind
from portal.visits.service.rounds import Asked
from portal.visits.service.words import choices


class RoundForm(OnceForm):
    kind = PickField(_l("为什么加访"), validators=[required(_l("请选一项"))], default=RoundKind.HEAT.value)
    title = TrimmedField(_l("名称"), validators=[required(), at_most(60)], description=_l("例如：7 月高温探访"))
    community = SelectField(_l("社区"))
    levels = ManyField(_l("关爱等级"), validators=[Optional()])
    tags = ManyField(_l("人群标签"), validators=[Optional()], description=_l("等级和标签，符合其中一项就去"))
    first_day = DayField(_l("从哪天起"), validators=[required()], default=today)
    last_day = DayField(_l("到哪天"), validators=[required()], default=lambda: today() + timedelta(days=6))
    method = SelectField(_l("方式"), default=Method.HOME.value)

    def __init__(self, communities: Iterable[Area], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind.choices = choices(RoundKind)
        self.community.choices = [(area.code, area.name) for area in communities]
        self.levels.choices = choices(Level)
        self.tags.choices = [(kind.value, registry.tag(kind)) for kind in TagKind]
        self.method.choices = choices(Method)

    def asked(self) -> Asked:
        return Asked(
            kind=RoundKind(self.kind.data),
            title=self.text("title"),
            tags=frozenset(TagKind(tag) for tag in self.tags.data or ()),
            levels=frozenset(Level(level) for level in self.levels.data or ()),
            first_day=self.first_day.data or today(),
            last_day=self.last_day.data or today(),
            method=Method(self.method.data),
        )
