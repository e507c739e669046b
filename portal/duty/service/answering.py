"""Who answers now: the people on duty in an area, and who stands in when there is nobody."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from portal.areas.models import Area, AreaKind
from portal.core import audit
from portal.core.clock import local
from portal.core.db import db
from portal.duty.models import Fallback, Shift, ShiftRole, WorkPhone
from portal.duty.service import cover, people, rota
from portal.identity.models import Account

INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True)
class OnDuty:
    """Somebody who answers: `until` is None for who stands in at any hour. `account` is a public id."""

    name: str
    account: str
    phone: str
    community: str
    place: str = ""
    role: ShiftRole | None = None
    until: datetime | None = None

    @property
    def stands_in(self) -> bool:
        return self.until is None


def on_duty(area: Area, moment: datetime) -> list[OnDuty]:
    """Who answers for an area at a moment, telephones first, leaders last; nobody only where nothing is arranged.

    A grid is answered for by its community; a street by all of its communities.
    """
    found = by_community(_communities(area), moment)
    return sorted((one for each in found.values() for one in each), key=_order)


def _order(one: OnDuty) -> tuple[bool, int]:
    first = (ShiftRole.TELEPHONE, ShiftRole.COUNTER, ShiftRole.NIGHT)
    return one.stands_in, first.index(one.role) if one.role in first else len(first)


def by_community(communities: Collection[Area], moment: datetime) -> dict[int, list[OnDuty]]:
    """The same for several communities, by the id of each."""
    shifts = rota.shifts_between([community.id for community in communities], (moment, moment + INSTANT))
    numbers = people.phones([turn.account for shift in shifts for turn in shift.turns])
    standing = cover.fallbacks(communities)
    return {one.id: among(one, moment, shifts, numbers, standing.get(one.id)) for one in communities}


def _communities(area: Area) -> list[Area]:
    if area.kind is AreaKind.COMMUNITY:
        return [area]
    same = Area.id == area.parent_id if area.kind is AreaKind.GRID else Area.parent_id == area.id
    query = sa.select(Area).where(Area.kind == AreaKind.COMMUNITY, same)
    return list(db.session.scalars(query.order_by(Area.code)))


def among(
    community: Area, moment: datetime, shifts: Sequence[Shift], numbers: dict[int, str], fallback: Fallback | None
) -> list[OnDuty]:
    """Who of some shifts answers for a community at a moment; `numbers` are work telephones by account id."""
    always = fallback.phone if fallback else ""
    found = [
        OnDuty(
            name=turn.account.name,
            account=turn.account.public_id,
            phone=numbers.get(turn.account_id) or shift.phone or always,
            community=community.name,
            place=shift.place,
            role=shift.role,
            until=shift.ends_at,
        )
        for shift in shifts
        if shift.community_id == community.id and shift.starts_at <= moment < shift.ends_at
        for turn in shift.turns
        if turn.account.is_open(local(moment).date())
    ]
    return sorted(found, key=_order) or _standing_in(community, fallback, moment)


def _standing_in(community: Area, fallback: Fallback | None, moment: datetime) -> list[OnDuty]:
    """An account that was closed answers no more, but its line still rings."""
    if fallback is None:
        return []
    here = fallback.account.is_open(local(moment).date())
    name = fallback.account.name if here else ""
    return [OnDuty(name=name, account=fallback.account.public_id, phone=fallback.phone, community=community.name)]


def set_phone(account: Account, phone: str) -> None:
    """The telephone an account is reached at while on duty; "" forgets it."""
    db.session.execute(sa.select(Account.id).where(Account.id == account.id).with_for_update())
    row = db.session.scalar(sa.select(WorkPhone).where(WorkPhone.account_id == account.id))
    if row is not None and not phone:
        db.session.delete(row)
    elif phone:
        row = row or WorkPhone(account_id=account.id)
        row.phone = phone
        db.session.add(row)
    db.session.flush()
    audit.record("duty.phone_set", account)
