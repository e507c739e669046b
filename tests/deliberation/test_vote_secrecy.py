"""An unnamed vote: no page, export, log line or table tells who chose what, and no column or order joins the two."""

import json
import logging
import random
import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.core import clock
from portal.core.access import Platform
from portal.core.audit import AuditRow
from portal.core.db import Base, db, transaction
from portal.deliberation.models.codes import VoteState
from portal.deliberation.models.votes import INVALID, RollEntry, SecretBallot, Turnout, Vote
from portal.deliberation.service import doors, sweeping, vote_opening
from portal.deliberation.vote_jobs import sweep_ballots
from portal.identity.permissions import Role
from portal.registry.models import Person
from tests.deliberation.test_vote_counting import finished
from tests.deliberation.test_vote_pages import RECEIPT, fields, text_of

VOTERS = 16
# Of a random order about one in its right place is to be expected; that many or more, once in a hundred thousand.
BEYOND_CHANCE = 8
WALKED = ("deliberation.", "audit.", "home.", "notifications.")


class Election:
    """Voters who vote on telephones in a random order; what only the test knows: whose receipt, which choice."""

    def __init__(self, app, deliberating):
        self.app, self.vote = app, deliberating.vote(named=False)
        self.voters = []
        for _number in range(VOTERS):
            person, account = deliberating.person_with_account()
            self.voters.append((deliberating.entry(self.vote, person).id, person, account))
        # By entry her receipt, in the order in which they voted.
        self.truth, self.slips = {}, []

    def hold(self):
        waiting = list(self.voters)
        random.Random(7).shuffle(waiting)
        address = f"/deliberation/votes/{self.vote.id}"
        for number, (entry_id, _person, account) in enumerate(waiting):
            client = self.app.test_client()
            client.sign_in(account)
            said = {**fields(client.get(address)), "choice": number % 3 + 1}
            look = fields(client.post(f"{address}/cast", data=said))
            done = client.post(f"{address}/cast", data={**look, "sure": "1"})
            self.slips.append(look["slip"])
            self.truth[entry_id] = RECEIPT.search(text_of(done)).group(1).replace(" ", "")

    @property
    def receipts(self):
        return list(self.truth.values())


@pytest.fixture
def election(app, deliberating):
    return Election(app, deliberating)


def rows_of_everything():
    """Every row of every table, by the table's name, as text."""
    db.session.rollback()
    found = {}
    for table in Base.metadata.sorted_tables:
        rows = db.session.connection().execute(sa.text(f'SELECT * FROM "{table.name}"')).all()
        found[table.name] = [" | ".join(map(str, row)) for row in rows]
    return found


def tables_with(words, rows):
    return {name for name, lines in rows.items() if any(word in line for word in words for line in lines)}


def physical(model, column):
    """The rows of a table as they lie there."""
    db.session.rollback()
    order = sa.text("ctid") if db.engine.dialect.name == "postgresql" else None
    return list(db.session.scalars(sa.select(column).select_from(model).order_by(order)))


def in_place(election, entries, receipts):
    """How many lie at the same place in both tables."""
    return sum(election.truth[entry] == receipt for entry, receipt in zip(entries, receipts, strict=True))


def test_tables_logs_and_audit_hold_no_link_before_counting(election, caplog):
    before = db.session.scalar(sa.select(sa.func.count()).select_from(AuditRow))
    with caplog.at_level(logging.DEBUG):
        election.hold()
    rows = rows_of_everything()
    assert tables_with(election.receipts, rows) == {"secret_ballot"}
    assert tables_with(election.slips, rows) == set()
    logged = "\n".join(record.getMessage() for record in caplog.records)
    assert not [word for word in [*election.receipts, *election.slips] if word in logged]
    assert "choice" not in re.sub(r"secret_ballot\S*", "", logged)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(AuditRow)) == before
    assert rows["request_key"] == []
    assert [line for line in rows["outbox"] if "vote" in line] == []


def test_the_two_tables_share_the_vote_and_nothing_else(election):
    election.hold()
    shared = set(Turnout.__table__.columns.keys()) & set(SecretBallot.__table__.columns.keys())
    assert shared == {"vote_id"}
    joined = db.session.execute(
        sa.select(Turnout.entry_id, SecretBallot.key).join(SecretBallot, SecretBallot.vote_id == Turnout.vote_id)
    ).all()
    # Joined by it each voter meets each ballot: right as often as a guess.
    assert len(joined) == VOTERS**2
    assert sum(election.truth[entry] == key for entry, key in joined) == VOTERS
    assert {name for name in (column.name for column in Turnout.__table__.columns) if name.endswith("_at")} == set()


def test_of_a_vote_that_is_called_off_neither_a_choice_nor_an_order_is_left(election, deliberating):
    election.hold()
    with transaction() as session:
        vote_opening.cancel(session.get_one(Vote, election.vote.id), "写错了", by=deliberating.committee())
    assert set(db.session.scalars(sa.select(SecretBallot.choice))) == {INVALID}
    turnout, ballots = physical(Turnout, Turnout.entry_id), physical(SecretBallot, SecretBallot.key)
    assert in_place(election, turnout, ballots) < BEYOND_CHANCE
    assert db.session.get_one(Vote, election.vote.id).state is VoteState.CANCELLED


