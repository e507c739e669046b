"""What is ticked when an account is registered: whose yes it is, and what a later no or a child's age makes of it."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.registry.models import Consent, Person, Purpose
from portal.registry.service import consents
from tests.identity.telephone import Telephone
from tests.make import Make
from tests.registry.rights_stand import SELF
from tests.registry.test_claims import register, typed


@pytest.fixture
def telephone(app):
    held = app.extensions["portal.sms"]
    yield Telephone(app)
    app.extensions["portal.sms"] = held


def test_a_no_to_what_an_account_had_given_keeps_a_register_from_bringing_it_back(make: Make):
    person = make.person(diet="low_salt")
    account = make.resident(person)
    with transaction():
        consents.at_registration(db.session.merge(account), now(), also=("health",))
    assert consents.allows(make.read(person), Purpose.HEALTH)
    moment = now()
    with transaction() as session:
        consents.withdraw(session.get_one(Person, person.id), Purpose.HEALTH, voice=SELF)
        session.execute(sa.update(Person).values(diet="soft", updated_at=moment))
        consents.keep_refusals(moment)
    assert make.read(person).diet is None


def test_a_no_at_the_counter_ends_with_the_yes_of_a_registration_and_nothing_later_erases(make: Make):
    """The tick of a registration has no person yet: it is hers as soon as the account is."""
    person = make.person()
    with transaction() as session:
        consents.withdraw(session.get_one(Person, person.id), Purpose.HEALTH, voice=SELF)
    account = make.resident(person)
    with transaction() as session:
        consents.at_registration(db.session.merge(account), now(), also=("health",))
    moment = now()
    with transaction() as session:
        session.execute(sa.update(Person).values(diet="soft", updated_at=moment))
        consents.keep_refusals(moment)
    assert make.read(person).diet == "soft"


def test_the_ticks_of_a_registration_are_lines_of_their_own_and_no_other_purpose_slips_in(make: Make):
    account = make.resident()
    with transaction():
        consents.at_registration(db.session.merge(account), now(), also=("news", "sharing", "nonsense"))
    purposes = db.session.scalars(sa.select(Consent.purpose).order_by(Consent.id)).all()
    assert purposes == [Purpose.ID_NUMBER, Purpose.NEWS]


def test_a_child_who_registers_says_no_yes_that_is_her_guardians(make: Make):
    """Under fourteen her own tick is none; from the birthday on it is, and so is that of who has no such number."""

    def born(years: int) -> str:
        return make.id_number(today() - timedelta(days=years * 366))

    for number, lines in ((born(13), 1), (born(15), 3), ("E12345678", 3)):
        account = make.resident()
        with transaction():
            consents.at_registration(db.session.merge(account), now(), also=("health", "news"), number=number)
        hers = sa.select(sa.func.count(Consent.id)).where(Consent.account_id == account.id)
        assert db.session.scalar(hers) == lines


def test_a_registration_leaves_a_line_in_the_ledger(make: Make):
    account = make.resident()
    with transaction():
        consents.at_registration(db.session.merge(account), now())
    assert db.session.scalars(sa.select(Consent)).one().purpose is Purpose.ID_NUMBER


@pytest.mark.parametrize(("years", "kept"), [(13, []), (15, [Purpose.HEALTH])])
def test_on_the_page_too_a_childs_tick_is_none(client, make, telephone, years, kept):
    number = make.id_number(today() - timedelta(days=years * 366))
    register(client, telephone, typed(make, id_number=number, also=["health"]))
    assert db.session.scalars(sa.select(Consent.purpose).order_by(Consent.id)).all() == [Purpose.ID_NUMBER, *kept]
