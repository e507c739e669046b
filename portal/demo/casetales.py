"""The stories that the demonstration's requests tell: from the first words as far as they have come by now."""

import random
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.areas.models import Area, Building
from portal.casework.models.cases import Case, CaseCallBack, CasePause, CaseStep
from portal.casework.models.categories import Category
from portal.casework.models.codes import (
    Against,
    CallBackWay,
    CaseState,
    Channel,
    Colour,
    Deed,
    Extension,
    Satisfaction,
    Side,
    Urgency,
)
from portal.casework.models.limits import LimitStep
from portal.casework.service import limits, reporting
from portal.casework.service.limits import Limits
from portal.core import ids
from portal.core.clock import now
from portal.core.working import WorkingTime
from portal.demo.casewords import ANSWERS, HEARD
from portal.identity.models import Account
from portal.identity.permissions import Role

DAYS = 88
# One in so many is answered for too late, or cannot be solved, however often it is done again.
LATE_CONTACT, UNSOLVED = 48, 11
S = CaseState
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Ground:
    """A community with what its requests are made of."""

    area: Area
    homes: list[tuple[Building, list[int]]]
    holders: list[Account]
    leader: Account
    limits: Limits


@dataclass(frozen=True)
class Told:
    """One thing that somebody asks."""

    category: Category
    words: str
    building: Building
    reporter: int
    at: datetime


