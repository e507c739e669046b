"""Pages of a vote: three taps and a receipt, its check, the result; the desk closes, counts and keeps the record."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.core import clock
from portal.core.access import Platform
from portal.core.audit import AuditRow
from portal.core.db import db, transaction
from portal.deliberation import recount
from portal.deliberation.models.codes import VoteState
from portal.deliberation.models.votes import NamedBallot, SecretBallot, Turnout, Vote
from portal.deliberation.service import casting, counting
from portal.identity import passwords
from portal.identity.models import SignedSession
from portal.identity.permissions import Role
from tests.counting import count_queries
from tests.deliberation.test_vote_counting import cast_all, finished

RECEIPT = re.compile(r'class="code">\s*([2-9A-Z]{4}(?: [2-9A-Z]{4}){3})')


def text_of(answer):
    return answer.get_data(as_text=True)


def fields(answer):
    """The hidden fields of the ballot on a page."""
    found = {}
    for tag in re.findall(r"<input[^>]*>", text_of(answer)):
        name, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
        if 'type="hidden"' in tag and name and name.group(1) in {"entry", "slip", "seen", "choice"}:
            found[name.group(1)] = value.group(1) if value else ""
    return found


@pytest.fixture
def her(deliberating):
    return deliberating.person_with_account("王秀英")


def on_roll(deliberating, person, **more):
    vote = deliberating.vote(**more)
    return vote, deliberating.entry(vote, person)


def three_taps(client, vote, choice=1):
    """Open the vote; tap an option, look at it, confirm."""
    page = client.get(f"/deliberation/votes/{vote.id}")
    look = client.post(f"/deliberation/votes/{vote.id}/cast", data={**fields(page), "choice": choice})
    assert look.status_code == 200, text_of(look)
    return client.post(f"/deliberation/votes/{vote.id}/cast", data={**fields(look), "sure": "1"}), fields(look)


@pytest.mark.parametrize("named", [True, False])
def test_three_taps_and_a_receipt_that_is_found_again(client, deliberating, her, named):
    vote, _entry = on_roll(deliberating, her[0], named=named)
    client.sign_in(her[1])
    done, _said = three_taps(client, vote, 2)
    assert done.status_code == 200
    code = RECEIPT.search(text_of(done)).group(1)
    asked = client.post(f"/deliberation/votes/{vote.id}/receipt", data={"receipt": code.lower()})
    assert "您的票在票箱里" in text_of(asked)
    assert "反对" not in re.sub(r"<nav.*?</nav>", "", text_of(asked))
    page = text_of(client.get(f"/deliberation/votes/{vote.id}"))
    assert ("投的是：反对" in page) is named
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Turnout)) == 1


def test_looking_at_the_choice_votes_nothing_and_no_address_holds_it(client, deliberating, her):
    vote, _entry = on_roll(deliberating, her[0], named=False)
    client.sign_in(her[1])
    page = client.get(f"/deliberation/votes/{vote.id}")
    look = client.post(f"/deliberation/votes/{vote.id}/cast", data={**fields(page), "choice": 1})
    assert "您选的是" in text_of(look)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Turnout)) == 0
    assert not re.search(r'(?:href|action)="[^"]*(?:choice|slip)=', text_of(look))


def test_the_confirmation_sent_twice_shows_one_receipt(client, deliberating, her):
    vote, _entry = on_roll(deliberating, her[0], named=False)
    client.sign_in(her[1])
    first, said = three_taps(client, vote)
    again = client.post(f"/deliberation/votes/{vote.id}/cast", data={**said, "sure": "1"})
    assert RECEIPT.search(text_of(first)).group(1) == RECEIPT.search(text_of(again)).group(1)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(SecretBallot)) == 1


def test_a_second_device_is_told_that_the_vote_is_in(client, deliberating, her):
    vote, _entry = on_roll(deliberating, her[0], named=False)
    client.sign_in(her[1])
    page = client.get(f"/deliberation/votes/{vote.id}")
    three_taps(client, vote)
    late = client.post(f"/deliberation/votes/{vote.id}/cast", data={**fields(page), "choice": 2, "sure": "1"})
    assert late.status_code == 422
    assert "已经投过了" in text_of(late)
    assert db.session.scalar(sa.select(SecretBallot.choice)) == 1


def test_nothing_chosen_is_said_and_nothing_is_cast(client, deliberating, her):
    vote, _entry = on_roll(deliberating, her[0])
    client.sign_in(her[1])
    page = client.get(f"/deliberation/votes/{vote.id}")
    answer = client.post(f"/deliberation/votes/{vote.id}/cast", data={**fields(page), "sure": "1"})
    assert answer.status_code == 422
    assert "请选一项" in text_of(answer)


def test_a_named_vote_is_changed_until_closing_and_a_page_behind_is_told(client, deliberating, her):
    vote, _entry = on_roll(deliberating, her[0], may_change=True)
    client.sign_in(her[1])
    three_taps(client, vote)
    page = client.get(f"/deliberation/votes/{vote.id}/cast")
    assert "现在算的一票是：同意" in text_of(page)
    other = fields(client.get(f"/deliberation/votes/{vote.id}/cast"))
    said = {**fields(page), "choice": 2, "sure": "1"}
    assert "改好了" in text_of(client.post(f"/deliberation/votes/{vote.id}/cast", data=said))
    behind = client.post(f"/deliberation/votes/{vote.id}/cast", data={**other, "choice": 3, "sure": "1"})
    assert behind.status_code == 409
    assert "另一台设备" in text_of(behind)
    db.session.rollback()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(NamedBallot)) == 2


def test_who_is_not_on_the_roll_reads_why_and_has_no_ballot(client, deliberating, her):
    vote = deliberating.vote()
    deliberating.entry(vote)
    client.sign_in(her[1])
    page = client.get(f"/deliberation/votes/{vote.id}")
    assert "名册里没有您" in text_of(page)
    assert fields(page) == {}
    assert client.get(f"/deliberation/votes/{vote.id}/cast").status_code == 404
    assert client.post(f"/deliberation/votes/{vote.id}/cast", data={"choice": 1, "sure": 1}).status_code == 404


def test_struck_off_and_the_line_of_another_cannot_be_voted_for(client, deliberating, her):
    vote, entry = on_roll(deliberating, her[0])
    other = deliberating.entry(vote, deliberating.make.person("李建国"))
    client.sign_in(her[1])
    page = client.get(f"/deliberation/votes/{vote.id}")
    said = {**fields(page), "choice": 1, "sure": "1"}
    assert client.post(f"/deliberation/votes/{vote.id}/cast", data=said | {"entry": other.number}).status_code == 404
    with transaction() as session:
        kept = session.get_one(type(entry), entry.id)
        kept.struck_at, kept.struck_why = clock.now(), "登记有误"
    answer = client.post(f"/deliberation/votes/{vote.id}/cast", data=said)
    assert answer.status_code == 422
    assert "不在这次表决的名册" in text_of(answer)
    assert "不在这次表决的名册" in text_of(client.get(f"/deliberation/votes/{vote.id}"))


def test_somebody_with_two_lines_votes_for_each(client, deliberating, her):
    vote, _first = on_roll(deliberating, her[0])
    second = deliberating.entry(vote, her[0])
    client.sign_in(her[1])
    assert fields(client.get(f"/deliberation/votes/{vote.id}")) == {}
    for number in (_first.number, second.number):
        page = client.get(f"/deliberation/votes/{vote.id}/cast?entry={number}")
        said = {**fields(page), "choice": 1, "sure": "1"}
        assert client.post(f"/deliberation/votes/{vote.id}/cast", data=said).status_code == 200
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Turnout)) == 2


def aged(account, hours, agent=""):
    with transaction() as session:
        session.execute(
            sa.update(SignedSession)
            .where(SignedSession.account_id == account.id)
            .values(
                authenticated_at=clock.now() - timedelta(hours=hours),
                created_at=clock.now() - timedelta(hours=hours),
                agent=agent,
            )
        )


def test_long_after_signing_in_the_password_is_asked_again(client, deliberating, make):
    person = make.person("王秀英")
    account = make.resident(person, password_hash=passwords.hashed("correct horse 1", Platform.RESIDENT))
    vote, _entry = on_roll(deliberating, person)
    client.sign_in(account)
    ballot = fields(client.get(f"/deliberation/votes/{vote.id}"))
    aged(account, 25)
    assert fields(client.get(f"/deliberation/votes/{vote.id}")) == {}
    answer = client.post(f"/deliberation/votes/{vote.id}/cast", data={**ballot, "choice": 1, "sure": "1"})
    assert answer.status_code == 303
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Turnout)) == 0
    wrong = client.post(f"/deliberation/votes/{vote.id}/password", data={"password": "wrong horse 1"})
    assert wrong.status_code == 422
    assert (
        client.post(f"/deliberation/votes/{vote.id}/password", data={"password": "correct horse 1"}).status_code == 303
    )
    assert fields(client.get(f"/deliberation/votes/{vote.id}"))


def test_a_new_device_is_asked_after_an_hour_and_one_known_since_yesterday_is_not(client, deliberating, her):
    vote, _entry = on_roll(deliberating, her[0])
    client.sign_in(her[1])
    aged(her[1], 2, agent="new phone")
    assert fields(client.get(f"/deliberation/votes/{vote.id}")) == {}
    with transaction() as session:
        moment = clock.now() - timedelta(days=3)
        facts = {"sid_hash": "x" * 64, "account_id": her[1].id, "platform": Platform.RESIDENT, "epoch": her[1].epoch}
        session.add(
            SignedSession(
                **facts, created_at=moment, seen_at=moment, authenticated_at=moment, ended_at=moment, agent="new phone"
            )
        )
    assert fields(client.get(f"/deliberation/votes/{vote.id}"))


def test_refusals_are_counted_and_the_sixth_within_a_minute_must_wait(client, deliberating, her):
    vote, _entry = on_roll(deliberating, her[0])
    client.sign_in(her[1])
    three_taps(client, vote)
    said = {"entry": _entry.number, "seen": "0", "choice": 2, "sure": "1"}
    statuses = []
    for _time in range(6):
        post = client.post(f"/deliberation/votes/{vote.id}/cast", data={**said, "slip": casting.new_slip()})
        statuses.append(post.status_code)
    assert statuses == [422] * 5 + [429]


def test_everybody_reads_the_result_and_takes_the_file_and_the_command(client, deliberating):
    vote = deliberating.vote(named=False)
    codes = cast_all(vote, deliberating.voters(vote, 6), [1, 1, 1, 1, 2, 3])
    before = text_of(client.get(f"/deliberation/votes/{vote.id}"))
    assert "6 票已投" in before
    assert client.get(f"/deliberation/votes/{vote.id}/file").status_code == 404
    finished(vote)
    page = text_of(client.get(f"/deliberation/votes/{vote.id}"))
    assert "通过了：同意" in page
    file = client.get(f"/deliberation/votes/{vote.id}/file")
    assert recount.recount(text_of(file)).flaws == []
    assert "imports nothing of the portal" in text_of(client.get("/deliberation/votes/recount.py"))
    found = client.post(f"/deliberation/votes/{vote.id}/receipt", data={"receipt": codes[4]})
    assert "选的是“反对”" in text_of(found)
    unknown = client.post(f"/deliberation/votes/{vote.id}/receipt", data={"receipt": "2345 2345 2345 2345"})
    assert "没有查到" in text_of(unknown)


def test_a_void_vote_says_why_and_its_receipts_are_known(client, deliberating):
    vote = deliberating.vote(named=False)
    codes = cast_all(vote, deliberating.voters(vote, 3), [1, 1, 1])
    finished(vote)
    assert "不到 5 张" in text_of(client.get(f"/deliberation/votes/{vote.id}"))
    found = client.post(f"/deliberation/votes/{vote.id}/receipt", data={"receipt": codes[0]})
    assert "没有打开" in text_of(found)


def test_the_desk_is_told_that_a_vote_is_void_and_has_no_file(client, make, deliberating):
    vote = deliberating.vote(named=False)
    cast_all(vote, deliberating.voters(vote, 3), [1, 1, 1])
    with transaction() as session:
        session.get_one(Vote, vote.id).closes_at = clock.now() - timedelta(seconds=1)
    client.sign_in(make.worker(Role.COMMITTEE_MEMBER))
    there = f"/desk/deliberation/votes/{vote.id}"
    client.post(f"{there}/close")
    told = text_of(client.post(f"{there}/count", follow_redirects=True))
    assert "这次投票作废，没有开票，也没有投票文件" in told
    assert "投票文件已公布" not in told
    assert "下载全部票据" not in text_of(client.get(f"{there}/print/result"))


def test_a_draft_and_the_vote_of_an_unpublished_topic_are_not_there(client, deliberating):
    draft = deliberating.vote(state=VoteState.DRAFT)
    assert client.get(f"/deliberation/votes/{draft.id}").status_code == 404
    assert client.get(f"/deliberation/votes/{draft.id}/receipt").status_code == 404


def test_the_desk_closes_what_is_over_and_counts_it_once(client, make, deliberating):
    vote = deliberating.vote()
    cast_all(vote, deliberating.voters(vote, 3), [1, 1, 2])
    client.sign_in(make.worker(Role.COMMITTEE_MEMBER))
    early = client.post(f"/desk/deliberation/votes/{vote.id}/close", follow_redirects=True)
    assert "还没有到截止时间" in text_of(early)
    with transaction() as session:
        session.get_one(Vote, vote.id).closes_at = clock.now() - timedelta(seconds=1)
    assert client.get(f"/desk/deliberation/votes/{vote.id}/named").status_code == 404
    client.post(f"/desk/deliberation/votes/{vote.id}/close")
    client.post(f"/desk/deliberation/votes/{vote.id}/count")
    assert counting.one(vote.id).state is VoteState.COUNTED
    again = client.post(f"/desk/deliberation/votes/{vote.id}/count", follow_redirects=True)
    assert "只计一次" in text_of(again)
    page = text_of(client.get(f"/desk/deliberation/votes/{vote.id}/named"))
    assert page.count("王秀英") == 3
    deeds = [row.action for row in db.session.scalars(sa.select(AuditRow).order_by(AuditRow.id))]
    assert deeds.count("deliberation.vote_counted") == deeds.count("deliberation.vote_closed") == 1


def test_of_an_unnamed_vote_there_is_no_record_of_names(client, make, deliberating):
    vote = deliberating.vote(named=False)
    cast_all(vote, deliberating.voters(vote, 5), [1, 1, 1, 1, 1])
    finished(vote)
    client.sign_in(make.worker())
    assert client.get(f"/desk/deliberation/votes/{vote.id}/named").status_code == 404


def test_another_community_cannot_close_or_count(client, make, deliberating):
    vote = deliberating.vote(state=VoteState.CLOSED)
    client.sign_in(make.worker(Role.COMMITTEE_MEMBER, scope=make.community("桃源社区")))
    for act in ("close", "count"):
        assert client.post(f"/desk/deliberation/votes/{vote.id}/{act}").status_code == 404


def test_a_page_of_a_vote_asks_few_questions(client, deliberating, her):
    vote, _entry = on_roll(deliberating, her[0])
    for _number in range(30):
        deliberating.entry(vote)
    client.sign_in(her[1])
    client.get(f"/deliberation/votes/{vote.id}")
    with count_queries() as asked:
        client.get(f"/deliberation/votes/{vote.id}")
    assert len(asked) <= 12, asked


def test_a_struck_line_beside_hers_never_stands_for_it(client, deliberating, her):
    """Her ballot names the line that votes, and leads to it."""
    vote = deliberating.vote()
    struck = deliberating.entry(vote, her[0], name="旧业主", struck_at=clock.now(), struck_why="更正登记后不再在册")
    entry = deliberating.entry(vote, her[0], name="新业主")
    client.sign_in(her[1])
    page = text_of(client.get(f"/deliberation/votes/{vote.id}"))
    assert f"这是名册第 {entry.number} 号“新业主”的一票" in page
    assert f"第 {struck.number} 号" not in page
    assert fields(client.get(f"/deliberation/votes/{vote.id}/cast"))["entry"] == str(entry.number)


def test_who_was_struck_before_the_vote_opens_is_not_told_to_wait(client, deliberating, her):
    times = {"opens_at": clock.now() + timedelta(days=2), "closes_at": clock.now() + timedelta(days=4)}
    vote = deliberating.vote(state=VoteState.ROLL, **times)
    deliberating.entry(vote, her[0], struck_at=clock.now(), struck_why="登记有误")
    client.sign_in(her[1])
    page = text_of(client.get(f"/deliberation/votes/{vote.id}"))
    assert "您已不在这次表决的名册里" in page
    assert "请到时间再来" not in page
