"""What tests of the desk of requests build: categories, requests in a state, actors."""

from datetime import date, datetime, timedelta
from typing import Any

from portal.areas.models import Area
from portal.casework.models.cases import Case
from portal.casework.models.categories import Category
from portal.casework.models.codes import CaseKind, CaseState, Urgency
from portal.core import calendar
from portal.core.clock import now
from portal.core.db import transaction
from portal.identity import staff
from portal.identity.models import Account
from tests.make import Make

S = CaseState


def holidays() -> None:
    with transaction():
        calendar.fill(2026)


def category(make: Make, name: str = "路灯不亮", code: str = "", **more: Any) -> Category:
    facts: dict[str, Any] = {"area_code": make.street().code, "valid_from": date(2020, 1, 1), **more}
    return make.add(Category(name=name, code=code or f"lamp{make.number()}", **facts))


def actor(account: Account) -> Any:
    return staff.as_actor(account)


def case(
    make: Make,
    state: CaseState = S.ACCEPTED,
    *,
    holder: Account | None = None,
    community: Area | None = None,
    at: datetime | None = None,
    **more: Any,
) -> Case:
    """A request in a state, sent just now, of a person of the community, held by a worker where one is given."""
    at = at or now()
    place = community or make.community()
    reporter = more.pop("reporter", None) or make.person(community=place)
    facts: dict[str, Any] = {
        "community_id": place.id,
        "reporter_id": reporter.id,
        "number": f"CS{make.number():06d}",
        "state": state,
        "state_at": at,
        "created_at": at,
        "submitted_at": at,
        "title": "路灯不亮",
        "what": "6 号楼前的路灯三天不亮了",
        "kind": CaseKind.HELP,
        "urgency": Urgency.NORMAL,
    }
    if state is not S.SUBMITTED:
        facts |= {"accepted_at": at, "finish_due": at + timedelta(days=7)}
    if holder is not None:
        facts |= {"holder": holder.public_id, "holder_name": holder.name, "assigned_at": at}
        facts |= {"first_holder": holder.public_id, "first_holder_name": holder.name}
    return make.add(Case(**(facts | more)))
