"""What a worker types about a household itself: its number and its home."""

from collections.abc import Sequence

from flask_babel import lazy_gettext as _l
from wtforms import SelectField

from portal.areas.models import Area, Dwelling
from portal.core.errors import Missing
from portal.core.forms import OnceForm, TrimmedField, at_most, required
from portal.registry.forms.homes import DoorFields
from portal.registry.models import Household
from portal.registry.service import households


class HouseholdForm(DoorFields, OnceForm):
    number = TrimmedField(_l("户号"), [required(_l("请填写户号")), at_most(40)])

    @classmethod
    def of(cls, household: Household, community: Area) -> "HouseholdForm":
        home = household.dwelling
        where = {"building": str(home.building_id), "unit": home.unit, "room": home.room} if home else {}
        form = cls(data={"number": household.number, **where})
        form.offer_buildings(community)
        return form

    def dwelling(self, community_id: int) -> Dwelling | None:
        if not self.building_id:
            return None
        return households.dwelling_at(community_id, self.building_id, self.text("unit"), self.text("room"))


class NewHouseholdForm(HouseholdForm):
    community = SelectField(_l("社区"), choices=[])

    @classmethod
    def among(cls, communities: Sequence[Area], dwelling: Dwelling | None) -> tuple["NewHouseholdForm", Area]:
        """The form, and the community it is about: the dwelling's, the one chosen, else the first."""
        if not communities:
            raise Missing
        where = (
            {"building": str(dwelling.building_id), "unit": dwelling.unit, "room": dwelling.room} if dwelling else {}
        )
        home = dwelling.building.estate.community if dwelling else communities[0]
        form = cls(data={**where, "community": home.code})
        form.community.choices = [(area.code, area.name) for area in communities]
        chosen = next((area for area in communities if area.code == form.community.data), communities[0])
        form.offer_buildings(chosen)
        return form, chosen
