"""The pages of opinions: everybody reads, who lives here answers, refusals say how to go on, few questions asked."""

import io
from datetime import timedelta

import pytest
import sqlalchemy as sa
from openpyxl import load_workbook

from portal.core.db import db
from portal.deliberation.models.codes import OpinionState, Stage, Stand
from portal.deliberation.models.opinions import Comment, Opinion, OpinionVote
from portal.deliberation.service import stands
from portal.identity.permissions import Role
from tests.counting import count_queries


@pytest.fixture
def topic(deliberating):
    return deliberating.topic()


@pytest.fixture
def hong(make):
    return make.person("李小红")


@pytest.fixture
def phone(make, client, hong, monkeypatch):
    """Hers, as fast as a test."""
    monkeypatch.setattr(stands, "A_BREATH", timedelta(0))
    return client.sign_in(make.resident(hong))


def _at(topic, rest=""):
    return f"/deliberation/topics/{topic.id}{rest}"


def _stands():
    db.session.rollback()
    return [one.stand for one in db.session.scalars(sa.select(OpinionVote).order_by(OpinionVote.id))]


def test_everybody_reads_and_a_stranger_is_told_to_sign_in(client, deliberating, topic):
    opinion = deliberating.opinion(topic)
    page = client.get(_at(topic, "/opinions")).text
    assert opinion.words in page
    assert "登录以后" in page
    assert 'value="agree"' not in page
    for rest in ("/opinions/all", "/comments"):
        assert client.get(_at(topic, rest)).status_code == 200
    assert client.get("/deliberation/speaking").status_code == 200
    assert client.post(_at(topic, f"/opinions/{opinion.id}/stand"), data={"stand": "agree"}).status_code == 303
    assert _stands() == []


def test_a_draft_is_not_there(client, deliberating):
    draft = deliberating.topic(stage=Stage.DRAFT)
    for rest in ("/opinions", "/opinions/all", "/comments"):
        assert client.get(_at(draft, rest)).status_code == 404


def test_one_tap_is_a_stand_and_the_next_statement_comes(phone, deliberating, topic):
    first = deliberating.opinion(topic)
    answer = phone.post(_at(topic, f"/opinions/{first.id}/stand"), data={"stand": "disagree"})
    assert answer.location == _at(topic, "/opinions")
    assert _stands() == [Stand.DISAGREE]
    assert "都表过态了" in phone.get(answer.location).text


def test_with_htmx_only_the_card_comes_back(phone, deliberating, topic):
    first, second = deliberating.opinion(topic), deliberating.opinion(topic)
    page = phone.get(_at(topic, "/opinions")).text
    shown, other = (first, second) if first.words in page else (second, first)
    headers = {"HX-Request": "true", "HX-Target": "opinion-card"}
    answer = phone.post(_at(topic, f"/opinions/{shown.id}/stand"), data={"stand": "agree"}, headers=headers)
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert other.words in answer.text
    assert "1 / 2" in answer.text


def test_a_double_tap_stays_where_it_is_and_says_so(phone, deliberating, topic, monkeypatch):
    first, second = deliberating.opinion(topic), deliberating.opinion(topic)
    phone.post(_at(topic, f"/opinions/{first.id}/stand"), data={"stand": "agree"})
    monkeypatch.setattr(stands, "A_BREATH", timedelta(minutes=1))
    answer = phone.post(_at(topic, f"/opinions/{second.id}/stand"), data={"stand": "agree"}, follow_redirects=True)
    assert "点得太快了" in answer.text
    assert _stands() == [Stand.AGREE]
    headers = {"HX-Request": "true", "HX-Target": "opinion-card"}
    part = phone.post(_at(topic, f"/opinions/{second.id}/stand"), data={"stand": "agree"}, headers=headers)
    assert "点得太快了" in part.text
    assert second.words in part.text


