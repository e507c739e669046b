"""The audit in words: what is done with rooms and their bookings."""

from flask_babel import gettext as _


def room_actions() -> dict[str, str]:
    return {
        "rooms.rule_set": _("设置房间规则"),
        "rooms.booked": _("预约房间"),
        "rooms.confirmed": _("确认房间预约"),
        "rooms.refused": _("不同意房间预约"),
        "rooms.cancelled": _("取消房间预约"),
        "rooms.moved": _("改房间预约的时间"),
        "rooms.lapsed": _("房间预约没有等到答复"),
        "rooms.used": _("登记房间已使用"),
        "rooms.no_show": _("登记约了房间没有来"),
        "rooms.blocked": _("停用房间一段时间"),
        "rooms.unblocked": _("取消房间停用"),
        "rooms.series_made": _("排每周固定使用"),
        "rooms.board_printed": _("打印房间使用表"),
        "rooms.person_sought": _("查找要用房间的居民"),
    }
