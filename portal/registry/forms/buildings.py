"""What a worker types about buildings and homes."""

from collections.abc import Sequence

from flask_babel import lazy_gettext as _l
from wtforms import SelectField
from wtforms.validators import NumberRange, Optional

from portal.areas import service as areas
from portal.areas.models import Area, Building, Dwelling, DwellingUse
from portal.core.errors import Missing
from portal.core.forms import CountField, FiguresField, Form, OnceForm, TrimmedField, at_most, required
from portal.registry.service import buildings
from portal.registry.service.buildings import Pattern

Choices = list[tuple[str, str]]


def _between(least: int, most: int) -> NumberRange:
    return NumberRange(min=least, max=most, message=_l("请填 %(min)s 到 %(max)s 之间的数"))


class _GridForm(Form):
    """A form that may name a grid of its community."""

    grid = SelectField(_l("所属网格"), choices=[])

    def offer(self, grids: Sequence[Area]) -> None:
        self._grids = {grid.code: grid for grid in grids}
        self.grid.choices = [("", _l("不指定")), *((grid.code, grid.name) for grid in grids)]

    def chosen_grid(self) -> Area | None:
        return self._grids.get(self.grid.data or "")


class NewBuildingForm(_GridForm, OnceForm):
    community = SelectField(_l("社区"), choices=[])
    estate = TrimmedField(_l("小区或自然村"), [required(), at_most(60)])
    name = TrimmedField(_l("楼栋"), [required(), at_most(40)])
    units = CountField(_l("几个单元"), [required(), _between(1, 30)], default=1)
    floors = CountField(_l("几层"), [required(), _between(1, 60)], default=6)
    rooms = CountField(_l("每层每单元几间"), [required(), _between(1, 40)], default=2)

    @classmethod
    def among(cls, communities: Sequence[Area]) -> tuple["NewBuildingForm", Area]:
        """The form, and the community it is about: the one chosen, else the first. Missing where there is none."""
        if not communities:
            raise Missing
        form = cls()
        form.community.choices = [(area.code, area.name) for area in communities]
        chosen = next((area for area in communities if area.code == form.community.data), communities[0])
        form.offer(areas.grids(chosen))
        return form, chosen

    def build(self, community: Area) -> Building:
        pattern = Pattern(self.units.data or 1, self.floors.data or 1, self.rooms.data or 1)
        estate, name = self.text("estate"), self.text("name")
        return buildings.add_building(community, estate=estate, name=name, grid=self.chosen_grid(), pattern=pattern)


class BuildingForm(_GridForm):
    name = TrimmedField(_l("楼栋"), [required(), at_most(40)])

    @classmethod
    def of(cls, building: Building, grids: Sequence[Area]) -> "BuildingForm":
        form = cls(data={"name": building.name, "grid": building.grid.code if building.grid else ""})
        form.offer(grids)
        return form


class NewDwellingForm(OnceForm):
    unit = TrimmedField(_l("单元"), [at_most(20), Optional()])
    room = TrimmedField(_l("房号"), [required(), at_most(20)])
    floor = CountField(_l("楼层"), [Optional(), _between(-3, 99)])


class DwellingForm(Form):
    use = SelectField(_l("房屋用途"), choices=[])
    area_m2 = FiguresField(_l("产权面积（平方米）"), [Optional(), _between(1, 99_999)], places=2)
    floor = CountField(_l("楼层"), [Optional(), _between(-3, 99)])

    @classmethod
    def of(cls, dwelling: Dwelling) -> "DwellingForm":
        form = cls(data={"use": dwelling.use.value, "area_m2": dwelling.area_m2, "floor": dwelling.floor})
        form.use.choices = [(use.value, buildings.use_words(use)) for use in DwellingUse]
        return form
