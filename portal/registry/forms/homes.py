"""Which household somebody comes to, which home one lives in: looked for and picked, or typed. Several forms share it.

Searching is a step of the form itself: its button is sent with everything typed, which stays as it was.
"""

from collections.abc import Collection, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectField, SubmitField
from wtforms.validators import Optional

from portal.areas.models import Area
from portal.core.access import Scope
from portal.core.errors import Refused
from portal.core.forms import Form, TrimmedField, at_most
from portal.registry.models import Household, Person, Relation
from portal.registry.service import household_lists, households, registering, words
from portal.registry.service.household_lists import Line
from portal.registry.service.registering import Home

Door = tuple[int, str, str]


class LookingForm(Form):
    """While one of its searches is asked nothing is checked and nothing done."""

    @property
    def looks(self) -> bool:
        return bool(self.is_submitted() and any(isinstance(field, SubmitField) and field.data for field in self))

    def validate_on_submit(self, extra_validators: object = None) -> bool:
        return not self.looks and bool(super().validate_on_submit(extra_validators))


class DoorFields(LookingForm):
    """A home: one that was found and picked, else by its building, unit and room."""

    door_words = TrimmedField(_l("查找房屋"), [at_most(60)])
    door_look = SubmitField(_l("查找房屋"))
    dwelling_id = RadioField(_l("找到的房屋"), choices=[], validate_choice=False)
    building = SelectField(_l("楼栋"), choices=[], default="")
    unit = TrimmedField(_l("单元"), [Optional(), at_most(20)])
    room = TrimmedField(_l("房号"), [Optional(), at_most(20)])

    def offer_buildings(self, community: Area) -> None:
        known = [(str(one.id), f"{one.estate.name} {one.name}") for one in households.buildings(community)]
        self.building.choices = [("", _("不填住址")), *known]
        found = household_lists.homes_found(self.text("door_words"), community)
        picked = household_lists.home_picked(_number(self.text("dwelling_id")), community)
        self.doors = {str(home.id): home for home in [*([picked] if picked else []), *found]}
        other = [("", _("都不是，自己填楼栋、单元和房号"))] if self.doors else []
        self.dwelling_id.choices = [*((key, home.address()) for key, home in self.doors.items()), *other]
        self.dwelling_id.data = str(picked.id) if picked else ""

    def refuse_door(self) -> None:
        """A home elsewhere needs its building and its room."""
        building, _unit, room = self.door
        if not building:
            self.refuse(Refused(_("请选择楼栋。"), field="building"))
        elif not room:
            self.refuse(Refused(_("请填写房号。"), field="room"))

    @property
    def door(self) -> Door:
        """The building's id, 0 for none, the unit and the room."""
        picked = self.doors.get(self.text("dwelling_id"))
        if picked:
            return picked.building_id, picked.unit, picked.room
        return int(self.text("building") or 0), self.text("unit"), self.text("room")


class HomeFields(DoorFields):
    home = RadioField(_l("住到哪一户"), choices=[])
    household_words = TrimmedField(_l("查找已有的户"), [at_most(60)])
    household_look = SubmitField(_l("查找户"))
    household_id = RadioField(_l("找到的户"), choices=[], validate_choice=False)
    household_number = TrimmedField(_l("户号"), [Optional(), at_most(40)])
    relation = SelectField(_l("与户主关系"), choices=[])

    def offer_homes(
        self, community: Area, within: Collection[Scope], *, nowhere: bool = True, led: Household | None = None
    ) -> None:
        """`led` is the household whose page led here: it is picked already."""
        self.place, self.within = community, within
        without = [("none", _("暂不入户"))] if nowhere else []
        self.home.choices = [("existing", _("已有的户")), ("new", _("新建一户")), *without]
        self.relation.choices = [(kind.value, words.in_words(kind)) for kind in Relation]
        if not self.is_submitted() and not self.relation.data:
            self.relation.data = Relation.OTHER.value
        if led and not self.is_submitted():
            self.household_id.data = str(led.id)
        self._offer_households(community, within)
        self.offer_buildings(community)

    def _offer_households(self, community: Area, within: Collection[Scope]) -> None:
        found = household_lists.found(self.text("household_words"), community, within)
        picked = household_lists.picked(_number(self.text("household_id")), community, within)
        self.households = {str(line.id): line for line in [*([picked] if picked else []), *found]}
        other = [("", _("都不是"))] if self.households else []
        lines = ((key, household_lists.line_words(line)) for key, line in self.households.items())
        self.household_id.choices = [*lines, *other]
        # The only one that was found is meant, unless a worker says otherwise.
        only = found[0] if len(found) == 1 and self.household_look.data else None
        chosen = picked or only
        self.household_id.data = str(chosen.id) if chosen else ""

    def validate(self, extra_validators: Any = None) -> bool:
        """The home is looked at with the other fields, so that all mistakes are told at once."""
        holds = super().validate(extra_validators)
        home = self.chosen_home()
        if home is None or self.relation.errors:
            return holds
        try:
            registering.refuse_home(self.place.id, home, Relation(self.relation.data), self.within, but=self.comer)
        except Refused as refused:
            self.refuse(refused)
            holds = False
        if home.opens and home.building_id and not home.room:
            self.refuse_door()
            holds = False
        return holds

    @property
    def comer(self) -> Person | None:
        """Who comes, where she is known already."""
        return None

    def chosen_home(self) -> Home | None:
        """What was chosen; None for nowhere yet."""
        if self.home.data == "none":
            return None
        if self.home.data == "new":
            building, unit, room = self.door
            return Home(self.text("household_number"), opens=True, building_id=building, unit=unit, room=room)
        picked = self.households.get(self.text("household_id"))
        return Home(picked.number if picked else self.text("household_number"))


class FindHouseholdForm(LookingForm):
    """A household is looked for, and picked by the link of one that was found."""

    household_words = TrimmedField(_l("查找户"), [at_most(60)])
    household_look = SubmitField(_l("查找户"))
    lines: Sequence[Line] = ()

    @classmethod
    def beside(cls, household: Household, community: Area, within: Collection[Scope]) -> "FindHouseholdForm":
        """The others of its community."""
        form = cls()
        found = household_lists.found(form.text("household_words"), community, within)
        form.lines = [line for line in found if line.id != household.id]
        return form


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else 0
