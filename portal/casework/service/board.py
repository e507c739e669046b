"""The public board of a community: what was asked, what was done, as workers wrote and released it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload, selectinload

from portal.areas.models import Area, AreaKind, Building, Estate
from portal.casework.models.cases import Case, CasePhoto
from portal.casework.models.categories import Category
from portal.casework.models.codes import Deed, PhotoStage
from portal.casework.service import moves
from portal.casework.service.metricwords import measure_word
from portal.casework.service.moves import Mover
from portal.casework.service.periods import month_of, quarter_of
from portal.casework.service.quarters import SMALLEST
from portal.casework.service.rates import board_rates
from portal.core import clock
from portal.core.access import Actor
from portal.core.clock import now, today
from portal.core.db import db
from portal.core.errors import Missing, Refused
from portal.registry.service import people

# A mobile's number or an identity card's, also in groups.
NUMBERS = re.compile(r"(?<!\d)(?:1[3-9]\d(?:[\s-]?\d){8}|\d{17}[\dXx])(?!\d)")
A_PAGE = 10
MONTHS = 12


@dataclass(frozen=True)
class Asked:
    """What a reader of the board asks for: a category of the first level, a month (its first day)."""

    category: str = ""
    month: date | None = None
    page: int = 1


@dataclass(frozen=True)
class Rate:
    """A rate with what it counts: `met` of `due`."""

    name: str
    met: int
    due: int
    of: str

    @property
    def value(self) -> str:
        if self.due < SMALLEST:
            return "—"
        # Cut, as at the desk.
        permille = 1000 * self.met // self.due
        return f"{permille // 10}.{permille % 10}%"

    @property
    def note(self) -> str:
        """What it counts; of a small part nothing that could show who is meant."""
        if self.due < SMALLEST:
            return _("不到 %(count)d 件，不公布", count=SMALLEST)
        if any(0 < part < SMALLEST for part in (self.met, self.due - self.met)):
            return self.of
        return _("%(of)s，%(due)d 件中 %(met)d 件", of=self.of, due=self.due, met=self.met)


@dataclass(frozen=True)
class Place:
    """A community, as far as the board needs it."""

    id: int
    code: str
    name: str


class Shown(NamedTuple):
    """A line of the board, read without making objects of the register."""

    public_id: str
    asked: str
    done: str
    at: datetime | None
    what: str
    estate: str | None
    building: str | None
    pictured: bool

    @property
    def where(self) -> str:
        """As far as strangers may know: estate and building, never what was typed."""
        return " ".join(filter(None, (self.estate, self.building))) or _("社区范围内")


def communities() -> list[Place]:
    return [Place(*row) for row in db.session.execute(_COMMUNITIES)]


_COMMUNITIES = sa.select(Area.id, Area.code, Area.name).where(Area.kind == AreaKind.COMMUNITY).order_by(Area.code)


def community(found: Sequence[Place], code: str, actor: Actor | None) -> Place | None:
    """Of the communities the one that is asked for; else the reader's own; else the first."""
    chosen = next((one for one in found if one.code == code), None)
    if code and chosen is None:
        raise Missing
    if chosen is None and actor is not None:
        me = people.person_of_or_none(actor, lean=True)
        chosen = next((one for one in found if me and one.id == me.community_id), None)
    return chosen or next(iter(found), None)


def months() -> list[date]:
    """The last twelve months, this one first."""
    first = today().replace(day=1)
    found = [first]
    while len(found) < MONTHS:
        found.append((found[-1] - timedelta(days=1)).replace(day=1))
    return found


def month_bounds(month: date) -> tuple[date, date]:
    """The first day of a month, and the first of the next."""
    return month, (month + timedelta(days=32)).replace(day=1)


def shown(place: Place, asked: Asked) -> list[Shown]:
    """Released cases of a community, the newest release first; one more than a page."""
    said: dict[str, Any] = {"place": place.id, "skipped": (asked.page - 1) * A_PAGE, "category": asked.category}
    if asked.month:
        said["first"], said["after"] = (clock.day_bounds(day)[0] for day in month_bounds(asked.month))
    query = _showing(of_a_category=bool(asked.category), of_a_month=asked.month is not None)
    return [Shown(*row) for row in db.session.execute(query, said)]


