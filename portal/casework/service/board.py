"""The public board of a community: what was asked, what was done, as workers wrote and released it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload, selectinload

from portal.areas.models import Area, AreaKind, Building
from portal.casework.models.cases import Case, CasePhoto
from portal.casework.models.categories import Category
from portal.casework.models.codes import Deed, PhotoStage
from portal.casework.service import metrics, moves
from portal.casework.service.metricwords import measure_word
from portal.casework.service.moves import Mover
from portal.casework.service.periods import month_of, quarter_of
from portal.casework.service.quarters import SMALLEST
from portal.core import clock
from portal.core.access import Actor
from portal.core.clock import now, today
from portal.core.db import db
from portal.core.errors import Missing, Refused
from portal.registry.service import people

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
        permille = round(1000 * self.met / self.due)
        return f"{permille // 10}.{permille % 10}%"

    @property
    def note(self) -> str:
        """What it counts; of a small part nothing that could show who is meant."""
        if self.due < SMALLEST:
            return _("不到 %(count)d 件，不公布", count=SMALLEST)
        if any(0 < part < SMALLEST for part in (self.met, self.due - self.met)):
            return self.of
        return _("%(of)s，%(due)d 件中 %(met)d 件", of=self.of, due=self.due, met=self.met)


def communities() -> list[Area]:
    query = sa.select(Area).where(Area.kind == AreaKind.COMMUNITY).order_by(Area.code)
    return list(db.session.scalars(query))


def community(found: Sequence[Area], code: str, actor: Actor | None) -> Area | None:
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


def shown(area: Area, asked: Asked) -> list[Case]:
    """Released cases of a community, the newest release first; one more than a page."""
    parent = sa.orm.aliased(Category)
    query = (
        sa.select(Case)
        .join(Case.category)
        .outerjoin(parent, Category.parent_id == parent.id)
        .where(Case.community_id == area.id, Case.public_at.is_not(None), Category.private.is_(False))
        .options(joinedload(Case.category), joinedload(Case.estate))
        .options(joinedload(Case.building).joinedload(Building.estate), selectinload(Case.photos))
    )
    if asked.category:
        query = query.where(sa.or_(Category.code == asked.category, parent.code == asked.category))
    if asked.month:
        first, after = (clock.day_bounds(day)[0] for day in month_bounds(asked.month))
        query = query.where(Case.public_at >= first, Case.public_at < after)
    query = query.order_by(Case.public_at.desc(), Case.id.desc())
    return list(db.session.scalars(query.offset((asked.page - 1) * A_PAGE).limit(A_PAGE + 1)))


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


def rates(area: Area, asked: Asked) -> list[Rate]:
    """The three rates of the month asked for, else of the running quarter; small numbers are not told."""
    period = month_of(asked.month) if asked.month else quarter_of(today())
    found = metrics.board_rates(area, period)
    return [Rate(measure_word(measure), met, due, period.words()) for measure, met, due in found]
