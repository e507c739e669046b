"""Applications (办事申请): a person's request for an item, its papers, its way to a result, who is responsible."""

from datetime import date, datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.areas.models import Area
from portal.catalogue.models.items import Item
from portal.core.db import Base, one_of
from portal.core.ids import new_public_id
from portal.core.sealing import Sealed
from portal.registry.models import Person


class ApplicationState(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    # 一次告知补正: asked for what is missing, once; then what came of it.
    ASKED = "asked"
    COMPLETED = "completed"
    ACCEPTED = "accepted"
    NOT_ACCEPTED = "not_accepted"
    IN_HAND = "in_hand"
    # Papers are awaited while it is in hand: the term stands still.
    PAUSED = "paused"
    GRANTED = "granted"
    REFUSED = "refused"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


S = ApplicationState
APPLICATION_MOVES: dict[ApplicationState, set[ApplicationState]] = {
    S.DRAFT: {S.SUBMITTED, S.WITHDRAWN},
    S.SUBMITTED: {S.ASKED, S.ACCEPTED, S.NOT_ACCEPTED, S.WITHDRAWN},
    S.ASKED: {S.COMPLETED, S.NOT_ACCEPTED, S.WITHDRAWN},
    S.COMPLETED: {S.ACCEPTED, S.NOT_ACCEPTED, S.WITHDRAWN},
    S.ACCEPTED: {S.IN_HAND, S.WITHDRAWN},
    S.IN_HAND: {S.PAUSED, S.GRANTED, S.REFUSED, S.WITHDRAWN},
    S.PAUSED: {S.IN_HAND, S.WITHDRAWN},
    S.GRANTED: {S.CLOSED},
    S.REFUSED: {S.CLOSED},
    S.NOT_ACCEPTED: set(),
    S.CLOSED: set(),
    S.WITHDRAWN: set(),
}
# What a worker has to move on; what waits for the applicant; what has a result.
OPEN = (S.SUBMITTED, S.COMPLETED, S.ACCEPTED, S.IN_HAND)
WAITING = (S.ASKED, S.PAUSED)
DECIDED = (S.GRANTED, S.REFUSED)
RUNNING = (*OPEN, *WAITING, *DECIDED)
ENDED = (S.NOT_ACCEPTED, S.CLOSED, S.WITHDRAWN)


class ApplicationChannel(StrEnum):
    SELF = "self"
    AGENT = "agent"
    COUNTER = "counter"


class Score(StrEnum):
    SATISFIED = "satisfied"
    MOSTLY = "mostly"
    DISSATISFIED = "dissatisfied"


class PaperState(StrEnum):
    """How one material stands: known from the register, to be brought, said to be on its way to the counter (there
    until a worker ticks it), handed over, asked for again.
    """

    KNOWN = "known"
    TO_BRING = "to_bring"
    WINDOW = "window"
    GIVEN = "given"
    ASKED = "asked"


class Application(Base):
    """One application. `owner` received it first and stays responsible (首接负责); `doer` has the task just now.

    `due_on` is the last day of the step that runs: to accept or not, for the applicant to bring what was asked, to
    decide. It is None while nobody is bound. `days_left` are the working days that were left when the term paused.
    """

    __tablename__ = "application"
    __table_args__ = (
        sa.Index("ix_application_queue", "state", "due_on", "id"),
        sa.Index("ix_application_person", "person_id", "id"),
        sa.Index("ix_application_owner", "owner", "state", "id"),
        sa.Index("ix_application_doer", "doer", "state", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    code: Mapped[str] = mapped_column(sa.String(8), unique=True)
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("service_item.id"), index=True)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    community_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"), index=True)
    state: Mapped[ApplicationState] = mapped_column(one_of(ApplicationState), default=ApplicationState.DRAFT)
    channel: Mapped[ApplicationChannel] = mapped_column(one_of(ApplicationChannel))
    consent: Mapped[str] = mapped_column(sa.String(100), default="")
    said: Mapped[str | None] = mapped_column(Sealed("application|said"))
    placed_at: Mapped[datetime]
    placed_by: Mapped[str] = mapped_column(sa.String(32), index=True)
    placed_by_name: Mapped[str] = mapped_column(sa.String(64))
    submitted_at: Mapped[datetime | None]
    asked_at: Mapped[datetime | None]
    asked_reminded_at: Mapped[datetime | None]
    asked_for: Mapped[str | None] = mapped_column(Sealed("application|asked_for"))
    accepted_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    due_on: Mapped[date | None]
    limit_days: Mapped[int] = mapped_column(default=0)
    days_left: Mapped[int | None]
    owner: Mapped[str] = mapped_column(sa.String(32), default="")
    owner_name: Mapped[str] = mapped_column(sa.String(64), default="")
    doer: Mapped[str] = mapped_column(sa.String(32), default="")
    doer_name: Mapped[str] = mapped_column(sa.String(64), default="")
    # A near relative of staff (近亲属备案), noted by a worker: how, in words.
    relative_of_staff: Mapped[bool] = mapped_column(default=False)
    relative_note: Mapped[str | None] = mapped_column(Sealed("application|relative_note"))
    # Why it was not accepted and where to go; or the result, with how to appeal where it was refused.
    result: Mapped[str | None] = mapped_column(Sealed("application|result"))
    appeal: Mapped[str] = mapped_column(sa.String(200), default="")
    result_number: Mapped[str | None] = mapped_column(sa.String(40), unique=True)
    score: Mapped[Score | None] = mapped_column(one_of(Score))
    score_words: Mapped[str | None] = mapped_column(Sealed("application|score_words"))
    rated_at: Mapped[datetime | None]
    item: Mapped[Item] = relationship()
    person: Mapped[Person] = relationship()
    community: Mapped[Area] = relationship()
    papers: Mapped[list["ApplicationPaper"]] = relationship(
        back_populates="application", order_by="ApplicationPaper.id"
    )
    steps: Mapped[list["ApplicationStep"]] = relationship(back_populates="application", order_by="ApplicationStep.id")

    def may_become(self, state: ApplicationState) -> bool:
        return state in APPLICATION_MOVES[self.state]

    def is_late(self, on: date) -> bool:
        """Whether a worker's step has passed its last day; waiting for the applicant is nobody's lateness."""
        return self.state in OPEN and self.due_on is not None and self.due_on < on

    def missing(self) -> list["ApplicationPaper"]:
        """The papers that nobody has yet: to be brought, on their way to the counter, asked for."""
        return [paper for paper in self.papers if paper.state not in {PaperState.KNOWN, PaperState.GIVEN}]

    def takes_papers(self) -> bool:
        """Whether the applicant may add papers on a page of their own: asked for them, or before anybody asks."""
        return self.state in WAITING or (self.state in OPEN and bool(self.missing()))

    def can_be_rated(self) -> bool:
        return self.rated_at is None and self.state in {S.GRANTED, S.REFUSED, S.CLOSED}

    def is_in_charge(self, worker: str) -> bool:
        """Who may see the papers: the responsible one and who has the task."""
        return worker != "" and worker in {self.owner, self.doer}


class ApplicationPaper(Base):
    """One material of an application, as the item asked for it when it began."""

    __tablename__ = "application_paper"

    id: Mapped[int] = mapped_column(primary_key=True)
    application_id: Mapped[int] = mapped_column(sa.ForeignKey("application.id"), index=True)
    name: Mapped[str] = mapped_column(sa.String(80))
    note: Mapped[str] = mapped_column(sa.String(200), default="")
    is_required: Mapped[bool] = mapped_column(default=True)
    state: Mapped[PaperState] = mapped_column(one_of(PaperState), default=PaperState.TO_BRING)
    # Handed over at the counter: who took it. Seen there and given back leaves no picture.
    taken_by_name: Mapped[str] = mapped_column(sa.String(64), default="")
    application: Mapped[Application] = relationship(back_populates="papers")
    pictures: Mapped[list["PaperPicture"]] = relationship(back_populates="paper", order_by="PaperPicture.id")


class PaperPicture(Base):
    """A photograph or scan of a paper, made anew, sealed as base64 text; read only where it is shown."""

    __tablename__ = "application_picture"

    id: Mapped[int] = mapped_column(primary_key=True)
    paper_id: Mapped[int] = mapped_column(sa.ForeignKey("application_paper.id"), index=True)
    picture: Mapped[str] = mapped_column(Sealed("application_picture|picture"), deferred=True)
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(sa.String(32))
    by_name: Mapped[str] = mapped_column(sa.String(64))
    paper: Mapped[ApplicationPaper] = relationship(back_populates="pictures")


class StepKind(StrEnum):
    """What a step is: another state, the task passed, the responsibility handed over, a note about a relative."""

    MOVED = "moved"
    PASSED = "passed"
    HANDED = "handed"
    RELATIVE = "relative"
    PAPERS = "papers"


class ApplicationStep(Base):
    """One step on the way: who, when, the state after it, and what was said. Residents read those of MOVED."""

    __tablename__ = "application_step"

    id: Mapped[int] = mapped_column(primary_key=True)
    application_id: Mapped[int] = mapped_column(sa.ForeignKey("application.id"), index=True)
    kind: Mapped[StepKind] = mapped_column(one_of(StepKind), default=StepKind.MOVED)
    state: Mapped[ApplicationState] = mapped_column(one_of(ApplicationState))
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(sa.String(32))
    by_name: Mapped[str] = mapped_column(sa.String(64))
    note: Mapped[str | None] = mapped_column(Sealed("application_step|note"))
    application: Mapped[Application] = relationship(back_populates="steps")
