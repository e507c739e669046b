"""The desk's pages of requests: lists in few questions, the page of one, its acts, intake, templates, limits."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.casework.models.answers import AnswerTemplate
from portal.casework.models.cases import Case
from portal.casework.models.codes import Against, CaseState, Colour, Extension
from portal.casework.service import defaults
from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.identity.permissions import Role
from tests.casework.desk import case, category
from tests.counting import count_queries

S = CaseState
TABS = ("mine", "open", "unassigned", "late", "call_back", "supervised", "done")


@pytest.fixture
def street(make):
    with transaction():
        defaults.seed(make.street().code, by="何立新")
    return make.street()


def state(found):
    db.session.rollback()
    db.session.expire_all()
    return db.session.get_one(Case, found.id).state


def idem(page):
    return dict(re.findall(r'name="(idem|seen)" value="([^"]*)"', page.text))


@pytest.mark.parametrize("tab", TABS)
def test_a_list_asks_at_most_eight_questions_however_long_it_is(make, client, tab):
    me, kind = make.worker(), category(make)
    home = make.dwelling().building
    for turn in range(6):
        state = S.CLOSED if tab == "done" else S.ANSWERED if tab == "call_back" else S.WORKING
        state = S.ACCEPTED if tab == "unassigned" else state
        due = now() - timedelta(hours=1) if tab in {"late", "call_back"} else now() + timedelta(days=turn)
        colour = Colour.YELLOW if tab == "supervised" else Colour.NONE
        more = {"building_id": home.id, "category_id": kind.id, "callback_due": due, "colour": colour}
        case(make, state, holder=None if tab == "unassigned" else me, finish_due=due, **more)
    client.sign_in(me)
    client.get("/desk/cases/")
    with count_queries() as asked:
        page = client.get(f"/desk/cases/?tab={tab}")
    assert page.text.count("路灯不亮</a>") == 6
    assert len(asked) <= 8, asked


def test_a_request_out_of_scope_is_not_found(make, client):
    found = case(make, community=make.community("别的社区"))
    client.sign_in(make.worker())
    for path in ("", "/act/note", "/dispatch/assign", "/watch", "/release", "/supervise/press"):
        assert client.get(f"/desk/cases/{found.public_id}{path}").status_code == 404


def test_an_act_that_there_is_not_is_not_found(make, client):
    found = case(make)
    client.sign_in(make.worker())
    assert client.get(f"/desk/cases/{found.public_id}/act/fly").status_code == 404
    assert client.get(f"/desk/cases/{found.public_id}/act/assign").status_code == 404


def test_the_page_offers_what_the_state_and_the_role_allow(make, client):
    found = case(make, S.SUBMITTED)
    client.sign_in(make.worker())
    page = client.get(f"/desk/cases/{found.public_id}").text
    assert "受理" in page
    assert "分派" in page
    assert "不受理" in page
    client.sign_in(make.worker(Role.CASE_WORKER))
    page = client.get(f"/desk/cases/{found.public_id}").text
    assert "不受理" not in page
    assert "我来办" in page


def test_a_request_goes_from_hand_to_hand_to_the_answer(make, client):
    found, me = case(make, S.SUBMITTED), make.worker()
    client.sign_in(me)
    base = f"/desk/cases/{found.public_id}"
    assert client.post(f"{base}/dispatch/accept").status_code == 303
    client.post(f"{base}/dispatch/assign", data={"worker": me.public_id})
    client.post(f"{base}/act/sign")
    client.post(f"{base}/act/begin")
    client.post(f"{base}/act/contact", data={"words": "电话联系了，约好下午去看"})
    assert state(found) is S.WORKING
    client.post(f"{base}/act/answer", data={"words": "路灯已经修好，今晚会亮。"})
    assert state(found) is S.ANSWERED
    client.post(f"{base}/act/call", data={"way": "phone", "solved": "yes", "satisfaction": "good"})
    assert state(found) is S.CLOSED
    page = client.get(base).text
    assert "路灯已经修好" in page


@pytest.mark.parametrize(
    ("where", "name", "state"),
    [
        ("dispatch", "decline", S.SUBMITTED),
        ("act", "return", S.ASSIGNED),
        ("act", "pause", S.WORKING),
        ("act", "extension", S.WORKING),
        ("act", "escalate", S.WORKING),
        ("supervise", "press", S.WORKING),
        ("act", "unreachable", S.ANSWERED),
        ("dispatch", "merge", S.ACCEPTED),
    ],
)
def test_every_negative_act_asks_a_reason(make, client, where, name, state):
    me = make.worker()
    found = case(make, state, holder=None if state in {S.SUBMITTED, S.ACCEPTED} else me)
    client.sign_in(me)
    answer = client.post(f"/desk/cases/{found.public_id}/{where}/{name}", data={"why": ""})
    assert answer.status_code == 422


@pytest.mark.parametrize("name", ["assign", "decline", "merge"])
def test_the_forms_of_dispatching_open(make, client, name):
    found = case(make, S.SUBMITTED)
    client.sign_in(make.worker())
    assert client.get(f"/desk/cases/{found.public_id}/dispatch/{name}").status_code == 200


@pytest.mark.parametrize(
    "name", ["contact", "note", "classify", "help", "pause", "extension", "escalate", "answer", "link"]
)
def test_the_forms_of_handling_open(make, client, street, name):
    me = make.worker()
    found = case(make, S.WORKING, holder=me)
    client.sign_in(me)
    assert client.get(f"/desk/cases/{found.public_id}/act/{name}").status_code == 200


def test_the_second_of_two_workers_is_told(make, client):
    found = case(make, S.ACCEPTED)
    first, second = make.worker(name="甲"), make.worker(name="乙")
    client.sign_in(second)
    page = client.get(f"/desk/cases/{found.public_id}/dispatch/assign")
    client.sign_in(first)
    client.post(f"/desk/cases/{found.public_id}/act/take")
    client.sign_in(second)
    sent = idem(page) | {"worker": second.public_id, "why": "换我来"}
    answer = client.post(f"/desk/cases/{found.public_id}/dispatch/assign", data=sent)
    assert answer.status_code == 422
    assert "甲刚刚办理过" in answer.text


def test_the_same_form_twice_acts_once(make, client):
    me = make.worker()
    found = case(make, S.WORKING, holder=me)
    client.sign_in(me)
    path = f"/desk/cases/{found.public_id}/act/note"
    sent = idem(client.get(path)) | {"words": "联系了物业"}
    assert [client.post(path, data=sent).status_code for _turn in range(2)] == [303, 303]
    assert client.get(f"/desk/cases/{found.public_id}").text.count("联系了物业") == 1


def test_who_asked_to_stay_unnamed_is_not_named_to_whom_she_complains_of(make, client):
    found = case(make, against=Against.COMMITTEE, hide_name=True, reporter=make.person("钱大妈"))
    client.sign_in(make.worker())
    page = client.get(f"/desk/cases/{found.public_id}").text
    assert "钱大妈" not in page
    assert "隐去身份" in page
    answer = client.post(f"/desk/cases/{found.public_id}/call", follow_redirects=True)
    assert "不能查看电话" in answer.text


def test_a_number_is_masked_until_it_is_asked_for(make, client):
    found = case(make, reporter=make.person("王秀英", phone="13800001234"))
    client.sign_in(make.worker())
    assert "13800001234" not in client.get(f"/desk/cases/{found.public_id}").text
    assert "13800001234" in client.post(f"/desk/cases/{found.public_id}/call").text


def test_somebody_of_the_register_is_found_and_taken_in(make, client, street):
    person = make.person("王秀英")
    client.sign_in(make.worker())
    assert "给这位登记" in client.post("/desk/cases/new", data={"q": "王秀英"}).text
    path = f"/desk/cases/new/for/{person.public_id}"
    page = client.get(path)
    chosen = re.search(r'value="(\d+)">公共设施 · 路灯楼道灯', page.text)
    assert chosen
    sent = {"channel": "phone", "category": chosen[1], "what": "楼道灯不亮", "place": "三楼", "building": "0"}
    sent |= idem(page)
    asked = client.post(path, data=sent)
    assert "灯杆编号" in asked.text
    sent |= {"looked": chosen[1], "q_lamp": "三楼"}
    first, second = client.post(path, data=sent), client.post(path, data=sent)
    assert (first.status_code, second.location) == (303, first.location)
    made = db.session.scalars(sa.select(Case)).one()
    assert (made.state, made.reporter_id, made.channel.value) == (S.SUBMITTED, person.id, "phone")
    assert made.accept_due is not None


def test_a_stranger_is_taken_in_with_a_sealed_name(make, client, street):
    client.sign_in(make.worker())
    page = client.get("/desk/cases/new/stranger")
    chosen = re.search(r'value="(\d+)">公共设施 · 路灯楼道灯', page.text)
    assert chosen
    sent = {"channel": "counter", "category": chosen[1], "what": "门口有坑", "place": "南门", "building": "0"}
    assert client.post("/desk/cases/new/stranger", data=sent).status_code == 422
    sent |= {"looked": chosen[1], "q_lamp": ""}
    client.post("/desk/cases/new/stranger", data=sent | {"name": "张师傅", "phone": "13800000077"})
    made = db.session.scalars(sa.select(Case)).one()
    assert made.reporter_name == "张师傅"
    raw = db.session.execute(sa.text("SELECT reporter_name FROM case_file")).scalar()
    assert "张师傅".encode() not in bytes(str(raw), "utf8")
    assert "张师傅" in client.get(f"/desk/cases/{made.public_id}").text


def test_somebody_out_of_scope_is_not_taken_in(make, client):
    client.sign_in(make.worker())
    other = make.person(community=make.community("别的社区"))
    assert client.get(f"/desk/cases/new/for/{other.public_id}").status_code == 404


def test_a_template_is_kept_used_and_taken_out_of_use(make, client, street):
    me = make.worker()
    found = case(make, S.WORKING, holder=me)
    client.sign_in(me)
    sent = {
        "name": "修好了",
        "category": "",
        "words": "【编号】已经修好，请放心。",
        "community": str(make.community().id),
    }
    assert client.post("/desk/cases/templates/new", data=sent).status_code == 303
    made = db.session.scalars(sa.select(AnswerTemplate)).one()
    page = client.get(f"/desk/cases/{found.public_id}/act/answer?template={made.id}").text
    assert f"{found.number}已经修好" in page
    client.post(f"/desk/cases/templates/{made.id}/end")
    assert "用模板" not in client.get(f"/desk/cases/{found.public_id}/act/answer").text
    client.sign_in(make.worker(scope=make.community("别的社区")))
    assert client.get(f"/desk/cases/templates/{made.id}").status_code == 404


def test_a_street_supervises_and_decides_what_a_community_asks(make, client):
    me, until = make.worker(), now() + timedelta(days=9)
    asked = {"extension": Extension.ASKED, "extension_until": until, "extension_why": "等配件"}
    found = case(make, S.WORKING, holder=me, **asked)
    client.sign_in(make.worker(Role.STREET_ADMINISTRATOR))
    assert client.get("/desk/cases/").status_code == 403
    assert found.title in client.get("/desk/cases/supervised?tab=open").text
    assert "审批延期" in client.get(f"/desk/cases/{found.public_id}/watch").text
    answer = client.post(f"/desk/cases/{found.public_id}/supervise/decide", data={"granted": "yes"})
    assert answer.location.endswith("/watch")
    db.session.rollback()
    db.session.expire_all()
    assert db.session.get_one(Case, found.id).extension is Extension.GRANTED


def test_the_street_sets_its_limits(make, client, street):
    client.sign_in(make.worker(Role.STREET_ADMINISTRATOR))
    page = client.get("/desk/cases/limits").text
    assert "4 个工作小时" in page
    sent = {"area": street.code, "step": "finish", "category": "light", "kind": "", "urgency": "", "count": "2"}
    day = today().isoformat()
    answer = client.post("/desk/cases/limits/new", data=sent | {"unit": "working_days", "valid_from": day})
    assert answer.status_code == 303
    assert "路灯楼道灯" in client.get("/desk/cases/limits").text
    client.sign_in(make.worker())
    assert client.get("/desk/cases/limits").status_code == 403


def test_dwell_times_show_where_requests_wait(make, client):
    me = make.worker()
    found = case(make, S.SUBMITTED)
    client.sign_in(me)
    client.post(f"/desk/cases/{found.public_id}/dispatch/accept")
    client.post(f"/desk/cases/{found.public_id}/act/take")
    page = client.get("/desk/cases/dwelling").text
    assert "已受理" in page
    assert me.name in page
