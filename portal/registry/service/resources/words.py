"""The words for what resources are: kinds, standings, accessibility, reasons of stock; by kind of code."""

from enum import StrEnum
from typing import Any

from flask_babel import lazy_gettext as _l

from portal.registry.models import Ease, FacilityKind, OrganisationKind, StaffKind, Standing, StockReason

_WORDS: dict[type[StrEnum], dict[StrEnum, Any]] = {
    FacilityKind: {
        FacilityKind.SERVICE_CENTRE: _l("党群服务中心"),
        FacilityKind.ELDER_CARE: _l("养老服务站"),
        FacilityKind.ACTIVITY: _l("文体活动室"),
        FacilityKind.CHILDREN: _l("儿童之家"),
        FacilityKind.HEALTH: _l("卫生服务站"),
        FacilityKind.CANTEEN: _l("助餐点"),
        FacilityKind.READING: _l("图书阅览室"),
        FacilityKind.SPORTS: _l("健身场地"),
        FacilityKind.SHELTER: _l("应急避难场所"),
        FacilityKind.OTHER: _l("其他设施"),
    },
    Ease: {
        Ease.RAMP: _l("轮椅坡道"),
        Ease.LIFT: _l("电梯"),
        Ease.TOILET: _l("无障碍卫生间"),
        Ease.HANDRAIL: _l("扶手"),
        Ease.TACTILE: _l("盲道"),
        Ease.LOW_COUNTER: _l("低位服务台"),
        Ease.WHEELCHAIR: _l("可借轮椅"),
        Ease.HEARING: _l("助听或手语"),
        Ease.PARKING: _l("无障碍车位"),
    },
    OrganisationKind: {
        OrganisationKind.COMMUNITY_GROUP: _l("社区社会组织"),
        OrganisationKind.SOCIAL: _l("社会组织"),
        OrganisationKind.PROPERTY: _l("物业公司"),
        OrganisationKind.OWNERS: _l("业主委员会"),
        OrganisationKind.SHOP: _l("商户"),
        OrganisationKind.UNIT: _l("驻区单位"),
        OrganisationKind.OTHER: _l("其他组织"),
    },
    Standing: {
        Standing.REGISTERED: _l("已登记"),
        Standing.FILED: _l("已备案"),
        Standing.NONE: _l("未登记未备案"),
    },
    StaffKind: {
        StaffKind.COMMUNITY_WORKER: _l("社区工作者"),
        StaffKind.SOCIAL_WORKER: _l("社会工作师"),
        StaffKind.GRID_WORKER: _l("网格员"),
        StaffKind.CHILD_OFFICER: _l("儿童主任"),
        StaffKind.MEDIATOR: _l("人民调解员"),
        StaffKind.LAWYER: _l("法律顾问"),
        StaffKind.DOCTOR: _l("家庭医生"),
        StaffKind.CARER: _l("养老护理员"),
        StaffKind.PROPERTY: _l("物业人员"),
        StaffKind.OTHER: _l("其他人员"),
    },
    StockReason: {
        StockReason.BOUGHT: _l("采购入库"),
        StockReason.DONATED: _l("捐赠入库"),
        StockReason.RETURNED: _l("归还入库"),
        StockReason.FOUND: _l("盘盈"),
        StockReason.GIVEN: _l("发放"),
        StockReason.LENT: _l("借出"),
        StockReason.USED: _l("领用"),
        StockReason.SPOILT: _l("报损"),
        StockReason.LOST: _l("盘亏"),
    },
}


def word(code: StrEnum) -> str:
    return str(_WORDS[type(code)][code])


def choices(kind: type[StrEnum]) -> list[tuple[str, str]]:
    return [(code.value, word(code)) for code in kind]


def eases(codes: list[str]) -> list[str]:
    """The words of stored accessibility codes, in their usual order."""
    return [word(ease) for ease in Ease if ease.value in codes]
