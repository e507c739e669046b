"""Which household somebody comes to: the fields that registering, moving in and splitting share."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectField
from wtforms.validators import Optional

from portal.areas.models import Area
from portal.core.forms import Form, TrimmedField, at_most
from portal.registry.models import Relation
from portal.registry.service import households, words
from portal.registry.service.registering import Home


class DoorFields(Form):
    """A home by its building, unit and room."""

    building = SelectField(_l("楼栋"), choices=[], default="")
    unit = TrimmedField(_l("单元"), [Optional(), at_most(20)])
    room = TrimmedField(_l("房号"), [Optional(), at_most(20)])

    def offer_buildings(self, community: Area) -> None:
        known = [(str(one.id), f"{one.estate.name} {one.name}") for one in households.buildings(community)]
        self.building.choices = [("", _("不填住址")), *known]

    @property
    def building_id(self) -> int:
        return int(self.text("building") or 0)


class HomeFields(DoorFields):
    home = RadioField(_l("住到哪一户"), choices=[])
    household_number = TrimmedField(_l("户号"), [Optional(), at_most(40)])
    relation = SelectField(_l("与户主关系"), choices=[])

    def offer_homes(self, community: Area, *, nowhere: bool = True) -> None:
        without = [("none", _("暂不入户"))] if nowhere else []
        self.home.choices = [("existing", _("已有的户")), ("new", _("新建一户")), *without]
        self.relation.choices = [(kind.value, words.in_words(kind)) for kind in Relation]
        if not self.is_submitted() and not self.relation.data:
            self.relation.data = Relation.OTHER.value
        self.offer_buildings(community)

    def chosen_home(self) -> Home | None:
        """What was chosen; None for nowhere yet."""
        if self.home.data == "none":
            return None
        opens = self.home.data == "new"
        return Home(self.text("household_number"), opens, self.building_id, self.text("unit"), self.text("room"))
