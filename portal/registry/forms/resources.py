"""What a worker types about facilities, organisations, staff, volunteer teams and stock."""

from decimal import Decimal, InvalidOperation
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import NumberRange, Optional, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from portal.core import ids
from portal.core.forms import ClockField, CountField, DayField, Form, OnceForm, TrimmedField, at_most, required
from portal.registry.models import (
    Ease,
    Facility,
    FacilityKind,
    Organisation,
    OrganisationKind,
    Room,
    Staff,
    StaffKind,
    Standing,
    StockItem,
    StockReason,
    VolunteerTeam,
)
from portal.registry.service.resources import hours
from portal.registry.service.resources.facilities import FacilityFacts, RoomFacts
from portal.registry.service.resources.listing import Wanted
from portal.registry.service.resources.organisations import OrganisationFacts
from portal.registry.service.resources.staff import StaffFacts
from portal.registry.service.resources.stock import ItemFacts
from portal.registry.service.resources.teams import TeamFacts
from portal.registry.service.resources.words import choices

SERVICE_NUMBERS = frozenset({"110", "119", "120", "122", "12345", "12349"})


class LineField(TrimmedField):
    """A public telephone: mobile, landline, or a short service number."""

    def pre_validate(self, form: Any) -> None:
        if not self.data or self.data in SERVICE_NUMBERS:
            return
        try:
            self.data = ids.check_phone(self.data)
        except ids.InvalidNumber as invalid:
            raise ValidationError(str(invalid)) from None


class SquareMetresField(StringField):
    """An area with at most two decimals."""

    def _value(self) -> str:
        return str(self.raw_data[0]) if self.raw_data else str(self.data or "")

    def process_formdata(self, valuelist: list[Any]) -> None:
        text = str(valuelist[0]).strip() if valuelist else ""
        self.data = None
        if not text:
            return
        try:
            number = Decimal(text)
        except InvalidOperation:
            raise ValueError(_("请填面积，例如 86.5")) from None
        if not number.is_finite() or not 0 < number < 1_000_000 or number != round(number, 2):
            raise ValueError(_("请填 0 到 1000000 之间的面积，最多两位小数。"))
        self.data = number  # type: ignore[assignment]


