"""The demonstration's requests: three months of them in all states, with photographs, and what recurs."""

import base64
import io
import random
from collections import defaultdict
from datetime import date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from PIL import Image, ImageDraw
from sqlalchemy.orm import Session

from portal.areas.models import Area, Building
from portal.casework.models.answers import AnswerTemplate, QuarterPage
from portal.casework.models.cases import Case, CaseLink, CasePhoto
from portal.casework.models.categories import Category
from portal.casework.models.codes import CaseState, LinkKind, PhotoStage
from portal.casework.service import defaults, metrics, quarters, recurring, supervising
from portal.casework.service.limits import Limits
from portal.casework.service.periods import quarter_of
from portal.core import clock, ids
from portal.core.clock import now, today
from portal.demo.casetales import DAYS, Ground, Maker, Told
from portal.demo.casewords import AGAIN, ANSWERS, ASKED, DONE, TWICE
from portal.identity import staff
from portal.identity.permissions import Permission, Role
from portal.registry.models import Household, Person, PersonState

SEED = 20261123
COUNTS = {"999901001001": 120, "999901001002": 165}
ENDINGS = ("", "", "", "", "new", "working", "paused", "answered", "declined")
PICTURED, RELEASED = 14, 60
# Whose account anybody may try finds the same in it on every day: one of them has had one matter settled.
FAMILY, HERS = ("王秀英", "李小红"), ("light", 30)


def build_requests(session: Session, street: str, day: date) -> None:
    """Three months of requests; nobody is told of them."""
    source = random.Random(SEED)
    defaults.seed(street, by="何立新", since=day - timedelta(days=400))
    session.flush()
    categories = {
        one.code: one for one in session.scalars(sa.select(Category).options(sa.orm.joinedload(Category.parent)))
    }
    maker, twins = Maker(source, day), list[tuple[str, str]]()
    for code, count in COUNTS.items():
        ground = _ground(session, code, day)
        for _turn in range(count):
            _one(maker, ground, categories, source)
        _recurring(maker, ground, categories, source)
        twins += _twice(maker, ground, categories, source)
        _templates(session, ground)
        _hers(session, ground, categories, day)
    maker.write(session)
    _linked(session, twins)
    session.flush()
    supervising.colour()
    _released(session, source)
    recurring.find()
    _quarter(session, day)


def _ground(session: Session, code: str, day: date) -> Ground:
    area = session.scalars(sa.select(Area).where(Area.code == code)).one()
    query = (
        sa.select(Building, Person.id)
        .join(Household.dwelling)
        .join(Building)
        .join(Person, Person.household_id == Household.id)
        .where(
            Person.community_id == area.id,
            Person.state == PersonState.PRESENT,
            Person.birth_date < date(2005, 1, 1),
            Person.name.not_in(FAMILY),
        )
        .order_by(Building.id, Person.id)
    )
    people: dict[Building, list[int]] = defaultdict(list)
    for building, person in session.execute(query):
        people[building].append(person)
    grids = list(session.scalars(sa.select(Area.code).where(Area.parent_id == area.id)))
    holders = staff.workers_on(Permission.CASES_HANDLE, [code, *grids])
    leader = next(one for one in holders if any(grant.role is Role.COMMUNITY_WORKER for grant in one.grants))
    return Ground(area, list(people.items()), holders, leader, Limits(code, day))


def _one(maker: Maker, ground: Ground, categories: dict[str, Category], source: random.Random) -> None:
    code = source.choice(list(ASKED))
    building, people = source.choice(ground.homes)
    back = source.randint(0, DAYS) if source.random() < 0.75 else source.randint(0, 9)
    ending = source.choice(ENDINGS) if back < 4 else "declined" if source.random() < 0.03 else ""
    told = Told(categories[code], source.choice(ASKED[code]), building, source.choice(people), _moment(source, back))
    if told.at < now():
        maker.tell(ground, told, ending=ending)


def _hers(session: Session, ground: Ground, categories: dict[str, Category], day: date) -> None:
    """What the daughter of the demonstration's family asked a month ago, told by chance of its own."""
    code, back = HERS
    query = sa.select(Person.id, Building).join(Person.household).join(Household.dwelling).join(Building)
    found = session.execute(query.where(Person.community_id == ground.area.id, Person.name == FAMILY[1])).first()
    if found:
        source = random.Random(SEED)
        alone = Maker(source, day)
        alone.tell(ground, Told(categories[code], ASKED[code][0], found.Building, found.id, _moment(source, back)))
        alone.write(session)


def _moment(source: random.Random, back: int) -> datetime:
    """Mostly in the day, sometimes in the evening."""
    hour = source.choice((8, 9, 9, 10, 10, 11, 13, 14, 15, 16, 17, 19, 20, 21))
    return clock.at(today() - timedelta(days=back), time(hour, source.randint(0, 59)))


def _recurring(maker: Maker, ground: Ground, categories: dict[str, Category], source: random.Random) -> None:
    """What comes again at one place every other week."""
    for code, estate, number, words in AGAIN:
        found = [home for home in ground.homes if (home[0].estate.name, home[0].name) == (estate, number)]
        for turn, said in enumerate(words if found else ()):
            building, people = found[0]
            at = _moment(source, 4 + turn * 14)
            maker.tell(ground, Told(categories[code], said, building, source.choice(people), at))


