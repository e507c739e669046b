"""Registering and claiming: which account is which person."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine

from portal.core.audit import AuditRow
from portal.core.clock import now
from portal.core.db import db, transaction
from portal.core.outbox import OutboxRow
from portal.core.sealing import blind
from portal.identity.models import Account, OneTimeCode
from portal.identity.permissions import Role
from portal.registry import jobs
from portal.registry.models import Claim, ClaimState, Consent, PersonState, Purpose
from portal.registry.service import claims
from tests.identity.telephone import Telephone

REGISTER, CODE, IDENTITY = "/people/register", "/people/register/code", "/people/identity"
PHONE = "13912345678"


@pytest.fixture
def telephone(app):
    held = app.extensions["portal.sms"]
    yield Telephone(app)
    app.extensions["portal.sms"] = held


def typed(make, **more):
    return {
        "name": "王秀英",
        "id_number": make.id_number(),
        "phone": PHONE,
        "password": "春天的花-2026",
        "community": make.community().code,
        "consent": "y",
        **more,
    }


def register(client, telephone, form):
    started = client.post(REGISTER, data=form)
    assert started.status_code == 303, started.text
    return client.post(CODE, data={"code": telephone.code(form["phone"])})


def only_claim():
    return db.session.scalars(sa.select(Claim)).one()


def waiting(make, account=None, *, name="王秀英", id_number="", community=None):
    """A claim that waits for a worker."""
    account = account or make.resident()
    number = id_number or make.id_number()
    return make.add(
        Claim(
            account_id=account.id,
            name=name,
            id_number=number,
            id_index=blind("person.id_number", number),
            community_id=(community or make.community()).id,
            made_at=now(),
        )
    )


def test_registering_opens_an_account_and_a_claim(client, make, telephone):
    form = typed(make)
    assert register(client, telephone, form).location == IDENTITY
    claim = only_claim()
    assert (claim.name, claim.id_number, claim.state) == ("王秀英", form["id_number"], ClaimState.PENDING)
    assert claim.community_id == make.community().id
    assert "社区工作人员会尽快核对" in client.get(IDENTITY).text


def test_exactly_the_person_with_that_mobile_is_confirmed_at_once(client, make, telephone):
    person = make.person(phone=PHONE)
    register(client, telephone, typed(make, id_number=person.id_number))
    assert (only_claim().state, only_claim().person_id) == (ClaimState.CONFIRMED, person.id)
    assert "身份已经核对" in client.get(IDENTITY).text


@pytest.mark.parametrize("differs", ["name", "phone", "dead", "taken"])
def test_whoever_differs_in_anything_waits_for_a_worker(client, make, telephone, differs):
    person = make.person(phone="13900000000" if differs == "phone" else PHONE)
    if differs == "dead":
        with transaction():
            db.session.merge(person).state = PersonState.DEAD
    if differs == "taken":
        make.resident(person)
    name = "王秀荣" if differs == "name" else person.name
    register(client, telephone, typed(make, id_number=person.id_number, name=name))
    claim = db.session.scalars(sa.select(Claim).order_by(Claim.id.desc())).first()
    assert (claim.state, claim.person_id) == (ClaimState.PENDING, None)


def test_a_merged_person_is_claimed_as_the_one_it_stands_for(client, make, telephone):
    kept = make.person(phone=PHONE)
    alias = make.person(phone=PHONE, merged_into_id=kept.id)
    register(client, telephone, typed(make, id_number=alias.id_number))
    assert only_claim().person_id == kept.id


def test_who_is_signed_in_is_led_to_her_identity_instead_of_registering_again(client, make):
    client.sign_in(make.resident(make.person()))
    assert client.get(REGISTER).location == IDENTITY


def test_the_answers_are_alike_whether_or_not_the_register_matched(app, make, telephone):
    person = make.person(phone=PHONE)
    answers = []
    for form in (typed(make, id_number=person.id_number), typed(make, phone="13900000001")):
        client = app.test_client()
        started = client.post(REGISTER, data=form)
        page = client.get(CODE).text
        finished = client.post(CODE, data={"code": telephone.code(form["phone"])})
        tokens = re.sub(r'"[^"]{60,}"', "", page)
        answers.append((started.status_code, started.location, tokens, finished.status_code, finished.location))
    assert answers[0] == answers[1]


def test_a_phone_with_an_account_sees_the_same_page_and_gets_no_usable_code(app, make, telephone):
    make.resident(phone=PHONE)
    known, unknown = app.test_client(), app.test_client()
    first = known.post(REGISTER, data=typed(make))
    second = unknown.post(REGISTER, data=typed(make, phone="13900000001"))
    assert (first.status_code, first.location) == (second.status_code, second.location) == (303, CODE)
    strip = re.compile(r'"[^"]{60,}"')
    assert strip.sub("", known.get(CODE).text) == strip.sub("", unknown.get(CODE).text)
    assert "已经有账号" in telephone.last(PHONE)
    assert not re.search(r"\d{6}", telephone.last(PHONE))
    assert known.post(CODE, data={"code": "123456"}).status_code == 422
    assert len(db.session.scalars(sa.select(Account)).all()) == 1


def test_a_code_for_registering_does_not_sign_in(client, make, telephone):
    client.post(REGISTER, data=typed(make))
    with client.session_transaction() as held:
        held["sign_in_flow"] = held["register_flow"]
    answer = client.post("/account/sign-in/code/check", data={"code": telephone.code(PHONE)})
    assert answer.status_code == 422


def test_what_was_told_before_the_code_is_sealed(client, make, telephone):
    form = typed(make)
    client.post(REGISTER, data=form)
    raw = db.session.execute(sa.text("select payload, phone from one_time_code")).one()
    assert form["id_number"].encode() not in bytes(raw[0])
    assert PHONE.encode() not in bytes(raw[1])
    assert db.session.scalars(sa.select(OneTimeCode)).one().payload.count(form["id_number"]) == 1


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("consent", "", "需要您单独同意"),
        ("id_number", "999901195005050021", "最后一位对不上"),
        ("phone", "12345", "手机号码应为 11 位"),
        ("name", "", "请填写身份证上的姓名"),
        ("community", "", "请选择您住的社区"),
        ("password", "12345678", "太容易被猜到"),
    ],
)
def test_a_wrong_entry_is_named_beside_its_field_and_nothing_is_sent(client, make, telephone, field, value, words):
    form = {name: said for name, said in typed(make, **{field: value}).items() if said}
    client.shows_numbers = True
    answer = client.post(REGISTER, data=form)
    assert answer.status_code == 422
    assert words in answer.text
    assert not telephone.messages


def test_a_weak_password_does_not_use_up_the_code_of_the_minute(client, make, telephone):
    form = typed(make)
    client.shows_numbers = True
    assert client.post(REGISTER, data={**form, "password": "12345678"}).status_code == 422
    assert client.post(REGISTER, data=form).status_code == 303


def test_a_second_registration_within_a_minute_is_told_when_to_come_back(client, make, telephone):
    with time_machine.travel(now().replace(second=0, microsecond=0), tick=False):
        client.post(REGISTER, data=typed(make))
        client.shows_numbers = True
        answer = client.post(REGISTER, data=typed(make))
    assert (answer.status_code, "1 分钟后再试" in answer.text) == (429, True)


def test_the_password_is_hashed_outside_any_transaction(client, make, telephone, monkeypatch):
    seen = []
    hashed = claims.passwords.hashed
    monkeypatch.setattr(
        claims.passwords, "hashed", lambda *told: (seen.append(db.session.in_transaction()), hashed(*told))[1]
    )
    client.post(REGISTER, data=typed(make))
    assert seen == [False]


def test_the_consent_is_not_ticked_beforehand(client, make):
    assert "checked" not in client.get(REGISTER).text


def test_the_consent_is_recorded(client, make, telephone):
    register(client, telephone, typed(make))
    assert "registry.consent_given" in db.session.scalars(sa.select(AuditRow.action)).all()
    assert db.session.scalars(sa.select(Consent.purpose)).all() == [Purpose.ID_NUMBER]


def test_a_claim_goes_to_the_community_of_the_person_it_names(client, make, telephone):
    elsewhere = make.community("荷塘社区")
    person = make.person(community=elsewhere)
    register(client, telephone, typed(make, id_number=person.id_number))
    assert only_claim().community_id == elsewhere.id
    assert "荷塘" not in client.get(IDENTITY).text


def test_a_refused_claim_says_why_and_may_be_made_again(client, make, telephone):
    account = make.resident(phone=PHONE)
    claim = waiting(make, account)
    worker = make.worker()
    client.sign_in(worker).post(f"/desk/people/claims/{claim.public_id}", data={"reason": "姓名写错了一个字"})
    client.sign_in(account)
    assert "姓名写错了一个字" in client.get(IDENTITY).text
    person = make.person("李桂芳", phone=PHONE)
    again = typed(make, name="李桂芳", id_number=person.id_number)
    assert client.post("/people/identity/again", data=again).location == IDENTITY
    newest = db.session.scalars(sa.select(Claim).order_by(Claim.id.desc())).first()
    assert (newest.state, newest.person_id) == (ClaimState.CONFIRMED, person.id)


def test_a_waiting_claim_is_not_made_twice(client, make):
    account = make.resident()
    waiting(make, account)
    client.sign_in(account)
    assert client.post("/people/identity/again", data=typed(make)).location == IDENTITY
    assert only_claim().state is ClaimState.PENDING


def test_the_queue_shows_who_waits_longest_first_and_how_long(client, make):
    with time_machine.travel(now() - timedelta(days=3)):
        waiting(make, name="先来的")
    waiting(make, name="后来的")
    page = client.sign_in(make.worker()).get("/desk/people/claims").text
    assert page.index("先来的") < page.index("后来的")
    assert "3 天" in page


def test_an_empty_queue_says_so(client, make):
    assert "没有等着核对的账号" in client.sign_in(make.worker()).get("/desk/people/claims").text


def test_a_claim_in_another_communitys_queue_is_404(client, make):
    claim = waiting(make, community=make.community("荷塘社区"))
    client.sign_in(make.worker())
    address = f"/desk/people/claims/{claim.public_id}"
    assert client.get(address).status_code == 404
    assert client.post(address, data={"reason": "不是本人"}).status_code == 404
    assert claim.public_id not in client.get("/desk/people/claims").text
    assert make.read(claim).state is ClaimState.PENDING


def test_a_grid_worker_does_not_decide_claims(client, make):
    assert client.sign_in(make.worker(Role.GRID_WORKER)).get("/desk/people/claims").status_code == 403


def test_the_page_of_a_claim_compares_it_with_the_register(client, make):
    account = make.resident(phone=PHONE)
    by_number = make.person("王秀荣", phone="13900000009")
    claim = waiting(make, account, name="王秀英", id_number=by_number.id_number)
    by_phone = make.person("李桂芳", phone=PHONE)
    by_name = make.person("王秀英", phone="13900000008")
    make.person("与此无关", phone="13900000007")
    found = claims.candidates(claim, [claims.Scope("all", "")])
    assert [one.person for one in found] == [by_number, by_phone, by_name]
    assert [(one.name_agrees, one.id_agrees, one.phone_agrees) for one in found] == [
        (False, True, False),
        (False, False, True),
        (True, False, False),
    ]
    page = client.sign_in(make.worker()).get(f"/desk/people/claims/{claim.public_id}").text
    assert "139****0009" in page
    assert "13900000009" not in page


def test_a_worker_confirms_a_claim_and_the_account_is_told(client, make):
    account, person = make.resident(), make.person()
    claim = waiting(make, account)
    client.sign_in(make.worker(name="周洁"))
    answer = client.post(f"/desk/people/claims/{claim.public_id}", data={"person": person.public_id})
    assert answer.status_code == 303
    confirmed = make.read(claim)
    assert (confirmed.state, confirmed.person_id, confirmed.decided_by) == (ClaimState.CONFIRMED, person.id, "周洁")
    told = db.session.scalars(sa.select(OutboxRow)).one()
    assert (told.topic, told.recipient_id) == ("registry.claim_confirmed", account.public_id)
    assert "registry.claim_confirmed" in db.session.scalars(sa.select(AuditRow.action)).all()


def test_a_person_out_of_scope_cannot_be_chosen(client, make):
    claim = waiting(make)
    stranger = make.person(community=make.community("荷塘社区"))
    client.sign_in(make.worker())
    answer = client.post(f"/desk/people/claims/{claim.public_id}", data={"person": stranger.public_id})
    assert answer.status_code == 404
    assert make.read(claim).state is ClaimState.PENDING


def test_a_person_is_never_confirmed_for_two_accounts(client, make):
    person = make.person()
    make.resident(person)
    claim = waiting(make)
    client.sign_in(make.worker())
    answer = client.post(f"/desk/people/claims/{claim.public_id}", data={"person": person.public_id})
    assert answer.status_code == 422
    assert "已经有账号认领" in answer.text
    assert make.read(claim).state is ClaimState.PENDING


def test_the_dead_are_not_claimed(client, make):
    person = make.person(state=PersonState.DEAD)
    claim = waiting(make)
    client.sign_in(make.worker())
    answer = client.post(f"/desk/people/claims/{claim.public_id}", data={"person": person.public_id})
    assert answer.status_code == 422
    assert make.read(claim).state is ClaimState.PENDING


def test_a_refusal_needs_a_reason_and_tells_it(client, make):
    claim = waiting(make)
    client.sign_in(make.worker())
    address = f"/desk/people/claims/{claim.public_id}"
    assert client.post(address, data={"reason": "  "}).status_code == 422
    assert client.post(address, data={"reason": "电话打不通"}).status_code == 303
    told = db.session.scalars(sa.select(OutboxRow)).one()
    assert (told.topic, told.facts) == ("registry.claim_refused", {"reason": "电话打不通"})
    assert make.read(claim).state is ClaimState.REFUSED


def test_a_claim_is_decided_once(client, make):
    claim = waiting(make)
    actor = client.sign_in(make.worker())
    address = f"/desk/people/claims/{claim.public_id}"
    actor.post(address, data={"reason": "电话打不通"})
    late = actor.post(address, data={"person": make.person().public_id})
    assert late.status_code == 422
    assert "已经有人处理" in late.text


def test_a_wrong_confirmation_is_undone_and_the_person_is_free_again(client, make):
    person = make.person()
    account = make.resident(person)
    claim = only_claim()
    with transaction():
        db.session.merge(claim).community_id = person.community_id
    client.sign_in(make.worker()).post(f"/desk/people/claims/{claim.public_id}", data={"reason": "认错了人"})
    assert make.read(claim).state is ClaimState.REFUSED
    assert client.sign_in(account).get(IDENTITY).text.count("认错了人") == 1
    register_again = waiting(make)
    client.sign_in(make.worker())
    answer = client.post(f"/desk/people/claims/{register_again.public_id}", data={"person": person.public_id})
    assert answer.status_code == 303


def test_refused_claims_are_forgotten_with_their_numbers(make):
    claim = waiting(make)
    with transaction():
        held = db.session.merge(claim)
        held.state, held.decided_at = ClaimState.REFUSED, now() - timedelta(days=400)
    kept = waiting(make)
    with transaction():
        assert claims.purge(now() - timedelta(days=365)) == 1
    assert only_claim().id == kept.id


def test_the_queue_asks_the_same_number_of_questions_however_long_it_is(client, make):
    def questions():
        seen = []
        note = lambda *told: seen.append(told[2])  # noqa: E731
        sa.event.listen(db.engine, "before_cursor_execute", note)
        client.get("/desk/people/claims")
        sa.event.remove(db.engine, "before_cursor_execute", note)
        return len([one for one in seen if one.lstrip().upper().startswith("SELECT")])

    client.sign_in(make.worker())
    waiting(make)
    few = questions()
    for _more in range(5):
        waiting(make)
    assert questions() == few <= 8


def test_the_nightly_work_forgets_claims_that_were_refused_half_a_year_ago(make):
    claim = waiting(make)
    with transaction():
        held = db.session.merge(claim)
        held.state, held.decided_at = ClaimState.REFUSED, now() - timedelta(days=181)
    jobs.purge_claims()
    assert db.session.scalars(sa.select(Claim)).all() == []