class ManyField(SelectMultipleField):
    """Several of a few: a group of checkboxes."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class FilterForm(Form):
    """The filter of a list, shown from what the address asks; it is read there, not here."""

    class Meta(Form.Meta):
        csrf = False

    q = TrimmedField(_l("查找"))
    community = SelectField(_l("社区"))
    kind = SelectField(_l("类型"))
    state = SelectField(_l("状态"))

    @classmethod
    def of(
        cls,
        wanted: Wanted,
        *,
        communities: list[tuple[str, str]],
        kinds: list[tuple[str, str]],
        states: list[tuple[str, str]],
    ) -> "FilterForm":
        form = cls(data={name: getattr(wanted, name) for name in ("q", "community", "kind", "state")})
        form.community.choices = [("", _("全部社区")), *communities]
        form.kind.choices = [("", _("全部类型")), *kinds]
        form.state.choices = [("", _("在用")), *states, ("closed", _("已停用"))]
        return form


class FacilityForm(Form):
    community = SelectField(_l("所在社区"))
    name = TrimmedField(_l("名称"), [required(), at_most(60)])
    kind = SelectField(_l("类型"))
    area_m2 = SquareMetresField(_l("建筑面积（平方米）"), [Optional()])
    address = TrimmedField(_l("地址"), [Optional(), at_most(120)])
    building = SelectField(_l("所在楼栋"), [Optional()])
    unit = TrimmedField(_l("单元"), [Optional(), at_most(20)])
    room = TrimmedField(_l("室号"), [Optional(), at_most(20)])
    phone = LineField(_l("电话"), [Optional(), at_most(30)])
    hours = TextAreaField(_l("开放时间"), [Optional(), at_most(300)])
    eases = ManyField(_l("无障碍条件"), [Optional()])
    note = TextAreaField(_l("说明"), [Optional(), at_most(300)])
    is_public = BooleanField(_l("在“身边的设施”里给居民看"), default=True)

    def __init__(self, *args: Any, facility: Facility | None = None, **kwargs: Any) -> None:
        if facility is not None:
            kwargs["data"] = _said_of_facility(facility)
        super().__init__(*args, **kwargs)
        self.kind.choices = choices(FacilityKind)
        self.eases.choices = choices(Ease)
        self.building.choices = [("", _("不在登记的楼栋里，或不清楚"))]

    def offer(self, communities: list[tuple[str, str]], buildings: list[tuple[str, str]]) -> None:
        self.community.choices = communities
        self.building.choices = [("", _("不在登记的楼栋里，或不清楚")), *buildings]

    def facts(self) -> FacilityFacts:
        building = self.text("building")
        return FacilityFacts(
            name=self.text("name"),
            kind=FacilityKind(self.kind.data),
            area_m2=self.area_m2.data,  # type: ignore[arg-type]
            address=self.text("address"),
            building_id=int(building) if building.isdigit() else None,
            unit=self.text("unit"),
            room=self.text("room"),
            phone=self.text("phone"),
            hours=self.text("hours"),
            eases=tuple(Ease(code) for code in self.eases.data or []),
            note=self.text("note").strip(),
            is_public=bool(self.is_public.data),
        )


def _said_of_facility(facility: Facility) -> dict[str, Any]:
    return {
        "community": facility.community.code,
        "name": facility.name,
        "kind": facility.kind.value,
        "area_m2": facility.area_m2,
        "address": facility.address,
        "building": str(facility.building_id or ""),
        "unit": facility.dwelling.unit if facility.dwelling else "",
        "room": facility.dwelling.room if facility.dwelling else "",
        "phone": facility.phone,
        "hours": hours.said(facility.hours),
        "eases": list(facility.eases),
        "note": facility.note,
        "is_public": facility.is_public,
    }


class RoomForm(Form):
    name = TrimmedField(_l("房间名称"), [required(), at_most(60)])
    capacity = CountField(_l("可容纳人数"), [Optional(), NumberRange(0, 5000, _l("请填 0 到 5000 之间的整数"))])
    area_m2 = SquareMetresField(_l("面积（平方米）"), [Optional()])
    is_accessible = BooleanField(_l("轮椅可以进出"))

    def __init__(self, *args: Any, standing: Room | None = None, **kwargs: Any) -> None:
        if standing is not None:
            names = ("name", "capacity", "area_m2", "is_accessible")
            kwargs["data"] = {name: getattr(standing, name) for name in names}
        super().__init__(*args, **kwargs)

    def facts(self) -> RoomFacts:
        return RoomFacts(
            name=self.text("name"),
            capacity=int(self.capacity.data or 0),
            area_m2=self.area_m2.data,  # type: ignore[arg-type]
            is_accessible=bool(self.is_accessible.data),
        )


class UseForm(Form):
    name = TrimmedField(_l("用途"), [required(), at_most(60)])
    weekday = SelectField(_l("星期"), coerce=int)
    opens = ClockField(_l("开始"), [required(_l("请填时间，例如 14:00"))])
    closes = ClockField(_l("结束"), [required(_l("请填时间，例如 16:00"))])
    held_by = TrimmedField(_l("由谁组织"), [Optional(), at_most(60)])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.weekday.choices = [(day, hours.weekday(day)) for day in range(7)]

    def said(self) -> dict[str, Any]:
        return {
            "name": self.text("name"),
            "weekday": int(self.weekday.data),
            "opens": self.opens.data,
            "closes": self.closes.data,
            "held_by": self.text("held_by"),
        }


class OrganisationForm(Form):
    community = SelectField(_l("所在社区"))
    name = TrimmedField(_l("名称"), [required(), at_most(80)])
    kind = SelectField(_l("类型"))
    standing = SelectField(_l("登记情况"))
    uscc = TrimmedField(_l("统一社会信用代码"), [Optional(), at_most(40)])
    uscc_reason = TrimmedField(_l("信用代码校验不过，仍采用的原因"), [Optional(), at_most(200)])
    filed_number = TrimmedField(_l("备案号"), [Optional(), at_most(40)])
    grade = SelectField(_l("评估等级"), coerce=int)
    grade_from = DayField(_l("等级有效期开始"), [Optional()])
    grade_until = DayField(_l("等级有效期结束"), [Optional()])
    contact_name = TrimmedField(_l("联系人"), [Optional(), at_most(60)])
    contact_phone = LineField(_l("联系人电话"), [Optional(), at_most(30)])
    drop_phone = BooleanField(_l("原联系人电话已停用，清除"))
    phone = LineField(_l("对外电话"), [Optional(), at_most(30)])
    address = TrimmedField(_l("地址"), [Optional(), at_most(120)])
    hours = TextAreaField(_l("开放时间"), [Optional(), at_most(300)])
    eases = ManyField(_l("无障碍条件"), [Optional()])
    note = TextAreaField(_l("说明"), [Optional(), at_most(300)])
    is_public = BooleanField(_l("在“身边的设施”里给居民看"), default=True)

    def __init__(self, *args: Any, organisation: Organisation | None = None, **kwargs: Any) -> None:
        if organisation is not None:
            kwargs["data"] = _said_of_organisation(organisation)
        super().__init__(*args, **kwargs)
        self.kind.choices = choices(OrganisationKind)
        self.standing.choices = choices(Standing)
        self.eases.choices = choices(Ease)
        self.grade.choices = [(0, _("没有评估")), *((grade, f"{grade}A") for grade in range(1, 6))]

    def facts(self) -> OrganisationFacts:
        typed = self.text("contact_phone")
        return OrganisationFacts(
            name=self.text("name"),
            kind=OrganisationKind(self.kind.data),
            standing=Standing(self.standing.data),
            uscc=self.text("uscc"),
            uscc_reason=self.text("uscc_reason"),
            filed_number=self.text("filed_number"),
            grade=int(self.grade.data) or None,
            grade_from=self.grade_from.data,
            grade_until=self.grade_until.data,
            contact_name=self.text("contact_name"),
            contact_phone=typed or ("" if self.drop_phone.data else None),
            phone=self.text("phone"),
            address=self.text("address"),
            hours=self.text("hours"),
            eases=tuple(Ease(code) for code in self.eases.data or []),
            note=self.text("note").strip(),
            is_public=bool(self.is_public.data),
        )


def _said_of_organisation(organisation: Organisation) -> dict[str, Any]:
    plain = ("name", "uscc", "uscc_reason", "filed_number", "grade_from", "grade_until", "contact_name", "phone",
             "address", "note", "is_public")  # fmt: skip
    return {
        **{name: getattr(organisation, name) for name in plain},
        "community": organisation.community.code,
        "kind": organisation.kind.value,
        "standing": organisation.standing.value,
        "grade": organisation.grade or 0,
        "hours": hours.said(organisation.hours),
        "eases": list(organisation.eases),
    }


class StaffForm(OnceForm):
    community = SelectField(_l("所在社区"))
    name = TrimmedField(_l("姓名"), [required(), at_most(60)])
    kind = SelectField(_l("类别"))
    organisation = SelectField(_l("所在组织"), [Optional()])
    phone = LineField(_l("电话"), [Optional(), at_most(30)])
    drop_phone = BooleanField(_l("原电话已停用，清除"))
    note = TextAreaField(_l("说明"), [Optional(), at_most(300)])

    def __init__(self, *args: Any, standing: Staff | None = None, **kwargs: Any) -> None:
        if standing is not None:
            kwargs["data"] = {
                "community": standing.community.code,
                "name": standing.name,
                "kind": standing.kind.value,
                "organisation": str(standing.organisation_id or ""),
                "note": standing.note,
            }
        super().__init__(*args, **kwargs)
        self.kind.choices = choices(StaffKind)

    def offer(self, communities: list[tuple[str, str]], organisations: list[tuple[str, str]]) -> None:
        self.community.choices = communities
        self.organisation.choices = [("", _("不属于登记的组织")), *organisations]

    def facts(self) -> StaffFacts:
        typed, organisation = self.text("phone"), self.text("organisation")
        return StaffFacts(
            name=self.text("name"),
            kind=StaffKind(self.kind.data),
            organisation_id=int(organisation) if organisation.isdigit() else None,
            phone=typed or ("" if self.drop_phone.data else None),
            note=self.text("note").strip(),
        )


class CertificateForm(OnceForm):
    name = TrimmedField(_l("证书名称"), [required(), at_most(60)])
    number = TrimmedField(_l("证书编号"), [Optional(), at_most(60)])
    issued_on = DayField(_l("发证日期"), [Optional()])
    expires_on = DayField(_l("到期日期"), [Optional()])

    def said(self) -> dict[str, Any]:
        return {
            "name": self.text("name"),
            "number": self.text("number"),
            "issued_on": self.issued_on.data,
            "expires_on": self.expires_on.data,
        }


class TeamForm(Form):
    community = SelectField(_l("所在社区"))
    name = TrimmedField(_l("名称"), [required(), at_most(60)])
    sort = TrimmedField(_l("类型"), [Optional(), at_most(40)])
    purpose = TrimmedField(_l("服务内容"), [Optional(), at_most(120)])
    founded_on = DayField(_l("成立日期"), [Optional()])
    said_to_be = CountField(_l("自报人数"), [Optional(), NumberRange(0, 100_000, _l("请填 0 到 100000 之间的整数"))])

    def __init__(self, *args: Any, team: VolunteerTeam | None = None, **kwargs: Any) -> None:
        if team is not None:
            kwargs["data"] = {
                "community": team.community.code,
                "name": team.name,
                "sort": team.sort,
                "purpose": team.purpose,
                "founded_on": team.founded_on,
                "said_to_be": team.said_to_be,
            }
        super().__init__(*args, **kwargs)

    def facts(self) -> TeamFacts:
        said = (self.text("name"), self.text("purpose"), self.founded_on.data)
        return TeamFacts(*said, sort=self.text("sort"), said_to_be=self.said_to_be.data)


class ItemForm(Form):
    community = SelectField(_l("所在社区"))
    name = TrimmedField(_l("物资名称"), [required(), at_most(60)])
    unit = TrimmedField(_l("计量单位"), [required(), at_most(10)])
    place = TrimmedField(_l("存放地点"), [Optional(), at_most(60)])
    low_below = CountField(_l("预警线"), [Optional(), NumberRange(0, 1_000_000, _l("请填 0 到 1000000 之间的整数"))])

    def __init__(self, *args: Any, item: StockItem | None = None, **kwargs: Any) -> None:
        if item is not None:
            names = ("name", "unit", "place", "low_below")
            kwargs["data"] = {"community": item.community.code, **{name: getattr(item, name) for name in names}}
        super().__init__(*args, **kwargs)

    def facts(self) -> ItemFacts:
        return ItemFacts(self.text("name"), self.text("unit"), self.text("place"), int(self.low_below.data or 0))


class MoveForm(OnceForm):
    reason = SelectField(_l("出入库"))
    count = CountField(_l("数量"), [required(_l("请填数量"))])
    note = TrimmedField(_l("备注"), [Optional(), at_most(120)])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.reason.choices = choices(StockReason)


class PickForm(Form):
    """Words that name somebody of the register."""

    q = TrimmedField(_l("查找居民"), [required(_l("请输入姓名、电话或门牌")), at_most(60)])
