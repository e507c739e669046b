"""The pages of paper votes and written proxies, and what is printed of a vote."""

import io

import pytest
import sqlalchemy as sa
from PIL import Image

from portal.core import sealing
from portal.core.audit import AuditRow
from portal.core.db import db, transaction
from portal.deliberation.models.codes import Channel, ProxyState, Stage, VoteState
from portal.deliberation.models.votes import (
    NamedBallot,
    SecretBallot,
    Turnout,
    Vote,
    VoteProxy,
)
from portal.deliberation.service import casting, counting, paper_waits, papers, proxies
from tests.deliberation.papered import begun, booked, entered, over, the


@pytest.fixture
def topic(deliberating):
    return deliberating.topic(stage=Stage.VOTING)


@pytest.fixture
def named(deliberating, topic):
    return deliberating.vote(topic, takes_paper=True)


@pytest.fixture
def secret(deliberating, topic):
    return deliberating.vote(topic, named=False, takes_paper=True)


@pytest.fixture
def two(deliberating):
    return deliberating.committee(name="周洁"), deliberating.committee(name="陈晨")


def picture():
    out = io.BytesIO()
    Image.new("RGB", (40, 40), "white").save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def desk(make, client):
    """Two workers of the community; sign_in(which) is who sits at the desk."""
    accounts = [make.worker(name="周洁"), make.worker(name="陈晨")]
    client.sign_in(accounts[0])
    return lambda which: client.sign_in(accounts[which])


def test_the_second_person_does_not_see_what_the_first_entered(deliberating, client, desk, named):
    entries = [deliberating.entry(named) for _number in range(4)]
    run = f"{entries[0].number}-{entries[2].number}"
    here = f"/desk/deliberation/votes/{named.id}/paper"
    there = client.post(here, data={"idem": "k", "name": "居委会票箱"}).location
    assert client.post(here, data={"idem": "k", "name": "居委会票箱"}).location == there
    assert "第一遍" in client.get(there).text
    assert client.post(there, data={"pile-1": run, "pile-2": str(entries[3].number)}).status_code == 303
    assert "要换一个人" in client.get(there).text
    desk(1)
    page = client.get(there).text
    assert "看不到第一遍录了什么" in page
    assert run not in page
    assert client.post(there, data={"pile-1": run, "pile-3": str(entries[3].number)}).status_code == 303
    assert "两个人录的不一样" in client.get(there).text
    differ = client.get(f"{there}/differences").text
    assert "周洁录的：反对；陈晨录的：弃权" in differ


def test_what_differs_is_booked_once_both_said_the_same(deliberating, client, desk, named, two):
    entry = deliberating.entry(named)
    there = client.post(f"/desk/deliberation/votes/{named.id}/paper", data={"idem": "k", "name": "票箱"}).location
    client.post(there, data={"pile-1": str(entry.number)})
    desk(1)
    client.post(there, data={"pile-2": str(entry.number)})
    line = f"line-{entry.number}"
    assert client.post(f"{there}/differences", data={line: ""}).status_code == 422
    done = client.post(f"{there}/differences", data={line: "2"}, follow_redirects=True).text
    assert "请另一位录入的人登录" in done
    assert "陈晨已经核对过，还等另一个人" in done
    assert "还没有核对一致" in client.post(f"{there}/book", follow_redirects=True).text
    desk(0)
    assert "您也看着选票填一遍" in client.get(f"{there}/differences").text
    assert "可以入账了" in client.post(f"{there}/differences", data={line: "2"}, follow_redirects=True).text
    assert client.post(f"{there}/book").status_code == 303
    assert "已入账" in client.get(there).text
    db.session.rollback()
    assert db.session.scalars(sa.select(NamedBallot.choice)).one() == 2


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"pile-1": "1、1"}, "写了两次"),
        ({"pile-1": "9-3"}, "看不懂“9-3”"),
        ({"pile-1": "1、二"}, "看不懂“二”"),
        ({"pile-1": "-1"}, "看不懂“-1”"),
        ({"pile-1": "１，１"}, "写了两次"),
        ({"pile-1": "第 1 号 至 第 1 号、1"}, "写了两次"),
        ({}, "还没有录入"),
    ],
)
def test_piles_that_cannot_be_read_are_said(deliberating, client, desk, named, typed, words):
    deliberating.entry(named)
    there = client.post(f"/desk/deliberation/votes/{named.id}/paper", data={"idem": "k", "name": "票箱"}).location
    answer = client.post(there, data=typed)
    assert answer.status_code == 422
    assert words in answer.text
    assert "“无效票”的票" not in answer.text


