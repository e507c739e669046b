"""Pages of ideas, for residents, for the committee, and for who comes from elsewhere."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.core.clock import today
from portal.core.db import db
from portal.deliberation.models.codes import IdeaState
from portal.deliberation.models.topics import Idea, Topic
from portal.identity.permissions import Role
from tests.client import Client
from tests.counting import count_queries

SAID = {
    "title": "在 6 号楼前装晾衣杆",
    "words": "楼前没有地方晒被子，想在空地装一排晾衣杆。",
    "place": "6 号楼",
    "category": "affair",
}


def client_of(app, account) -> Client:
    return app.test_client().sign_in(account)


def text_of(answer) -> str:
    return answer.get_data(as_text=True)


def the_ideas() -> list[Idea]:
    db.session.rollback()
    return list(db.session.scalars(sa.select(Idea).order_by(Idea.id)))


@pytest.fixture
def resident(app, make):
    person = make.person()
    return person, client_of(app, make.resident(person))


@pytest.fixture
def desk(app, make):
    return client_of(app, make.worker(Role.COMMITTEE_MEMBER))


def test_everybody_reads_the_list_and_an_idea(client, deliberating):
    idea = deliberating.idea("装晾衣杆", supports=2)
    page = text_of(client.get("/deliberation/ideas"))
    assert "装晾衣杆" in page
    assert "提议人" not in page
    answer = text_of(client.get(f"/deliberation/ideas/{idea.id}"))
    assert "还差 1 人附议" in answer
    assert "登录后附议" in answer


def test_an_empty_list_says_what_to_do(client, make):
    make.community()
    assert "我要提建议" in text_of(client.get("/deliberation/ideas"))


def test_a_resident_proposes_and_a_double_click_makes_one(resident):
    _person, client = resident
    assert client.get("/deliberation/ideas/new").status_code == 200
    for _twice in range(2):
        answer = client.post("/deliberation/ideas/new", data=SAID | {"idem": "k1"})
        assert answer.status_code == 303
    assert [one.title for one in the_ideas()] == [SAID["title"]]


def test_what_says_the_same_is_shown_before_the_first_post_counts(resident, deliberating):
    _person, client = resident
    other = deliberating.idea("楼前空地装一排晾衣杆")
    page = text_of(client.post("/deliberation/ideas/new", data=SAID | {"idem": "k1"}))
    assert other.title in page
    assert len(the_ideas()) == 1
    assert client.post("/deliberation/ideas/new", data=SAID | {"idem": "k1", "seen": "yes"}).status_code == 303
    assert len(the_ideas()) == 2


def test_while_she_types_only_that_part_comes_and_nothing_is_kept(resident, deliberating):
    _person, client = resident
    other = deliberating.idea("楼前空地装一排晾衣杆")
    headers = {"HX-Request": "true", "HX-Target": "idea-similar"}
    part = text_of(client.post("/deliberation/ideas/new", data={"title": "装晾衣杆", "look": "1"}, headers=headers))
    assert other.title in part
    assert "<html" not in part
    assert len(the_ideas()) == 1


def test_who_looks_before_she_wrote_anything_is_not_told_to_be_the_first(resident):
    _person, client = resident
    page = text_of(client.post("/deliberation/ideas/new", data={"title": " ", "look": "1"}))
    assert "先写一句话说清建议" in page
    assert "您是第一个提的" not in page
    page = text_of(client.post("/deliberation/ideas/new", data={"title": "装晾衣杆", "look": "1"}))
    assert "您是第一个提的" in page


def test_what_says_the_same_stands_right_below_the_title_where_a_phone_shows_it(resident):
    _person, client = resident
    page = text_of(client.get("/deliberation/ideas/new"))
    places = [page.index(mark) for mark in ('name="title"', 'id="idea-similar"', 'name="words"')]
    assert places == sorted(places)


def test_what_is_missing_is_said_beside_its_field(resident):
    _person, client = resident
    answer = client.post("/deliberation/ideas/new", data={"title": "装晾衣杆", "words": "短", "idem": "k"})
    assert answer.status_code == 422
    assert "请多写几句" in text_of(answer)


def test_whose_account_waits_is_told_how_to_go_on(app, make):
    client = client_of(app, make.resident())
    page = client.get("/deliberation/ideas/new")
    assert page.status_code == 200
    assert "还没有通过社区的身份核对" in text_of(page)


def test_support_and_its_taking_back(app, make, deliberating):
    idea = deliberating.idea()
    client = client_of(app, make.resident(make.person("李小红")))
    for _twice in range(2):
        client.post(f"/deliberation/ideas/{idea.id}/support")
    assert the_ideas()[0].supports == 1
    assert "收回附议" in text_of(client.get(f"/deliberation/ideas/{idea.id}"))
    client.post(f"/deliberation/ideas/{idea.id}/unsupport")
    assert the_ideas()[0].supports == 0


def test_who_lives_elsewhere_does_not_support_and_is_told_why(app, make, deliberating):
    idea = deliberating.idea()
    client = client_of(app, make.resident(make.person("孙玉梅", community=make.community("桃园社区"))))
    answer = client.post(f"/deliberation/ideas/{idea.id}/support", follow_redirects=True)
    assert "更新住址" in text_of(answer)
    assert the_ideas()[0].supports == 0


def test_only_its_writer_takes_it_back(app, make, resident, deliberating):
    person, client = resident
    idea = deliberating.idea(person=person)
    other = client_of(app, make.resident(make.person("李小红")))
    assert other.post(f"/deliberation/ideas/{idea.id}/withdraw", data={"reason": "不要了"}).status_code == 404
    assert client.post(f"/deliberation/ideas/{idea.id}/withdraw", data={"reason": ""}).status_code == 422
    assert client.post(f"/deliberation/ideas/{idea.id}/withdraw", data={"reason": "装好了"}).status_code == 303
    assert the_ideas()[0].state is IdeaState.WITHDRAWN
    assert "已收回" in text_of(client.get("/deliberation/ideas?tab=mine"))


def test_a_committee_member_who_reads_no_register_answers(desk, make, deliberating):
    idea = deliberating.idea(person=make.person("王秀英", phone="13800001234"))
    assert idea.title in text_of(desk.get("/desk/deliberation/ideas?tab=open"))
    page = text_of(desk.get(f"/desk/deliberation/ideas/{idea.id}"))
    assert "138****1234" in page
    assert "王秀英" not in page
    taken = {"answer": "先听听大家的意见。", "topic": "", "idem": "k"}
    for _twice in range(2):
        assert desk.post(f"/desk/deliberation/ideas/{idea.id}/take", data=taken).status_code == 303
    assert len(list(db.session.scalars(sa.select(Topic)))) == 1
    assert the_ideas()[0].state is IdeaState.TAKEN


def test_merging_and_declining_ask_for_words(desk, deliberating):
    one, other = deliberating.idea("装晾衣杆"), deliberating.idea("装晒衣架")
    assert other.title in text_of(desk.get(f"/desk/deliberation/ideas/{one.id}/merge"))
    answer = desk.post(f"/desk/deliberation/ideas/{one.id}/merge", data={"into": other.id, "idem": "a"})
    assert answer.status_code == 422
    data = {"into": other.id, "answer": "同一件事。", "idem": "b"}
    assert desk.post(f"/desk/deliberation/ideas/{one.id}/merge", data=data).status_code == 303
    assert desk.post(f"/desk/deliberation/ideas/{other.id}/decline", data={"idem": "c"}).status_code == 422
    data = {"answer": "那里是消防通道。", "idem": "d"}
    assert desk.post(f"/desk/deliberation/ideas/{other.id}/decline", data=data).status_code == 303


def test_out_of_scope_is_not_there(app, make, deliberating):
    idea = deliberating.idea()
    away = client_of(app, make.worker(Role.COMMITTEE_MEMBER, make.community("桃园社区")))
    for path in ("", "/take", "/merge", "/decline"):
        assert away.get(f"/desk/deliberation/ideas/{idea.id}{path}").status_code == 404
    assert away.post(f"/desk/deliberation/ideas/{idea.id}/release").status_code == 404
    assert idea.title not in text_of(away.get("/desk/deliberation/ideas?tab=open"))


def test_what_waits_to_be_looked_at_is_shown_by_a_button(desk, deliberating):
    idea = deliberating.idea(state=IdeaState.PENDING)
    assert idea.title in text_of(desk.get("/desk/deliberation/ideas?tab=pending"))
    desk.post(f"/desk/deliberation/ideas/{idea.id}/release")
    assert the_ideas()[0].state is IdeaState.OPEN


@pytest.mark.parametrize("count", [1, 12])
def test_lists_ask_the_same_few_questions(app, make, resident, desk, deliberating, count):
    for _turn in range(count):
        deliberating.idea(due_on=today() + timedelta(days=2))
    _person, client = resident
    for reader, address in ((client, "/deliberation/ideas"), (desk, "/desk/deliberation/ideas")):
        reader.get(address)
        with count_queries() as asked:
            assert reader.get(address).status_code == 200
        assert len(asked) <= 8, asked


def test_who_is_signed_in_is_not_told_to_sign_in(resident):
    _person, mine = resident
    assert "请先登录" not in text_of(mine.get("/deliberation/"))
    assert "我要提建议" in text_of(mine.get("/deliberation/"))