def test_after_counting_the_physical_order_tells_no_more_than_chance(election, database):
    election.hold()
    if database == "postgresql":
        # What the rewriting is for: before it the rows lie as they came.
        assert (
            in_place(election, physical(Turnout, Turnout.entry_id), physical(SecretBallot, SecretBallot.key)) == VOTERS
        )
    finished(election.vote)
    turnout, ballots = physical(Turnout, Turnout.entry_id), physical(SecretBallot, SecretBallot.key)
    assert in_place(election, turnout, ballots) < BEYOND_CHANCE
    # Not even in which order they came is left.
    assert sum(mine == other for mine, other in zip(election.truth, turnout, strict=True)) < BEYOND_CHANCE
    by_time = [election.truth[entry] for entry in election.truth]
    assert sum(mine == other for mine, other in zip(by_time, ballots, strict=True)) < BEYOND_CHANCE
    by_roll = [election.truth[entry] for entry in sorted(election.truth)]
    assert sum(mine == other for mine, other in zip(by_roll, ballots, strict=True)) < BEYOND_CHANCE
    if database == "postgresql":
        made_by = "SELECT DISTINCT xmin::text FROM vote_turnout UNION SELECT DISTINCT xmin::text FROM secret_ballot"
        assert len(db.session.execute(sa.text(made_by)).all()) == 1


def test_after_counting_receipts_stand_in_the_ballots_and_the_file_alone(election):
    election.hold()
    finished(election.vote)
    rows = rows_of_everything()
    assert tables_with(election.receipts, rows) == {"secret_ballot", "vote_file"}
    assert tables_with(election.slips, rows) == set()
    content = "\n".join(rows["vote_file"])
    assert not [one.name for one in db.session.scalars(sa.select(RollEntry)) if one.name in content]


def traces(instance, receipts):
    """How often each receipt stands in the files of the database, deleted or not."""
    files = (instance / "portal.db", instance / "portal.db-wal")
    held = b"".join(path.read_bytes() for path in files if path.exists())
    return {held.count(receipt.encode()) for receipt in receipts}


def test_after_the_sweep_the_files_hold_each_ballot_and_the_published_file_and_nothing_older(
    election, database, instance
):
    assert not sweeping.is_due(clock.now())
    election.hold()
    finished(election.vote)
    assert sweeping.is_due(clock.now())
    assert not sweeping.is_due(clock.now() + timedelta(days=4))
    if database == "postgresql":
        before = laid_down()
        sweep_ballots()
        assert not laid_down() & before
        return
    # What the sweep is for: the log still holds every page as it was written, with the order of the votes.
    assert min(traces(instance, election.receipts)) > 3
    sweep_ballots()
    # The ballot, its place in the index of its vote, the published file.
    assert traces(instance, election.receipts) == {3}
    held = (instance / "portal.db").read_bytes()
    by_place = sorted(election.receipts, key=lambda receipt: held.rindex(receipt.encode()))
    by_time = zip(election.receipts, by_place, strict=True)
    assert sum(mine == other for mine, other in by_time) < BEYOND_CHANCE


def laid_down():
    """The files in which PostgreSQL keeps the two tables."""
    db.session.rollback()
    named = sa.text("SELECT pg_relation_filenode('vote_turnout') UNION SELECT pg_relation_filenode('secret_ballot')")
    return set(db.session.scalars(named))


def addresses(app, vote):
    """Every page that can be opened with what a vote has."""
    known = {"vote_id": vote.id, "topic_id": vote.topic_id}
    for rule in app.url_map.iter_rules():
        if "GET" in rule.methods and rule.arguments <= set(known) and rule.endpoint.startswith(WALKED):
            with app.test_request_context():
                yield rule.endpoint, app.url_for(rule.endpoint, **{name: known[name] for name in rule.arguments})


@pytest.mark.parametrize("counted", [False, True])
def test_no_page_and_no_export_tells_who_chose_what(app, make, election, counted):
    election.hold()
    if counted:
        finished(election.vote)
    readers = [None, election.voters[0][2], *(make.worker(role) for role in Role if role is not Role.RESIDENT)]
    open_to_all = {"deliberation.resident.vote_file"} if counted else set()
    for account in readers:
        client = app.test_client()
        if account is not None:
            client.sign_in(account)
        for endpoint, address in addresses(app, election.vote):
            if account is None or (account.platform is Platform.DESK) == address.startswith("/desk"):
                answer = client.get(address)
                said = answer.get_data().decode("utf-8", "replace")
                told = [receipt for receipt in election.receipts if receipt in said.replace(" ", "")]
                assert not told or endpoint in open_to_all, (endpoint, account and account.name)
    for _entry, person, _account in election.voters:
        copy = json.dumps(doors.export(db.session.get_one(Person, person.id)), ensure_ascii=False, default=str)
        assert not [word for word in (*election.receipts, "同意", "反对", "弃权") if word in copy]
        lines = doors.timeline(db.session.get_one(Person, person.id))
        assert not [line for line in lines if "投" in line.title and "不记名" in line.text]
