"""Days on the pages of records, certificates and stars stand as everywhere else: 2026年11月20日, never 2026-11-20."""

import re

import pytest

from tests.helping import Helping
from tests.volunteers.recorded import attended, given, worker_of
from tests.volunteers.test_certificates import asked, fresh, issued

ISO = re.compile(r"\d{4}-\d{2}-\d{2}")
TAGS = re.compile(r"<[^>]*>")


@pytest.fixture
def known(make, monkeypatch):
    volunteer = Helping(make).volunteer(make.person("王秀英"))
    record = given(make, volunteer)
    attended(make, volunteer, starts=None, hours=1)
    return volunteer, record, issued(asked(volunteer), worker_of(make))


@pytest.mark.parametrize("page", ["records", "records/due", "records/{record}", "certificates?tab=issued", "stars"])
def test_no_page_of_the_desk_writes_a_day_in_figures_alone(make, client, known, page):
    volunteer, record, _certificate = known
    client.sign_in(make.worker())
    text = TAGS.sub(" ", client.get(f"/desk/volunteers/{page.format(record=record.public_id)}").text)
    assert ISO.search(text) is None, ISO.search(text)
    assert volunteer.person.name in text or page == "stars"


def test_a_certificates_own_pages_write_days_in_words(make, client, known):
    volunteer, _record, certificate = known
    certificate = fresh(certificate)
    client.sign_in(make.worker())
    desk = client.get(f"/desk/volunteers/certificates/{certificate.public_id}").text
    client.sign_in(make.resident(volunteer.person))
    pages = [desk, client.get("/volunteers/certificates").text, client.get("/volunteers/hours").text]
    for text in (TAGS.sub(" ", page) for page in pages):
        assert "年" in text
        assert ISO.search(text) is None, ISO.search(text)
