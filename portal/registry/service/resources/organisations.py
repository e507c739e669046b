"""Organisations: how they stand (登记 or 备案), their code, their grade, and whom to call."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.areas.models import Area
from portal.core import audit, ids
from portal.core.access import Scope, actor_or_none
from portal.core.clock import now, today
from portal.core.db import db, unique_or
from portal.core.errors import Refused
from portal.core.ids import InvalidNumber, NumberFault
from portal.registry.models import Ease, Organisation, OrganisationKind, Standing
from portal.registry.service.resources import hours
from portal.registry.service.resources.listing import Paged, Wanted, in_reach, one_in, paged


@dataclass(frozen=True)
class OrganisationFacts:
    """What a worker says of an organisation. `uscc_reason`: why a code that fails its check digit is taken as it is.

    `contact_phone` None leaves the one that stands, "" clears it.
    """

    name: str
    kind: OrganisationKind
    standing: Standing = Standing.NONE
    uscc: str = ""
    uscc_reason: str = ""
    filed_number: str = ""
    grade: int | None = None
    grade_from: date | None = None
    grade_until: date | None = None
    contact_name: str = ""
    contact_phone: str | None = None
    phone: str = ""
    address: str = ""
    hours: str = ""
    eases: tuple[Ease, ...] = ()
    note: str = ""
    is_public: bool = True


def organisations(within: Collection[Scope], wanted: Wanted) -> Paged[Organisation]:
    """The organisations in scope by community and name; `state` may also be a standing, "graded" or "lapsed"."""
    query = sa.select(Organisation).options(joinedload(Organisation.community))
    query = query.where(in_reach(Organisation.community_id, within, wanted.community), _state(wanted.state))
    if wanted.kind in set(OrganisationKind):
        query = query.where(Organisation.kind == OrganisationKind(wanted.kind))
    if wanted.q:
        either = (Organisation.name, Organisation.address, Organisation.uscc, Organisation.contact_name)
        query = query.where(sa.or_(*(column.icontains(wanted.q, autoescape=True) for column in either)))
    return paged(query.order_by(Organisation.community_id, Organisation.name, Organisation.id), wanted)


def _state(word: str) -> sa.ColumnElement[bool]:
    if word == "closed":
        return Organisation.closed_on.is_not(None)
    here = Organisation.closed_on.is_(None)
    if word in set(Standing):
        return sa.and_(here, Organisation.standing == Standing(word))
    if word == "lapsed":
        return sa.and_(here, Organisation.grade.is_not(None), Organisation.grade_until < today())
    return sa.and_(here, Organisation.grade.is_not(None)) if word == "graded" else here


def organisation_in(within: Collection[Scope], organisation_id: int) -> Organisation:
    query = sa.select(Organisation).options(joinedload(Organisation.community))
    return one_in(query.where(in_reach(Organisation.community_id, within), Organisation.id == organisation_id))


def choices(community_id: int) -> list[tuple[str, str]]:
    """The organisations of a community, for a form to offer."""
    query = sa.select(Organisation).where(Organisation.community_id == community_id, Organisation.closed_on.is_(None))
    found = db.session.scalars(query.order_by(Organisation.name, Organisation.id))
    return [(str(organisation.id), organisation.name) for organisation in found]


def add_organisation(community: Area, facts: OrganisationFacts) -> Organisation:
    organisation = Organisation(community_id=community.id)
    with unique_or(_taken()):
        _say(organisation, facts)
        db.session.add(organisation)
    _record("resources.organisation_added", organisation)
    return organisation


def change_organisation(organisation: Organisation, facts: OrganisationFacts) -> None:
    with unique_or(_taken()):
        _say(organisation, facts)
    _record("resources.organisation_changed", organisation)


def _taken() -> Refused:
    return Refused(_("这个社区已经有同名或同一信用代码的组织（也可能已停用），请核对。"), field="name")


def _record(action: str, organisation: Organisation) -> None:
    """A code taken against its check digit stands in the audit with its reason."""
    audit.record(
        action,
        organisation,
        reason=organisation.uscc_reason,
        name=organisation.name,
        uscc_overridden=bool(organisation.uscc_reason),
    )


def checked_uscc(text: str, reason: str = "") -> tuple[str | None, str]:
    """The code as stored, and the reason where it fails its check digit: real codes that fail are in use."""
    if not text:
        return None, ""
    try:
        return ids.check_uscc(text), ""
    except InvalidNumber as invalid:
        if invalid.reason is not NumberFault.CHECK_DIGIT:
            raise Refused(invalid.sentence, field="uscc") from None
        if not reason:
            words = _("%(fault)s证照上确实如此的，请在下面写明采用的原因。", fault=invalid.sentence)
            raise Refused(words, field="uscc") from None
        return ids.normalise_id(text), reason


def _say(organisation: Organisation, facts: OrganisationFacts) -> None:
    _refuse_grade(facts)
    uscc, reason = checked_uscc(facts.uscc, facts.uscc_reason)
    opening = hours.parse(facts.hours)
    if (uscc, reason) != (organisation.uscc, organisation.uscc_reason or ""):
        actor = actor_or_none()
        organisation.uscc_by = actor.public_id if reason and actor else ""
    organisation.uscc, organisation.uscc_reason = uscc, reason
    organisation.name, organisation.kind, organisation.standing = facts.name, facts.kind, facts.standing
    organisation.filed_number = facts.filed_number
    organisation.grade, organisation.grade_from = facts.grade, facts.grade_from if facts.grade else None
    organisation.grade_until = facts.grade_until if facts.grade else None
    organisation.contact_name, organisation.phone = facts.contact_name, facts.phone
    if facts.contact_phone is not None:
        organisation.contact_phone = facts.contact_phone or None
    organisation.address, organisation.note, organisation.is_public = facts.address, facts.note, facts.is_public
    organisation.hours, organisation.eases = opening, [ease.value for ease in facts.eases]
    organisation.updated_at = now()


def _refuse_grade(facts: OrganisationFacts) -> None:
    if facts.grade is not None and not 1 <= facts.grade <= 5:
        raise Refused(_("评估等级是 1A 到 5A。"), field="grade")
    if facts.grade_from and facts.grade_until and facts.grade_until < facts.grade_from:
        raise Refused(_("等级有效期的结束日不能早于开始日。"), field="grade_until")


def close_organisation(organisation: Organisation) -> None:
    organisation.closed_on = organisation.closed_on or today()
    audit.record("resources.organisation_closed", organisation, name=organisation.name)


def reopen_organisation(organisation: Organisation) -> None:
    organisation.closed_on = None
    audit.record("resources.organisation_reopened", organisation, name=organisation.name)
