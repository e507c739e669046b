"""What a worker types about a roster: its name, a note, and which roster somebody goes on."""

from collections.abc import Collection
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import SelectField
from wtforms.validators import Optional, ValidationError

from portal.core.forms import OnceForm, TrimmedField, at_most, required
from portal.registry.models import Roster


class RosterForm(OnceForm):
    name = TrimmedField(_l("名单名称"), [required(_l("请给名单起个名字，例如高温走访")), at_most(40)])
    note = TrimmedField(_l("说明"), [Optional(), at_most(200)])


class PickForm(OnceForm):
    """Which roster the ticked people go on: one there is, or a new one by its name."""

    roster = SelectField(_l("加入哪个名单"), choices=[])
    name = TrimmedField(_l("新名单名称"), [at_most(40)])

    @classmethod
    def of(cls, known: Collection[Roster]) -> "PickForm":
        form = cls()
        form.roster.choices = [*((roster.public_id, roster.name) for roster in known), ("", _("新建名单"))]
        return form

    def validate_name(self, field: Any) -> None:
        if not self.roster.data and not field.data:
            raise ValidationError(_("请给新名单起个名字，或选一个已有的名单"))
