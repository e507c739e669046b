"""What a worker types about a household itself: its number and its home; and what a list of households asks for."""

from collections.abc import Mapping, Sequence

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import SelectField

from portal.areas.models import Area, Dwelling
from portal.core import web
from portal.core.errors import Missing
from portal.core.forms import OnceForm, TrimmedField, at_most, required
from portal.registry.forms.homes import DoorFields
from portal.registry.forms.search import PlaceForm
from portal.registry.models import Household
from portal.registry.service import household_lists, households
from portal.registry.service.household_lists import Sort, State, Wanted
from portal.registry.service.lists import Ground


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
        return households.dwelling_at(community_id, *self.door) if self.door[0] else None


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


class HouseholdListForm(PlaceForm):
    """The filters of a list as they stand; what was sent is read by wanted(), which takes what it understands."""

    words = TrimmedField(_l("门牌、户主或户号"))
    state = SelectField(_l("情况"))
    sort = SelectField(_l("排序"))

    @classmethod
    def of(cls, wanted: Wanted, place: Ground) -> "HouseholdListForm":
        form = cls(formdata=None, data={**wanted.said(), "state": wanted.state or "", "sort": wanted.sort.value})
        form.offer_places(place)
        states = ((state.value, household_lists.state_words(state)) for state in State)
        form.state.choices = [("", _("在册的户")), *states]
        form.sort.choices = [(sort.value, household_lists.sort_words(sort)) for sort in Sort]
        return form


def wanted(asked: Mapping[str, str]) -> Wanted:
    """The filters an address or a form names; what cannot be one is as if it were not there."""
    state, sort = asked.get("state"), asked.get("sort")
    return Wanted(
        area=asked.get("area", "")[:18],
        estate=max(0, web.number_asked("estate", said=asked)),
        building=max(0, web.number_asked("building", said=asked)),
        state=State(state) if state in set(State) else None,
        sort=Sort(sort) if sort in set(Sort) else Sort.DOOR,
        words=asked.get("words", "").replace("\x00", "").strip()[:60],
    )
