"""The pages of applications on both platforms: applied for, followed, served, with pictures that only some may see."""

import io

import pytest
import sqlalchemy as sa
from PIL import Image

from portal.catalogue.models.applications import ApplicationState, PaperPicture, PaperState, Score
from portal.catalogue.service.applications import deciding, filing, receiving
from portal.core import files
from portal.core.audit import AuditRow
from portal.core.clock import today
from portal.core.db import db, transaction
from portal.identity.permissions import Role
from portal.registry.models import AgentState, FamilyAgent
from tests.acting import actor_of
from tests.catalogue import applying
from tests.catalogue.applying import act, read
from tests.client import Client
from tests.counting import count_queries
from tests.make import Make

S = ApplicationState


@pytest.fixture
def stand(make: Make):
    person = make.person()
    return person, make.resident(person), make.worker(name="周洁"), applying.item(make)


def test_somebody_applies_keeps_a_draft_with_a_picture_and_hands_it_in(make, client: Client, stand):
    person, account, _worker, item = stand
    client.sign_in(account)
    assert "已采集" in client.get(f"/services/{item.id}/apply").text
    begun = client.post(f"/services/{item.id}/apply", data={"whose": person.public_id})
    assert begun.status_code == 303
    (made,) = applying.everything()
    paper = made.papers[1].id
    address = f"/services/applications/{made.public_id}/edit"
    sent = {"said": "写了一半", f"paper-{paper}": (io.BytesIO(applying.photograph()), "票据.jpg"), "keep": "1"}
    assert client.post(address, data=sent, content_type="multipart/form-data").status_code == 303
    page = client.get(address).text
    assert "写了一半" in page
    picture = db.session.scalars(sa.select(PaperPicture)).one()
    held = client.get(f"/services/applications/{made.public_id}/papers/{paper}/{picture.id}").data
    assert b"secret place" not in held
    assert not Image.open(io.BytesIO(held)).getexif()
    assert client.post(address, data={"said": "", "send": "1"}).status_code == 422
    assert read(made).said == "写了一半"
    assert client.post(address, data={"said": "屋顶漏水", "send": "1"}).status_code == 303
    assert client.post(address, data={"said": "再来", "send": "1"}).status_code == 404
    shown = client.get(f"/services/applications/{made.public_id}").text
    assert "已提交" in shown
    assert "受理不受理" in shown
    assert item.title in client.get("/services/applications").text


@pytest.mark.parametrize("bad", [b"not a picture", b"\xff\xd8\xff\xe0 <script>", b"GIF89a;alert(1)"])
def test_what_is_no_picture_is_refused_and_nothing_is_kept(make, client: Client, stand, bad):
    person, account, _worker, item = stand
    made = applying.draft(item, person, account)
    client.sign_in(account)
    sent = {"said": "漏水", f"paper-{read(made).papers[1].id}": (io.BytesIO(bad), "a.jpg"), "send": "1"}
    address = f"/services/applications/{made.public_id}/edit"
    answer = client.post(address, data=sent, content_type="multipart/form-data")
    assert answer.status_code == 422
    assert "不是能打开的图片" in answer.text
    assert "漏水" in answer.text
    assert db.session.scalar(sa.select(sa.func.count(PaperPicture.id))) == 0
    assert read(made).state is S.DRAFT


def test_a_picture_for_anothers_paper_is_not_found(make, client: Client, stand):
    person, account, _worker, item = stand
    made = applying.draft(item, person, account)
    other = make.person("李四")
    theirs = applying.draft(item, other, make.resident(other))
    client.sign_in(account)
    sent = {"said": "x", f"paper-{read(theirs).papers[1].id}": (io.BytesIO(applying.photograph()), "a.jpg")}
    address = f"/services/applications/{made.public_id}/edit"
    assert client.post(address, data=sent, content_type="multipart/form-data").status_code == 404


def test_the_applicant_takes_her_own_picture_back_before_sending(make, client: Client, stand):
    person, account, _worker, item = stand
    made = applying.draft(item, person, account)
    with transaction() as session:
        paper = session.get_one(type(made), made.id).papers[1]
        filing.add_picture(paper, files.clean_image(applying.photograph()), by=actor_of(account))
    paper = read(made).papers[1]
    picture = paper.pictures[0].id
    client.sign_in(account)
    address = f"/services/applications/{made.public_id}/papers/{paper.id}/{picture}"
    assert client.post(f"{address}/drop").status_code == 303
    assert client.get(address).status_code == 404
    assert read(made).papers[1].state is PaperState.TO_BRING