def _twice(
    maker: Maker, ground: Ground, categories: dict[str, Category], source: random.Random
) -> list[tuple[str, str]]:
    """Two who tell of the same within two days."""
    pairs = []
    for turn, (code, *both) in enumerate(TWICE):
        building, people = source.choice([home for home in ground.homes if len(home[1]) > 1])
        tellers = source.sample(people, 2)
        told = [
            Told(categories[code], words, building, teller, _moment(source, 2 + turn + later))
            for words, teller, later in zip(both, tellers, (1, 0), strict=True)
        ]
        first, second = (maker.tell(ground, one, ending="working") for one in told)
        pairs.append((first, second))
    return pairs


def _linked(session: Session, twins: list[tuple[str, str]]) -> None:
    """All but the first pair, which the desk is proposed."""
    known = {row.public_id: row.id for row in session.execute(sa.select(Case.public_id, Case.id))}
    for first, second in twins[1:]:
        low, high = sorted((known[first], known[second]))
        session.add(CaseLink(low_id=low, high_id=high, kind=LinkKind.DUPLICATE, by_name="周洁"))


def _released(session: Session, source: random.Random) -> None:
    """What is on the board: with photographs before and after where there is something to see."""
    query = (
        sa.select(Case)
        .join(Case.category)
        .where(Case.state == CaseState.CLOSED, Category.private.is_(False), Case.solved.is_(True))
        .options(sa.orm.contains_eager(Case.category).joinedload(Category.parent))
        .order_by(Case.closed_at.desc(), Case.id)
        .limit(RELEASED)
    )
    pictured = 0
    for case in session.scalars(query):
        category = case.category
        parent = category.parent.code if category and category.parent else "other"
        case.public_asked = _asked(case, category, parent)
        case.public_done = DONE.get(parent, DONE["other"])
        case.public_at = case.closed_at
        if parent in {"environment", "facility"} and pictured < PICTURED:
            pictured += 1
            for stage in (PhotoStage.BEFORE, PhotoStage.AFTER):
                session.add(_photo(case, stage, source))
    session.flush()


def _asked(case: Case, category: Category | None, parent: str) -> str:
    """Of things outside the doors their own words, of what touches people no more than the category."""
    if parent in {"environment", "facility", "order", "property"}:
        return f"居民反映：{case.what}。"
    return f"居民反映{category.name}的问题。" if category and parent != "other" else "居民反映一件生活上的事。"


def _photo(case: Case, stage: PhotoStage, source: random.Random) -> CasePhoto:
    picture = base64.b64encode(_drawn(stage, source)).decode()
    at = case.closed_at or now()
    facts = {"public_id": ids.new_public_id(), "case_id": case.id, "stage": stage, "by_name": case.holder_name}
    return CasePhoto(picture=picture, is_public=True, at=at, **facts)


def _drawn(stage: PhotoStage, source: random.Random) -> bytes:
    """A yard with a house and a path: untidy and dark before, tidy and light after."""
    before = stage is PhotoStage.BEFORE
    image = Image.new("RGB", (640, 480), (120, 130, 140) if before else (176, 212, 236))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 300, 640, 480), fill=(112, 110, 104) if before else (150, 186, 120))
    draw.polygon(((260, 480), (400, 480), (350, 300), (310, 300)), fill=(140, 138, 134) if before else (206, 202, 194))
    left = source.randint(30, 120)
    draw.rectangle((left, 90, left + 230, 310), fill=(150, 120, 104) if before else (206, 168, 140))
    for row in range(3):
        for column in range(4):
            x, y = left + 18 + column * 54, 112 + row * 62
            draw.rectangle((x, y, x + 34, y + 40), fill=(70, 78, 88) if before else (244, 226, 150))
    draw.rectangle((500, 170, 508, 320), fill=(80, 80, 84))
    draw.ellipse((484, 146, 524, 180), fill=(84, 84, 84) if before else (255, 240, 160))
    if before:
        for _bag in range(16):
            x, y, size = source.randint(300, 600), source.randint(330, 440), source.randint(18, 46)
            shade = source.randint(30, 90)
            draw.ellipse((x, y, x + size, y + size), fill=(shade, shade, shade + 10))
    else:
        for turn in range(3):
            draw.rectangle(
                (420 + turn * 56, 330, 462 + turn * 56, 396), fill=((46, 120, 70), (60, 90, 150), (150, 60, 50))[turn]
            )
    out = io.BytesIO()
    image.save(out, "JPEG", quality=78)
    return out.getvalue()


def _templates(session: Session, ground: Ground) -> None:
    session.add_all(
        AnswerTemplate(
            community_id=ground.area.id, category_code=code, name=name, words=words, set_by=ground.leader.name
        )
        for code, name, words in (
            ("", "已办好", "您反映的【编号】“【标题】”已经办好，请您再看看。还有问题，请随时告诉【社区】。"),
            ("environment", "清理完毕", ANSWERS["environment"]),
            ("facility", "已经修好", ANSWERS["facility"]),
            ("beyond", "已转部门", ANSWERS["beyond"]),
        )
    )


def _quarter(session: Session, day: date) -> None:
    """The last quarter's page as it was published."""
    period = quarter_of(day).before()
    for area in session.scalars(sa.select(Area).where(Area.code.in_(COUNTS)).order_by(Area.code)):
        figures: dict[str, Any] = quarters.frozen(metrics.of_community(area, period))
        at = clock.at(period.last + timedelta(days=9), time(10))
        facts = {"community_id": area.id, "quarter": period.key, "published_by_name": "周洁"}
        session.add(QuarterPage(figures=figures, published_at=at, **facts))
    session.flush()
