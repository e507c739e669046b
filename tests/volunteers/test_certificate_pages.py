"""Who certifies is named as the paper will name it, before there is a paper too."""

from datetime import timedelta

from portal.core.clock import today
from portal.core.db import transaction
from portal.volunteers.service import certificates
from tests.helping import Helping
from tests.volunteers.recorded import given


def test_a_certificate_that_waits_names_the_committee_and_not_the_place(make, client):
    person = make.person("王秀英")
    volunteer = Helping(make).volunteer(person)
    given(make, volunteer)
    with transaction() as session:
        who = session.merge(volunteer)
        (organiser,) = certificates.organisers_of(who)
        span = today() - timedelta(days=30), today()
        asked = certificates.ask(who, organiser, *span, use="求职", with_number=False)
        key, name = asked.public_id, organiser.name
    desk = client.application.test_client().sign_in(make.worker())
    assert name.endswith("居民委员会")
    for address in ("/desk/volunteers/certificates", f"/desk/volunteers/certificates/{key}"):
        assert name in desk.get(address).text, address
    client.sign_in(make.resident(person))
    assert name in client.get("/volunteers/certificates").text