def test_a_box_with_fewer_than_five_papers_is_not_offered_to_be_opened(deliberating, client, desk, secret):
    entry = deliberating.entry(secret)
    client.post(f"/desk/deliberation/votes/{secret.id}/paper/hand", data={"number": str(entry.number)})
    over(secret)
    page = client.get(f"/desk/deliberation/votes/{secret.id}/paper").text
    assert "不足 5 张" in page
    assert "没有能打开的票箱" in page
    assert "纸质票已全部录入" in page
    assert "开始录第一遍" not in page


def test_papers_are_handed_out_and_counted_on_pages(deliberating, client, desk, secret):
    entries = [deliberating.entry(secret) for _number in range(5)]
    hand = f"/desk/deliberation/votes/{secret.id}/paper/hand"
    for one in entries:
        assert "已登记领票" in client.post(hand, data={"number": str(one.number)}, follow_redirects=True).text
    assert client.post(hand, data={"number": "99999"}).status_code == 422
    returned = {"number": str(entries[0].number), "reason": "要用手机投"}
    assert client.post(f"/desk/deliberation/votes/{secret.id}/paper/return", data=returned).status_code == 303
    client.post(hand, data={"number": str(entries[0].number)})
    over(secret)
    there = client.post(f"/desk/deliberation/votes/{secret.id}/paper", data={"idem": "k", "name": "票箱"}).location
    typed = {"option-1": "3", "option-2": "1", "option-3": "1", "option-0": "0"}
    assert client.post(there, data=typed | {"option-1": "x"}).status_code == 422
    assert client.post(there, data=typed).status_code == 303
    desk(1)
    assert client.post(there, data=typed).status_code == 303
    assert client.post(f"{there}/book").status_code == 303
    assert client.post(f"/desk/deliberation/votes/{secret.id}/paper/done").status_code == 303
    assert the(Vote, secret.id).papers_done_at is not None


def proxied(client, vote, entry, **more):
    typed = {"idem": f"k{entry.number}", "number": str(entry.number), "holder": "李建国"} | more
    typed["document"] = (io.BytesIO(more.pop("data", picture())), "proxy.png")
    return client.post(
        f"/desk/deliberation/votes/{vote.id}/proxies/new", data=typed, content_type="multipart/form-data"
    )


def test_nobody_votes_for_another_without_a_written_proxy(deliberating, client, desk, named):
    entry = deliberating.entry(named)
    here = f"/desk/deliberation/votes/{named.id}/proxies"
    answer = client.post(f"{here}/new", data={"idem": "k", "number": str(entry.number), "holder": "李建国"})
    assert answer.status_code == 422
    assert "没有委托书不能代投" in answer.text
    assert proxied(client, named, entry).status_code == 303
    db.session.rollback()
    found = db.session.scalars(sa.select(VoteProxy)).one()
    page = f"{here}/{found.public_id}/vote"
    assert "李建国" in client.get(page).text
    slip = casting.new_slip()
    for _number in range(2):
        assert (
            casting.shown(casting.receipt_for(named, slip))
            in client.post(page, data={"choice": "1", "slip": slip}).text
        )
    db.session.rollback()
    ballot = db.session.scalars(sa.select(NamedBallot)).one()
    assert (ballot.channel, ballot.proxy_id, ballot.choice) == (Channel.PROXY, found.id, 1)
    assert the(VoteProxy, found.id).state is ProxyState.USED
    assert "不能再撤回" in client.post(f"{here}/{found.public_id}/withdraw", data={"reason": "反悔"}).text


def test_a_proxys_document_is_sealed_and_looking_at_it_leaves_a_trace(deliberating, client, desk, named):
    entry = deliberating.entry(named)
    proxied(client, named, entry)
    db.session.rollback()
    found = db.session.scalars(sa.select(VoteProxy)).one()
    stored = db.session.execute(sa.select(VoteProxy.document)).scalar_one()
    assert not stored.startswith(b"\x89PNG")
    assert sealing.keys().open_bytes(stored, proxies.CONTEXT).startswith(b"\x89PNG")
    answer = client.post(f"/desk/deliberation/votes/{named.id}/proxies/{found.public_id}/document")
    assert answer.data.startswith(b"\x89PNG")
    db.session.rollback()
    assert "deliberation.proxy_seen" in list(db.session.scalars(sa.select(AuditRow.action)))


