"""A worker's words to those on a shift, or on all of a day: everybody, who has not come, or who has not answered."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import joinedload

from portal.core import audit, tokens
from portal.core.access import Actor
from portal.core.clock import day_bounds, now
from portal.core.db import db
from portal.core.errors import Refused
from portal.volunteers.models.activities import Post, Shift
from portal.volunteers.models.codes import InvitationState, ShiftState, SignupState
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.signups import Invitation, Signup
from portal.volunteers.service.signup_telling import tell

SENT = "volunteers.roster_message"
ON = (SignupState.REQUESTED, SignupState.JOINED, SignupState.PRESENT, SignupState.DONE)


class Whom(StrEnum):
    ALL = "all"
    ABSENT = "absent"
    UNANSWERED = "unanswered"


WHOM_WORDS: dict[Whom, Any] = {
    Whom.ALL: _l("全部"),
    Whom.ABSENT: _l("开始了还没到的"),
    Whom.UNANSWERED: _l("邀请了还没答复的"),
}


@dataclass(frozen=True)
class Heard:
    """Somebody who is to hear it, and the post it is about: her first, where she has several."""

    volunteer: Volunteer
    post: Post


@dataclass(frozen=True)
class About:
    """What the words are about: one shift (its public id), or every shift of a day, in some communities (ids)."""

    communities: tuple[int, ...]
    day: date
    shift: str = ""

    def holds(self) -> tuple[sa.ColumnElement[bool], ...]:
        first, last = day_bounds(self.day)
        inside = (Shift.community_id.in_(self.communities), Shift.state != ShiftState.CALLED_OFF)
        if self.shift:
            return (*inside, Shift.public_id == self.shift)
        return (*inside, Shift.starts_at >= first, Shift.starts_at < last)


def shifts_of(communities: Collection[int], day: date) -> list[Shift]:
    """The shifts of a day, for choosing one."""
    query = sa.select(Shift).where(*About(tuple(communities), day).holds()).options(joinedload(Shift.activity))
    return list(db.session.scalars(query.order_by(Shift.starts_at, Shift.id)))


def to_be_told(about: About, whom: Whom, at: datetime) -> list[Heard]:
    """Everybody once, in the order of the shifts."""
    if whom is Whom.UNANSWERED:
        rows: list[Invitation] | list[Signup] = _invited(about, at)
    else:
        rows = _signed_up(about, at if whom is Whom.ABSENT else None)
    heard: dict[int, Heard] = {}
    for row in rows:
        heard.setdefault(row.volunteer_id, Heard(row.volunteer, row.post))
    return list(heard.values())


def _signed_up(about: About, absent_at: datetime | None) -> list[Signup]:
    query = sa.select(Signup).join(Signup.post).join(Post.shift).where(*about.holds(), Signup.state.in_(ON))
    if absent_at is not None:
        expected = Signup.state.in_((SignupState.REQUESTED, SignupState.JOINED))
        query = query.where(expected, Signup.starts_at <= absent_at)
    whole = (*_post(joinedload(Signup.post)), joinedload(Signup.volunteer).joinedload(Volunteer.person))
    return list(db.session.scalars(query.options(*whole).order_by(Signup.starts_at, Signup.id)))


def _invited(about: About, at: datetime) -> list[Invitation]:
    query = sa.select(Invitation).join(Invitation.post).join(Post.shift).where(*about.holds())
    query = query.where(Invitation.state == InvitationState.ASKED, Invitation.answer_by > at)
    whole = (*_post(joinedload(Invitation.post)), joinedload(Invitation.volunteer).joinedload(Volunteer.person))
    return list(db.session.scalars(query.options(*whole).order_by(Shift.starts_at, Invitation.id)))


def _post(load: Any) -> tuple[Any, ...]:
    return load.joinedload(Post.position), load.joinedload(Post.shift).joinedload(Shift.activity)


def send(about: About, whom: Whom, words: str, *, by: Actor, idem: str = "") -> int:
    """Tell them; the same `idem` again tells nobody twice. How many were told."""
    body = f"{about.day}|{about.shift}|{whom}|{words}"
    earlier = tokens.same_request(by.public_id, SENT, idem, body)
    if earlier is not None:
        return int(earlier)
    heard = to_be_told(about, whom, now())
    if not heard:
        raise Refused(_("现在没有这样的人，没有人可以通知。"))
    for one in heard:
        tell("roster_message", one.volunteer, one.post, words=words, by=by.name)
    audit.record(SENT, None, day=about.day.isoformat(), shift=about.shift, whom=whom.value, told=len(heard))
    tokens.remember_request(by.public_id, SENT, idem, body, str(len(heard)))
    return len(heard)
