"""Somebody claims to be a person whom no register holds: she is registered first, then confirmed."""

from portal.core.db import db
from portal.registry.models import ClaimState
from tests.registry.test_claims import only_claim, waiting


def test_who_is_in_no_register_is_added_from_the_claim_and_then_confirmed_on_it(make, client):
    """The page says to register the resident first, so it leads there."""
    number, worker = make.id_number(), make.worker()
    claim = waiting(make, id_number=number)
    client.sign_in(worker)
    there = f"/desk/people/claims/{claim.public_id}"
    assert 'href="/desk/people/new"' in client.get(there).text.split("<main")[1]
    person = make.person(name="王秀英", id_number=number)
    client.post(there, data={"person": person.public_id})
    db.session.rollback()
    assert (only_claim().state, only_claim().person_id) == (ClaimState.CONFIRMED, person.id)
