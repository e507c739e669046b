"""The pages of these rights: the resident's on a phone, the worker's queue, the counter; and who does not get in."""

import io
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from PIL import Image

from portal.core import settings
from portal.core.access import Platform
from portal.core.audit import AuditRow
from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.core.engines import writing
from portal.core.sealing import keys
from portal.home.service import copies
from portal.identity import passwords
from portal.identity.models import Account
from portal.identity.permissions import Role
from portal.meals.models import OrderState
from portal.registry.models import (
    AgentState,
    Consent,
    FamilyAgent,
    Person,
    RightsCopy,
    RightsRequest,
    RightState,
)
from tests.client import Client
from tests.make import Make

PASSWORD = "correct horse 1"
WHY = {"why": "登记错了"}


@pytest.fixture(scope="module")
def password_hash(bare_app) -> str:
    with bare_app.app_context():
        return passwords.hashed(PASSWORD, Platform.RESIDENT)


@pytest.fixture
def wang(make: Make) -> Person:
    return make.person(diet="low_salt", registered_address="春风路1号")


@pytest.fixture
def account(make: Make, wang: Person, password_hash: str) -> Account:
    return make.resident(wang, password_hash=password_hash)


@pytest.fixture
def resident(client: Client, account: Account) -> Client:
    return client.sign_in(account)


@pytest.fixture
def worker(make: Make, app) -> Client:
    return app.test_client().sign_in(make.worker())


@pytest.fixture
def stranger(make: Make, app) -> Client:
    return app.test_client().sign_in(make.worker(scope=make.community("别的社区")))


def photograph() -> tuple[io.BytesIO, str]:
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "at home"
    Image.new("RGB", (40, 30), "white").save(out, "JPEG", exif=exif)
    out.seek(0)
    return out, "hukou.jpg"


def the_request() -> RightsRequest:
    return db.session.scalars(sa.select(RightsRequest).order_by(RightsRequest.id.desc()).limit(1)).one()


def test_my_information_shows_masks_and_sources_and_never_the_others_numbers(
    make: Make, resident: Client, wang: Person
):
    household = make.household()
    son = make.person("王小明", household_id=household.id)
    with transaction():
        db.session.get_one(Person, wang.id).household_id = household.id
    text = resident.get("/people/mine").get_data(as_text=True)
    assert "王小明" in text
    assert "建档时登记" in text
    assert (wang.phone or "") not in text
    assert (son.phone or "")[-4:] not in text


def test_the_own_number_is_shown_after_the_password_only(resident: Client, wang: Person):
    resident.shows_numbers = True
    address = "/people/mine/reveal/id_number"
    wrong = resident.post(address, data={"password": "wrong words 1"})
    assert wrong.status_code == 422
    assert (wang.id_number or "") not in wrong.get_data(as_text=True)
    assert (wang.id_number or "") in resident.post(address, data={"password": PASSWORD}).get_data(as_text=True)
    own = db.session.scalars(sa.select(AuditRow).where(AuditRow.action == "registry.revealed_own")).all()
    assert len(own) == 1
    assert "查看了" not in resident.get("/me/looked").get_data(as_text=True)


def test_a_correction_travels_from_the_phone_to_the_desk_and_back(resident: Client, worker: Client, wang: Person):
    sent = resident.post("/people/correct/name", data={"value": "王秀瑛", **WHY})
    assert sent.location == "/people/requests"
    assert "等社区答复" in resident.get("/people/requests").get_data(as_text=True)
    assert "王秀英" in worker.get("/desk/people/rights").get_data(as_text=True)
    done = worker.post(f"/desk/people/rights/{the_request().public_id}", data={"decision": "grant"})
    assert done.location == "/desk/people/rights"
    assert "已办好" in resident.get("/people/requests").get_data(as_text=True)
    assert db.session.get_one(Person, wang.id).name == "王秀瑛"