def test_a_stand_is_changed_on_her_own_page(phone, deliberating, topic, hong):
    opinion = deliberating.opinion(topic)
    deliberating.stand(opinion, hong, Stand.AGREE)
    assert "改成不同意" in phone.get(_at(topic, "/opinions/mine")).text
    data = {"stand": "disagree", "back": "mine"}
    answer = phone.post(_at(topic, f"/opinions/{opinion.id}/stand"), data=data, follow_redirects=True)
    assert "改好了" in answer.text
    assert _stands() == [Stand.DISAGREE]


@pytest.mark.parametrize("said", ["", "maybe"])
def test_no_stand_is_no_stand(phone, deliberating, topic, said):
    opinion = deliberating.opinion(topic)
    assert phone.post(_at(topic, f"/opinions/{opinion.id}/stand"), data={"stand": said}).status_code == 404
    assert _stands() == []


def test_faster_than_anybody_reads_is_held(phone, deliberating, topic, monkeypatch):
    opinion = deliberating.opinion(topic)
    monkeypatch.setattr(stands, "A_MINUTE", 2)
    sent = [phone.post(_at(topic, f"/opinions/{opinion.id}/stand"), data={"stand": "agree"}) for _turn in range(3)]
    assert [answer.status_code for answer in sent] == [303, 303, 429]


def test_she_writes_and_is_told_what_was_taken_out(make, phone, topic):
    make.person("王秀英")
    data = {"words": "王秀英家不同意，电话13812345678", "idem": "one"}
    answer = phone.post(_at(topic, "/opinions/write"), data=data, follow_redirects=True)
    assert "发出去了" in answer.text
    assert "里面的姓名和号码已经替您隐去" in answer.text
    assert "王某某家不同意" in answer.text
    assert "王秀英" not in answer.text


def test_a_statement_sent_twice_is_one(phone, topic):
    data = {"words": "北面装电梯好", "idem": "one"}
    sent = [phone.post(_at(topic, "/opinions/write"), data=data) for _turn in range(2)]
    assert [answer.status_code for answer in sent] == [303, 303]
    assert db.session.scalar(sa.select(sa.func.count(Opinion.id))) == 1


def test_an_empty_statement_is_refused_beside_its_field(phone, topic):
    answer = phone.post(_at(topic, "/opinions/write"), data={"words": ""})
    assert answer.status_code == 422
    assert "请写一句您的看法" in answer.text


def test_what_waits_is_said_to_be_looked_at(phone, deliberating):
    topic = deliberating.topic(looks_first=True)
    answer = phone.post(_at(topic, "/opinions/write"), data={"words": "先看后发的一条"}, follow_redirects=True)
    assert "社区看过就公开" in answer.text
    assert "等社区看过" in answer.text
    assert "先看后发的一条" not in phone.get(_at(topic, "/opinions/all")).text


def test_who_lives_elsewhere_reads_and_is_told_why_she_cannot_answer(make, client, deliberating, topic):
    opinion = deliberating.opinion(topic)
    _person, account = deliberating.person_with_account("赵六", community=make.community("秋实社区"))
    client.sign_in(account)
    page = client.get(_at(topic, "/opinions")).text
    assert opinion.words in page
    assert "到社区更新住址" in page
    assert 'value="agree"' not in page
    answer = client.post(_at(topic, f"/opinions/{opinion.id}/stand"), data={"stand": "agree"}, follow_redirects=True)
    assert "到社区更新住址" in answer.text
    assert client.post(_at(topic, "/opinions/write"), data={"words": "我也想说"}).status_code == 422
    assert _stands() == []


def test_an_account_that_nobody_confirmed_is_told_to_wait(make, client, deliberating, topic):
    deliberating.opinion(topic)
    client.sign_in(make.resident())
    assert "核对" in client.get(_at(topic, "/opinions")).text


@pytest.mark.parametrize("stage", [Stage.MEETING, Stage.ARCHIVED])
def test_after_collecting_the_pages_are_there_to_be_read(phone, deliberating, hong, stage):
    topic = deliberating.topic(stage=stage)
    opinion = deliberating.opinion(topic)
    deliberating.stand(opinion, hong)
    assert "已经结束" in phone.get(_at(topic, "/opinions")).text
    assert opinion.words in phone.get(_at(topic, "/opinions/all")).text
    assert "改成" not in phone.get(_at(topic, "/opinions/mine")).text
    assert phone.post(_at(topic, "/opinions/write"), data={"words": "还想说一句"}).status_code == 422