def test_one_proxy_stands_for_an_entry_and_three_for_a_holder(deliberating, client, desk, named):
    entries = [deliberating.entry(named) for _number in range(4)]
    for one in entries[:3]:
        assert proxied(client, named, one).status_code == 303
    assert "已经满了" in proxied(client, named, entries[3]).text
    assert "已经有一份委托书" in proxied(client, named, entries[0], holder="赵桂兰", idem="other").text
    assert "名册上没有这个编号" in proxied(client, named, entries[0], number="99999", idem="third").text


def test_a_withdrawn_proxy_votes_no_more_and_another_may_stand(deliberating, client, desk, named):
    entry = deliberating.entry(named)
    proxied(client, named, entry)
    db.session.rollback()
    found = db.session.scalars(sa.select(VoteProxy)).one()
    here = f"/desk/deliberation/votes/{named.id}/proxies"
    assert client.post(f"{here}/{found.public_id}/withdraw", data={"reason": "本人回来了"}).status_code == 303
    assert (
        client.post(f"{here}/{found.public_id}/vote", data={"choice": "1", "slip": casting.new_slip()}).status_code
        == 422
    )
    assert proxied(client, named, entry, holder="赵桂兰", idem="again").status_code == 303


def test_by_proxy_in_an_unnamed_vote_the_holder_is_handed_a_paper_and_nobody_enters_a_choice(
    deliberating, client, desk, secret
):
    entry = deliberating.entry(secret)
    proxied(client, secret, entry)
    db.session.rollback()
    found = db.session.scalars(sa.select(VoteProxy)).one()
    here = f"/desk/deliberation/votes/{secret.id}/proxies/{found.public_id}"
    assert client.post(f"{here}/vote", data={"choice": "1", "slip": casting.new_slip()}).status_code == 422
    assert client.post(f"{here}/hand").status_code == 303
    db.session.rollback()
    assert db.session.scalars(sa.select(Turnout.channel)).one() is Channel.PROXY
    assert list(db.session.scalars(sa.select(SecretBallot.key))) == []
    assert paper_waits.handed_out(secret) == 1


def test_the_holder_votes_on_her_own_phone_for_who_sent_her(deliberating, client, named, make, desk):
    holder, account = deliberating.person_with_account("李建国", phone="13800001234")
    entry = deliberating.entry(named)
    assert "对得上" in proxied(client, named, entry, account="13800009999").text
    assert "对得上" in proxied(client, named, entry, account="13800001234", holder="王某", idem="x").text
    assert proxied(client, named, entry, account="13800001234", idem="y").status_code == 303
    db.session.rollback()
    found = db.session.scalars(sa.select(VoteProxy)).one()
    assert found.holder_person_id == holder.id
    here = f"/deliberation/votes/{named.id}/proxies/{found.public_id}"
    client.sign_in(account)
    assert "书面委托您" in client.get(here).text
    assert "这一票的回执号" in client.post(here, data={"choice": "2", "slip": casting.new_slip()}).text
    db.session.rollback()
    assert db.session.scalars(sa.select(NamedBallot.choice)).one() == 2
    _other, stranger = deliberating.person_with_account("赵桂兰")
    client.sign_in(stranger)
    assert client.get(here).status_code == 404


def test_the_prints_say_what_they_must_and_no_more(deliberating, client, desk, named, secret):
    one, other = deliberating.entry(named, name="王秀英"), deliberating.entry(secret, name="赵桂兰")
    base = "/desk/deliberation/votes"
    assert "王秀英" in client.get(f"{base}/{named.id}/print/ballots").text
    unnamed = client.get(f"{base}/{secret.id}/print/ballots?count=2").text
    assert "赵桂兰" not in unnamed
    assert unnamed.count("不记名，不要写名字") == 2
    assert "赵桂兰" in client.get(f"{base}/{secret.id}/print/turnout").text
    assert "还没有结果" in client.get(f"{base}/{named.id}/print/result").text
    assert (one.number, other.number) != (0, 0)


def test_the_result_on_the_wall_carries_every_count_and_the_head(deliberating, client, desk, named, two):
    entries = [deliberating.entry(named) for _number in range(3)]
    number = begun(named, two[0])
    for each in two:
        entered(named, number, {entries[0].number: 1, entries[1].number: 2}, each)
    booked(named, number, two[0])
    over(named)
    with transaction():
        vote = db.session.get_one(Vote, named.id)
        counting.close(vote)
        papers.all_in(vote, by=two[0])
        counting.count(vote)
    page = client.get(f"/desk/deliberation/votes/{named.id}/print/result").text
    assert casting.shown(the(Vote, named.id).head) in page
    assert "应投 3 票，参加 2 票" in page
    assert the(Vote, named.id).state is VoteState.COUNTED
    assert "结果" in client.get(f"/desk/deliberation/votes/{named.id}").text
