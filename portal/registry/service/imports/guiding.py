"""What an import says of its own kind of register: while it is checked, when it is in, and where to look then."""

from flask_babel import gettext as _

from portal.registry.models import ImportKind


def checks(kind: ImportKind) -> str:
    """What the check does with each row."""
    told = {
        ImportKind.HOUSEHOLDS: _("逐行核对户号和住址，并与登记库比对。"),
        ImportKind.DWELLINGS: _("逐行核对楼栋、房号和面积，并与登记库比对。"),
        ImportKind.OWNERS: _("逐行核对房屋、业主的证件号码和面积，并与登记库比对。"),
        ImportKind.FACILITIES: _("逐行核对名称、类型和面积，并与登记库比对。"),
        ImportKind.ORGANISATIONS: _("逐行核对名称和统一社会信用代码，并与登记库比对。"),
        ImportKind.STAFF: _("逐行核对姓名、岗位、证书和日期，并与登记库比对。"),
        ImportKind.TEAMS: _("逐行核对队名、队长和队员，并与登记库比对。"),
        ImportKind.STOCK: _("逐行核对物资名称、单位和数量，并与登记库比对。"),
    }
    rest = _("可以离开这个页面，检查不会停。")
    return told.get(kind, _("逐行核对身份证号码、日期、电话，并与登记库比对。")) + rest


def taken_in(kind: ImportKind) -> str:
    """That it is done, as a message."""
    return {
        ImportKind.UPDATE: _("已更新，可以在居民查询里查看。"),
        ImportKind.HOUSEHOLDS: _("已导入，现在可以在户册里找到。"),
        ImportKind.DWELLINGS: _("已导入，现在可以在楼栋里找到。"),
        ImportKind.OWNERS: _("已导入，现在可以在“业主”里看各栋还缺多少。"),
        ImportKind.FACILITIES: _("已导入，现在可以在服务设施里找到。"),
        ImportKind.ORGANISATIONS: _("已导入，现在可以在服务组织里找到。"),
        ImportKind.STAFF: _("已导入，服务人员现在可以在服务队伍里找到。"),
        ImportKind.TEAMS: _("已导入，现在可以在志愿队里找到。"),
        ImportKind.STOCK: _("已导入，现在可以在物资库存里找到。"),
    }.get(kind, _("已导入，人员现在可以在居民查询里找到。"))


def onwards(kind: ImportKind) -> tuple[str, str]:
    """Where what was brought in is found: the words of a link, and the page."""
    return {
        ImportKind.HOUSEHOLDS: (_("去户册"), "registry.worker.households"),
        ImportKind.DWELLINGS: (_("去楼栋"), "registry.worker.buildings"),
        ImportKind.OWNERS: (_("去业主"), "registry.worker.owners"),
        ImportKind.FACILITIES: (_("去服务设施"), "registry.worker.facilities"),
        ImportKind.ORGANISATIONS: (_("去服务组织"), "registry.worker.organisations"),
        ImportKind.STAFF: (_("去服务队伍"), "registry.worker.staff"),
        ImportKind.TEAMS: (_("去志愿队"), "registry.worker.teams"),
        ImportKind.STOCK: (_("去物资库存"), "registry.worker.stock"),
    }.get(kind, (_("去居民查询"), "registry.worker.search"))
