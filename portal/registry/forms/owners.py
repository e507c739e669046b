"""What a worker types about who owns a home."""

from collections.abc import Collection
from datetime import date

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectField, TextAreaField
from wtforms.validators import Optional

from portal.areas.models import Dwelling
from portal.core.access import Scope
from portal.core.clock import today
from portal.core.errors import Missing, Refused
from portal.core.forms import DayField, Form, IdNumberField, TrimmedField, at_most, required
from portal.registry.forms.accounts import test_region_allowed
from portal.registry.forms.people import PhoneField
from portal.registry.forms.picking import PersonPick
from portal.registry.service.owners import OwnerFacts
from portal.registry.service.resources import organisations

KINDS = (
    ("person", _l("本街道登记的居民")),
    ("organisation", _l("单位（例如开发商、公司）")),
    ("other", _l("住在别处的人")),
)


class OwnerForm(PersonPick):
    """Who owns a home: somebody of the register, an organisation, or somebody from elsewhere."""

    kind = RadioField(_l("业主是谁"), choices=[], default="person")
    organisation = SelectField(_l("哪个单位"), choices=[])
    name = TrimmedField(_l("姓名"), [Optional(), at_most(60)])
    id_number = IdNumberField(_l("身份证号"), [Optional()], allow_test_region=test_region_allowed)
    phone = PhoneField(_l("电话"), [Optional()])
    since = DayField(_l("从哪天起是业主"), [Optional()])
    source = TrimmedField(_l("依据"), [required(_l("请写明依据")), at_most(60)])

    @classmethod
    def of(cls, dwelling: Dwelling, within: Collection[Scope]) -> "OwnerForm":
        form = cls()
        form.within = within
        form.kind.choices = list(KINDS)
        known = organisations.choices(dwelling.building.estate.community_id)
        form.organisation.choices = [("", _("没有选")), *known]
        form.offer_people(within)
        return form

    def facts(self) -> OwnerFacts:
        """Refused where what was chosen is not filled in."""
        if self.kind.data == "person":
            return OwnerFacts("", person=self.picked())
        if self.kind.data == "organisation":
            return self._organisation()
        if not self.text("name"):
            raise Refused(_("请填写业主姓名。"), field="name")
        return OwnerFacts(self.text("name"), id_number=self.text("id_number"), phone=self.text("phone"))

    def _organisation(self) -> OwnerFacts:
        try:
            found = organisations.organisation_in(self.within, int(self.text("organisation") or 0))
        except Missing:
            raise Refused(_("请选一个单位；没有的，先到“服务组织”里登记。"), field="organisation") from None
        return OwnerFacts(found.name, organisation=found)


class EndTitleForm(Form):
    until = DayField(_l("从哪天起不再是业主"), [required(_l("请填日期"))], default=today)
    reason = TextAreaField(_l("原因"), [required(_l("请写明原因")), at_most(200)])

    @property
    def from_day(self) -> date:
        return self.until.data or today()


class LinkOwnerForm(PersonPick):
    """Which person of the register an owner from elsewhere is."""

    @classmethod
    def of(cls, within: Collection[Scope]) -> "LinkOwnerForm":
        form = cls()
        form.offer_people(within)
        return form


class UnlinkOwnerForm(Form):
    reason = TextAreaField(_l("原因"), [required(_l("请写明原因")), at_most(200)])
