"""The demonstration's past and present shifts: who was on them, came and went, did not come, and what still waits."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from portal.core.clock import now
from portal.demo.volunteers import ALWAYS
from portal.identity.models import Account
from portal.registry.models import Claim, ClaimState
from portal.volunteers.models.codes import HoursState, Mark, SignupState
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.signups import Attendance, Signup
from portal.volunteers.service import hours

WORKER, SECOND = "周洁", "吴敏"
REASONS = ("没有来，电话没人接", "临时说家里有事，没有请假", "记错了日期，没有来")
# Minutes after the beginning at which people come, and before the end at which they go.
CAME, WENT = (-8, -3, 2, 0, 5, -12, 14), (0, -4, 3, 0, -11, 6)
TOOK = (Mark.QR, Mark.QR, Mark.PIN, Mark.QR, Mark.LEADER, Mark.PAPER)


def build_attendance(session: Session) -> None:
    """Shifts that have begun: most came and went, a few are missing, some wait for a worker."""
    _attend(session, now())
    session.flush()


def _attend(session: Session, moment: datetime) -> None:
    """What came of each: most counted, a few missing, some that a worker has yet to look at."""
    query = (
        sa.select(Signup)
        .where(Signup.starts_at < moment, Signup.state == SignupState.JOINED)
        .options(joinedload(Signup.shift), joinedload(Signup.volunteer).joinedload(Volunteer.person))
        .order_by(Signup.starts_at.desc(), Signup.id.desc())
    )
    worker, leader = _account(session, "worker"), _leader(session)
    for number, signup in enumerate(session.scalars(query).all()):
        if signup.ends_at > moment:
            _come(session, signup, number, moment)
        elif number % 17 == 9 and signup.volunteer.person.name != ALWAYS:
            signup.state, signup.reason = SignupState.NO_SHOW, REASONS[number // 17 % len(REASONS)]
        elif number not in {1, 2}:
            found = _done(session, signup, number)
            if number in {3, 4}:
                _left_waiting(found, worker if number == 3 else leader)


def _come(session: Session, signup: Signup, number: int, moment: datetime) -> None:
    """A shift that runs: most are here."""
    if number % 3 == 2:
        return
    came = min(moment, signup.starts_at + timedelta(minutes=CAME[number % len(CAME)]))
    session.add(Attendance(signup_id=signup.id, came_at=came, came_by=Mark.QR, **_by("demo", "")))
    signup.state = SignupState.PRESENT


def _by(account: str, name: str) -> dict[str, str]:
    return {"came_entered_by": account, "entered_by": account, "entered_by_name": name}


def _done(session: Session, signup: Signup, number: int) -> Attendance:
    came = signup.starts_at + timedelta(minutes=CAME[number % len(CAME)])
    left = signup.ends_at + timedelta(minutes=WENT[number % len(WENT)])
    mark = TOOK[number % len(TOOK)]
    made = Attendance(signup_id=signup.id, came_at=came, came_by=mark, left_at=left, left_by=mark)
    made.minutes = hours.minutes_between(came, left, signup.shift)
    made.came_entered_by = made.entered_by = "demo"
    made.entered_by_name = WORKER if mark is Mark.PAPER else ""
    made.entered_at = made.confirmed_at = left + timedelta(minutes=20)
    made.state = HoursState.CONFIRMED
    if mark is Mark.PAPER:
        made.confirmed_by, made.confirmed_by_name = "demo-second", SECOND
    signup.state = SignupState.DONE
    session.add(made)
    return made


def _left_waiting(found: Attendance, by: tuple[str, str]) -> None:
    """Entered from the paper, and nobody has confirmed it."""
    found.came_by = found.left_by = Mark.PAPER
    found.state, found.confirmed_at, found.confirmed_by, found.confirmed_by_name = HoursState.TO_CONFIRM, None, "", ""
    found.came_entered_by = found.entered_by = by[0]
    found.entered_by_name = by[1]


def _account(session: Session, username: str) -> tuple[str, str]:
    found = session.scalars(sa.select(Account).where(Account.username == username)).first()
    return (found.public_id, found.name) if found else ("demo", WORKER)


def _leader(session: Session) -> tuple[str, str]:
    """The account of somebody who leads, else the worker's colleague."""
    query = (
        sa.select(Account)
        .join(Claim, Claim.account_id == Account.id)
        .join(Volunteer, Volunteer.person_id == Claim.person_id)
        .where(Claim.state == ClaimState.CONFIRMED)
        .order_by(Account.id)
    )
    found = session.scalars(query).first()
    return (found.public_id, found.name) if found else ("demo-second", SECOND)
