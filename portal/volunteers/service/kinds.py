"""Kinds of service, in words."""

from flask_babel import gettext as _

from portal.volunteers.models.codes import ServiceKind


def kinds() -> dict[ServiceKind, str]:
    return {
        ServiceKind.MEALS: _("送餐助餐"),
        ServiceKind.VISITING: _("探访陪伴"),
        ServiceKind.ESCORT: _("陪同就医"),
        ServiceKind.CHILDREN: _("儿童托管"),
        ServiceKind.TEACHING: _("教学辅导"),
        ServiceKind.CULTURE: _("文化体育"),
        ServiceKind.ENVIRONMENT: _("环境清洁"),
        ServiceKind.ORDER: _("秩序引导"),
        ServiceKind.HEALTH: _("健康服务"),
        ServiceKind.LAW: _("法律帮助"),
        ServiceKind.REPAIR: _("便民维修"),
        ServiceKind.DIGITAL: _("手机电脑教学"),
        ServiceKind.EMERGENCY: _("应急救援"),
        ServiceKind.OTHER: _("其他服务"),
    }


def kind_words(kind: ServiceKind | str) -> str:
    return kinds()[ServiceKind(kind)]


def choices() -> list[tuple[str, str]]:
    return [(kind.value, words) for kind, words in kinds().items()]