def test_every_field_has_its_form(resident: Client):
    for field in ("name", "phone", "registered_address", "residence", "marriage", "schooling", "work", "diet"):
        assert resident.get(f"/people/correct/{field}").status_code == 200
    for field in ("health", "contacts", "household"):
        assert resident.get(f"/people/correct/{field}").status_code == 200
    mine = resident.get("/people/mine").text
    for field in ("sex", "birth_date", "id_number", "registration", "relation", "tags"):
        assert f"/people/correct/{field}" in mine
        assert resident.get(f"/people/correct/{field}").status_code == 200
    assert resident.get("/people/correct/grid").status_code == 404


def test_what_is_mended_by_hand_is_called_done_only_once_the_worker_says_so(
    make: Make, resident: Client, worker: Client, wang: Person
):
    household = make.household()
    with transaction():
        db.session.get_one(Person, wang.id).household_id = household.id
    pages = {
        "tags": f"/desk/people/{wang.public_id}/tags",
        "relation": f"/desk/people/households/{household.id}",
        "sex": f"/desk/people/{wang.public_id}/edit",
        "registration": f"/desk/people/{wang.public_id}/edit/residence",
    }
    for field, page in pages.items():
        assert resident.post(f"/people/correct/{field}", data={"value": "写错了", **WHY}).location == "/people/requests"
        address = f"/desk/people/rights/{the_request().public_id}"
        assert page in worker.get(address).text
        untold = worker.post(address, data={"decision": "grant"})
        assert untold.status_code == 422
        assert "我已经改好了" in untold.text
        assert the_request().state is RightState.OPEN
        assert worker.post(address, data={"decision": "grant", "done": "y"}).location == "/desk/people/rights"
        assert the_request().state is RightState.GRANTED


def test_a_sealed_request_is_neither_granted_nor_refused_before_it_was_opened(resident: Client, worker: Client):
    resident.post("/people/correct/phone", data={"value": "13912345678", **WHY})
    address = f"/desk/people/rights/{the_request().public_id}"
    before = worker.get(address).text
    assert "打开内容" in before
    assert 'value="refuse"' not in before
    opened = worker.post(f"{address}/open").text
    assert 'value="refuse"' in opened
    assert 'value="grant"' in opened


def test_a_photograph_is_made_anew_and_sealed(resident: Client, worker: Client):
    resident.post("/people/correct/name", data={"value": "王秀瑛", **WHY, "photo": photograph()})
    request = the_request()
    raw = db.session.execute(sa.text("SELECT picture FROM rights_request")).scalar_one()
    assert request.has_picture
    assert b"at home" not in bytes(raw)
    keys().open(bytes(raw), "rights_request|picture")
    shown = worker.post(f"/desk/people/rights/{request.public_id}/open").get_data(as_text=True)
    assert "data:image/jpeg;base64," in shown


def test_what_is_no_picture_is_refused_beside_its_field(resident: Client):
    data = {"value": "王秀瑛", **WHY, "photo": (io.BytesIO(b"<svg/>"), "a.svg")}
    answer = resident.post("/people/correct/name", data=data)
    assert answer.status_code == 422
    assert "不是能打开的图片" in answer.get_data(as_text=True)
    assert db.session.scalars(sa.select(RightsRequest)).all() == []


def test_a_proposed_phone_is_read_only_after_opening_which_leaves_a_trace(resident: Client, worker: Client):
    resident.post("/people/correct/phone", data={"value": "13912345678", **WHY})
    address = f"/desk/people/rights/{the_request().public_id}"
    assert "13912345678" not in worker.get(address).get_data(as_text=True)
    assert "13912345678" in worker.post(f"{address}/open").get_data(as_text=True)
    assert "看了您的申请内容" in resident.get("/me/looked").get_data(as_text=True)