class Maker:
    """Tells the stories of requests day by day and keeps the rows, to be written all at once."""

    def __init__(self, source: random.Random, day: date) -> None:
        self.source = source
        self.times = WorkingTime(day - timedelta(days=DAYS + 30))
        self.now = now()
        # How many stories of a community were told: every so many end otherwise, so that the rates are what they are.
        self.turn = 0
        self.hasty = False
        self.cases: Rows = []
        self.steps: dict[str, Rows] = {}
        self.backs: dict[str, Rows] = {}
        self.pauses: dict[str, Rows] = {}

    def tell(self, ground: Ground, told: Told, *, ending: str = "") -> str:
        """A request as far as it has come by now; answers its public id."""
        self.turn += 1
        self.hasty = told.category.urgency is Urgency.URGENT
        case = self._begin(ground, told)
        self.steps[case["public_id"]] = []
        self._story(case, ground, told, ending)
        self.cases.append(case)
        return str(case["public_id"])

    def _begin(self, ground: Ground, told: Told) -> dict[str, Any]:
        category = told.category
        channel = self.source.choices(list(Channel), [6, 3, 1, 1, 1])[0]
        desk = channel is not Channel.PORTAL
        row: dict[str, Any] = dict.fromkeys(column.key for column in Case.__table__.columns if column.key != "id")
        return row | {
            "public_id": ids.new_public_id(),
            "number": ids.short_code(reporting.NUMBER),
            "created_at": told.at,
            "community_id": ground.area.id,
            "grid_id": told.building.grid_id,
            "estate_id": told.building.estate_id,
            "building_id": told.building.id,
            "reporter_id": told.reporter,
            "channel": channel,
            "entered_by": ground.leader.public_id if desk else "",
            "entered_by_name": ground.leader.name if desk else "",
            "category_id": category.id,
            "kind": category.kind,
            "urgency": category.urgency,
            "title": reporting.title_of(told.words),
            "what": told.words,
            "off_list": category.off_list,
            "party": category.party,
            "submitted_at": told.at,
            **dict.fromkeys(EMPTY, ""),
            **dict.fromkeys(ZEROS, 0),
            **DEFAULTS,
        }

    def _story(self, case: dict[str, Any], ground: Ground, told: Told, ending: str) -> None:
        """Step after step until now, or until the story ends."""
        at = told.at
        case["accept_due"] = self._due(ground, told, LimitStep.ACCEPT, at)
        self._move(case, S.SUBMITTED, at, Side.RESIDENT if case["channel"] is Channel.PORTAL else Side.WORKER, None)
        at = self._after(at, 10, 240)
        if at > self.now or ending == "new":
            return
        if ending == "declined":
            words = "不归社区管理。可以这样办：请打 12345"
            self._move(case, S.DECLINED, at, Side.WORKER, ground.leader, words=words)
            return
        case["accepted_at"] = at
        case["contact_due"] = self._due(ground, told, LimitStep.CONTACT, at)
        case["finish_due"] = self._due(ground, told, LimitStep.FINISH, at)
        self._move(case, S.ACCEPTED, at, Side.WORKER, ground.leader)
        at = self._after(at, 5, 60)
        if at > self.now:
            return
        at = self._given(case, ground, told, at)
        if at <= self.now:
            self._worked(case, ground, told, at, ending)

    def _given(self, case: dict[str, Any], ground: Ground, told: Told, at: datetime) -> datetime:
        """Given to somebody; sometimes she gives it back first."""
        holder = self._holder(ground, told)
        case |= {"holder": holder.public_id, "holder_name": holder.name, "assigned_at": at}
        case |= {"first_holder": holder.public_id, "first_holder_name": holder.name}
        case["sign_due"] = self._due(ground, told, LimitStep.SIGN, at)
        self._move(case, S.ASSIGNED, at, Side.WORKER, ground.leader, to_name=holder.name)
        if self.source.random() < 0.05 and self._after(at, 300, 300) < self.now:
            at = self._after(at, 30, 120)
            case["returns"] = 1
            self._move(case, S.RETURNED, at, Side.WORKER, holder, inside="不在我的网格，请改派")
            at = self._after(at, 10, 60)
            case["assigned_at"] = at
            self._move(case, S.ASSIGNED, at, Side.WORKER, ground.leader, to_name=holder.name)
        return self._after(at, 15, 260)

    def _holder(self, ground: Ground, told: Told) -> Account:
        """The grid's own worker where there is one."""
        grids = [one for one in ground.holders if any(grant.role is Role.GRID_WORKER for grant in one.grants)]
        for one in grids:
            if told.building.grid and any(grant.scope_ref == told.building.grid.code for grant in one.grants):
                return one
        return self.source.choice([one for one in ground.holders if one not in grids])

    def _worked(self, case: dict[str, Any], ground: Ground, told: Told, at: datetime, ending: str) -> None:
        holder = self._holder_of(case, ground)
        case["signed_at"] = at
        self._move(case, S.SIGNED, at, Side.WORKER, holder)
        at = self._after(at, 5, 90)
        if at > self.now:
            return
        if self.turn % LATE_CONTACT == 7 and case["contact_due"] > at:
            at = self._after(case["contact_due"], 20, 120)
            if at > self.now:
                return
        self._move(case, S.WORKING, at, Side.WORKER, holder)
        case["contacted_at"] = at
        self._line(case, Deed.CONTACTED, at, holder, words="电话联系居民，约好到现场看")
        if ending == "paused" or self.source.random() < 0.05:
            at = self._paused(case, holder, at, last=ending == "paused")
        if at > self.now or ending in {"working", "paused"}:
            return
        slow = self.source.random() < 0.08
        limit = self.times.between(at, case["finish_due"])
        at = self._after(at, limit if slow else 60, max(90, limit * (15 if slow else 8) // 10))
        if at <= self.now:
            self._answered(case, ground, told, at, ending)

    def _holder_of(self, case: dict[str, Any], ground: Ground) -> Account:
        return next(one for one in ground.holders if one.public_id == case["holder"])

    def _paused(self, case: dict[str, Any], holder: Account, at: datetime, *, last: bool) -> datetime:
        at = self._after(at, 60, 240)
        until = self.times.add(at, 900)
        if at > self.now:
            return at
        case["paused_at"] = at
        self._move(case, S.PAUSED, at, Side.WORKER, holder, words="等配件到货")
        open_ = last or until > self.now
        pause = {"since": at, "until": None if open_ else until, "why": "等配件到货"}
        self.pauses.setdefault(case["public_id"], []).append(pause)
        if open_:
            return self.now + timedelta(days=1)
        case["finish_due"] = self.times.add(until, max(self.times.between(at, case["finish_due"]), 1))
        self._move(case, S.WORKING, until, Side.WORKER, holder)
        return until

    def _answered(self, case: dict[str, Any], ground: Ground, told: Told, at: datetime, ending: str) -> None:
        parent = told.category.parent.code if told.category.parent else "other"
        holder = self._holder_of(case, ground)
        case |= {"answered_at": at, "answer": ANSWERS[parent]}
        case["callback_due"] = self._due(ground, told, LimitStep.CALL_BACK, at)
        self._move(case, S.ANSWERED, at, Side.WORKER, holder, words=ANSWERS[parent])
        at = self._after(at, 60, 1200)
        if at > self.now or ending == "answered":
            return
        hopeless = self.turn % UNSOLVED == 5
        bad = hopeless or (case["redos"] == 0 and self.source.random() < 0.07)
        self._back(case, at, solved=not bad)
        if not bad:
            self._closed(case, at)
        elif case["redos"] < ground.limits.of(LimitStep.REDOS, urgency=told.category.urgency).count:
            self._again(case, ground, told, at, ending)
        else:
            self._move(case, S.DISSATISFIED, at, Side.RESIDENT, None)
            self._closed(case, at, words="重新办理的次数已经用完，社区会派负责人和您联系。")

    def _closed(self, case: dict[str, Any], at: datetime, **words: str) -> None:
        case["closed_at"] = at
        self._move(case, S.CLOSED, at, Side.SYSTEM, None, **words)

    def _again(self, case: dict[str, Any], ground: Ground, told: Told, at: datetime, ending: str) -> None:
        """Done once more."""
        holder = self._holder_of(case, ground)
        self._move(case, S.DISSATISFIED, at, Side.RESIDENT, None)
        case["redos"] += 1
        case["finish_due"] = self._due(ground, told, LimitStep.FINISH, at)
        self._move(case, S.REDO, at, Side.SYSTEM, None)
        at = self._after(at, 20, 200)
        if at > self.now:
            return
        self._move(case, S.WORKING, at, Side.WORKER, holder)
        at = self._after(at, 100, 1200)
        if at <= self.now:
            self._answered(case, ground, told, at, ending)

    def _back(self, case: dict[str, Any], at: datetime, *, solved: bool) -> None:
        """The call-back: by the resident's own answer or by telephone."""
        liked = self.source.choices([Satisfaction.GOOD, Satisfaction.FAIR], [7, 3])[0]
        satisfaction = liked if solved else Satisfaction.BAD
        way = self.source.choice([CallBackWay.PORTAL, CallBackWay.PHONE, CallBackWay.PHONE])
        said = self.source.choice(HEARD) if solved else "没过两天又这样了"
        case |= {"called_back_at": at, "solved": solved, "satisfaction": satisfaction}
        self.backs.setdefault(case["public_id"], []).append(
            {
                "round": case["redos"],
                "at": at,
                "way": way,
                "solved": solved,
                "satisfaction": satisfaction,
                "words": said or None,
                "by": "",
                "by_name": "",
            }
        )
        self._move(case, S.CALLED_BACK, at, Side.RESIDENT, None, words=said)

    def _due(self, ground: Ground, told: Told, step: LimitStep, at: datetime) -> datetime:
        codes = limits.codes_of(told.category)
        known = ground.limits.of(step, codes=codes, kind=told.category.kind, urgency=told.category.urgency)
        return known.after(at, self.times)

    def _after(self, at: datetime, least: int, most: int) -> datetime:
        minutes = self.source.randint(least, max(least, most))
        # What is urgent runs by the clock, at night too.
        return at + timedelta(minutes=minutes // 8) if self.hasty else self.times.add(at, minutes)

    def _move(
        self, case: dict[str, Any], to: CaseState, at: datetime, side: Side, by: Account | None, **words: str
    ) -> None:
        line = self._row(Deed.MOVED, at, side, by, **words) | {"from_state": case["state"], "to_state": to}
        self.steps[case["public_id"]].append(line)
        case["state"], case["state_at"] = to, at

    def _line(self, case: dict[str, Any], deed: Deed, at: datetime, by: Account, **words: str) -> None:
        self.steps[case["public_id"]].append(self._row(deed, at, Side.WORKER, by, **words))

    @staticmethod
    def _row(deed: Deed, at: datetime, side: Side, by: Account | None, **words: str) -> dict[str, Any]:
        return {
            "at": at,
            "deed": deed,
            "side": side,
            "by": by.public_id if by else "",
            "by_name": by.name if by else "",
            "from_state": None,
            "to_state": None,
            "to_name": words.get("to_name", ""),
            "words": words.get("words") or None,
            "inside": words.get("inside") or None,
        }

    def write(self, session: Session) -> None:
        """Everything at once."""
        session.execute(sa.insert(Case), self.cases)
        known = {row.public_id: row.id for row in session.execute(sa.select(Case.public_id, Case.id))}
        for kind, rows in ((CaseStep, self.steps), (CaseCallBack, self.backs), (CasePause, self.pauses)):
            found = [row | {"case_id": known[public_id]} for public_id, lines in rows.items() for row in lines]
            if found:
                session.execute(sa.insert(kind), found)


EMPTY = (
    *("place", "against_worker", "first_holder", "first_holder_name", "holder", "holder_name"),
    *("extension_why", "public_asked", "public_done"),
)
ZEROS = ("returns", "redos", "reopens", "urges")
DEFAULTS: dict[str, Any] = {
    "state": S.DRAFT,
    "hide_name": False,
    "against": Against.NOBODY,
    "extension": Extension.NONE,
    "colour": Colour.NONE,
}
