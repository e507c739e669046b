"""Who may know by whom a request is, where the reporter hides her name: the dispatchers, never the party.

Who has it in hand too, if it complains of nobody, or it is known of whom and she is not the party. Of what complains of
the community's own people the street reads the name: somebody must be able to call the reporter.
"""

import sqlalchemy as sa

from portal.areas import service as areas
from portal.areas.models import AreaKind
from portal.casework.models.cases import Case, CaseStep
from portal.casework.models.codes import Against, Side
from portal.casework.service.reporting import ACCUSING
from portal.casework.service.words import case_word
from portal.core.access import Actor, scopes_of
from portal.core.db import db
from portal.identity.permissions import Permission
from portal.registry.models import Claim, ClaimState, Staff

# The community's own people: what complains of them is known to the street too.
OWN = frozenset({Against.WORKER, Against.COMMITTEE})


def may_know(case: Case, actor: Actor) -> bool:
    """Whether a worker may read who reported."""
    if not case.hide_name:
        return True
    if is_party(case, actor):
        return False
    if case.holder == actor.public_id and is_settled(case):
        return True
    if case.against in OWN and _is_above(case, actor):
        return True
    return case.community_id in areas.reach(scopes_of(actor, Permission.CASES_DISPATCH)).communities


def _is_above(case: Case, actor: Actor) -> bool:
    """Whether somebody supervises the community from the street, and is none of its people."""
    above = [one for one in scopes_of(actor, Permission.CASES_SUPERVISE) if one.kind == AreaKind.STREET.value]
    return bool(above) and case.community_id in areas.reach(above).communities


def is_settled(case: Case) -> bool:
    """Whether it is known whom the request complains of, or it is of a kind that complains of nobody."""
    if case.against is Against.WORKER:
        return bool(case.against_worker)
    return case.against is not Against.NOBODY or case.kind not in ACCUSING


def is_dispatchers(case: Case) -> bool:
    """Whether the duty to speak to the reporter lies with the dispatchers: nobody knows yet of whom she complains."""
    return case.hide_name and not is_settled(case)


def is_party(case: Case, actor: Actor) -> bool:
    """Whether a worker is, or belongs to, whom the request complains of."""
    if case.against is Against.WORKER:
        return case.against_worker == actor.public_id if case.against_worker else is_named(case, actor)
    if case.against is Against.COMMITTEE:
        return not _is_above(case, actor)
    return case.against is Against.ORGANISATION and _works_for(case, actor)


def is_named(case: Case, actor: Actor) -> bool:
    """Whether the words name a worker, while nobody has said yet of which one it complains."""
    return case.against is Against.WORKER and not case.against_worker and actor.name in (case.what or "")


def _works_for(case: Case, actor: Actor) -> bool:
    """By the register's list of staff: the same person as the account is confirmed to be, or the same name."""
    own = sa.select(Claim.person_id).where(
        Claim.account_id == actor.account_id, Claim.state == ClaimState.CONFIRMED, Claim.person_id.is_not(None)
    )
    query = sa.select(Staff.id).where(
        Staff.organisation_id == case.against_organisation_id,
        Staff.left_on.is_(None),
        sa.or_(Staff.person_id.in_(own), Staff.name == actor.name),
    )
    return db.session.scalar(query.limit(1)) is not None


def reporter_name(case: Case, actor: Actor) -> str:
    """The reporter's name as this worker may read it; "" where it is hidden or unknown."""
    if not may_know(case, actor):
        return ""
    return case.reporter.name if case.reporter else case.reporter_name or ""


def reporter_phone(case: Case, actor: Actor) -> str:
    """The telephone to call back, as this worker may read it (a page masks it)."""
    if not may_know(case, actor):
        return ""
    return case.reporter_phone or (case.reporter.phone if case.reporter else "") or ""


def step_by(step: CaseStep) -> str:
    """Who did a step: a worker by her name, the reporter never by hers."""
    return step.by_name if step.side is Side.WORKER else case_word(step.side)