def test_a_neighbour_sees_nothing_and_a_family_agent_does(make, client: Client, app, stand):
    person, account, _worker, item = stand
    made = applying.filed(item, person, account)
    daughter = make.resident(make.person("李小红"))
    client.sign_in(daughter)
    for tail in ("", "/add", "/withdraw", "/rate"):
        assert client.get(f"/services/applications/{made.public_id}{tail}").status_code == 404
    make.add(
        FamilyAgent(
            account_id=daughter.id,
            person_id=person.id,
            principal_name=person.name,
            relation="daughter",
            actions="catalogue.book",
            until=today(),
            requested_at=made.placed_at,
            state=AgentState.ACCEPTED,
        )
    )
    assert client.get(f"/services/applications/{made.public_id}").status_code == 200


def test_what_was_asked_for_is_added_on_one_page(make, client: Client, stand):
    person, account, worker, item = stand
    made = applying.taken(item, person, account, worker)
    second = read(made).papers[1].id
    act(deciding.ask, made, [second], "请补困难说明", by=actor_of(worker))
    client.sign_in(account)
    address = f"/services/applications/{made.public_id}/add"
    assert "请补困难说明" in client.get(f"/services/applications/{made.public_id}").text
    assert "请补困难说明" in client.get(address).text
    refused = client.post(address, data={"said": ""})
    assert refused.status_code == 422
    assert "还缺：困难说明" in refused.text
    sent = {"said": "", f"paper-{second}": (io.BytesIO(applying.photograph()), "b.jpg")}
    assert client.post(address, data=sent, content_type="multipart/form-data").status_code == 303
    assert read(made).state is S.COMPLETED
    assert read(made).papers[1].state is PaperState.GIVEN
    assert "现在就可以补上" in client.get(address).text


def test_withdrawing_and_rating_have_their_pages(make, client: Client, stand):
    person, account, worker, item = stand
    made = applying.in_hand(item, person, account, worker)
    client.sign_in(account)
    address = f"/services/applications/{made.public_id}"
    assert client.get(f"{address}/withdraw").status_code == 200
    assert "有了结果才能评价" in client.get(f"{address}/rate").text
    act(deciding.grant, made, "救助 800 元", by=actor_of(worker))
    assert "救助 800 元" in client.get(address).text
    assert client.post(f"{address}/withdraw", data={}).status_code == 422
    assert client.get(f"{address}/rate").status_code == 200
    assert client.post(f"{address}/rate", data={"score": "satisfied"}).status_code == 303
    assert client.post(f"{address}/rate", data={"score": "mostly"}).status_code == 422
    assert read(made).score is Score.SATISFIED


def test_the_list_opens_in_each_tab_and_clicks_through(make, client: Client, stand):
    person, account, worker, item = stand
    applying.taken(item, person, account, worker)
    client.sign_in(worker)
    for tab in ("new", "hand", "waiting", "late", "decided", "ended"):
        for whose in ("", "mine"):
            page = client.get(f"/desk/services/applications?tab={tab}&whose={whose}")
            assert page.status_code == 200
            assert (item.title in page.text) == (tab == "new")


def test_the_list_asks_eight_questions_at_most(make, client: Client, stand):
    worker = stand[2]
    client.sign_in(worker)
    client.get("/desk/services/applications")
    with count_queries() as few:
        client.get("/desk/services/applications")
    for turn in range(8):
        one = make.person(f"居民{turn}")
        applying.taken(applying.item(make, f"事项{turn}"), one, make.resident(one), worker)
    with count_queries() as many:
        assert "居民7" in client.get("/desk/services/applications").text
    assert len(many) <= len(few) + 1
    assert len(many) <= 8, many


def test_a_worker_takes_it_up_accepts_and_prints_a_receipt(make, client: Client, stand):
    person, account, worker, item = stand
    made = applying.filed(item, person, account)
    client.sign_in(worker)
    address = f"/desk/services/applications/{made.public_id}"
    assert "接手办理" in client.get(address).text
    assert client.post(f"{address}/take").status_code == 303
    assert client.get(f"{address}/accept").status_code == 200
    assert client.post(f"{address}/accept", data={"seen": "y", "note": "原件已核对"}).status_code == 303
    assert read(made).state is S.ACCEPTED
    assert read(made).steps[-1].note == "原件已核对"
    assert "受理回执" in client.get(f"{address}/receipt").text
    again = client.post(f"{address}/accept", data={"seen": "y"})
    assert again.status_code == 422
    assert client.get(f"{address}/sell").status_code == 404


@pytest.mark.parametrize(
    ("act_", "missing"),
    [("ask", "请一次写清"), ("not-accept", "请写明去哪里"), ("pass", "请选一位同事"), ("relative", "请填写这一项")],
)
def test_each_act_says_what_must_be_said(make, client: Client, stand, act_, missing):
    person, account, worker, item = stand
    made = applying.taken(item, person, account, worker)
    client.sign_in(worker)
    address = f"/desk/services/applications/{made.public_id}/{act_}"
    assert client.get(address).status_code == 200
    answer = client.post(address, data={})
    assert answer.status_code == 422
    assert missing in answer.text