def test_the_list_shows_no_writer_no_hidden_words_and_no_small_figures(client, deliberating, topic, hong):
    shown = deliberating.opinion(topic, "北面装电梯好", hong)
    deliberating.opinion(topic, "骂人的话", hong, state=OpinionState.HIDDEN, hidden_why="abuse|说得太过")
    deliberating.opinion(topic, "还没看的话", hong, state=OpinionState.PENDING)
    for _number in range(4):
        deliberating.stand(shown)
    page = client.get(_at(topic, "/opinions/all")).text
    assert "李小红" not in page
    assert "骂人的话" not in page
    assert "辱骂、攻击别人：说得太过" in page
    assert "还没看的话" not in page
    assert "满 5 位以后" in page
    deliberating.stand(shown, stand=Stand.DISAGREE)
    page = client.get(_at(topic, "/opinions/all")).text
    assert "不同意 1" in page
    assert "同意 4" in page


def test_the_table_holds_words_and_totals_and_nobody(client, deliberating, topic, hong):
    shown = deliberating.opinion(topic, "北面装电梯好", hong)
    for _number in range(5):
        deliberating.stand(shown)
    deliberating.opinion(topic, "=1+1 少于五个人表态", hong)
    deliberating.opinion(topic, "骂人的话", hong, state=OpinionState.HIDDEN, hidden_why="abuse")
    deliberating.opinion(topic, "还没看的话", hong, state=OpinionState.PENDING)
    answer = client.get(_at(topic, "/opinions/table"))
    page = load_workbook(io.BytesIO(answer.data)).active
    rows = [[cell.value for cell in row] for row in page.iter_rows(min_row=2)]
    assert sorted(rows, key=str) == sorted(
        [
            ["北面装电梯好", "居民", 5, 0, 0, "已公开"],
            ["=1+1 少于五个人表态", "居民", "", "", "", "已公开"],
            ["（已隐去）", "居民", "", "", "", "辱骂、攻击别人"],
        ],
        key=str,
    )


def test_comments_are_written_answered_and_taken_back(phone, deliberating, topic):
    first = deliberating.comment(topic, "一楼采光怎么办")
    answer = phone.post(_at(topic, f"/comments/{first.id}/answer"), data={"words": "可以补偿"}, follow_redirects=True)
    assert "留言发出去了" in answer.text
    assert "李姓居民" in answer.text
    mine = db.session.scalars(sa.select(Comment).where(Comment.words == "可以补偿")).one()
    assert mine.parent_id == first.id
    answer = phone.post(_at(topic, f"/comments/{mine.id}/withdraw"), follow_redirects=True)
    assert "撤回了" in answer.text
    assert "可以补偿" not in answer.text
    assert phone.post(_at(topic, f"/comments/{first.id}/withdraw")).status_code == 404


@pytest.mark.parametrize("rest", ["/opinions", "/opinions/all", "/opinions/mine", "/comments"])
def test_a_page_asks_at_most_eight_questions_whatever_it_shows(phone, make, deliberating, topic, hong, rest):
    first = deliberating.comment(topic)
    for _number in range(12):
        opinion = deliberating.opinion(topic, person=hong)
        deliberating.stand(opinion, hong)
        deliberating.stand(opinion)
        deliberating.comment(topic, parent_id=first.id)
        deliberating.comment(topic)
    with count_queries() as asked:
        assert phone.get(_at(topic, rest)).status_code == 200
    assert len(asked) <= 8, asked


# The desk


@pytest.fixture
def desk(make, client):
    return client.sign_in(make.worker(Role.COMMITTEE_MEMBER, name="周洁"))


