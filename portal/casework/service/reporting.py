"""Reporting in three steps: what, where, photographs; each step is kept as a draft, and the last one sends it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.areas.models import Building, Dwelling, Estate
from portal.casework.models.cases import Case
from portal.casework.models.categories import Category
from portal.casework.models.codes import Against, CaseKind, CaseState, Channel
from portal.casework.service import choosing, moves
from portal.core import audit, ids, tokens
from portal.core.access import Actor
from portal.core.db import db, unique_or
from portal.core.errors import Refused
from portal.registry.models import Organisation, Person
from portal.registry.service import buildings

TITLE = 20
NUMBER = 8
TRIES = 5
# Kinds that complain of somebody: only then is it asked of whom.
ACCUSING = frozenset({CaseKind.COMPLAINT, CaseKind.REPORT})


@dataclass(frozen=True)
class Where:
    """Where it is: a building of the community or one of its estates, and words."""

    building_id: int | None = None
    estate_id: int | None = None
    place: str = ""


@dataclass(frozen=True)
class Spot:
    """A unit of a building with its floors from the top, for the picture to point at."""

    unit: str
    floors: tuple[int, ...]

    def words(self) -> list[str]:
        """The unit's entrance, then its floors, as somebody says them."""
        unit = _("%(unit)s单元", unit=self.unit.removesuffix("单元")) if self.unit else ""
        return [
            _("%(unit)s门口", unit=unit) if unit else _("楼门口"),
            *(" ".join(filter(None, [unit, _("%(floor)d 层", floor=floor)])) for floor in self.floors),
        ]


def begin(me: Person, behalf: Person, what: str, *, category_id: int | None, by: Actor, idem: str = "") -> Case:
    """A draft from the first words; the same `idem` again gives the same draft."""
    public_id = ids.new_public_id()
    earlier = tokens.first_request(
        by.public_id, "casework.begin", idem, json.dumps([behalf.public_id, what]), public_id
    )
    if earlier is not None:
        return db.session.scalars(sa.select(Case).where(Case.public_id == earlier)).one()
    who = behalf
    case = Case(
        public_id=public_id,
        community_id=who.community_id,
        grid_id=who.grid_id,
        reporter_id=me.id,
        behalf_id=who.id if who != me else None,
        entered_by=by.public_id,
        channel=Channel.PORTAL,
        state=CaseState.DRAFT,
    )
    db.session.add(case)
    db.session.flush()
    say(case, what, category_id=category_id)
    return case


def say(case: Case, what: str, *, category_id: int | None, answers: Mapping[str, str] | None = None) -> None:
    """What is wrong, in her words; without a category the best suggestion is taken until she says otherwise."""
    case.what, case.title = what, title_of(what)
    leaves = choosing.leaves(case.community.code)
    chosen = next((row for row in leaves if row.id == category_id), None)
    classify(case, chosen or choosing.best(what, leaves))
    case.answers = json.dumps(dict(answers), ensure_ascii=False) if answers else None


def for_whom(case: Case, who: Person | None) -> None:
    """Another person than was said first; what was said of the place goes where the community is another."""
    if who is None or who.id == (case.behalf_id or case.reporter_id):
        return
    case.behalf = who if who.id != case.reporter_id else None
    if who.community_id != case.community_id:
        case.community, case.building, case.estate, case.place = who.community, None, None, ""
    if not case.building:
        case.grid_id = who.grid_id
    db.session.flush()


def classify(case: Case, category: Category | None) -> None:
    """Take over what a category brings with it."""
    case.category = category
    if category is not None:
        case.kind, case.urgency, case.off_list = category.kind, category.urgency, category.off_list


def title_of(what: str) -> str:
    """The first words, to the first full stop."""
    line = re.split(r"[。！!？?\n]", what.strip())[0].strip()
    return line if len(line) <= TITLE else line[: TITLE - 1] + "…"


def said_answers(case: Case) -> dict[str, str]:
    """What was answered, by the question's key."""
    return dict(json.loads(case.answers)) if case.answers else {}


def answers_of(case: Case) -> list[tuple[str, str]]:
    """The category's questions with what was answered."""
    said = said_answers(case)
    questions = case.category.questions if case.category else []
    known = {one["key"]: str(one["label"]) for one in questions}
    found = [(label, str(said[key])) for key, label in known.items() if said.get(key)]
    # What was answered to a question that is asked no more.
    return [*found, *((_("补充回答"), str(words)) for key, words in said.items() if key not in known and words)]


def put(case: Case, where: Where) -> None:
    """Where it is. The grid is the building's, or else the reporter's own."""
    building = _building(case, where.building_id)
    estate = building.estate if building else _estate(case, where.estate_id)
    if not building and not where.place.strip():
        raise Refused(_("请点一栋楼，或者写一写在哪里，例如：南门垃圾房旁边。"), field="place")
    case.building, case.estate, case.place = building, estate, where.place.strip()
    if building and building.grid_id:
        case.grid_id = building.grid_id
    db.session.flush()