@pytest.mark.parametrize(("act_", "missing"), [("grant", "请写明办理结果"), ("refuse", "请写明可以找谁")])
def test_a_result_says_what_must_be_said(make, client: Client, stand, act_, missing):
    person, account, worker, item = stand
    made = applying.in_hand(item, person, account, worker)
    client.sign_in(worker)
    address = f"/desk/services/applications/{made.public_id}/{act_}"
    assert client.get(address).status_code == 200
    assert missing in client.post(address, data={}).text


def test_out_of_scope_is_not_found(make, client: Client, stand):
    person, account, worker, item = stand
    made = applying.taken(item, person, account, worker)
    paper = read(made).papers[1].id
    client.sign_in(make.worker(Role.COMMUNITY_WORKER, make.community("远山社区")))
    address = f"/desk/services/applications/{made.public_id}"
    for tail in ("", "/receipt", "/accept", "/ask", "/grant", "/pass"):
        assert client.get(address + tail).status_code == 404, tail
    for tail in ("/take", "/accept", f"/papers/{paper}", f"/papers/{paper}/1"):
        assert client.post(address + tail).status_code == 404, tail
    assert client.get(f"/desk/services/applications/new/{person.public_id}").status_code == 404


def test_a_picture_is_shown_to_who_is_in_charge_alone_and_the_look_is_kept(make, client: Client, app, stand):
    person, account, worker, item = stand
    made = applying.draft(item, person, account)
    with transaction() as session:
        paper = session.get_one(type(made), made.id).papers[1]
        filing.add_picture(paper, files.clean_image(applying.photograph()), by=actor_of(account))
    act(filing.submit, made, "漏水", by=actor_of(account))
    paper = read(made).papers[1]
    address = f"/desk/services/applications/{made.public_id}/papers/{paper.id}/{paper.pictures[0].id}"
    client.sign_in(worker)
    assert client.post(address).status_code == 404
    act(receiving.take, made, by=actor_of(worker))
    shown = client.post(address)
    assert (shown.status_code, shown.mimetype) == (200, "image/jpeg")
    assert shown.headers["Cache-Control"] == "private, no-store"
    other: Client = app.test_client().sign_in(make.worker(name="同事"))
    assert other.post(address).status_code == 404
    assert client.get(address).status_code == 405
    seen = sa.select(AuditRow.actor).where(AuditRow.action == "applications.picture_seen")
    assert list(db.session.scalars(seen)) == [worker.public_id]


def test_a_paper_is_taken_at_the_counter_with_or_without_a_picture(make, client: Client, stand):
    person, account, worker, item = stand
    made = applying.taken(item, person, account, worker)
    _known, second, third = read(made).papers
    client.sign_in(worker)
    address = f"/desk/services/applications/{made.public_id}/papers"
    assert client.post(f"{address}/{second.id}", data={}).status_code == 303
    sent = {f"paper-{third.id}": (io.BytesIO(applying.photograph()), "c.jpg")}
    assert client.post(f"{address}/{third.id}", data=sent, content_type="multipart/form-data").status_code == 303
    found = read(made)
    assert [paper.state for paper in found.papers[1:]] == [PaperState.GIVEN, PaperState.GIVEN]
    assert [len(paper.pictures) for paper in found.papers] == [0, 0, 1]
    assert "周洁收" in client.get(f"/desk/services/applications/{made.public_id}").text


def test_a_worker_applies_for_somebody_with_the_consent_on_record_and_once(make, client: Client, stand):
    person, _account, worker, item = stand
    client.sign_in(worker)
    found = client.post("/desk/services/applications/new", data={"q": "王秀英"}).text
    assert f"/desk/services/applications/new/{person.public_id}" in found
    address = f"/desk/services/applications/new/{person.public_id}"
    assert item.title in client.get(address).text
    said = {"item": str(item.id), "said": "腿不方便，请代办", "idem": "k"}
    assert "请选本人怎么同意的" in client.post(address, data=said).text
    said |= {"how": "present", "given_at": "2026-11-23 09:00"}
    first = client.post(address, data=said)
    assert first.status_code == 303
    again = client.post(address, data=said)
    assert again.location == first.location
    (made,) = applying.everything()
    assert made.consent == "本人在场，当面同意（2026-11-23 09:00）"
    assert (made.owner, made.state) == (worker.public_id, S.SUBMITTED)
    assert "代办不收费" in client.get(f"/desk/services/applications/{made.public_id}/receipt").text


def test_a_colleague_helps_and_the_first_receiver_stays(make, client: Client, stand):
    person, account, worker, item = stand
    colleague = make.worker(name="何立新")
    made = applying.taken(item, person, account, worker)
    client.sign_in(worker)
    address = f"/desk/services/applications/{made.public_id}"
    assert client.post(f"{address}/pass", data={"worker": colleague.public_id}).status_code == 303
    shown = client.get(address).text
    assert "何立新" in shown
    assert "周洁仍然首接负责" in shown