@cache
def _showing(*, of_a_category: bool, of_a_month: bool) -> sa.Select[*tuple[Any, ...]]:
    """A page of the board, each of its four forms built once."""
    query = _SHOWN.where(Case.community_id == sa.bindparam("place"))
    if of_a_category:
        code: sa.BindParameter[str] = sa.bindparam("category")
        query = query.where(sa.or_(Category.code == code, _PARENT.code == code))
    if of_a_month:
        query = query.where(Case.public_at >= sa.bindparam("first"), Case.public_at < sa.bindparam("after"))
    return query.offset(sa.bindparam("skipped")).limit(A_PAGE + 1)


_PARENT, _OWN = sa.orm.aliased(Category), sa.orm.aliased(Estate)
_SHOWN = (
    sa.select(
        *(Case.public_id, Case.public_asked, Case.public_done, Case.public_at, Category.name),
        # A building's own estate, as the case's may be another.
        sa.func.coalesce(_OWN.name, Estate.name),
        Building.name,
        sa.exists().where(CasePhoto.case_id == Case.id, CasePhoto.is_public.is_(True)).correlate(Case),
    )
    .select_from(Case)
    .join(Case.category)
    .outerjoin(_PARENT, Category.parent_id == _PARENT.id)
    .outerjoin(Case.building)
    .outerjoin(_OWN, Building.estate_id == _OWN.id)
    .outerjoin(Estate, Case.estate_id == Estate.id)
    .where(Case.public_at.is_not(None), Category.private.is_(False))
    .order_by(Case.public_at.desc(), Case.id.desc())
)


def released(public_id: str) -> Case:
    """A case on the board; Missing for any other."""
    query = (
        sa.select(Case)
        .join(Case.category)
        .where(Case.public_id == public_id, Case.public_at.is_not(None), Category.private.is_(False))
        .options(joinedload(Case.category), joinedload(Case.estate), joinedload(Case.community))
        .options(joinedload(Case.building).joinedload(Building.estate), selectinload(Case.photos))
    )
    case = db.session.scalar(query)
    if case is None:
        raise Missing
    return case


def public_photos(case: Case, stage: PhotoStage) -> list[CasePhoto]:
    return [photo for photo in case.photos if photo.is_public and photo.stage == stage]


def release(case: Case, *, asked: str, done: str, photo_ids: list[str], by: Mover) -> None:
    """Put a case on the board with the worker's own words and the photographs she ticked."""
    if case.category is None or case.category.private:
        raise Refused(_("这个类别的诉求不上公示栏。"))
    if not asked.strip() or not done.strip():
        raise Refused(_("请写清居民反映了什么、社区做了什么，不写姓名、电话和门牌。"), field="asked")
    for field, words in (("asked", asked), ("done", done)):
        if NUMBERS.search(words):
            raise Refused(_("里面有手机号或身份证号，公示栏谁都能看到。请删掉号码再公开。"), field=field)
    for photo in case.photos:
        photo.is_public = photo.public_id in photo_ids
    case.public_asked, case.public_done = asked.strip(), done.strip()
    case.public_at = case.public_at or now()
    moves.step(case, Deed.PUBLISHED, by=by)
    db.session.flush()


def hide(case: Case, *, why: str, by: Mover) -> None:
    """Take a case off the board, with its photographs."""
    if case.public_at is None:
        raise Refused(_("这件诉求不在公示栏上。"))
    for photo in case.photos:
        photo.is_public = False
    case.public_at = None
    moves.step(case, Deed.HIDDEN, by=by, inside=why)
    db.session.flush()


def rates(place: Place, asked: Asked) -> list[Rate]:
    """The three rates of the month asked for, else of the running quarter; small numbers are not told."""
    period = month_of(asked.month) if asked.month else quarter_of(today())
    found = board_rates(place.id, period)
    return [Rate(measure_word(measure), met, due, period.words()) for measure, met, due in found]
