"""Consents by purpose: separate, withdrawn at once, a guardian's for a child, and closing the account."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from flask_babel import force_locale

from portal.core.access import Actor
from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.core.errors import Missing, Refused
from portal.identity.models import Account, SignedSession
from portal.meals.service import pricing
from portal.notifications.service import recipients
from portal.registry import jobs
from portal.registry.models import (
    AgentState,
    Channel,
    Claim,
    ClaimState,
    Consent,
    Diet,
    FamilyAgent,
    Person,
    PersonChange,
    Purpose,
    RightField,
    RightsRequest,
    RightState,
)
from portal.registry.service import consents, editing
from portal.registry.service.consents import Voice
from portal.registry.service.editing import Care
from portal.registry.service.rights import closing, requests
from portal.visits.service import listing, planning, recording
from portal.visits.service.recording import Picture
from tests.make import Make
from tests.registry.rights_stand import SELF, actor_of, granted, proposed
from tests.visits import stand

# Consents.


def test_withdrawing_the_health_consent_deletes_diet_and_health_with_their_history(make: Make):
    person = granted(proposed(make.person(diet="low_salt"), RightField.HEALTH, "花生过敏"), make)
    with transaction():
        consents.withdraw(person, Purpose.HEALTH, voice=SELF)
    person = make.read(person)
    rows = db.session.scalars(sa.select(PersonChange).where(PersonChange.person_id == person.id)).all()
    assert (person.diet, person.health) == (None, None)
    assert not consents.allows(person, Purpose.HEALTH)
    assert not any("花生" in row.changes or "low_salt" in row.changes for row in rows)


def test_nobody_registers_again_what_a_resident_no_longer_wants_kept(make: Make):
    person = make.person()
    with transaction():
        consents.withdraw(db.session.get_one(Person, person.id), Purpose.HEALTH, voice=SELF)
    person = make.read(person)
    for said in (Care(diets=frozenset({Diet.SOFT})), Care(diets=frozenset(), health="花生过敏")):
        with pytest.raises(Refused, match="撤回了健康"), transaction():
            editing.save(db.session.get_one(Person, person.id), said, version=person.version, reason="")
    with transaction():
        editing.save(
            db.session.get_one(Person, person.id),
            Care(diets=frozenset(), note="楼上住"),
            version=person.version,
            reason="",
        )
    assert make.read(person).note == "楼上住"


def test_a_register_brings_no_diet_back_to_who_withdrew(make: Make):
    kept, refused = make.person("李建国", diet="soft"), make.person(diet="low_salt")
    moment = now()
    with transaction() as session:
        consents.withdraw(session.get_one(Person, refused.id), Purpose.HEALTH, voice=SELF)
        session.execute(sa.update(Person).values(diet="soft", updated_at=moment))
        consents.keep_refusals(moment)
    assert (make.read(kept).diet, make.read(refused).diet) == ("soft", None)


def test_what_was_proposed_for_the_health_goes_with_the_consent(make: Make):
    request = proposed(make.person(), RightField.HEALTH, "花生过敏")
    with transaction():
        consents.withdraw(db.session.get_one(Person, request.person_id), Purpose.HEALTH, voice=SELF)
    request = make.read(request)
    assert (request.state, request.said) == (RightState.WITHDRAWN, None)


def test_answers_are_forgotten_after_their_time_and_open_requests_never(make: Make):
    person = make.person()
    answered, waiting = proposed(person, RightField.NAME, "王秀瑛"), proposed(person, RightField.MARRIAGE, "married")
    granted(answered, make)
    with transaction():
        db.session.get_one(RightsRequest, answered.id).decided_at = now() - timedelta(days=1096)
        db.session.get_one(RightsRequest, waiting.id).asked_at = now() - timedelta(days=1096)
    jobs.purge_requests()
    assert [one.id for one in requests.requests_of(person)] == [waiting.id]


def test_the_kitchen_knows_no_diet_once_the_consent_is_withdrawn(make: Make):
    person, dish = make.person(diet="low_salt"), make.dish()
    assert pricing.clashes(person, dish) == (Diet.LOW_SALT,)
    with transaction():
        consents.withdraw(db.session.get_one(Person, person.id), Purpose.HEALTH, voice=SELF)
    assert pricing.clashes(make.read(person), dish) == ()


def test_what_was_withdrawn_cannot_be_entered_again_until_it_is_given(make: Make):
    person = make.person()
    with transaction():
        consents.withdraw(person, Purpose.HEALTH, voice=SELF)
    with pytest.raises(Refused, match="同意管理"):
        proposed(person, RightField.HEALTH, "花生过敏")
    with transaction():
        consents.give(person, Purpose.HEALTH, voice=SELF)
    assert consents.allows(person, Purpose.HEALTH)
    assert proposed(person, RightField.HEALTH, "花生过敏").state is RightState.OPEN


def test_sharing_is_not_allowed_until_somebody_says_yes(make: Make):
    person = make.person()
    assert not consents.allows(person, Purpose.SHARING)
    with transaction():
        consents.give(person, Purpose.SHARING, voice=SELF)
    assert consents.allows(person, Purpose.SHARING)


def test_what_nobody_answered_is_given_for_nothing_that_needs_a_yes(make: Make):
    person = make.person()
    allowed = {purpose: consents.allows(person, purpose) for purpose in Purpose}
    assert {purpose for purpose, given in allowed.items() if given} == {Purpose.SERVICE, Purpose.VISIT, Purpose.SMS}
    asked = {of.purpose for of in consents.unanswered(person)}
    assert asked == {Purpose.HEALTH, Purpose.NEWS, Purpose.PHOTO, Purpose.SHARING}


def test_what_a_register_says_of_the_diet_stays_until_somebody_says_no(make: Make):
    """Unasked is no yes to hand it on, and no order to delete it."""
    person, dish = make.person(diet="low_salt"), make.dish()
    with transaction():
        editing.save(
            db.session.get_one(Person, person.id),
            Care(diets=frozenset({Diet.LOW_SALT, Diet.SOFT})),
            version=person.version,
            reason="",
        )
    assert pricing.clashes(make.read(person), dish) == (Diet.LOW_SALT, Diet.SOFT)
    assert not consents.allows(make.read(person), Purpose.HEALTH)


@pytest.mark.parametrize("topic", ["volunteers.invited", "deliberation.meeting_invited"])
def test_an_invitation_goes_to_a_telephone_only_with_a_yes(make: Make, topic: str):
    person = make.person()
    assert recipients.reached_by(person.ref, topic).phone == ""
    with transaction():
        consents.give(db.session.get_one(Person, person.id), Purpose.NEWS, voice=SELF)
    assert recipients.reached_by(person.ref, topic).phone == person.phone


def test_a_yes_said_twice_stands_once_and_the_ledger_keeps_every_line(make: Make):
    person = make.person()
    for act in (consents.give, consents.give, consents.withdraw, consents.give):
        with transaction():
            act(db.session.get_one(Person, person.id), Purpose.SMS, voice=SELF)
    rows = db.session.scalars(sa.select(Consent).order_by(Consent.id)).all()
    assert [row.withdrawn_at is None for row in rows] == [False, True]


def test_the_duty_of_the_law_needs_no_consent(make: Make):
    with pytest.raises(Refused, match="法律规定"):
        consents.withdraw(make.person(), Purpose.SERVICE, voice=SELF)


def test_a_new_version_of_the_terms_asks_anew(make: Make, monkeypatch: pytest.MonkeyPatch):
    person = make.person()
    with transaction():
        consents.give(person, Purpose.SHARING, voice=SELF)
    newer = [one if one.purpose is not Purpose.SHARING else _newer(one) for one in consents.terms()]
    monkeypatch.setattr(consents, "terms", lambda: newer)
    assert not consents.allows(person, Purpose.SHARING)
    with transaction():
        consents.give(db.session.get_one(Person, person.id), Purpose.SHARING, voice=SELF)
    assert consents.allows(person, Purpose.SHARING)


def _newer(one: consents.Terms) -> consents.Terms:
    return consents.Terms(**{**vars(one), "version": 2})


def test_only_the_guardian_speaks_for_a_child_under_fourteen(make: Make):
    mother = make.person("李红", born=date(1990, 1, 1))
    child = make.person("李小宝", born=today() - timedelta(days=365 * 6), guardian_id=mother.id)
    account = actor_of(make.resident(mother))
    with pytest.raises(Refused, match="监护人"):
        consents.give(child, Purpose.PHOTO, voice=SELF)
    assert consents.whose(account, child.public_id).id == child.id
    with transaction():
        consents.withdraw(db.session.get_one(Person, child.id), Purpose.PHOTO, voice=consents.voice_of(account, child))
    assert db.session.scalars(sa.select(Consent)).one().channel is Channel.GUARDIAN


def test_an_agent_who_calls_herself_a_parent_is_no_guardian(make: Make):
    """Whoever asks types the relation herself; only a worker enters a guardian."""
    neighbour, child = make.person("李强", born=date(1990, 1, 1)), make.person("李小宝", born=today())
    account = make.resident(neighbour)
    make.add(
        FamilyAgent(
            account_id=account.id,
            person_id=child.id,
            principal_name=child.name,
            relation="parent",
            state=AgentState.ACCEPTED,
            until=today(),
            requested_at=now(),
        )
    )
    assert consents.wards(neighbour) == []
    with pytest.raises(Missing):
        consents.whose(actor_of(account), child.public_id)


def test_a_neighbours_child_is_nobodys_to_speak_for(make: Make):
    child = make.person("李小宝", born=today())
    with pytest.raises(Missing):
        consents.whose(actor_of(make.resident(make.person("邻居"))), child.public_id)


def test_a_child_who_is_of_age_is_no_longer_a_ward(make: Make):
    mother = make.person("李红", born=date(1970, 1, 1))
    make.person("李大宝", born=date(2000, 1, 1), guardian_id=mother.id)
    assert consents.wards(mother) == []


def test_no_reminder_goes_to_a_telephone_whose_owner_withdrew_it(make: Make):
    person = make.person()
    assert recipients.reached_by(person.ref, "meals.order_placed").phone == person.phone
    with transaction():
        consents.withdraw(db.session.get_one(Person, person.id), Purpose.SMS, voice=SELF)
    assert recipients.reached_by(person.ref, "meals.order_placed").phone == ""


def test_no_photograph_is_taken_of_who_withdrew_that_consent(make: Make):
    person = make.person()
    with transaction():
        made = planning.unplanned(listing.subject_of(db.session.get_one(Person, person.id)))
        consents.withdraw(db.session.get_one(Person, person.id), Purpose.PHOTO, voice=SELF)
    said = stand.said()
    with pytest.raises(Refused, match="撤回了拍照"), transaction():
        recording.record(made, said, by=actor_of(make.worker()), picture=Picture(b"", consented=True))


def pictured(make: Make, person: Person) -> None:
    worker = actor_of(make.worker())
    with transaction():
        made = planning.unplanned(listing.subject_of(db.session.get_one(Person, person.id)))
        recording.record(made, stand.said(), by=worker, picture=Picture(b"", consented=True))


def test_the_yes_to_the_first_photograph_is_kept_with_who_asked(make: Make):
    person = make.person()
    pictured(make, person)
    row = db.session.scalars(sa.select(Consent)).one()
    assert (row.purpose, row.channel, row.operator != "") == (Purpose.PHOTO, Channel.COUNTER, True)
    assert consents.allows(make.read(person), Purpose.PHOTO)
    with transaction():
        consents.said_yes_at_home(db.session.get_one(Person, person.id), Purpose.PHOTO, by=actor_of(make.worker()))
    assert len(db.session.scalars(sa.select(Consent)).all()) == 1


def test_a_childs_photograph_needs_a_guardian_who_is_known(make: Make):
    child = make.person("李小宝", born=today() - timedelta(days=365 * 6))
    with pytest.raises(Refused, match="监护人"):
        pictured(make, child)
    mother = make.person("李红", born=date(1990, 1, 1))
    with transaction():
        db.session.get_one(Person, child.id).guardian_id = mother.id
    pictured(make, child)
    assert db.session.scalars(sa.select(Consent)).one().guardian == "李红"


# Closing.


def closed(make: Make, person: Person | None) -> tuple[Account, RightsRequest]:
    account = make.resident(person)
    actor = actor_of(account)
    with transaction():
        request = closing.ask(actor, voice=Voice(Channel.SELF, actor.public_id, actor.name))
    return account, request


def test_an_account_is_closed_for_good_on_its_day_and_not_before(make: Make):
    person = make.person()
    account, request = closed(make, person)
    jobs.close_accounts()
    assert make.read(account).disabled_at is None
    with transaction():
        db.session.get_one(RightsRequest, request.id).due_on = today()
    jobs.close_accounts()
    account = make.read(account)
    claim = db.session.scalars(sa.select(Claim)).one()
    assert (account.name, account.phone, account.password_hash) == ("已注销", None, "!")
    assert account.disabled_at is not None
    assert (claim.state, claim.id_number, claim.name) == (ClaimState.REFUSED, "", "已注销")
    assert make.read(person).name == "王秀英"
    assert make.read(request).state is RightState.GRANTED


def test_a_closing_taken_back_is_never_done(make: Make):
    account, request = closed(make, make.person())
    with transaction():
        closing.take_back(actor_of(account))
        db.session.get_one(RightsRequest, request.id).due_on = today()
    jobs.close_accounts()
    assert make.read(account).disabled_at is None
    assert make.read(request).state is RightState.WITHDRAWN


def test_an_account_of_nobody_is_closed_too(make: Make):
    account, request = closed(make, None)
    with transaction():
        db.session.get_one(RightsRequest, request.id).due_on = today()
    with force_locale("en"):
        jobs.close_accounts()
    assert make.read(account).name == "已注销"


def test_a_closed_telephone_may_register_again(make: Make):
    account, request = closed(make, make.person())
    with transaction():
        db.session.get_one(RightsRequest, request.id).due_on = today()
    phone = account.phone or ""
    jobs.close_accounts()
    assert make.resident(phone=phone).id != account.id


def test_asking_ends_the_other_sessions(make: Make, app):
    account = make.resident(make.person())
    for _browser in range(2):
        app.test_client().sign_in(account)
    signed = db.session.scalars(sa.select(SignedSession).order_by(SignedSession.id)).all()
    actor = Actor(account.id, account.public_id, account.name, account.platform, (), signed[0].id, now())
    with transaction():
        closing.ask(actor, voice=SELF)
    assert [make.read(one).ended_at is None for one in signed] == [True, False]
