"""A request, from the first word to the archive."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.areas.models import Area, Building, Estate
from portal.casework.models.categories import Category
from portal.casework.models.codes import (
    CASE_MOVES,
    HELD,
    OPEN,
    Against,
    CallBackWay,
    CaseKind,
    CaseState,
    Channel,
    Colour,
    Deed,
    Extension,
    LinkKind,
    PhotoStage,
    Satisfaction,
    Side,
    Urgency,
)
from portal.core import clock
from portal.core.db import Base, one_of
from portal.core.ids import new_public_id
from portal.core.sealing import Sealed
from portal.registry.models import Organisation, Person

# States in which somebody is the responsible party: of what is off the committee's list, `party` must be another.
COMMITTEE_FREE = ["draft", "submitted", "accepted", "declined", "returned", "merged", "withdrawn", "archived"]


class Case(Base):
    """One request. Workers are kept by their account's public id and name; what people write is sealed.

    `reporter` is who asks (none where a stranger came with paper: then `reporter_name` and `reporter_phone`), `behalf`
    for whom where it is not herself. `first_holder` stays responsible (首接负责), `holder` has it now, `party` is who
    answers for it outside the committee ("": the committee). Due moments are in UTC, worked out in working time from
    the limits of the category; each is None until its clock starts. `number` is given when it is sent.
    """

    __tablename__ = "case_file"
    __table_args__ = (
        sa.Index("ix_case_file_queue", "community_id", "state", "finish_due", "id"),
        sa.Index("ix_case_file_submitted", "community_id", "submitted_at", "id"),
        sa.Index("ix_case_file_holder", "holder", "state", "id"),
        sa.Index("ix_case_file_place", "building_id", "category_id", "id"),
        sa.CheckConstraint(
            "NOT off_list OR party <> '' OR state IN ({})".format(", ".join(f"'{one}'" for one in COMMITTEE_FREE)),
            name="off_list",
        ),
        sa.CheckConstraint("returns BETWEEN 0 AND 2", name="returns"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    number: Mapped[str | None] = mapped_column(sa.String(12), unique=True)
    state: Mapped[CaseState] = mapped_column(one_of(CaseState), default=CaseState.DRAFT)
    state_at: Mapped[datetime] = mapped_column(default=clock.now)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    # Where.
    community_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"))
    grid_id: Mapped[int | None] = mapped_column(sa.ForeignKey("area.id"), index=True)
    estate_id: Mapped[int | None] = mapped_column(sa.ForeignKey("estate.id"))
    building_id: Mapped[int | None] = mapped_column(sa.ForeignKey("building.id"))
    place: Mapped[str] = mapped_column(sa.String(120), default="")

    # Who.
    reporter_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"), index=True)
    behalf_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"), index=True)
    reporter_name: Mapped[str | None] = mapped_column(Sealed("case_file|reporter_name"))
    reporter_phone: Mapped[str | None] = mapped_column(Sealed("case_file|reporter_phone"))
    entered_by: Mapped[str] = mapped_column(sa.String(32), default="")
    entered_by_name: Mapped[str] = mapped_column(sa.String(64), default="")
    hide_name: Mapped[bool] = mapped_column(default=False)
    against: Mapped[Against] = mapped_column(one_of(Against), default=Against.NOBODY)
    against_worker: Mapped[str] = mapped_column(sa.String(32), default="")
    against_organisation_id: Mapped[int | None] = mapped_column(sa.ForeignKey("organisation.id"))

    # What.
    channel: Mapped[Channel] = mapped_column(one_of(Channel), default=Channel.PORTAL)
    category_id: Mapped[int | None] = mapped_column(sa.ForeignKey("case_category.id"), index=True)
    kind: Mapped[CaseKind] = mapped_column(one_of(CaseKind), default=CaseKind.HELP)
    urgency: Mapped[Urgency] = mapped_column(one_of(Urgency), default=Urgency.NORMAL)
    title: Mapped[str] = mapped_column(sa.String(60), default="")
    what: Mapped[str | None] = mapped_column(Sealed("case_file|what"))
    # The answers to the category's questions: a JSON object by the question's key.
    answers: Mapped[str | None] = mapped_column(Sealed("case_file|answers"))

    # Whose it is.
    first_holder: Mapped[str] = mapped_column(sa.String(32), default="")
    first_holder_name: Mapped[str] = mapped_column(sa.String(64), default="")
    holder: Mapped[str] = mapped_column(sa.String(32), default="")
    holder_name: Mapped[str] = mapped_column(sa.String(64), default="")
    off_list: Mapped[bool] = mapped_column(default=False)
    party: Mapped[str] = mapped_column(sa.String(60), default="")
    escalated_at: Mapped[datetime | None]

    # When.
    submitted_at: Mapped[datetime | None]
    accept_due: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    assigned_at: Mapped[datetime | None]
    sign_due: Mapped[datetime | None]
    signed_at: Mapped[datetime | None]
    contact_due: Mapped[datetime | None]
    contacted_at: Mapped[datetime | None]
    finish_due: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    callback_due: Mapped[datetime | None]
    called_back_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    paused_at: Mapped[datetime | None]

    # How often, and how it is watched.
    returns: Mapped[int] = mapped_column(default=0)
    redos: Mapped[int] = mapped_column(default=0)
    reopens: Mapped[int] = mapped_column(default=0)
    urges: Mapped[int] = mapped_column(default=0)
    urged_at: Mapped[datetime | None]
    extension: Mapped[Extension] = mapped_column(one_of(Extension), default=Extension.NONE)
    extension_until: Mapped[datetime | None]
    extension_why: Mapped[str] = mapped_column(sa.String(200), default="")
    colour: Mapped[Colour] = mapped_column(one_of(Colour), default=Colour.NONE)
    supervised_at: Mapped[datetime | None]

    # What came of it. `solved` and `satisfaction` are of the last call-back.
    answer: Mapped[str | None] = mapped_column(Sealed("case_file|answer"))
    solved: Mapped[bool | None]
    satisfaction: Mapped[Satisfaction | None] = mapped_column(one_of(Satisfaction))
    public_asked: Mapped[str] = mapped_column(sa.String(300), default="")
    public_done: Mapped[str] = mapped_column(sa.String(300), default="")
    # When a worker put it on the board; None: it is not there.
    public_at: Mapped[datetime | None] = mapped_column(index=True)
    main_id: Mapped[int | None] = mapped_column(sa.ForeignKey("case_file.id"), index=True)

    community: Mapped[Area] = relationship(foreign_keys=[community_id])
    grid: Mapped[Area | None] = relationship(foreign_keys=[grid_id])
    estate: Mapped[Estate | None] = relationship()
    building: Mapped[Building | None] = relationship()
    category: Mapped[Category | None] = relationship()
    reporter: Mapped[Person | None] = relationship(foreign_keys=[reporter_id])
    behalf: Mapped[Person | None] = relationship(foreign_keys=[behalf_id])
    against_organisation: Mapped[Organisation | None] = relationship()
    main: Mapped["Case | None"] = relationship(remote_side=[id])
    steps: Mapped[list["CaseStep"]] = relationship(back_populates="case", order_by="CaseStep.id")
    photos: Mapped[list["CasePhoto"]] = relationship(back_populates="case", order_by="CasePhoto.id")
    helps: Mapped[list["CaseHelp"]] = relationship(back_populates="case", order_by="CaseHelp.id")
    pauses: Mapped[list["CasePause"]] = relationship(back_populates="case", order_by="CasePause.id")
    call_backs: Mapped[list["CaseCallBack"]] = relationship(back_populates="case", order_by="CaseCallBack.id")

    def may_become(self, state: CaseState) -> bool:
        return state in CASE_MOVES[self.state]

    def is_open(self) -> bool:
        return self.state in OPEN

    def is_held(self) -> bool:
        return self.state in HELD

    def due(self) -> datetime | None:
        """The moment that the case waits for now: to be accepted, signed for, finished, or called back."""
        if self.state is CaseState.SUBMITTED:
            return self.accept_due
        if self.state is CaseState.ASSIGNED:
            return min(filter(None, [self.sign_due, self.finish_due]), default=None)
        if self.state in {CaseState.ANSWERED, CaseState.CALLED_BACK}:
            return self.callback_due
        return self.finish_due if self.state in OPEN and self.state is not CaseState.PAUSED else None

    def is_late(self, at: datetime) -> bool:
        due = self.due()
        return due is not None and due < at


class CaseStep(Base):
    """One line of the timeline, never changed. `words` are for the reporter, `inside` for workers only."""

    __tablename__ = "case_step"
    __table_args__ = (sa.Index("ix_case_step_case", "case_id", "id"), sa.Index("ix_case_step_deed", "deed", "at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(sa.ForeignKey("case_file.id"))
    at: Mapped[datetime] = mapped_column(default=clock.now)
    deed: Mapped[Deed] = mapped_column(one_of(Deed))
    side: Mapped[Side] = mapped_column(one_of(Side))
    by: Mapped[str] = mapped_column(sa.String(32), default="")
    by_name: Mapped[str] = mapped_column(sa.String(64), default="")
    from_state: Mapped[CaseState | None] = mapped_column(one_of(CaseState))
    to_state: Mapped[CaseState | None] = mapped_column(one_of(CaseState))
    # Whom it went to, where it went to somebody: her name, or a party's.
    to_name: Mapped[str] = mapped_column(sa.String(64), default="")
    words: Mapped[str | None] = mapped_column(Sealed("case_step|words"))
    inside: Mapped[str | None] = mapped_column(Sealed("case_step|inside"))
    case: Mapped[Case] = relationship(back_populates="steps")


class CaseHelp(Base):
    """Help asked of another worker (her account), or of a party in words; the first responsible stays so."""

    __tablename__ = "case_help"

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(sa.ForeignKey("case_file.id"), index=True)
    asked_of: Mapped[str] = mapped_column(sa.String(32), default="", index=True)
    asked_of_name: Mapped[str] = mapped_column(sa.String(64))
    asked_by_name: Mapped[str] = mapped_column(sa.String(64))
    asked_at: Mapped[datetime] = mapped_column(default=clock.now)
    due: Mapped[datetime | None]
    what: Mapped[str | None] = mapped_column(Sealed("case_help|what"))
    given_at: Mapped[datetime | None]
    answer: Mapped[str | None] = mapped_column(Sealed("case_help|answer"))
    case: Mapped[Case] = relationship(back_populates="helps")


class CasePause(Base):
    """A span in which the clock stood still."""

    __tablename__ = "case_pause"

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(sa.ForeignKey("case_file.id"), index=True)
    since: Mapped[datetime]
    until: Mapped[datetime | None]
    why: Mapped[str] = mapped_column(sa.String(200))
    case: Mapped[Case] = relationship(back_populates="pauses")


class CaseCallBack(Base):
    """One call-back: of each answer one, so `round` counts the redos before it."""

    __tablename__ = "case_call_back"
    __table_args__ = (sa.UniqueConstraint("case_id", "round"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(sa.ForeignKey("case_file.id"))
    round: Mapped[int]
    at: Mapped[datetime]
    way: Mapped[CallBackWay] = mapped_column(one_of(CallBackWay))
    solved: Mapped[bool]
    satisfaction: Mapped[Satisfaction | None] = mapped_column(one_of(Satisfaction))
    words: Mapped[str | None] = mapped_column(Sealed("case_call_back|words"))
    by: Mapped[str] = mapped_column(sa.String(32), default="")
    by_name: Mapped[str] = mapped_column(sa.String(64), default="")
    case: Mapped[Case] = relationship(back_populates="call_backs")


class CaseFollower(Base):
    """Another resident who follows a case instead of reporting it again."""

    __tablename__ = "case_follower"
    __table_args__ = (sa.UniqueConstraint("case_id", "person_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(sa.ForeignKey("case_file.id"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), index=True)
    since: Mapped[datetime] = mapped_column(default=clock.now)
    case: Mapped[Case] = relationship()
    person: Mapped[Person] = relationship()


class CaseLink(Base):
    """Two cases that belong together, read from both sides: `low_id` is the smaller id."""

    __tablename__ = "case_link"
    __table_args__ = (
        sa.UniqueConstraint("low_id", "high_id"),
        sa.CheckConstraint("low_id < high_id", name="order"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    low_id: Mapped[int] = mapped_column(sa.ForeignKey("case_file.id"))
    high_id: Mapped[int] = mapped_column(sa.ForeignKey("case_file.id"), index=True)
    kind: Mapped[LinkKind] = mapped_column(one_of(LinkKind), default=LinkKind.DUPLICATE)
    at: Mapped[datetime] = mapped_column(default=clock.now)
    by_name: Mapped[str] = mapped_column(sa.String(64), default="")


class CasePhoto(Base):
    """A photograph made anew without its location, sealed as base64 text; `is_public` once a worker released it."""

    __tablename__ = "case_photo"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    case_id: Mapped[int] = mapped_column(sa.ForeignKey("case_file.id"), index=True)
    stage: Mapped[PhotoStage] = mapped_column(one_of(PhotoStage))
    picture: Mapped[str] = mapped_column(Sealed("case_photo|picture"), deferred=True)
    is_public: Mapped[bool] = mapped_column(default=False)
    at: Mapped[datetime] = mapped_column(default=clock.now)
    by_name: Mapped[str] = mapped_column(sa.String(64), default="")
    case: Mapped[Case] = relationship(back_populates="photos")
