"""Staff and their certificates: who serves with what paper, and which papers run out."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, time, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import joinedload, selectinload

from portal.areas.models import Area
from portal.core import audit, settings
from portal.core.access import Scope
from portal.core.clock import now, today
from portal.core.db import db
from portal.core.errors import Missing, Refused
from portal.registry.models import Certificate, Organisation, Person, PersonState, Staff, StaffKind
from portal.registry.service import people
from portal.registry.service.resources.listing import Paged, Wanted, in_reach, one_in, paged

END_OF_DAY = time(23, 59)
WARN_DAYS = "resources.certificate_warn_days"
settings.declare(WARN_DAYS, default=60, label=lambda: _("证书到期前提醒"), unit=lambda: _("天"), least=1, most=365)


@dataclass(frozen=True)
class StaffFacts:
    """What a worker says of a member of staff; `phone` None leaves the one that stands, "" clears it."""

    name: str
    kind: StaffKind
    organisation_id: int | None = None
    phone: str | None = None
    note: str = ""


def staff(within: Collection[Scope], wanted: Wanted) -> Paged[Staff]:
    """Staff in scope by community and name; `state` "expiring": a certificate ends soon or has ended."""
    query = _loaded().where(in_reach(Staff.community_id, within, wanted.community))
    query = query.where(sa.not_(_serving()) if wanted.state == "closed" else _serving())
    if wanted.state == "expiring":
        query = query.where(Staff.certificates.any(_ends_soon()))
    if wanted.kind in set(StaffKind):
        query = query.where(Staff.kind == StaffKind(wanted.kind))
    if wanted.q:
        by_organisation = Staff.organisation.has(Organisation.name.icontains(wanted.q, autoescape=True))
        query = query.where(sa.or_(Staff.name.icontains(wanted.q, autoescape=True), by_organisation))
    return paged(query.order_by(Staff.community_id, Staff.name, Staff.id), wanted)


def _serving() -> sa.ColumnElement[bool]:
    """Who has not left and is not registered as dead; undoing a death gives the place back by itself."""
    who = people.stood_for(Person.id.in_(sa.select(Staff.person_id).where(Staff.person_id.is_not(None))))
    dead = sa.select(who.c.origin).join(Person, Person.id == who.c.id).where(Person.state == PersonState.DEAD)
    alive = sa.or_(Staff.person_id.is_(None), Staff.person_id.not_in(dead))
    return sa.and_(Staff.left_on.is_(None), alive)


def died(member: Staff) -> bool:
    """Whether the register says that somebody of the staff is dead."""
    return member.person is not None and people.resolved(member.person).state is PersonState.DEAD


def _loaded() -> sa.Select[Staff]:
    return sa.select(Staff).options(
        joinedload(Staff.community),
        joinedload(Staff.organisation),
        joinedload(Staff.person),
        selectinload(Staff.certificates),
    )


def warn_until() -> date:
    """Until when a certificate that ends is worth a warning today."""
    return today() + timedelta(days=settings.get(WARN_DAYS))


def _ends_soon() -> sa.ColumnElement[bool]:
    return sa.and_(Certificate.withdrawn_on.is_(None), Certificate.expires_on <= warn_until())


def expiring(within: Collection[Scope]) -> list[Certificate]:
    """Certificates of people still serving that have ended or end soon; the earliest first."""
    query = (
        sa.select(Certificate)
        .join(Staff)
        .where(in_reach(Staff.community_id, within), _serving(), _ends_soon())
        .options(joinedload(Certificate.staff))
        .order_by(Certificate.expires_on, Certificate.id)
    )
    return list(db.session.scalars(query))


def staff_in(within: Collection[Scope], public_id: str) -> Staff:
    return one_in(_loaded().where(in_reach(Staff.community_id, within), Staff.public_id == public_id))


def add_staff(community: Area, facts: StaffFacts) -> Staff:
    member = Staff(community_id=community.id)
    _say(member, facts)
    db.session.add(member)
    db.session.flush()
    audit.record("resources.staff_added", member, kind=facts.kind.value)
    return member


def change_staff(member: Staff, facts: StaffFacts) -> None:
    _say(member, facts)
    audit.record("resources.staff_changed", member, kind=facts.kind.value)


def _say(member: Staff, facts: StaffFacts) -> None:
    if facts.organisation_id is not None:
        query = sa.select(Organisation.community_id).where(Organisation.id == facts.organisation_id)
        if db.session.scalar(query) != member.community_id:
            raise Missing
    member.name, member.kind, member.note = facts.name, facts.kind, facts.note
    member.organisation_id, member.updated_at = facts.organisation_id, now()
    if facts.phone is not None:
        member.phone = facts.phone or None


def link_person(member: Staff, person: Person) -> None:
    if not people.is_served(person):
        raise Refused(_("这位居民已登记去世或已合并，不能和服务人员对应。"))
    member.person_id = person.id
    audit.record("resources.staff_linked", member, person=person.public_id)


def unlink_person(member: Staff) -> None:
    member.person_id = None
    audit.record("resources.staff_unlinked", member)


def leave(member: Staff) -> None:
    member.left_on = member.left_on or today()
    audit.record("resources.staff_left", member)


def come_back(member: Staff) -> None:
    if died(member):
        raise Refused(_("这位人员对应的居民已登记去世，不能恢复在岗。登记有误请先撤销去世登记。"))
    member.left_on = None
    audit.record("resources.staff_returned", member)


def add_certificate(
    member: Staff, *, name: str, number: str = "", issued_on: date | None = None, expires_on: date | None = None
) -> Certificate:
    if issued_on and expires_on and expires_on < issued_on:
        raise Refused(_("到期日不能早于发证日。"), field="expires_on")
    if issued_on and issued_on > today():
        raise Refused(_("发证日还没有到，请核对。"), field="issued_on")
    paper = Certificate(name=name, number=number or None, issued_on=issued_on, expires_on=expires_on)
    member.certificates.append(paper)
    db.session.flush()
    audit.record("resources.certificate_added", member, name=name)
    return paper


def withdraw_certificate(member: Staff, certificate_id: int) -> None:
    """Take a certificate out of use: it was renewed, replaced or entered wrongly."""
    paper = next((one for one in member.certificates if one.id == certificate_id), None)
    if paper is None:
        raise Missing
    paper.withdrawn_on = paper.withdrawn_on or today()
    audit.record("resources.certificate_withdrawn", member, name=paper.name)


STANDING = {"ended": _l("已过期"), "soon": _l("快到期"), "fine": _l("有效"), "withdrawn": _l("已注销")}


def standing(paper: Certificate, soon: date) -> str:
    """How a certificate stands today, as a key of STANDING; `soon` is warn_until()."""
    if paper.withdrawn_on is not None:
        return "withdrawn"
    if not paper.is_valid(today()):
        return "ended"
    return "soon" if paper.expires_on is not None and paper.expires_on <= soon else "fine"