def test_the_desk_hides_with_a_reason_and_the_log_shows_it(desk, deliberating, topic, hong):
    said = deliberating.opinion(topic, "骂人的话", hong)
    address = f"/desk/deliberation/opinions/{said.id}/hide"
    assert "李小红" not in desk.get(address).text
    assert desk.post(address, data={"words": "没有选原因"}).status_code == 422
    answer = desk.post(address, data={"why": "abuse", "words": "说得太过"}, follow_redirects=True)
    assert "原因在公开记录里" in answer.text
    log = desk.get(f"/deliberation/topics/{topic.id}/log").text
    assert f"隐去了第 {said.id} 条看法" in log
    assert "辱骂、攻击别人：说得太过" in log
    assert "骂人的话" not in log


def test_the_desk_reads_what_waits_and_lets_it_pass(desk, deliberating, hong):
    topic = deliberating.topic(looks_first=True)
    said = deliberating.opinion(topic, "等着的话", hong, state=OpinionState.PENDING)
    page = desk.get("/desk/deliberation/opinions").text
    assert "等着的话" in page
    assert "李小红" not in page
    answer = desk.post(f"/desk/deliberation/opinions/{said.id}/pass", follow_redirects=True)
    assert "已公开" in answer.text
    assert "等着的话" not in answer.text


def test_the_committee_asks_first_and_answers_comments_by_name(desk, deliberating, topic):
    answer = desk.post(f"/desk/deliberation/topics/{topic.id}/opinions/new", data={"words": "愿意出一部分钱"})
    assert answer.status_code == 303
    assert "居委会（周洁）" in desk.get(answer.location).text
    seed = db.session.scalars(sa.select(Opinion)).one()
    edit = f"/desk/deliberation/opinions/{seed.id}/edit"
    assert desk.post(edit, data={"words": "愿意为电梯出钱"}).status_code == 303
    first = deliberating.comment(topic, "一楼采光怎么办")
    address = f"/desk/deliberation/topics/{topic.id}/comments/{first.id}/answer"
    answer = desk.post(address, data={"words": "下周请设计院来看"}, follow_redirects=True)
    assert "居委会 周洁" in answer.text
    assert "下周请设计院来看" in desk.get(_at(topic, "/comments")).text


def test_a_residents_statement_has_no_editing(desk, deliberating, topic, hong):
    said = deliberating.opinion(topic, person=hong)
    assert desk.get(f"/desk/deliberation/opinions/{said.id}/edit").status_code == 404


def test_out_of_scope_nothing_is_there(make, desk, deliberating):
    other = deliberating.topic(area=make.community("秋实社区"))
    opinion, comment = deliberating.opinion(other), deliberating.comment(other)
    for path in (
        f"topics/{other.id}/opinions",
        f"topics/{other.id}/comments",
        f"topics/{other.id}/opinions/new",
        f"topics/{other.id}/opinions/paper",
        f"topics/{other.id}/opinions/paper/unsigned",
        f"opinions/{opinion.id}/hide",
        f"comments/{comment.id}/restore",
    ):
        assert desk.get(f"/desk/deliberation/{path}").status_code == 404, path
    assert desk.post(f"/desk/deliberation/comments/{comment.id}/pass").status_code == 404


def test_a_streets_topic_is_read_by_its_communities_and_moderated_by_the_street(make, desk, deliberating):
    streets = deliberating.topic(area=make.street(), communities=[make.community()])
    opinion = deliberating.opinion(streets)
    page = desk.get(f"/desk/deliberation/topics/{streets.id}/opinions")
    assert "由春晖街道牵头" in page.text
    assert "/hide" not in page.text
    assert desk.get(f"/desk/deliberation/opinions/{opinion.id}/hide").status_code == 404


@pytest.mark.parametrize(
    "path", ["opinions?state=shown", "opinions?kind=comments&state=shown", "topics/{}/opinions", "topics/{}/comments"]
)
def test_a_desk_page_asks_at_most_eight_questions(desk, deliberating, topic, hong, path):
    for _number in range(12):
        deliberating.stand(deliberating.opinion(topic, person=hong))
        deliberating.comment(topic, parent_id=deliberating.comment(topic).id)
    with count_queries() as asked:
        assert desk.get(f"/desk/deliberation/{path.format(topic.id)}").status_code == 200
    assert len(asked) <= 8, asked
