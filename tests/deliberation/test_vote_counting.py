"""Counting: all at once after closing, exactly; few ballots are never opened; the file recounts, a change is named."""

import hashlib
import json
import subprocess
import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from portal import cli
from portal.core import clock
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.deliberation import recount
from portal.deliberation.models.codes import Body, Channel, VoteState
from portal.deliberation.models.topics import TopicEntry
from portal.deliberation.models.votes import NamedBallot, RollEntry, SecretBallot, Turnout, Vote, VoteFile
from portal.deliberation.service import casting, chain, counting
from portal.deliberation.vote_jobs import close_and_count
from portal.registry.models import Person

STAND_ALONE = Path(recount.__file__)


def cast_all(vote, voters, choices):
    """Each voter her choice, each in a transaction of her own; the receipts in that order."""
    codes = []
    for (entry, person, actor), choice in zip(voters, choices, strict=True):
        with transaction() as session:
            mine, here = session.get_one(Person, person.id), session.get_one(Vote, vote.id)
            given = casting.cast(here, entry, mine, choice, slip=casting.new_slip(), channel=Channel.PHONE, by=actor)
        codes.append(given.code)
    return codes


def finished(vote):
    """Closed and counted, as the jobs do it once its time is over."""
    with transaction():
        db.session.get_one(Vote, vote.id).closes_at = clock.now() - timedelta(seconds=1)
    with transaction():
        counting.close(counting.one(vote.id))
    with transaction():
        counting.count(counting.one(vote.id))
    db.session.expire_all()
    return counting.one(vote.id)


def voted(deliberating, choices, entitled=0, **more):
    vote = deliberating.vote(**more)
    voters = deliberating.voters(vote, len(choices))
    for _number in range(entitled - len(choices)):
        deliberating.entry(vote)
    codes = cast_all(vote, voters, choices)
    return finished(vote), codes


def file_of(vote):
    return db.session.get_one(VoteFile, vote.id).content


def test_an_unnamed_vote_is_counted_all_at_once(deliberating):
    vote, codes = voted(deliberating, [1, 1, 1, 2, 3, 1], entitled=10, named=False)
    result = counting.result_of(vote)
    assert [(one.number, one.heads, one.carried) for one in result.tallies] == [
        (1, 4, True),
        (2, 1, False),
        (3, 1, False),
    ]
    assert (result.entitled.heads, result.took_part.heads, result.quorum_met) == (10, 6, True)
    assert result.channels == {"phone": 6, "paper": 0, "proxy": 0}
    assert {chain.row_of(file_of(vote), code)[1].choice for code in codes[:3]} == {1}
    assert vote.state is VoteState.COUNTED
    assert [one.deed for one in db.session.scalars(sa.select(TopicEntry).order_by(TopicEntry.id))] == [
        "vote_closed",
        "vote_counted",
    ]


def test_a_quorum_missed_by_one_carries_nothing(deliberating):
    vote, _codes = voted(deliberating, [1] * 5, entitled=10, named=False)
    result = counting.result_of(vote)
    assert (result.quorum_met, result.carried) == (False, ())
    assert recount.recount(file_of(vote)).flaws == []


@pytest.mark.parametrize("ballots", [0, 4])
def test_fewer_than_five_unnamed_ballots_are_never_opened(deliberating, ballots):
    vote, codes = voted(deliberating, [1] * ballots, named=False)
    assert vote.state is VoteState.VOID
    assert "5" in vote.void_why
    assert (vote.result, vote.head, counting.result_of(vote)) == ({}, "", None)
    kept = {one.key: one.choice for one in db.session.scalars(sa.select(SecretBallot))}
    assert kept == dict.fromkeys(codes, 0)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(VoteFile)) == 0
    assert casting.turned_out(vote) == ballots


def test_five_unnamed_ballots_are_opened(deliberating):
    vote, _codes = voted(deliberating, [1] * 5, named=False)
    assert vote.state is VoteState.COUNTED


def test_a_named_vote_is_counted_however_few_and_the_last_version_counts(deliberating):
    vote = deliberating.vote(may_change=True)
    voters = deliberating.voters(vote, 2)
    cast_all(vote, voters, [1, 1])
    codes = cast_all(vote, voters[:1], [2])
    counted = finished(vote)
    assert [one.heads for one in counting.result_of(counted).tallies] == [1, 1, 0]
    assert chain.row_of(file_of(counted), codes[0])[1].choice == 2
    assert db.session.scalar(sa.select(sa.func.count()).select_from(NamedBallot)) == 3


