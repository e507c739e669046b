"""The history of a record: every act that changes a person says what was and what is, who, when and from where."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core.access import actor_or_none
from portal.core.clock import now
from portal.core.db import db
from portal.core.errors import Refused
from portal.registry.models import Person, PersonChange, Source

# Everything about a person that a history tells. What follows from another column (pinyin, indexes) is not told.
FIELDS = (
    "name", "sex", "birth_date", "id_kind", "id_number", "temporary_number", "phone", "ethnicity", "marriage",
    "schooling", "politics", "work", "registration", "registration_code", "registered_address", "presence", "tenure",
    "living_since", "guardian_id", "household_id", "relation", "grid_id", "community_id", "diet", "health", "note",
    "state", "state_on", "absent_from", "absent_until", "merged_into_id", "flags",
)  # fmt: skip
# What the register itself notes of a record to be completed: nobody typed it.
MARKS = "flags"
Values = dict[str, str | None]


@dataclass(frozen=True)
class Change:
    """One field's change in a person's history."""

    field: str
    before: str | None
    after: str | None
    row: PersonChange


def values_of(person: Person) -> Values:
    return {name: _text(getattr(person, name)) for name in FIELDS}


def _text(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list) else str(value)


@contextmanager
def changing(person: Person, source: Source, *, ref: str = "", reason: str = "") -> Iterator[None]:
    """Whatever changes on the person inside becomes one row of her history, and a new version of her record."""
    before = values_of(person)
    yield
    after = values_of(person)
    differing = {name: [before[name], after[name]] for name in FIELDS if before[name] != after[name]}
    if differing:
        note(person, differing, source, ref=ref, reason=reason)


def note(
    person: Person, differing: dict[str, list[str | None]], source: Source, *, ref: str = "", reason: str = ""
) -> None:
    """One row of a person's history and a new version: {field: [before, after]}, of columns or of what hangs on her."""
    person.version += 1
    person.updated_at = now()
    actor = actor_or_none()
    db.session.add(
        PersonChange(
            person_id=person.id,
            version=person.version,
            at=person.updated_at,
            by=actor.public_id if actor else "system",
            by_name=actor.name if actor else "",
            source=source,
            ref=ref,
            reason=reason[:200],
            changes=json.dumps(differing, ensure_ascii=False),
        )
    )


def refuse_older(person: Person, version: int, *, told: Callable[[list[Change]], list[str]]) -> None:
    """Refuse an edit that began before somebody else's: the words name who, the fields that differ, and their values.

    `told` puts changes into words, each field once, as a reader may see it.
    """
    if version == person.version:
        return
    since = [change for change in history(person, limit=50) if change.row.version > version]
    who = _("、").join(dict.fromkeys(change.row.by_name or _("系统") for change in since))
    what = _("；").join(told(since))
    raise Refused(
        _("您打开这一页以后，%(who)s改过这份登记（%(what)s）。您填的内容还在，请核对后再保存一次。", who=who, what=what)
        if since
        else _("您打开这一页以后，这份登记改动过。您填的内容还在，请核对后再保存一次。")
    )


def history(person: Person, *, field: str = "", limit: int = 100) -> list[Change]:
    """A person's changes, newest first, or one field's; `limit` counts acts. The register's own marks are left out."""
    query = (
        sa.select(PersonChange).where(PersonChange.person_id == person.id).order_by(PersonChange.id.desc()).limit(limit)
    )
    return [
        Change(name, before, after, row)
        for row in db.session.scalars(query)
        for name, (before, after) in json.loads(row.changes).items()
        if name != MARKS and name == (field or name)
    ]


def field_words(field: str) -> str:
    """A field's name as a form says it; one of a later version stands for itself."""
    known = {
        "name": _("姓名"),
        "sex": _("性别"),
        "birth_date": _("出生日期"),
        "id_kind": _("证件类型"),
        "id_number": _("身份证号码"),
        "temporary_number": _("临时编号"),
        "phone": _("联系电话"),
        "ethnicity": _("民族"),
        "marriage": _("婚姻状况"),
        "schooling": _("学历"),
        "politics": _("政治面貌"),
        "work": _("从业状况"),
        "registration": _("户籍"),
        "registration_code": _("户籍地代码"),
        "registered_address": _("户籍地址"),
        "presence": _("人户状态"),
        "tenure": _("居住类型"),
        "living_since": _("起居日期"),
        "guardian_id": _("监护人"),
        "household_id": _("所在户"),
        "household_number": _("户号"),
        "relation": _("与户主关系"),
        "grid_id": _("网格"),
        "grid": _("网格"),
        "community_id": _("社区"),
        "address": _("住址"),
        "diet": _("饮食"),
        "health": _("健康情况"),
        "note": _("备注"),
        "state": _("登记状态"),
        "state_on": _("状态日期"),
        "absent_from": _("外出日期"),
        "absent_until": _("预计返回日期"),
        "merged_into_id": _("合并到"),
        "flags": _("待补充"),
        "tags": _("人群标签"),
        "contacts": _("紧急联系人"),
    }
    return known.get(field, field)
