"""Who is on a shift: signups and the time they hold, swaps, invitations, and what came of it on the day."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core import clock
from portal.core.db import Base, one_of
from portal.core.ids import new_public_id
from portal.volunteers.models.activities import Post, Shift
from portal.volunteers.models.codes import (
    HOLDS,
    SIGNUP_MOVES,
    HoursState,
    InvitationState,
    Mark,
    SignupState,
    SwapState,
    Way,
)
from portal.volunteers.models.people import Volunteer

_LIVE = "state in ('requested', 'joined', 'present', 'done', 'no_show')"


class Signup(Base):
    """A volunteer on a post of a shift. A volunteer has one that holds on a shift; `group` joins a family's.

    `agreed_at` is when risks and insurance were read and agreed to.
    """

    __tablename__ = "volunteer_signup"
    __table_args__ = (
        sa.Index(
            "uq_volunteer_signup_live",
            "shift_id",
            "volunteer_id",
            unique=True,
            sqlite_where=sa.text(_LIVE),
            postgresql_where=sa.text(_LIVE),
        ),
        sa.Index("ix_volunteer_signup_post", "post_id", "state", "id"),
        sa.Index("ix_volunteer_signup_volunteer", "volunteer_id", "starts_at", "id"),
        sa.Index("ix_volunteer_signup_coming", "state", "starts_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    post_id: Mapped[int] = mapped_column(sa.ForeignKey("volunteer_post.id"))
    shift_id: Mapped[int] = mapped_column(sa.ForeignKey("volunteer_shift.id"))
    volunteer_id: Mapped[int] = mapped_column(sa.ForeignKey("volunteer.id"))
    # The shift's own, repeated for lists by volunteer.
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    state: Mapped[SignupState] = mapped_column(one_of(SignupState), default=SignupState.JOINED)
    way: Mapped[Way] = mapped_column(one_of(Way))
    group: Mapped[str] = mapped_column(sa.String(32), default="", index=True)
    plan_id: Mapped[int | None] = mapped_column(sa.ForeignKey("volunteer_plan.id"), index=True)
    can_stay: Mapped[bool] = mapped_column(default=False)
    agreed_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(sa.String(200), default="")
    # Whether she left, or was missed, later than the activity allows.
    late: Mapped[bool] = mapped_column(default=False)
    # Past the limit she can only ask to leave: when she did, and why, until somebody answered.
    leave_asked_at: Mapped[datetime | None]
    leave_words: Mapped[str] = mapped_column(sa.String(200), default="")
    reminded: Mapped[int] = mapped_column(default=0)
    placed_at: Mapped[datetime] = mapped_column(default=clock.now)
    placed_by: Mapped[str] = mapped_column(sa.String(32))
    placed_by_name: Mapped[str] = mapped_column(sa.String(64))
    changed_at: Mapped[datetime] = mapped_column(default=clock.now)
    changed_by_name: Mapped[str] = mapped_column(sa.String(64), default="")
    post: Mapped[Post] = relationship()
    shift: Mapped[Shift] = relationship()
    volunteer: Mapped[Volunteer] = relationship()

    def holds(self) -> bool:
        return self.state in HOLDS

    def may_become(self, state: SignupState) -> bool:
        return state in SIGNUP_MOVES[self.state]


class HeldTime(Base):
    """Five minutes of a volunteer that a signup holds: the constraint keeps anybody from two places at once."""

    __tablename__ = "volunteer_held_time"
    __table_args__ = (sa.UniqueConstraint("volunteer_id", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    volunteer_id: Mapped[int] = mapped_column(sa.ForeignKey("volunteer.id"))
    at: Mapped[datetime]
    signup_id: Mapped[int] = mapped_column(sa.ForeignKey("volunteer_signup.id"), index=True)


class Swap(Base):
    """A wish to give one's place to somebody: to one volunteer, or to whoever takes it; perhaps against theirs."""

    __tablename__ = "volunteer_swap"
    __table_args__ = (
        sa.Index(
            "uq_volunteer_swap_open",
            "signup_id",
            unique=True,
            sqlite_where=sa.text("state = 'asked'"),
            postgresql_where=sa.text("state = 'asked'"),
        ),
        sa.Index("ix_volunteer_swap_state", "state", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    signup_id: Mapped[int] = mapped_column(sa.ForeignKey("volunteer_signup.id"))
    to_id: Mapped[int | None] = mapped_column(sa.ForeignKey("volunteer.id"), index=True)
    against_id: Mapped[int | None] = mapped_column(sa.ForeignKey("volunteer_signup.id"), index=True)
    taken_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("volunteer.id"), index=True)
    words: Mapped[str] = mapped_column(sa.String(100), default="")
    state: Mapped[SwapState] = mapped_column(one_of(SwapState), default=SwapState.ASKED)
    asked_at: Mapped[datetime] = mapped_column(default=clock.now)
    ended_at: Mapped[datetime | None]
    signup: Mapped[Signup] = relationship(foreign_keys=[signup_id])
    against: Mapped[Signup | None] = relationship(foreign_keys=[against_id])
    to: Mapped[Volunteer | None] = relationship(foreign_keys=[to_id])
    taken_by: Mapped[Volunteer | None] = relationship(foreign_keys=[taken_by_id])


class Invitation(Base):
    """A worker or leader asks a volunteer for a post; how often somebody declined counts when others are looked for."""

    __tablename__ = "volunteer_invitation"
    __table_args__ = (
        sa.Index(
            "uq_volunteer_invitation_open",
            "post_id",
            "volunteer_id",
            unique=True,
            sqlite_where=sa.text("state = 'asked'"),
            postgresql_where=sa.text("state = 'asked'"),
        ),
        sa.Index("ix_volunteer_invitation_volunteer", "volunteer_id", "state", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    post_id: Mapped[int] = mapped_column(sa.ForeignKey("volunteer_post.id"))
    volunteer_id: Mapped[int] = mapped_column(sa.ForeignKey("volunteer.id"))
    state: Mapped[InvitationState] = mapped_column(one_of(InvitationState), default=InvitationState.ASKED)
    words: Mapped[str] = mapped_column(sa.String(100), default="")
    asked_at: Mapped[datetime] = mapped_column(default=clock.now)
    asked_by_name: Mapped[str] = mapped_column(sa.String(64))
    answer_by: Mapped[datetime]
    # Why she declined.
    reason: Mapped[str] = mapped_column(sa.String(100), default="")
    ended_at: Mapped[datetime | None]
    post: Mapped[Post] = relationship()
    volunteer: Mapped[Volunteer] = relationship()


class PairAsk(Base):
    """One of a pair asks the other to come along on a post: no place is held until the other has read the risks and
    agreed; then both are on it, or wait for it together in one row of its line (`line` is that row's public id).
    """

    __tablename__ = "volunteer_pair_ask"
    __table_args__ = (
        sa.Index(
            "uq_volunteer_pair_ask_open",
            "post_id",
            "asker_id",
            unique=True,
            sqlite_where=sa.text("state = 'asked'"),
            postgresql_where=sa.text("state = 'asked'"),
        ),
        sa.Index("ix_volunteer_pair_ask_other", "other_id", "state", "id"),
        sa.Index("ix_volunteer_pair_ask_asker", "asker_id", "state", "id"),
        sa.Index("ix_volunteer_pair_ask_state", "state", "answer_by", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    post_id: Mapped[int] = mapped_column(sa.ForeignKey("volunteer_post.id"))
    asker_id: Mapped[int] = mapped_column(sa.ForeignKey("volunteer.id"))
    other_id: Mapped[int] = mapped_column(sa.ForeignKey("volunteer.id"))
    state: Mapped[InvitationState] = mapped_column(one_of(InvitationState), default=InvitationState.ASKED)
    words: Mapped[str] = mapped_column(sa.String(100), default="")
    # The asker read the risks and the insurance then.
    asked_at: Mapped[datetime] = mapped_column(default=clock.now)
    answer_by: Mapped[datetime]
    reason: Mapped[str] = mapped_column(sa.String(100), default="")
    line: Mapped[str] = mapped_column(sa.String(32), default="", index=True)
    ended_at: Mapped[datetime | None]
    post: Mapped[Post] = relationship()
    asker: Mapped[Volunteer] = relationship(foreign_keys=[asker_id])
    other: Mapped[Volunteer] = relationship(foreign_keys=[other_id])


class Attendance(Base):
    """What happened on the day. `minutes` is the time given, without the way there and back.

    Entered by hand it waits for a second person: `confirmed_by` is never `entered_by`, nor `came_entered_by`, who
    entered the coming. Where codes and the leader confirmed it, it is empty.
    """

    __tablename__ = "volunteer_attendance"
    __table_args__ = (
        sa.CheckConstraint("left_at IS NULL OR left_at >= came_at", name="order"),
        sa.CheckConstraint("minutes IS NULL OR minutes >= 0", name="minutes"),
        sa.Index("ix_volunteer_attendance_state", "state", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    signup_id: Mapped[int] = mapped_column(sa.ForeignKey("volunteer_signup.id"), unique=True)
    came_at: Mapped[datetime]
    came_by: Mapped[Mark] = mapped_column(one_of(Mark))
    left_at: Mapped[datetime | None]
    left_by: Mapped[Mark | None] = mapped_column(one_of(Mark))
    minutes: Mapped[int | None]
    state: Mapped[HoursState] = mapped_column(one_of(HoursState), default=HoursState.OPEN)
    entered_at: Mapped[datetime] = mapped_column(default=clock.now)
    came_entered_by: Mapped[str] = mapped_column(sa.String(32), default="")
    entered_by: Mapped[str] = mapped_column(sa.String(32))
    entered_by_name: Mapped[str] = mapped_column(sa.String(64))
    confirmed_at: Mapped[datetime | None]
    confirmed_by: Mapped[str] = mapped_column(sa.String(32), default="")
    confirmed_by_name: Mapped[str] = mapped_column(sa.String(64), default="")
    words: Mapped[str] = mapped_column(sa.String(200), default="")
    signup: Mapped[Signup] = relationship()


class CodeUse(Base):
    """A code of a shift used for one purpose ("in", "out") by one volunteer: once."""

    __tablename__ = "volunteer_code_use"
    __table_args__ = (sa.UniqueConstraint("signup_id", "purpose"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    signup_id: Mapped[int] = mapped_column(sa.ForeignKey("volunteer_signup.id"))
    purpose: Mapped[str] = mapped_column(sa.String(8))
    used_at: Mapped[datetime]