def test_a_refusal_without_words_is_not_taken(resident: Client, worker: Client):
    resident.post("/people/correct/name", data={"value": "王秀瑛", **WHY})
    address = f"/desk/people/rights/{the_request().public_id}"
    assert worker.post(address, data={"decision": "refuse"}).status_code == 422
    worker.post(address, data={"decision": "refuse", "answer": "户口簿上是原来的字"})
    assert "户口簿上是原来的字" in resident.get("/people/requests").get_data(as_text=True)


def test_a_request_is_taken_back_by_its_owner_alone(make: Make, app, resident: Client):
    resident.post("/people/correct/name", data={"value": "王秀瑛", **WHY})
    address = f"/people/requests/{the_request().public_id}/take-back"
    neighbour = app.test_client().sign_in(make.resident(make.person("邻居")))
    assert neighbour.post(address).status_code == 404
    assert resident.post(address).status_code == 303
    assert the_request().state is RightState.WITHDRAWN


def test_nobody_reads_a_neighbours_information(make: Make, resident: Client):
    neighbour = make.person("邻居")
    for address in ("/people/mine", "/people/requests", "/people/consents", "/people/correct/name", "/people/ask"):
        assert resident.get(f"{address}?who={neighbour.public_id}").status_code == 404


def test_a_guardian_reads_and_corrects_for_the_child(make: Make, resident: Client, wang: Person):
    child = make.person("王小宝", born=today() - timedelta(days=2000), guardian_id=wang.id)
    assert "王小宝" in resident.get(f"/people/mine?who={child.public_id}").get_data(as_text=True)
    resident.post(f"/people/correct/name?who={child.public_id}", data={"value": "王大宝", **WHY})
    assert the_request().person_id == child.id
    resident.post(f"/people/consents/photo/withdraw?who={child.public_id}")
    assert db.session.scalars(sa.select(Consent)).one().guardian == wang.name


def test_consents_are_not_pre_ticked_and_withdrawn_with_one_tap(resident: Client, wang: Person):
    page = resident.get("/people/consents").get_data(as_text=True)
    assert "checked" not in page
    resident.post("/people/consents/health/withdraw")
    assert db.session.get_one(Person, wang.id).diet is None
    resident.post("/people/consents/health/give")
    assert "同意（本人在账号里）" in resident.get("/people/consents").get_data(as_text=True)


def test_the_number_is_withdrawn_by_closing_the_account(resident: Client):
    answer = resident.post("/people/consents/id_number/withdraw", follow_redirects=True)
    assert "注销账号" in answer.get_data(as_text=True)
    assert db.session.scalars(sa.select(Consent)).all() == []


def test_a_copy_holds_everything_in_three_shapes(make: Make, resident: Client, wang: Person, account: Account):
    make.order(make.menu(), wang, by=account)
    assert resident.post("/me/copies", data={"password": "wrong words 1"}).status_code == 422
    made = resident.post("/me/copies", data={"password": PASSWORD})
    resident.shows_numbers = True
    page = resident.post(made.location, data={"password": PASSWORD, "kind": "page"}).get_data(as_text=True)
    data = resident.post(made.location, data={"password": PASSWORD, "kind": "json"})
    sheet = resident.post(made.location, data={"password": PASSWORD, "kind": "xlsx"})
    for shown in (page, data.get_data(as_text=True)):
        assert (wang.id_number or "") in shown
        assert "红烧带鱼" in shown
        assert "春风路1号" in shown
    assert sheet.data.startswith(b"PK")
    assert db.session.scalars(sa.select(RightsCopy)).one().downloads == 3


def test_a_copy_is_nobody_elses(make: Make, app, resident: Client, password_hash: str):
    made = resident.post("/me/copies", data={"password": PASSWORD})
    neighbour = app.test_client().sign_in(make.resident(make.person("邻居"), password_hash=password_hash))
    assert neighbour.get(made.location).status_code == 404
    assert neighbour.post(made.location, data={"password": PASSWORD, "kind": "json"}).status_code == 404