def test_owners_are_counted_by_heads_and_by_area(deliberating):
    shares = {"quorum": [2, 3], "quorum_over": False, "passes": [3, 4], "passes_over": False}
    vote = deliberating.vote(body=Body.OWNERS_SPECIAL, rule=shares)
    voters = []
    for area in ("300.00", "100.00", "50.25", "49.75"):
        person, account = deliberating.person_with_account()
        voters.append((deliberating.entry(vote, person, area=area), person, deliberating.actor(account)))
    cast_all(vote, voters, [2, 1, 1, 1])
    result = counting.result_of(finished(vote))
    assert [(one.heads, one.area) for one in result.tallies[:2]] == [(3, Decimal("200.00")), (1, Decimal("300.00"))]
    assert (result.entitled.area, result.quorum_met, result.carried) == (Decimal("500.00"), True, ())
    assert recount.recount(file_of(vote)).flaws == []


def test_who_was_struck_off_after_she_voted_stays_on_both_sides_and_who_had_not_on_neither(deliberating):
    vote = deliberating.vote()
    voters = deliberating.voters(vote, 2)
    cast_all(vote, voters, [1, 1])
    with transaction() as session:
        for entry in (voters[0][0], deliberating.entry(vote)):
            session.get_one(RollEntry, entry.id).struck_at = clock.now()
    result = counting.result_of(finished(vote))
    assert (result.entitled.heads, result.took_part.heads) == (2, 2)


def test_no_result_is_read_before_it_is_counted(deliberating):
    vote, _codes = voted(deliberating, [1, 2], entitled=2)
    assert counting.result_of(vote) is not None
    for state in (VoteState.CLOSED, VoteState.COUNTING, VoteState.VOID):
        vote.state = state
        assert counting.result_of(vote) is None
    db.session.rollback()


def test_nothing_is_counted_before_closing_and_nothing_twice(deliberating):
    vote = deliberating.vote(named=False)
    with pytest.raises(Refused, match="截止后"), transaction():
        counting.count(counting.one(vote.id))
    with pytest.raises(Refused, match="提前"), transaction():
        counting.close(counting.one(vote.id))
    finished(vote)
    with pytest.raises(Refused, match="只计一次"), transaction():
        counting.count(counting.one(vote.id))
    with pytest.raises(Refused, match="没有在进行"), transaction():
        counting.close(counting.one(vote.id))


def test_a_vote_that_waits_for_its_paper_is_not_counted(deliberating):
    vote = deliberating.vote(named=False, takes_paper=True, state=VoteState.CLOSED)
    assert counting.due_to_count() == []
    with pytest.raises(Refused, match="纸质票"), transaction():
        counting.count(counting.one(vote.id))
    with transaction():
        db.session.get_one(Vote, vote.id).papers_done_at = clock.now()
    assert counting.due_to_count() == [vote.id]


def test_the_job_closes_at_the_second_and_counts(deliberating, monkeypatch):
    vote = deliberating.vote()
    cast_all(vote, deliberating.voters(vote, 1), [1])
    monkeypatch.setattr(clock, "now", lambda: vote.closes_at - timedelta(microseconds=1))
    close_and_count()
    assert deliberating.make.read(vote).state is VoteState.OPEN
    monkeypatch.setattr(clock, "now", lambda: vote.closes_at)
    close_and_count()
    assert deliberating.make.read(vote).state is VoteState.COUNTED


def test_the_database_keeps_secret_ballots(deliberating):
    vote = deliberating.vote(named=False)
    codes = cast_all(vote, deliberating.voters(vote, 1), [1])
    for statement in (
        sa.update(SecretBallot).where(SecretBallot.key == codes[0]).values(choice=2),
        sa.delete(SecretBallot),
    ):
        with pytest.raises(sa.exc.DBAPIError, match="secret_ballot is kept"), transaction() as session:
            session.execute(statement)
    for statement in (sa.delete(Turnout), sa.update(Turnout).values(channel=Channel.PAPER)):
        with pytest.raises(sa.exc.DBAPIError, match="vote_turnout is kept"), transaction() as session:
            session.execute(statement)
    finished(vote)
    with pytest.raises(sa.exc.DBAPIError, match="vote_turnout is kept"), transaction() as session:
        session.execute(sa.delete(Turnout))
    with pytest.raises(sa.exc.DBAPIError, match="secret_ballot is kept"), transaction() as session:
        session.execute(sa.insert(SecretBallot).values(key="x" * 16, vote_id=vote.id, choice=1))


