"""谁看过我的信息: each reveal, search, edit, event, import, answer, merge and export of a person, newest first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import reasons
from portal.core.audit import AuditRow
from portal.core.db import db
from portal.identity.permissions import Role, label
from portal.registry.models import Happening, HappeningPart, Person, PersonChange, Source
from portal.registry.service import changes, exports, people, records, words
from portal.registry.service.happenings import EVENT_UNDONE
from portal.registry.service.records import Look

PAGE = 30
MERGES = ("registry.people_merged", "registry.merge_undone")
ANSWERS = ("registry.right_granted", "registry.right_refused")
OTHERS = ("registry.searched_beyond", "registry.right_opened", "home.copy_printed", "volunteers.served_shown")
# The words of the roles somebody held, by who she is and what she did it to.
Roles = Mapping[tuple[str, str], str]
SHOWN = (*records.LOOKS, *MERGES, *ANSWERS, *OTHERS)


@dataclass(frozen=True)
class Page:
    """Looks, and the key of the next page where there is one."""

    looks: list[Look]
    next_key: str = ""


def looks(person: Person, *, before: str = "", limit: int = PAGE) -> Page:
    """A page of the looks before a moment."""
    until = _moment(before)
    sources = (_recorded, _happened, _imported, _exported)
    found = [look for source in sources for look in source(person, until, limit + 1)]
    found.sort(key=lambda look: look.at, reverse=True)
    return Page(found[:limit], found[limit - 1].at.isoformat() if len(found) > limit else "")


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None


def _recorded(person: Person, until: datetime | None, limit: int) -> Sequence[Look]:
    hers = sa.select(Person.public_id).where(Person.id.in_(people.ids_of(person)))
    query = sa.select(AuditRow).where(
        AuditRow.object_type == "Person",
        AuditRow.object_id.in_(hers),
        AuditRow.action.in_(SHOWN),
    )
    if until:
        query = query.where(AuditRow.at < until)
    rows = db.session.scalars(query.order_by(AuditRow.at.desc(), AuditRow.id.desc()).limit(limit))
    return [Look(row.at, row.actor_name, _roles(row.roles), _deed(row), reasons.said(row.reason)) for row in rows]


def _happened(person: Person, until: datetime | None, limit: int) -> list[Look]:
    """Events that changed her record and their undos: those of the family too, where they changed hers."""
    of_it = sa.and_(HappeningPart.happening_id == Happening.id, HappeningPart.person_id == PersonChange.person_id)
    query = (
        _changed(person, Source.EVENT, until, limit)
        .add_columns(Happening, HappeningPart.is_subject)
        .outerjoin(Happening, Happening.public_id == PersonChange.ref)
        .outerjoin(HappeningPart, of_it)
    )
    rows = db.session.execute(query).all()
    roles = _roles_then("Happening", [found[0] for found in rows])
    return [_event(row, happening, herself, roles) for row, happening, herself in rows]


def _event(row: PersonChange, happening: Happening | None, herself: bool | None, roles: Roles) -> Look:
    held = roles.get((row.by, row.ref), "")
    if happening is None:
        return Look(row.at, row.by_name, held, _("修改了登记内容"), reasons.said(row.reason))
    kind, undone = words.in_words(happening.kind), row.reason == EVENT_UNDONE
    what = {
        (True, False): _("登记了“%(kind)s”", kind=kind),
        (True, True): _("撤销了登记的“%(kind)s”", kind=kind),
        (False, False): _("登记了家里人的“%(kind)s”，您的登记也有改动", kind=kind),
        (False, True): _("撤销了家里人的“%(kind)s”，您的登记也改了回来", kind=kind),
    }[bool(herself), undone]
    return Look(row.at, row.by_name, held, what, happening.undone_reason if undone else "")


def _imported(person: Person, until: datetime | None, limit: int) -> list[Look]:
    rows = db.session.scalars(_changed(person, Source.IMPORT, until, limit)).all()
    roles, what = _roles_then("ImportBatch", rows), _("用登记表更新了您的登记")
    return [Look(row.at, row.by_name, roles.get((row.by, row.ref), ""), what, reasons.said(row.reason)) for row in rows]


def _roles_then(kind: str, rows: Sequence[PersonChange]) -> Roles:
    """In which roles it was done, by who did it and what she did it to: the audit of that thing knows."""
    refs, hands = {row.ref for row in rows}, {row.by for row in rows}
    query = sa.select(AuditRow.actor, AuditRow.object_id, AuditRow.roles).where(
        AuditRow.object_type == kind, AuditRow.object_id.in_(refs), AuditRow.actor.in_(hands)
    )
    return {(row.actor, row.object_id): _roles(row.roles) for row in db.session.execute(query.order_by(AuditRow.id))}


def _changed(person: Person, source: Source, until: datetime | None, limit: int) -> sa.Select[PersonChange]:
    query = sa.select(PersonChange).where(
        PersonChange.person_id.in_(people.ids_of(person)), PersonChange.source == source
    )
    if until:
        query = query.where(PersonChange.at < until)
    return query.order_by(PersonChange.at.desc(), PersonChange.id.desc()).limit(limit)


def _exported(person: Person, until: datetime | None, limit: int) -> list[Look]:
    found = exports.looks_of(person, limit=1000)
    older = [look for look in found if until is None or look.at < until][:limit]
    return [Look(look.at, look.who, look.roles, look.what, look.reason) for look in older]


def _roles(codes: str) -> str:
    return _("、").join(label(Role(code)) for code in codes.split(",") if code in set(Role))


def _deed(row: AuditRow) -> str:
    if row.action == "registry.revealed":
        field = str(row.facts.get("field", ""))
        shown = _("紧急联系人电话") if field == "emergency_contact" else changes.field_words(field)
        return _("查看了%(field)s", field=shown)
    if row.action in records.EDITS:
        return _("修改了登记内容")
    if row.action in records.TAGGINGS:
        return _("修改了人群标签")
    return {
        "registry.restricted_opened": _("查看了受限标签"),
        "registry.searched_beyond": _("跨区域查询到您"),
        "registry.people_merged": _("合并了两份登记"),
        "registry.merge_undone": _("撤销了合并"),
        "registry.right_granted": _("同意了您的申请"),
        "registry.right_refused": _("退回了您的申请"),
        "registry.right_opened": _("看了您的申请内容"),
        "home.copy_printed": _("为您打印了一份资料"),
        "volunteers.served_shown": _("志愿者上门服务前，看了您的姓名、住址和需要"),
    }[row.action]