def point(case: Case, where: Where) -> None:
    """A building was pointed at; the unit and floor of another one go with it."""
    building = _building(case, where.building_id)
    if building is None or building.id != case.building_id:
        known = {words for spot in (spots(case.building) if case.building else ()) for words in spot.words()}
        spot = next((words for words in known if f"{where.place} ".startswith(f"{words} ")), "")
        where = Where(where.building_id, None, where.place[len(spot) :].strip())
    case.building, case.place = building, where.place
    case.estate = building.estate if building else None
    if building and building.grid_id:
        case.grid_id = building.grid_id
    db.session.flush()


def _building(case: Case, building_id: int | None) -> Building | None:
    if not building_id:
        return None
    building = db.session.get(Building, building_id)
    if building is None or building.estate.community_id != case.community_id:
        raise Refused(_("找不到这栋楼，请重新点一栋。"), field="building")
    return building


def _estate(case: Case, estate_id: int | None) -> Estate | None:
    estate = db.session.get(Estate, estate_id) if estate_id else None
    return estate if estate and estate.community_id == case.community_id else None


def home_of(person: Person) -> Building | None:
    """The building somebody lives in: the first guess of where it is."""
    dwelling = person.household.dwelling if person.household else None
    return dwelling.building if dwelling else None


def estates(case: Case) -> list[tuple[Estate, list[Building]]]:
    """The estates of the community with their buildings, in the order of the numbers in their names."""
    query = sa.select(Building).join(Estate).where(Estate.community_id == case.community_id)
    found = list(
        db.session.scalars(query.options(sa.orm.joinedload(Building.estate)).order_by(Estate.name, Building.id))
    )
    grouped: dict[int, list[Building]] = {}
    for building in found:
        grouped.setdefault(building.estate_id, []).append(building)
    return [(group[0].estate, sorted(group, key=_number)) for group in grouped.values()]


def _number(building: Building) -> tuple[int, str]:
    digits = "".join(sign for sign in building.name if sign.isdigit())
    return int(digits[:6] or 0), building.name


def spots(building: Building) -> list[Spot]:
    """The picture of a building: its units, and in each the floors that are known; nobody's door."""
    query = sa.select(Dwelling).where(Dwelling.building_id == building.id)
    floors: dict[str, set[int]] = {}
    for dwelling in db.session.scalars(query.order_by(Dwelling.unit, Dwelling.id)):
        floor = buildings.floor_of(dwelling)
        floors.setdefault(dwelling.unit, set()).update([floor] if floor is not None else [])
    return [Spot(unit, tuple(sorted(known, reverse=True))) for unit, known in sorted(floors.items())]


def spot_of(case: Case) -> str:
    """The unit and floor that were pointed at, without the words typed after them."""
    known = (words for spot in (spots(case.building) if case.building else ()) for words in spot.words())
    return max((words for words in known if f"{case.place} ".startswith(f"{words} ")), key=len, default="")


def organisations(case: Case) -> list[Organisation]:
    """Organisations of the community that one may complain of."""
    query = sa.select(Organisation).where(
        Organisation.community_id == case.community_id, Organisation.closed_on.is_(None)
    )
    return list(db.session.scalars(query.order_by(Organisation.name, Organisation.id).limit(200)))


def accuse(case: Case, against: Against, organisation_id: int | None, *, hide_name: bool) -> None:
    """Of whom it complains, and whether they must not learn by whom."""
    held = {one.id: one for one in organisations(case)} if organisation_id else {}
    if against is Against.ORGANISATION and organisation_id not in held:
        raise Refused(_("请选一个单位，或者改选“不涉及”。"), field="organisation")
    case.against, case.hide_name = against, hide_name
    case.against_organisation_id = organisation_id if against is Against.ORGANISATION else None
    db.session.flush()


def send(case: Case, *, by: Actor) -> Case:
    """Send a draft; what is sent already stays as it was sent."""
    if case.state is not CaseState.DRAFT:
        return case
    if case.category is None:
        raise Refused(_("请先选一个类别。说不清就选“其他”。"), field="category")
    if not case.building_id and not case.place:
        raise Refused(_("请先说一说在哪里。"), field="place")
    number_it(case)
    moves.move(case, CaseState.SUBMITTED, by=moves.resident(by))
    return case


def number_it(case: Case) -> str:
    """Give a case its number, with a sign that checks the others; new to all cases."""
    for _try in range(TRIES):
        number = ids.short_code(NUMBER)
        if db.session.scalar(sa.select(Case.id).where(Case.number == number)) is None:
            break
    with unique_or(Refused(_("编号刚好重复，请再点一次。"))):
        case.number = number
    return number


def discard(case: Case) -> None:
    """Throw a draft away, with its photographs."""
    if case.state is not CaseState.DRAFT:
        raise Refused(_("这件诉求已经提交。不需要了可以在诉求页面撤回。"))
    for photo in list(case.photos):
        db.session.delete(photo)
    db.session.flush()
    audit.record("cases.draft_dropped", case)
    db.session.delete(case)
    db.session.flush()
