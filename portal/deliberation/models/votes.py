"""Votes: the roll, turnout and ballots kept apart, versions of named ballots, proxies, paper entered by two people.

Of an unnamed vote two tables tell nothing together: `vote_turnout` who has voted, by which channel, without a time or
an order of its own; `secret_ballot` what was chosen, under a random key. When the vote is counted both are written anew
in random order.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.areas.models import Dwelling
from portal.core import clock
from portal.core.db import Base, Json, one_of
from portal.core.ids import new_public_id
from portal.core.sealing import Sealed
from portal.deliberation.models.bodies import BodyRule
from portal.deliberation.models.codes import (
    UNITS,
    VOTE_MOVES,
    AskState,
    BatchState,
    Body,
    Channel,
    ProxyState,
    Unit,
    VoteState,
)
from portal.deliberation.models.topics import Topic
from portal.registry.models import Person

# An option with this number: a paper that is no valid vote, which still took part.
INVALID = 0


class Vote(Base):
    """One question put to a body. `rule` is the body's rule as it stood when the roll was made (see rules.snapshot).

    `matter` is the number of the matter in Civil Code art. 278 for owners, 0 else. `extent` says who is entitled beside
    the rule: {"areas": [community ids], "estates": [...], "buildings": [...], "groups": [...]}; empty lists: everybody
    of the topic's communities. `result` is written when it is counted; `head` is the last hash of the ballot file.
    """

    __tablename__ = "vote"
    __table_args__ = (
        sa.Index("ix_vote_topic", "topic_id", "id"),
        sa.Index("ix_vote_state", "state", "closes_at", "id"),
        sa.CheckConstraint("opens_at < closes_at", name="times"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    topic_id: Mapped[int] = mapped_column(sa.ForeignKey("topic.id"))
    question: Mapped[str] = mapped_column(sa.String(200))
    words: Mapped[str] = mapped_column(sa.Text, default="")
    body: Mapped[Body] = mapped_column(one_of(Body))
    matter: Mapped[int] = mapped_column(default=0)
    rule_id: Mapped[int | None] = mapped_column(sa.ForeignKey("body_rule.id"), index=True)
    rule: Mapped[Any] = mapped_column(Json, default=dict)
    extent: Mapped[Any] = mapped_column(Json, default=dict)
    is_named: Mapped[bool] = mapped_column(default=True)
    may_change: Mapped[bool] = mapped_column(default=False)
    state: Mapped[VoteState] = mapped_column(one_of(VoteState), default=VoteState.DRAFT)
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    roll_at: Mapped[datetime | None]
    corrections_until: Mapped[datetime | None]
    frozen_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    counted_at: Mapped[datetime | None]
    void_why: Mapped[str] = mapped_column(sa.String(200), default="")
    # Who of the committee confirmed an unconfirmed rule (待核对) for this vote.
    rule_confirmed_at: Mapped[datetime | None]
    rule_confirmed_by_name: Mapped[str] = mapped_column(sa.String(64), default="")
    reminded_at: Mapped[datetime | None]
    # Paper is taken too: then nothing is counted until the committee says that all of it is in (paper_waits).
    takes_paper: Mapped[bool] = mapped_column(default=True)
    papers_done_at: Mapped[datetime | None]
    papers_done_by_name: Mapped[str] = mapped_column(sa.String(64), default="")
    cancelled_why: Mapped[str] = mapped_column(sa.String(200), default="")
    result: Mapped[Any] = mapped_column(Json, default=dict)
    head: Mapped[str] = mapped_column(sa.String(64), default="")
    made_at: Mapped[datetime] = mapped_column(default=clock.now)
    made_by_name: Mapped[str] = mapped_column(sa.String(64), default="")
    topic: Mapped[Topic] = relationship()
    body_rule: Mapped[BodyRule | None] = relationship()
    options: Mapped[list["VoteOption"]] = relationship(back_populates="vote", order_by="VoteOption.number")

    @property
    def unit(self) -> Unit:
        return UNITS[self.body]

    def may_become(self, state: VoteState) -> bool:
        return state in VOTE_MOVES[self.state]

    def takes_votes(self, at: datetime) -> bool:
        """Until the second of closing, which is outside."""
        return self.state is VoteState.OPEN and self.opens_at <= at < self.closes_at


class VoteOption(Base):
    """`carries` marks what is put to the threshold: 同意, or each of several candidates; 反对 and 弃权 are not."""

    __tablename__ = "vote_option"
    __table_args__ = (sa.UniqueConstraint("vote_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    vote_id: Mapped[int] = mapped_column(sa.ForeignKey("vote.id"))
    number: Mapped[int]
    label: Mapped[str] = mapped_column(sa.String(60))
    words: Mapped[str] = mapped_column(sa.String(200), default="")
    carries: Mapped[bool] = mapped_column(default=False)
    vote: Mapped[Vote] = relationship(back_populates="options")


class RollEntry(Base):
    """One entitled unit: a person, a household, a delegate, an owner or the co-owners of the same dwellings.

    `unit` names it within the vote ("person:12", "household:7", "delegate:3", "owner:<key>"); `area_m2` is the sum of
    an owner's dwellings; `number` is how the printed roll counts. Struck entries stay, and cannot vote. `added_why`
    says why an entry was added by hand; what the register gives has none.
    """

    __tablename__ = "vote_roll"
    __table_args__ = (sa.UniqueConstraint("vote_id", "unit"), sa.UniqueConstraint("vote_id", "number"))

    id: Mapped[int] = mapped_column(primary_key=True)
    vote_id: Mapped[int] = mapped_column(sa.ForeignKey("vote.id"))
    number: Mapped[int]
    unit: Mapped[str] = mapped_column(sa.String(64))
    name: Mapped[str] = mapped_column(sa.String(60))
    place: Mapped[str] = mapped_column(sa.String(120), default="")
    area_m2: Mapped[Decimal] = mapped_column(sa.Numeric(10, 2), default=Decimal(0))
    struck_at: Mapped[datetime | None]
    struck_why: Mapped[str] = mapped_column(sa.String(200), default="")
    added_why: Mapped[str] = mapped_column(sa.String(200), default="")
    vote: Mapped[Vote] = relationship()


class RollPerson(Base):
    """Who may cast the vote of an entry: the person herself, an adult of the household, any of the co-owners."""

    __tablename__ = "vote_roll_person"
    __table_args__ = (sa.UniqueConstraint("entry_id", "person_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    vote_id: Mapped[int] = mapped_column(sa.ForeignKey("vote.id"), index=True)
    entry_id: Mapped[int] = mapped_column(sa.ForeignKey("vote_roll.id"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), index=True)
    entry: Mapped[RollEntry] = relationship()
    person: Mapped[Person] = relationship()


class RollDwelling(Base):
    """A dwelling on an owner's entry; each dwelling is on the roll once."""

    __tablename__ = "vote_roll_dwelling"
    __table_args__ = (sa.UniqueConstraint("vote_id", "dwelling_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    vote_id: Mapped[int] = mapped_column(sa.ForeignKey("vote.id"))
    entry_id: Mapped[int] = mapped_column(sa.ForeignKey("vote_roll.id"), index=True)
    dwelling_id: Mapped[int] = mapped_column(sa.ForeignKey("dwelling.id"), index=True)
    area_m2: Mapped[Decimal] = mapped_column(sa.Numeric(8, 2))
    dwelling: Mapped[Dwelling] = relationship()


class RollCorrection(Base):
    """Somebody says that the published roll is wrong about her, before it is frozen."""

    __tablename__ = "vote_roll_correction"
    __table_args__ = (
        sa.Index("ix_vote_roll_correction_vote", "vote_id", "state", "id"),
        # One question at a time of one person about one roll, however often it is sent.
        sa.Index(
            "uq_vote_roll_correction_open",
            "vote_id",
            "person_id",
            unique=True,
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    vote_id: Mapped[int] = mapped_column(sa.ForeignKey("vote.id"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), index=True)
    words: Mapped[str | None] = mapped_column(Sealed("vote_roll_correction|words"))
    state: Mapped[AskState] = mapped_column(one_of(AskState), default=AskState.OPEN)
    at: Mapped[datetime] = mapped_column(default=clock.now)
    decided_at: Mapped[datetime | None]
    decided_by_name: Mapped[str] = mapped_column(sa.String(64), default="")
    answer: Mapped[str] = mapped_column(sa.String(300), default="")
    vote: Mapped[Vote] = relationship()
    person: Mapped[Person] = relationship()


class Turnout(Base):
    """That an entry has voted, once, by which channel. No time: of an unnamed vote nothing here may be joined."""

    __tablename__ = "vote_turnout"

    entry_id: Mapped[int] = mapped_column(sa.ForeignKey("vote_roll.id"), primary_key=True, autoincrement=False)
    vote_id: Mapped[int] = mapped_column(sa.ForeignKey("vote.id"), index=True)
    channel: Mapped[Channel] = mapped_column(one_of(Channel))
    entry: Mapped[RollEntry] = relationship()


class SecretBallot(Base):
    """What somebody chose: the key is random and is the receipt. No time, no person, no number of its own.

    The database refuses to change one, and to remove one while the vote is not being counted (ballot_statements).
    """

    __tablename__ = "secret_ballot"
    __table_args__ = ({"sqlite_with_rowid": False},)

    key: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    vote_id: Mapped[int] = mapped_column(sa.ForeignKey("vote.id"), index=True)
    choice: Mapped[int]


class NamedBallot(Base):
    """One version of a named vote; the highest counts. Append-only: every version stays."""

    __tablename__ = "named_ballot"
    __table_args__ = (
        sa.UniqueConstraint("entry_id", "version"),
        sa.Index("ix_named_ballot_vote", "vote_id", "entry_id", "version"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    vote_id: Mapped[int] = mapped_column(sa.ForeignKey("vote.id"))
    entry_id: Mapped[int] = mapped_column(sa.ForeignKey("vote_roll.id"))
    version: Mapped[int]
    choice: Mapped[int]
    channel: Mapped[Channel] = mapped_column(one_of(Channel))
    receipt: Mapped[str] = mapped_column(sa.String(32), unique=True)
    person_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"), index=True)
    proxy_id: Mapped[int | None] = mapped_column(sa.ForeignKey("vote_proxy.id"), index=True)
    by_name: Mapped[str] = mapped_column(sa.String(64))
    at: Mapped[datetime] = mapped_column(default=clock.now)
    entry: Mapped[RollEntry] = relationship()


class VoteProxy(Base):
    """A written proxy (委托书): who votes for an entry. The document is sealed; one stands for an entry at a time."""

    __tablename__ = "vote_proxy"
    __table_args__ = (
        sa.Index(
            "uq_vote_proxy_entry",
            "entry_id",
            unique=True,
            sqlite_where=sa.text("state <> 'withdrawn'"),
            postgresql_where=sa.text("state <> 'withdrawn'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    vote_id: Mapped[int] = mapped_column(sa.ForeignKey("vote.id"), index=True)
    entry_id: Mapped[int] = mapped_column(sa.ForeignKey("vote_roll.id"))
    holder: Mapped[str] = mapped_column(sa.String(40))
    holder_person_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"), index=True)
    media: Mapped[str] = mapped_column(sa.String(60))
    document: Mapped[bytes] = mapped_column(sa.LargeBinary, deferred=True)
    state: Mapped[ProxyState] = mapped_column(one_of(ProxyState), default=ProxyState.GIVEN)
    entered_at: Mapped[datetime] = mapped_column(default=clock.now)
    entered_by: Mapped[str] = mapped_column(sa.String(32))
    entered_by_name: Mapped[str] = mapped_column(sa.String(64))
    ended_why: Mapped[str] = mapped_column(sa.String(200), default="")
    entry: Mapped[RollEntry] = relationship()
    holder_person: Mapped[Person | None] = relationship()


class PaperBatch(Base):
    """Paper votes of one box, entered twice by two people who do not see each other's entries, then booked once."""

    __tablename__ = "vote_paper_batch"
    __table_args__ = (sa.Index("ix_vote_paper_batch_vote", "vote_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    vote_id: Mapped[int] = mapped_column(sa.ForeignKey("vote.id"))
    name: Mapped[str] = mapped_column(sa.String(40))
    state: Mapped[BatchState] = mapped_column(one_of(BatchState), default=BatchState.FIRST)
    made_at: Mapped[datetime] = mapped_column(default=clock.now)
    first_by: Mapped[str] = mapped_column(sa.String(32))
    first_by_name: Mapped[str] = mapped_column(sa.String(64))
    first_done_at: Mapped[datetime | None]
    second_by: Mapped[str] = mapped_column(sa.String(32), default="")
    second_by_name: Mapped[str] = mapped_column(sa.String(64), default="")
    second_done_at: Mapped[datetime | None]
    # Who looked at the papers again where the two differed; until the batch is agreed, what one of the two proposes.
    settled_by: Mapped[str] = mapped_column(sa.String(32), default="", server_default="")
    # Both names, where the two who entered it settle it.
    settled_by_name: Mapped[str] = mapped_column(sa.String(130), default="", server_default="")
    booked_at: Mapped[datetime | None]
    # How many papers were booked; roll numbers whose paper was not, for they had voted or were struck.
    booked: Mapped[int] = mapped_column(default=0)
    aside: Mapped[Any] = mapped_column(Json, default=list)
    dropped_why: Mapped[str] = mapped_column(sa.String(200), default="")
    vote: Mapped[Vote] = relationship()


class PaperLine(Base):
    """One entry of one of the two: of a named vote a roll number and a choice; of an unnamed one `number` is the option
    and `figure` how many papers of the box say so.
    """

    __tablename__ = "vote_paper_line"
    __table_args__ = (sa.UniqueConstraint("batch_id", "turn", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    batch_id: Mapped[int] = mapped_column(sa.ForeignKey("vote_paper_batch.id"))
    turn: Mapped[int]
    number: Mapped[int]
    figure: Mapped[int]
    batch: Mapped[PaperBatch] = relationship()


class VoteFile(Base):
    """The published file of a counted vote (service/chain.py says its lines)."""

    __tablename__ = "vote_file"

    vote_id: Mapped[int] = mapped_column(sa.ForeignKey("vote.id"), primary_key=True, autoincrement=False)
    content: Mapped[str] = mapped_column(sa.Text)
    made_at: Mapped[datetime] = mapped_column(default=clock.now)


def ballot_statements(dialect: str) -> list[str]:
    """The DDL by which the database itself keeps the votes, for a migration to execute.

    A secret ballot is not changed; it is not removed but while its vote is being counted; none is added but while it is
    open, closed (the paper of the box) or being counted. That somebody has voted is not changed either, and forgotten
    only while the vote is counted, or when an unmarked paper is brought back. (Of named ballots see audit.APPEND_ONLY.)
    """
    gone, added = _of_vote("OLD"), _of_vote("NEW")
    brought_back = f"OLD.channel IN ('paper', 'proxy') AND {gone} = 'open' AND NOT {_of_vote('OLD', 'is_named')}"
    rules = (
        ("secret_ballot", "UPDATE", "1 = 1"),
        ("secret_ballot", "DELETE", f"{gone} <> 'counting'"),
        ("secret_ballot", "INSERT", f"{added} NOT IN ('open', 'closed', 'counting')"),
        ("vote_turnout", "UPDATE", "1 = 1"),
        ("vote_turnout", "DELETE", f"NOT ({gone} = 'counting' OR ({brought_back}))"),
    )
    found = [line for table, verb, when in rules for line in _trigger(dialect, table, verb, when)]
    if dialect == "sqlite":
        return found
    never = "FOR EACH STATEMENT EXECUTE FUNCTION portal_append_only()"
    kept = ("secret_ballot", "vote_turnout")
    return [*found, *(f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} {never}" for table in kept)]


def _of_vote(row: str, column: str = "state") -> str:
    return f"(SELECT {column} FROM vote WHERE id = {row}.vote_id)"  # noqa: S608 nothing in it comes from outside


def _trigger(dialect: str, table: str, verb: str, when: str) -> list[str]:
    """What refuses a statement on a row of a table while something holds."""
    name = f"{table}_{verb.lower()}"
    begins = f"CREATE TRIGGER {name} BEFORE {verb} ON {table}"
    if dialect == "sqlite":
        return [f"{begins} WHEN {when} BEGIN SELECT RAISE(ABORT, '{table} is kept'); END"]
    refuses = f"IF {when} THEN RAISE EXCEPTION '{table} is kept'; END IF"
    body = f"BEGIN {refuses}; RETURN {'OLD' if verb == 'DELETE' else 'NEW'}; END"
    return [
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$",
        f"{begins} FOR EACH ROW EXECUTE FUNCTION {name}()",
    ]