def test_an_account_with_a_meal_booked_is_closed_only_with_the_meal(make: Make, resident: Client, wang: Person):
    order = make.order(make.menu(), wang, by=make.accounts()[0])
    said = {"password": PASSWORD, "sure": "y"}
    refused = resident.post("/me/closing", data=said)
    assert refused.status_code == 422
    assert "还有 1 份订餐" in refused.get_data(as_text=True)
    assert resident.post("/me/closing", data={**said, "cancel_meals": "y"}).status_code == 303
    assert make.read(order).state is OrderState.CANCELLED
    assert "在这以前随时可以撤回" in resident.get("/me/closing").get_data(as_text=True)
    resident.post("/me/closing/take-back")
    assert the_request().state is RightState.WITHDRAWN


def test_whom_the_account_acts_for_keeps_her_meals(make: Make, resident: Client, account: Account):
    mother = make.person("李桂兰")
    agent = {"relation": "child", "state": AgentState.ACCEPTED, "until": today(), "requested_at": now()}
    make.add(FamilyAgent(account_id=account.id, person_id=mother.id, principal_name=mother.name, **agent))
    order = make.order(make.menu(), mother, by=account)
    assert resident.post("/me/closing", data={"password": PASSWORD, "sure": "y"}).status_code == 303
    assert make.read(order).state is OrderState.BOOKED


def test_closing_must_be_meant(resident: Client):
    assert resident.post("/me/closing", data={"password": PASSWORD}).status_code == 422
    assert db.session.scalars(sa.select(RightsRequest)).all() == []


def test_who_is_not_confirmed_yet_is_told_what_to_wait_for(make: Make, client: Client):
    client.sign_in(make.resident())
    for address in ("/people/mine", "/people/consents", "/people/requests", "/me/copies", "/me/looked"):
        assert client.get(address).status_code == 200
    assert client.get("/people/correct/name").status_code == 422


# The counter.


def test_somebody_without_a_telephone_asks_at_the_counter(worker: Client, wang: Person):
    address = f"/desk/people/rights/of/{wang.public_id}"
    assert worker.get(address).status_code == 200
    unchecked = worker.post(f"{address}/correct/marriage", data={"value": "married", **WHY})
    assert unchecked.status_code == 422
    worker.post(f"{address}/correct/marriage", data={"value": "married", **WHY, "identity": "id_card"})
    request = the_request()
    assert (request.channel.value, request.identity) == ("counter", "看了身份证")
    assert worker.post(address, data={"kind": "other", "identity": "id_card"}).status_code == 422
    assert worker.post(address, data={"kind": "copy", "identity": "id_card"}).status_code == 303
    assert "打印这位居民的资料" in worker.get(f"/desk/people/rights/{the_request().public_id}").get_data(as_text=True)


def test_a_consent_on_paper_names_the_operator_and_a_childs_guardian(make: Make, worker: Client, wang: Person):
    address = f"/desk/people/rights/of/{wang.public_id}/consents"
    assert worker.post(address, data={"said": "sms:withdraw"}).status_code == 422
    assert worker.post(address, data={"said": "sms:nonsense", "identity": "known"}).status_code == 422
    worker.post(address, data={"said": "sms:withdraw", "identity": "known"})
    row = db.session.scalars(sa.select(Consent)).one()
    assert (row.operator, row.identity) == ("周洁", "认识本人，当面核对")
    child = make.person("王小宝", born=today() - timedelta(days=2000))
    of_child = f"/desk/people/rights/of/{child.public_id}/consents"
    assert worker.post(of_child, data={"said": "photo:give", "identity": "known"}).status_code == 422
    named = {"said": "photo:give", "identity": "known", "guardian": "王强"}
    assert worker.post(of_child, data=named).status_code == 303