@pytest.mark.parametrize("named", [False, True])
def test_of_papers_handed_out_only_those_of_an_unnamed_vote_that_is_open_are_taken_back(deliberating, named):
    vote = deliberating.vote(named=named)
    handed = deliberating.make.add(
        Turnout(vote_id=vote.id, entry_id=deliberating.entry(vote).id, channel=Channel.PAPER)
    ).entry_id
    gone = sa.delete(Turnout).where(Turnout.entry_id == handed)
    if named:
        with pytest.raises(sa.exc.DBAPIError, match="vote_turnout is kept"), transaction() as session:
            session.execute(gone)
        return
    with pytest.raises(sa.exc.DBAPIError, match="vote_turnout is kept"), transaction() as session:
        session.get_one(Vote, vote.id).state = VoteState.CLOSED
        session.flush()
        session.execute(gone)
    with transaction() as session:
        session.execute(gone)


def test_the_ballots_are_not_emptied_at_once_either(deliberating, database):
    voted(deliberating, [1, 1, 1, 2, 3, 1, 2], entitled=9, named=False)
    # SQLite has no TRUNCATE; a DELETE of everything is its quick way, unless a trigger looks on.
    words = "DELETE FROM" if database == "sqlite" else "TRUNCATE"
    for table in ("secret_ballot", "vote_turnout"):
        with pytest.raises(sa.exc.DBAPIError, match=r"append-only|is kept"), transaction() as session:
            session.execute(sa.text(f"{words} {table}"))


# The file


def counted_file(deliberating):
    vote, codes = voted(deliberating, [1, 1, 1, 2, 3, 1, 2], entitled=9, named=False)
    return vote, file_of(vote), codes


def test_the_file_recounts_to_the_published_result(deliberating):
    vote, content, _codes = counted_file(deliberating)
    found = recount.recount(content)
    assert (found.flaws, found.heads, found.head) == ([], {1: 4, 2: 2, 3: 1}, vote.head)
    receipts = [line.split("\t")[1] for line in content.splitlines()[2:-1]]
    assert receipts == sorted(receipts)


def changed(content, number, *, choice):
    lines = content.split("\n")
    place = number + 1
    parts = lines[place].split("\t")
    parts[2] = str(choice)
    lines[place] = "\t".join(parts)
    return "\n".join(lines)


@pytest.mark.parametrize("number", [1, 4, 7])
def test_a_changed_row_is_named(deliberating, number):
    _vote, content, _codes = counted_file(deliberating)
    was = int(content.split("\n")[number + 1].split("\t")[2])
    flaws = recount.recount(changed(content, number, choice=1 if was != 1 else 2)).flaws
    assert next(flaw for flaw in flaws if "被改过" in flaw).startswith(f"第 {number} 张选票")
    assert len([flaw for flaw in flaws if "张选票" in flaw]) == 1
    assert any("重新计票" in flaw for flaw in flaws)


def test_a_row_left_out_added_doubled_or_put_elsewhere_is_named(deliberating):
    _vote, content, _codes = counted_file(deliberating)
    lines = content.split("\n")
    added = "3\t2222222222222222\t1\t0.00\t" + "0" * 64
    for spoilt, named in (
        (lines[:4] + lines[5:], "第 3 张选票"),
        ([*lines[:4], lines[3], *lines[4:]], "第 3 张选票"),
        ([*lines[:4], added, *lines[4:]], "第 3 张选票"),
        ([*lines[:3], lines[4], lines[3], *lines[5:]], "第 2 张选票"),
        ([lines[0], lines[1].replace('"heads": 4', '"heads": 5'), *lines[2:]], "第 2 行的说明"),
        ([*lines[:-2], ""], "最后一行"),
    ):
        flaws = recount.recount("\n".join(spoilt)).flaws
        assert any(named in flaw for flaw in flaws), flaws


def rehashed(content, change):
    """A file made anew with every hash right: the ballots and the header as `change` leaves them."""
    lines = content.split("\n")
    header, rows = json.loads(lines[1]), [line.split("\t")[:4] for line in lines[2:-2]]
    change(header, rows)
    top = f"{lines[0]}\n{json.dumps(header, ensure_ascii=False, sort_keys=True)}"
    found, last = [top], hashlib.sha256(top.encode()).hexdigest()
    for row in rows:
        words = "\t".join(row)
        last = hashlib.sha256(f"{last}\n{words}".encode()).hexdigest()
        found.append(f"{words}\t{last}")
    return "\n".join([*found, f"end\t{len(rows)}\t{last}", ""])


