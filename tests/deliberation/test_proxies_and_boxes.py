"""Whose word counts where a proxy, a phone and a paper meet; papers that went out and what came back of them."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.deliberation.models.codes import Body, Channel, ProxyState, Stage, VoteState
from portal.deliberation.models.votes import NamedBallot, PaperBatch, RollEntry, SecretBallot, Turnout, Vote, VoteProxy
from portal.deliberation.service import casting, counting, papers, proxies, vote_doors, votes
from portal.registry.models import Person
from tests.deliberation.papered import begun, booked, entered, over, the

DOCUMENT = (b"%PDF-1.4 proxy", "application/pdf")


@pytest.fixture
def topic(deliberating):
    return deliberating.topic(stage=Stage.VOTING)


@pytest.fixture
def changing(deliberating, topic):
    return deliberating.vote(topic, takes_paper=True, may_change=True)


@pytest.fixture
def secret(deliberating, topic):
    return deliberating.vote(topic, named=False, takes_paper=True)


@pytest.fixture
def two(deliberating):
    return deliberating.committee(name="周洁"), deliberating.committee(name="陈晨")


def taken(vote, entry, by, holder="李建国", person=None):
    """A written proxy for an entry; its number."""
    with transaction() as session:
        holding = session.get_one(Person, person.id) if person else None
        code = proxies.take(session.get_one(Vote, vote.id), entry.number, holder, holding, *DOCUMENT, by=by)
        return proxies.proxy(session.get_one(Vote, vote.id), code).id


def by_phone(vote, voter, choice=1):
    entry, person, actor = voter
    with transaction() as session:
        kept = session.get_one(Vote, vote.id), session.get_one(RollEntry, entry.id), session.get_one(Person, person.id)
        return casting.cast(*kept, choice, slip=casting.new_slip(), channel=Channel.PHONE, by=actor)


def by_proxy(vote, number, by, choice=2, slip=""):
    with transaction() as session:
        found = session.get_one(VoteProxy, number)
        slip = slip or casting.new_slip()
        return proxies.vote_by(session.get_one(Vote, vote.id), found, choice, slip=slip, by=by)


def choices():
    db.session.rollback()
    return list(db.session.scalars(sa.select(NamedBallot.choice).order_by(NamedBallot.id)))


def test_who_has_voted_herself_is_not_outvoted_by_her_proxy(deliberating, changing, two):
    voter = deliberating.voters(changing, 1)[0]
    number = taken(changing, voter[0], two[0])
    by_phone(changing, voter)
    with pytest.raises(Refused, match="已经投过"):
        by_proxy(changing, number, two[0])
    assert choices() == [1]
    assert the(VoteProxy, number).state is ProxyState.GIVEN


def test_a_proxy_votes_once_and_its_form_sent_again_shows_the_same_receipt(deliberating, changing, two):
    voter, slip = deliberating.voters(changing, 1)[0], casting.new_slip()
    number = taken(changing, voter[0], two[0])
    codes = {by_proxy(changing, number, two[0], slip=slip).code for _number in range(2)}
    assert codes == {casting.receipt_for(changing, slip)}
    with pytest.raises(Refused, match="用过或撤回"):
        by_proxy(changing, number, two[0], choice=3)
    assert choices() == [2]
    by_phone(changing, voter)
    assert choices() == [2, 1]


def test_a_proxy_withdrawn_while_its_vote_is_entered_votes_no_more(deliberating, changing, two, monkeypatch):
    entry = deliberating.entry(changing)
    number, newest = taken(changing, entry, two[0]), casting.newest

    def meanwhile(one):
        withdrawn = sa.update(VoteProxy).where(VoteProxy.id == number).values(state=ProxyState.WITHDRAWN)
        db.session.connection().execute(withdrawn)
        return newest(one)

    monkeypatch.setattr(casting, "newest", meanwhile)
    with pytest.raises(Refused, match="用过或撤回"):
        by_proxy(changing, number, two[0])
    assert choices() == []


def test_whoever_votes_by_proxy_gets_a_receipt_and_reads_whether_it_may_be_changed(
    deliberating, changing, client, make, two
):
    holder, account = deliberating.person_with_account("李建国")
    numbers = [taken(changing, deliberating.entry(changing), two[0], person=holder) for _number in range(2)]
    db.session.rollback()
    first, second = (db.session.get_one(VoteProxy, number).public_id for number in numbers)
    slips = [casting.new_slip() for _number in range(2)]
    client.sign_in(account)
    page = client.post(f"/deliberation/votes/{changing.id}/proxies/{first}", data={"choice": "1", "slip": slips[0]})
    assert casting.shown(casting.receipt_for(changing, slips[0])) in page.text
    client.sign_in(make.worker())
    here = f"/desk/deliberation/votes/{changing.id}/proxies/{second}/vote"
    page = client.post(here, data={"choice": "1", "slip": slips[1]}).text
    assert casting.shown(casting.receipt_for(changing, slips[1])) in page
    assert "不能再由别人投" not in page
    assert "本人还可以改" in page


def test_who_holds_a_proxy_finds_it_on_the_page_of_the_vote_until_it_is_used(deliberating, changing, client, two):
    holder, account = deliberating.person_with_account("李建国")
    number = taken(changing, deliberating.entry(changing), two[0], person=holder)
    client.sign_in(account)
    here, there = f"/deliberation/votes/{changing.id}", db.session.get_one(VoteProxy, number).public_id
    assert f"{here}/proxies/{there}" in client.get(here).text
    by_proxy(changing, number, two[0])
    page = client.get(here).text
    assert f"{here}/proxies/{there}" not in page
    assert "别人委托我投的" not in page


def test_where_no_paper_is_taken_a_proxy_gets_none(deliberating, topic, two, client, make):
    secret = deliberating.vote(topic, named=False, takes_paper=False)
    entry = deliberating.entry(secret)
    with pytest.raises(Refused, match="不收纸质票"):
        taken(secret, entry, two[0])
    kept = {"holder": "李建国", "media": "application/pdf", "document": b"x", "entered_by": "x", "entered_by_name": "x"}
    proxy = deliberating.make.add(VoteProxy(vote_id=secret.id, entry_id=entry.id, **kept))
    client.sign_in(make.worker())
    here = f"/desk/deliberation/votes/{secret.id}/proxies"
    assert "发选票" not in client.get(here).text
    assert "不收纸质票" in client.post(f"{here}/{proxy.public_id}/hand", follow_redirects=True).text
    db.session.rollback()
    assert list(db.session.scalars(sa.select(Turnout.entry_id))) == []


def test_a_paper_handed_to_a_proxy_holder_may_be_brought_back(deliberating, secret, two):
    entry = deliberating.entry(secret)
    number = taken(secret, entry, two[0])
    with transaction() as session:
        proxies.hand_paper(session.get_one(Vote, secret.id), session.get_one(VoteProxy, number), by=two[0])
    with transaction() as session:
        papers.take_back(session.get_one(Vote, secret.id), entry.number, "本人来投", by=two[0])
    assert the(VoteProxy, number).state is ProxyState.GIVEN
    assert list(db.session.scalars(sa.select(Turnout.entry_id))) == []


def test_a_holder_is_the_same_by_name_and_by_account(deliberating, changing, two):
    holder, _account = deliberating.person_with_account("李建国")
    entries = [deliberating.entry(changing) for _number in range(5)]
    for one in entries[:2]:
        taken(changing, one, two[0])
    taken(changing, entries[2], two[0], person=holder)
    with pytest.raises(Refused, match="已经满了"):
        taken(changing, entries[3], two[0], person=holder)
    with pytest.raises(Refused, match="已经满了"):
        taken(changing, entries[4], two[0])


def test_a_phone_vote_that_comes_while_papers_are_booked_stands(deliberating, changing, two, monkeypatch):
    voter, late = deliberating.voters(changing, 2)
    number = begun(changing, two[0])
    for one in two:
        entered(changing, number, {voter[0].number: 2, late[0].number: 2}, one)
    have_voted, asked = casting.have_voted, []

    def meanwhile(entries):
        found = have_voted(entries)
        if not asked:
            asked.append(entries)
            _entry, person, actor = voter
            casting.cast(
                entries[0].vote,
                entries[0],
                db.session.get_one(Person, person.id),
                1,
                slip=casting.new_slip(),
                channel=Channel.PHONE,
                by=actor,
            )
        return found

    monkeypatch.setattr(casting, "have_voted", meanwhile)
    booked(changing, number, two[0])
    assert choices() == [1, 2]
    assert the(PaperBatch, number).aside == [voter[0].number]


def handed(secret, deliberating, count, by):
    for _number in range(count):
        entry = deliberating.entry(secret)
        with transaction() as session:
            papers.hand_out(session.get_one(Vote, secret.id), entry.number, by=by)


def boxed(secret, said, two):
    number = begun(secret, two[0])
    for one in two:
        entered(secret, number, said, one)
    return number


def test_papers_that_never_came_back_are_no_votes_in_what_the_result_says(deliberating, secret, two):
    for voter in deliberating.voters(secret, 3):
        by_phone(secret, voter)
    handed(secret, deliberating, 8, two[0])
    over(secret)
    number = boxed(secret, {1: 5, 2: 0, 3: 0, 0: 0}, two)
    booked(secret, number, two[0])
    with transaction() as session:
        vote = session.get_one(Vote, secret.id)
        counting.close(vote)
        papers.all_in(vote, by=two[0])
        counting.count(vote)
    result = counting.result_of(the(Vote, secret.id))
    assert result.took_part.heads == 8
    assert result.channels == {"phone": 3, "paper": 5, "proxy": 0}


def test_papers_that_are_out_make_no_quorum_and_are_called_what_they_are(deliberating, secret, two, client, make):
    for voter in deliberating.voters(secret, 2):
        by_phone(secret, voter)
    handed(secret, deliberating, 7, two[0])
    for _number in range(3):
        deliberating.entry(secret)
    vote = the(Vote, secret.id)
    assert votes.quorum_met(vote, votes.figures(vote)) is False
    assert "7 票领了纸票" in client.get(f"/deliberation/votes/{secret.id}").text
    client.sign_in(make.worker())
    page = client.get(f"/desk/deliberation/votes/{secret.id}").text
    assert "已领纸票 7 张" in page
    assert "还没达到" in page
    over(secret)
    booked(secret, boxed(secret, {1: 7, 2: 0, 3: 0, 0: 0}, two), two[0])
    vote = the(Vote, secret.id)
    assert votes.quorum_met(vote, votes.figures(vote)) is True


@pytest.mark.parametrize(("out", "warned"), [(8, True), (5, False), (10, False)])
def test_who_books_a_box_reads_that_too_few_are_left_to_be_opened(deliberating, secret, two, client, make, out, warned):
    handed(secret, deliberating, out, two[0])
    over(secret)
    number = boxed(secret, {1: 5, 2: 0, 3: 0, 0: 0}, two)
    client.sign_in(make.worker())
    page = client.get(f"/desk/deliberation/votes/{secret.id}/paper/{number}").text
    assert ("计入不了" in page) is warned


def test_of_an_unnamed_vote_the_page_of_papers_asks_for_no_box_before_closing(client, make, secret, changing):
    client.sign_in(make.worker())
    before = client.get(f"/desk/deliberation/votes/{secret.id}/paper").text
    assert "投票截止以后，在这里写明是哪一箱" in before
    assert "在下面写明" not in before
    assert "在下面写明是哪一箱" in client.get(f"/desk/deliberation/votes/{changing.id}/paper").text


def test_of_a_changed_vote_the_last_receipt_alone_is_in_the_box(deliberating, changing):
    voter = deliberating.voters(changing, 1)[0]
    first, second = by_phone(changing, voter).code, by_phone(changing, voter, 2).code
    vote = the(Vote, changing.id)
    assert casting.keeps(vote, second)
    assert not casting.keeps(vote, first)


def test_of_an_unnamed_vote_no_page_promises_who_chose_what(deliberating, changing, secret, client):
    for vote in (changing, secret):
        deliberating.entry(vote)
    assert "谁选了什么，截止以前" in client.get(f"/deliberation/votes/{changing.id}").text
    page = client.get(f"/deliberation/votes/{secret.id}").text
    assert "谁选了什么，截止以前" not in page
    assert "各项多少票" in page
    assert "用手机投票的每个人都能用回执号" in page
    assert list(db.session.scalars(sa.select(SecretBallot.key))) == []


def test_documents_of_proxies_are_forgotten_after_their_time_and_both_sides_have_a_copy_of_the_rest(
    deliberating, changing, two
):
    (used, unused), holder = deliberating.voters(changing, 2), deliberating.make.person("李建国")
    numbers = [taken(changing, voter[0], two[0], person=holder) for voter in (used, unused)]
    by_proxy(changing, numbers[0], two[0])
    told = vote_doors.export(db.session.get_one(Person, used[1].id)) + vote_doors.export(holder)
    assert [one["受托投票的人"] for one in told if "受托投票的人" in one] == ["李建国"] * 3
    with transaction() as session:
        kept = session.get_one(Vote, changing.id)
        kept.state, kept.opens_at, kept.closes_at = VoteState.COUNTED, now() - timedelta(9), now() - timedelta(2)
    with transaction():
        assert vote_doors.purge(today() - timedelta(days=5)) == 0
    with transaction():
        assert vote_doors.purge(today()) == 2
    assert list(db.session.scalars(sa.select(VoteProxy.id))) == numbers[:1]
    with pytest.raises(Refused, match="过了保存期"):
        proxies.document_of(the(VoteProxy, numbers[0]))


def test_of_owners_the_page_says_how_many_and_how_much_area_are_needed(client, make, deliberating, topic):
    client.sign_in(make.worker())
    rule = {"quorum": [2, 3], "quorum_over": False}
    vote = deliberating.vote(topic, body=Body.OWNERS_ORDINARY, rule=rule)
    for area in ("100", "100", "100.01"):
        deliberating.entry(vote, area=area)
    page = client.get(f"/desk/deliberation/votes/{vote.id}").text
    assert "至少 2 票、200.01 平方米" in page
