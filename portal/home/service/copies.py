"""取一份我的资料: everything that is held about a person across the capabilities, put together for her to take."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask_babel import gettext as _

from portal.core import audit, clock, settings, tokens
from portal.core.access import Actor
from portal.core.db import db, reading
from portal.core.errors import Refused
from portal.core.sheets import write_workbook
from portal.home.service.capabilities import CAPABILITIES
from portal.notifications.service import announcements
from portal.registry.models import Person, RightsCopy
from portal.registry.service import consents, records
from portal.registry.service.resources import held as resources_held
from portal.registry.service.rights import copies, held

Body = dict[str, Any]
LEAST_REASON = 2
HOURLY = "home.copies_per_hour"

settings.declare(
    HOURLY, default=20, label=lambda: _("工作人员每小时打印居民资料"), unit=lambda: _("次"), least=1, most=200
)


@dataclass(frozen=True)
class Section:
    """A heading, and the things below it, each as lines of a name and a value."""

    title: str
    things: list[list[tuple[str, str]]]


def compose(person: Person) -> Body:
    """The register's part and each capability's, as plain values."""
    parts: Body = held.export(person)
    parts[_("志愿队和服务队伍")] = resources_held.export(person)
    parts[_("看过的公告")] = announcements.export(person)
    for capability in CAPABILITIES:
        parts[_capability(capability.name)] = capability.doors.export(person)
    return {_("姓名"): person.name, _("生成时间"): f"{clock.local(clock.now()):%Y-%m-%d %H:%M}", _("内容"): parts}


def make(person: Person, *, by: Actor) -> RightsCopy:
    """Put a copy together, while nobody waits for the write lock, and keep it for a day."""
    with reading():
        body, voice = compose(person), consents.voice_of(by, person)
    return copies.keep(person, body, voice=voice)


def print_for(person: Person, *, reason: str, by: Actor) -> list[Section]:
    """A worker prints a copy for the person who stands at the counter: so many an hour, and the person can see it."""
    if len(reason.strip()) < LEAST_REASON:
        raise Refused(_("请写明为什么打印，至少两个字。"), field="reason")
    tokens.throttle("home.copy_printed", by.public_id, limit=settings.get(HOURLY), per=timedelta(hours=1))
    with reading():
        body = compose(person)
    audit.record("home.copy_printed", person, reason=reason.strip())
    db.session.flush()
    records.raise_alarm(by)
    return sections(body)


def sections(body: Body) -> list[Section]:
    """A copy to be read: a heading a part, empty values left out."""
    parts: dict[str, list[dict[str, Any]]] = body[_("内容")]
    return [Section(title, [list(_lines(thing)) for thing in things]) for title, things in parts.items()]


def _lines(thing: dict[str, Any]) -> Iterable[tuple[str, str]]:
    for name, value in thing.items():
        text = _text(value)
        if text:
            yield name, text


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return _("，").join(f"{name} {_text(one)}" for name, one in value.items() if _text(one))
    if isinstance(value, list):
        return _("；").join(_text(one) for one in value)
    return "" if value is None else str(value)


def workbook(body: Body) -> bytes:
    """The same as an .xlsx: a row a line."""
    rows = [
        (section.title, number, name, value)
        for section in sections(body)
        for number, thing in enumerate(section.things, start=1)
        for name, value in thing
    ]
    return write_workbook(
        [_("部分"), _("序号"), _("项目"), _("内容")], rows, sheet=_("我的资料"), widths=(16, 8, 20, 60)
    )


def as_json(body: Body) -> bytes:
    return json.dumps(body, ensure_ascii=False, indent=1).encode()


def _capability(name: str) -> str:
    known = {"meals": _("助餐"), "visits": _("探访关爱"), "catalogue": _("社区服务"), "casework": _("诉求")}
    known |= {"volunteers": _("志愿服务"), "deliberation": _("协商议事")}
    return known.get(name, name)