def set_part(number, part, value):
    return lambda _header, rows: rows[number - 1].__setitem__(part, value)


def set_result(name, value):
    return lambda header, _rows: header["result"].__setitem__(name, value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (set_part(2, 0, "5"), "第 2 张选票的编号是 5"),
        (lambda _header, rows: rows[3].__setitem__(1, rows[2][1]), "第 4 张选票的回执号"),
        (set_part(7, 1, "2222222222222222"), "第 7 张选票没有按回执号排列"),
        (set_part(1, 2, "9"), "第 1 张选票选了没有的选项 9"),
        (set_part(1, 2, "x"), "第 1 张选票读不出来"),
        (set_result("quorum_met", False), "参加人数够不够"),
        (set_result("carried", [2]), "通过没有"),
        (lambda header, _rows: header["result"].pop("entitled"), "缺了内容"),
        (lambda header, _rows: header["rule"].__setitem__("quorum", [1, 0]), "缺了内容"),
        (lambda header, _rows: header["options"][0].pop("label"), "读不出来"),
        (lambda header, _rows: header["result"]["options"].pop(), "重新计票"),
    ],
)
def test_what_is_wrong_in_a_file_whose_hashes_are_right_is_named_too(deliberating, change, words):
    _vote, content, _codes = counted_file(deliberating)
    assert recount.recount(rehashed(content, lambda _header, _rows: None)).flaws == []
    flaws = recount.recount(rehashed(content, change)).flaws
    assert any(words in flaw for flaw in flaws), flaws


def test_a_receipt_that_is_not_in_the_file_is_said(deliberating):
    _vote, content, codes = counted_file(deliberating)
    for code, flaws in ((codes[0], []), ("2345234523452345", ["回执 2345234523452345 不在文件里。"])):
        found = recount.recount(content)
        recount.told(found, receipt=code)
        assert found.flaws == flaws


def test_a_file_made_anew_does_not_have_the_printed_head(deliberating):
    vote, content, _codes = counted_file(deliberating)
    header = json.loads(content.split("\n")[1])
    header["result"]["options"] = [
        {"number": 1, "heads": 7, "area": "0.00"},
        {"number": 2, "heads": 0, "area": "0.00"},
        {"number": 3, "heads": 0, "area": "0.00"},
    ]
    rows = [chain.Row(line.split("\t")[1], 1) for line in content.splitlines()[2:-1]]
    forged, _head = chain.written(header, rows)
    found = recount.recount(forged)
    assert found.flaws == []
    recount.told(found, head=vote.head)
    assert any("校验号" in flaw for flaw in found.flaws)


def test_the_stand_alone_file_imports_nothing_of_ours_and_says_what_it_finds(deliberating, tmp_path):
    vote, content, codes = counted_file(deliberating)
    alone, file = tmp_path / "recount.py", tmp_path / "vote.txt"
    alone.write_text(STAND_ALONE.read_text("utf-8"), "utf-8")
    file.write_text(content, "utf-8")

    def run(*more):
        command = [sys.executable, "-I", str(alone), str(file), *more]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    good = run("--head", vote.head, "--receipt", casting.shown(codes[3]))
    assert (good.returncode, good.stderr) == (0, "")
    assert "没有发现问题" in good.stdout
    assert "“反对”" in good.stdout
    file.write_text(changed(content, 3, choice=9), "utf-8")
    bad = run()
    assert bad.returncode == 1
    assert "第 3 张选票" in bad.stdout
    file.unlink()
    gone = run()
    assert (gone.returncode, gone.stderr) == (1, "")
    assert "请核对文件名" in gone.stdout


def test_the_portal_recounts_too(deliberating, tmp_path):
    _vote, content, _codes = counted_file(deliberating)
    file = tmp_path / "vote.txt"
    file.write_text(content, "utf-8")
    assert CliRunner().invoke(cli.main, ["deliberation", "recount", str(file)]).exit_code == 0
    file.write_text(content.replace("end\t7", "end\t8"), "utf-8")
    assert CliRunner().invoke(cli.main, ["deliberation", "recount", str(file)]).exit_code == 1


def test_turnout_is_all_that_the_tables_tell_before_counting(deliberating):
    vote = deliberating.vote(named=False)
    voters = deliberating.voters(vote, 3)
    cast_all(vote, voters, [1, 2, 3])
    assert {column.name for column in Turnout.__table__.columns} == {"entry_id", "vote_id", "channel"}
    assert {column.name for column in SecretBallot.__table__.columns} == {"key", "vote_id", "choice"}
    assert counting.result_of(counting.one(vote.id)) is None