def test_a_printed_copy_is_seen_by_its_owner(worker: Client, resident: Client, wang: Person):
    worker.shows_numbers = True
    address = f"/desk/person/{wang.public_id}/copy"
    assert worker.post(address).status_code == 422
    printed = worker.post(address, data={"reason": "居民到窗口要"})
    assert (wang.id_number or "") in printed.get_data(as_text=True)
    assert "为您打印了一份资料" in resident.get("/me/looked").get_data(as_text=True)


def test_printed_copies_are_counted_by_the_hour_and_by_the_alarm(make: Make, app, wang: Person):
    by = make.worker(name="周洁")
    worker = app.test_client()
    worker.shows_numbers = True
    with transaction() as session:
        settings.put("home.copies_per_hour", 2, valid_from=today(), by="test")
        for _number in range(49):
            facts = {"actor_name": by.name, "roles": "community_worker", "facts": {"field": "phone"}}
            session.add(AuditRow(at=now(), actor=by.public_id, action="registry.revealed", **facts))
    address = f"/desk/person/{wang.public_id}/copy"
    with time_machine.travel(now().replace(minute=5, second=0, microsecond=0), tick=False):
        worker.sign_in(by)
        answers = [worker.post(address, data={"reason": "居民到窗口要"}).status_code for _turn in range(3)]
    assert answers == [200, 200, 429]
    actions = list(db.session.scalars(sa.select(AuditRow.action)))
    assert (actions.count("home.copy_printed"), actions.count("registry.reveal_alarm")) == (2, 1)


def test_a_printed_copy_is_put_together_while_nobody_waits(worker: Client, wang: Person, monkeypatch):
    held, seen = copies.compose, []
    monkeypatch.setattr(copies, "compose", lambda person: (seen.append(writing.get()), held(person))[1])
    worker.shows_numbers = True
    assert worker.post(f"/desk/person/{wang.public_id}/copy", data={"reason": "居民到窗口要"}).status_code == 200
    assert seen == [False]


def test_a_worker_of_another_community_finds_nothing(resident: Client, stranger: Client, wang: Person):
    resident.post("/people/correct/name", data={"value": "王秀瑛", **WHY})
    one, of = f"/desk/people/rights/{the_request().public_id}", f"/desk/people/rights/of/{wang.public_id}"
    assert "王秀英" not in stranger.get("/desk/people/rights").get_data(as_text=True)
    for address in (one, of, f"{of}/correct/name", f"{of}/consents"):
        assert stranger.get(address).status_code == 404
    assert stranger.post(one, data={"decision": "grant"}).status_code == 404
    assert stranger.post(f"{one}/open").status_code == 404
    assert stranger.post(of, data={"kind": "copy", "identity": "known"}).status_code == 404
    data = {"value": "甲", **WHY, "identity": "known"}
    assert stranger.post(f"{of}/correct/name", data=data).status_code == 404
    assert stranger.post(f"{of}/consents", data={"said": "sms:withdraw", "identity": "known"}).status_code == 404
    assert stranger.post(f"/desk/person/{wang.public_id}/copy", data={"reason": "看看"}).status_code == 404
    assert the_request().state is RightState.OPEN


def test_a_grid_worker_does_not_answer(make: Make, app):
    grid = app.test_client().sign_in(make.worker(Role.GRID_WORKER))
    assert grid.get("/desk/people/rights").status_code == 403


def test_the_queue_asks_few_questions_however_many_wait(make: Make, app, worker: Client):
    for number in range(12):
        person = make.person(f"王{number}", born=date(1950, 1, 1))
        app.test_client().sign_in(make.resident(person)).post("/people/correct/name", data={"value": "李", **WHY})
    asked = []

    def note(*told) -> None:
        if told[2].startswith("SELECT"):
            asked.append(told[2])

    sa.event.listen(db.engine, "before_cursor_execute", note)
    assert worker.get("/desk/people/rights").status_code == 200
    sa.event.remove(db.engine, "before_cursor_execute", note)
    assert len(asked) <= 8, asked
