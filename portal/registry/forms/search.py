"""What a worker asks for: words, filters that an address may hold, and a look beyond her own area."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import IntegerField, SelectField
from wtforms.validators import ValidationError

from portal.areas.models import Area, AreaKind
from portal.core import ids
from portal.core.clock import today
from portal.core.forms import Form, TrimmedField, at_most, required
from portal.core.ids import Sex
from portal.registry.forms.accounts import test_region_allowed
from portal.registry.models import PersonState, Registration, TagKind
from portal.registry.service import finding, lists, words
from portal.registry.service.lists import Ground, Sort, Wanted

Kind = TypeVar("Kind", bound=StrEnum)
OLDEST = 150


class SearchForm(Form):
    q = TrimmedField(_l("查找居民"), [required(_l("请输入要查找的内容")), at_most(60)])


class BeyondForm(Form):
    """A whole number and a reason: outside one's own area nobody is looked up by less."""

    number = TrimmedField(_l("身份证号码或手机号"), [required(_l("请输入完整的身份证号码或手机号")), at_most(30)])
    reason = TrimmedField(_l("查询原因"), [required(_l("请写明为什么要查，居民本人会看到这个原因")), at_most(100)])

    def validate_number(self, field: TrimmedField) -> None:
        try:
            if finding.kind_of_query(field.data or "") == "id_number":
                ids.check_id_number(field.data or "", today=today(), allow_test_region=test_region_allowed())
            else:
                ids.check_mobile(field.data or "")
        except ids.InvalidNumber as invalid:
            raise ValidationError(str(invalid)) from None

    def validate_reason(self, field: TrimmedField) -> None:
        if len(field.data or "") < 2:
            raise ValidationError(_("请把原因写得具体一些"))


class PlaceForm(Form):
    """Where a list looks: an area, an estate of it, a building of that; what there is no choice of is not asked."""

    area = SelectField(_l("区域"))
    estate = SelectField(_l("小区"))
    building = SelectField(_l("楼栋"))

    def offer_places(self, place: Ground) -> None:
        self.area.choices = [("", _("全部")), *((area.code, area_words(area)) for area in place.areas)]
        self.estate.choices = [("", _("全部")), *((str(one.id), one.name) for one in place.estates)]
        self.building.choices = [("", _("全部")), *((str(one.id), one.name) for one in place.buildings)]
        if not place.estates:
            del self.estate
        if not place.buildings:
            del self.building


class ListForm(PlaceForm):
    """The filters of a list as they stand; an address is read by wanted(), which takes what it understands."""

    tag = SelectField(_l("标签"))
    age_from = IntegerField(_l("年龄从"))
    age_to = IntegerField(_l("年龄到"))
    sex = SelectField(_l("性别"))
    registration = SelectField(_l("户籍"))
    state = SelectField(_l("登记状态"))
    sort = SelectField(_l("排序"))

    @classmethod
    def of(cls, wanted: Wanted, place: Ground) -> "ListForm":
        form = cls(formdata=None, data={**wanted.query(), "age_from": wanted.age_from, "age_to": wanted.age_to})
        form.offer_places(place)
        form.tag.choices = [("", _("不限")), *((kind.value, words.tag(kind)) for kind in TagKind)]
        form.sex.choices = [("", _("不限")), *((kind.value, words.sex(kind)) for kind in Sex)]
        registrations = ((kind.value, words.registration(kind)) for kind in Registration)
        form.registration.choices = [("", _("不限")), *registrations]
        form.state.choices = [*((kind.value, words.state(kind)) for kind in PersonState), ("all", _("不限"))]
        form.sort.choices = [(sort.value, lists.sort_words(sort)) for sort in Sort]
        return form


def area_words(area: Area) -> str:
    return area.name if area.kind is AreaKind.COMMUNITY else "　" + area.name


def wanted(asked: Mapping[str, str]) -> Wanted:
    """The filters an address or a form names; what cannot be one is as if it were not there."""
    state = asked.get("state", PersonState.PRESENT.value)
    return Wanted(
        area=asked.get("area", "")[:18],
        estate=_number(asked.get("estate"), 2**31 - 1) or 0,
        building=_number(asked.get("building"), 2**31 - 1) or 0,
        tag=_one(TagKind, asked.get("tag")),
        age_from=_number(asked.get("age_from"), OLDEST),
        age_to=_number(asked.get("age_to"), OLDEST),
        sex=_one(Sex, asked.get("sex")),
        registration=_one(Registration, asked.get("registration")),
        state=None if state == "all" else _one(PersonState, state) or PersonState.PRESENT,
        sort=_one(Sort, asked.get("sort")) or Sort.NAME,
    )


def _one(kind: type[Kind], text: str | None) -> Kind | None:
    return kind(text) if text in set(kind) else None


def _number(text: str | None, most: int) -> int | None:
    digits = (text or "").strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 10):
        return None
    return min(int(digits), most)
