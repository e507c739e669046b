"""Parameters in groups, with what is in force and what is coming; a change holds from today or later."""

from dataclasses import dataclass, field
from datetime import date

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import settings
from portal.core.clock import today
from portal.core.db import db
from portal.core.errors import Missing, Refused
from portal.core.settings import Declared, Parameter


@dataclass(frozen=True)
class Setting:
    """A declared parameter on a day: its value, and the next one that waits for its day."""

    declared: Declared
    value: int
    coming: Parameter | None


@dataclass
class Group:
    title: str
    settings: list[Setting] = field(default_factory=list)


def group_title(prefix: str) -> str:
    titles = {
        "meals": _("助餐"),
        "registry": _("居民信息"),
        "people": _("居民信息"),
        "home": _("居民信息"),
        "twins": _("疑似重复"),
        "rights": _("个人信息申请"),
        "resources": _("资源"),
        "visits": _("探访"),
        "duty": _("值班"),
        "announcements": _("公告"),
        "agents": _("亲情代办"),
        "identity": _("账号与登录"),
        "notifications": _("通知"),
        "places": _("名额"),
        "calendar": _("日历"),
        "audit": _("审计"),
        "catalogue": _("预约"),
        "applications": _("服务事项"),
        "casework": _("诉求"),
        "working": _("办公时间"),
        "volunteers": _("志愿服务"),
        "deliberation": _("协商议事"),
    }
    return titles.get(prefix, prefix)


def groups(on: date) -> list[Group]:
    """Every declared parameter, by the first word of its key, with the values around a day."""
    rows = _rows_by_key()
    found: dict[str, Group] = {}
    for key, declared in sorted(settings.DECLARED.items()):
        title = group_title(key.partition(".")[0])
        group = found.setdefault(title, Group(title))
        group.settings.append(_setting(declared, rows.get(key, []), on))
    return list(found.values())


def setting(key: str, on: date) -> Setting:
    if key not in settings.DECLARED:
        raise Missing
    return _setting(settings.DECLARED[key], settings.history(key)[::-1], on)


def _rows_by_key() -> dict[str, list[Parameter]]:
    rows: dict[str, list[Parameter]] = {}
    for row in db.session.scalars(sa.select(Parameter).order_by(Parameter.key, Parameter.valid_from)):
        rows.setdefault(row.key, []).append(row)
    return rows


def _setting(declared: Declared, rows: list[Parameter], on: date) -> Setting:
    """`rows` are of this parameter, the earliest first."""
    in_force = [row for row in rows if row.valid_from <= on]
    later = [row for row in rows if row.valid_from > on]
    return Setting(declared, int(in_force[-1].value) if in_force else declared.default, later[0] if later else None)


def change(key: str, *, value: int, valid_from: date, by: str, note: str = "") -> Parameter:
    """Set a parameter from a day on. What has been in force stays as it was."""
    if valid_from < today():
        raise Refused(_("生效日期不能早于今天，已经过去的日子按当时的数值计算"), field="valid_from")
    return settings.put(key, value, valid_from=valid_from, by=by, note=note)
