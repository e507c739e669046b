"""Following somebody's request instead of reporting the same again; only what is public is shown."""

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.casework.models.cases import Case, CaseFollower
from portal.casework.models.codes import RUNNING
from portal.casework.service import similar
from portal.core import audit
from portal.core.clock import now
from portal.core.db import db, insert_once
from portal.core.errors import Missing, Refused
from portal.registry.models import Person


def follow(case: Case, person: Person) -> None:
    """Follow; twice is once."""
    row = {"case_id": case.id, "person_id": person.id, "since": now()}
    if insert_once(CaseFollower, row):
        audit.record("cases.followed", case)


def unfollow(case: Case, person: Person) -> None:
    gone = sa.delete(CaseFollower).where(CaseFollower.case_id == case.id, CaseFollower.person_id == person.id)
    db.session.execute(gone)
    audit.record("cases.unfollowed", case)


def count(case: Case) -> int:
    return db.session.scalar(sa.select(sa.func.count()).where(CaseFollower.case_id == case.id)) or 0


def follow_instead(draft: Case, public_id: str, person: Person) -> Case:
    """Follow one of the requests that a draft is like; any other is Missing."""
    found = next((one for one in similar.nearby(draft) if one.public_id == public_id), None)
    if found is None:
        raise Missing
    if found.state not in RUNNING:
        raise Refused(_("这件诉求刚刚办结了。您的情况还在的话，请继续反映。"))
    follow(found, person)
    return found


def of_merged(case: Case, main: Case) -> None:
    """Whoever reported or followed a duplicate hears of the main case from now on."""
    if case.reporter:
        follow(main, case.reporter)
    query = sa.select(Person).join(CaseFollower, CaseFollower.person_id == Person.id)
    for person in db.session.scalars(query.where(CaseFollower.case_id == case.id).order_by(CaseFollower.id)):
        follow(main, person)
