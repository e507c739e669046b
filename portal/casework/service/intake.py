"""Taking a request in at the desk: for somebody of the register, or a stranger, whose name and telephone are sealed."""

import json
from collections.abc import Collection
from dataclasses import dataclass, field

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.areas import service as areas
from portal.areas.models import Area, Building, Estate
from portal.casework.models.cases import Case
from portal.casework.models.categories import CaseRedirect, Category
from portal.casework.models.codes import CaseState, Channel
from portal.casework.service import choosing, moves, reporting
from portal.casework.service.reporting import Where
from portal.core import audit, ids, tokens
from portal.core.access import Actor, Scope
from portal.core.db import db
from portal.core.errors import Missing, Refused
from portal.registry.models import Person

DESK_CHANNELS = (Channel.PHONE, Channel.VISIT, Channel.COUNTER, Channel.PAPER)


@dataclass(frozen=True)
class Told:
    """What somebody told a worker."""

    channel: Channel
    what: str
    category_id: int
    where: Where
    hide_name: bool = False
    name: str = ""
    phone: str = ""
    # What was answered to the category's own questions, by key.
    answers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Look:
    """What the worker should hear before it is written down: the category, its questions, who else handles it."""

    category: Category
    others: list[CaseRedirect]

    @property
    def matters(self) -> bool:
        return bool(self.others or self.category.questions)


@dataclass(frozen=True)
class Ground:
    """Where a request may lie that is taken in here: communities, their buildings, and what they class requests by."""

    communities: list[Area]
    buildings: list[Building]
    leaves: list[Category]
    home_id: int = 0

    def community_of(self, chosen: int | None) -> Area:
        """The community chosen, or the only one there is."""
        if len(self.communities) == 1:
            return self.communities[0]
        found = next((one for one in self.communities if one.id == chosen), None)
        if found is None:
            raise Refused(_("请选一个社区。"), field="community")
        return found


def ground(person: Person | None, within: Collection[Scope]) -> Ground:
    """The ground of a person's community, or of all of one's own for a stranger."""
    communities = [person.community] if person else areas.communities(within)
    if not communities:
        raise Missing
    query = (
        sa.select(Building)
        .join(Building.estate)
        .where(Estate.community_id.in_([one.id for one in communities]))
        .options(sa.orm.contains_eager(Building.estate))
        .order_by(Estate.community_id, Estate.name, Building.id)
    )
    home = reporting.home_of(person) if person else None
    leaves = choosing.leaves(communities[0].code)
    return Ground(communities, list(db.session.scalars(query)), leaves, home.id if home else 0)


def look(told: Told, community: Area) -> Look:
    """What the words and the category say, while whoever told it still listens."""
    category = _category(told, community)
    return Look(category, choosing.redirected(told.what, choosing.redirects(community.code), category))


def take_in(told: Told, person: Person | None, community: Area, *, by: Actor, idem: str = "", body: str = "") -> Case:
    """A request as sent, in a worker's words; the same form again leads to the same request."""
    public_id = ids.new_public_id()
    earlier = tokens.first_request(by.public_id, "casework.take_in", idem, body, public_id)
    if earlier is not None:
        return db.session.scalars(sa.select(Case).where(Case.public_id == earlier)).one()
    if person is None and not told.name.strip():
        raise Refused(_("请填来人的称呼，不愿留名就写“不愿留名”。"), field="name")
    category = _category(told, community)
    case = Case(
        public_id=public_id,
        community_id=community.id,
        grid_id=person.grid_id if person else None,
        reporter_id=person.id if person else None,
        reporter_name=None if person else told.name.strip(),
        reporter_phone=None if person else told.phone or None,
        entered_by=by.public_id,
        entered_by_name=by.name,
        channel=told.channel,
        state=CaseState.DRAFT,
        hide_name=told.hide_name,
        what=told.what,
        title=reporting.title_of(told.what),
    )
    db.session.add(case)
    db.session.flush()
    reporting.classify(case, category)
    ask_more(case, told.answers)
    case.party = category.party
    reporting.put(case, told.where)
    reporting.number_it(case)
    moves.move(case, CaseState.SUBMITTED, by=moves.worker(by))
    audit.record("cases.taken_in", case, channel=told.channel.value, stranger=person is None)
    return case


def _category(told: Told, community: Area) -> Category:
    """The category chosen, or what the words suggest where none was."""
    if told.category_id:
        return choosing.leaf(community.code, told.category_id)
    found = choosing.best(told.what, choosing.leaves(community.code))
    if found is None:
        raise Refused(_("按写的话没有对上类别，请选一个类别。"), field="category")
    return found


def ask_more(case: Case, said: dict[str, str]) -> None:
    """The answers to the category's questions: those that must be answered are."""
    questions = case.category.questions if case.category else []
    missing = [one["label"] for one in questions if one.get("required") and not said.get(one["key"], "").strip()]
    if missing:
        raise Refused(_("请填“%(question)s”。", question=missing[0]), field=f"q_{_key(questions, missing[0])}")
    kept = {one["key"]: said[one["key"]].strip() for one in questions if said.get(one["key"], "").strip()}
    case.answers = json.dumps(kept, ensure_ascii=False) if kept else None


def _key(questions: list[dict[str, str]], label: str) -> str:
    return next(one["key"] for one in questions if one["label"] == label)


def said_of(case: Case) -> dict[str, str]:
    """What was answered to the category's questions, by key."""
    return dict(json.loads(case.answers)) if case.answers else {}
