"""Days on the pages and in the notices of records, certificates and stars stand as everywhere else: 2026年11月20日,
never 2026-11-20.
"""

import re

import pytest

from portal.core.clock import today
from portal.notifications import wording
from portal.volunteers.models.records import Star
from portal.volunteers.service import certificate_paper, record_telling
from tests.helping import Helping
from tests.volunteers.recorded import attended, given, told, worker_of
from tests.volunteers.test_certificate_pdf import FONT
from tests.volunteers.test_certificates import asked, fresh, issued
from tests.volunteers.test_earning import recorded

ISO = re.compile(r"\d{4}-\d{2}-\d{2}")
MONTH = re.compile(r"\d{4}-\d{2}")
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


RECORDS = ("record_made", "record_changed", "record_voided")


@pytest.mark.parametrize("event", [*RECORDS, "certificate_noticed", "star_published"])
def test_no_notice_about_a_record_writes_a_day_in_figures_alone(app, known, event):
    volunteer, record, certificate = known
    topic = f"volunteers.{event}"
    if event in RECORDS:
        record_telling.tell(topic, record, reason="核对过")
    elif event == "star_published":
        record_telling.tell_star(topic, Star(volunteer=volunteer, level=1, published_until=today()))
    else:
        certificate.notice_until = today()
        record_telling.tell_certificate(topic, certificate)
    with app.test_request_context():
        found = wording.words_for(topic, told(event)[-1])
    assert ISO.search(found.line) is None, found.line
    assert "年" in found.body
    assert "%(" not in found.line


def test_no_page_of_points_writes_a_day_or_a_month_in_figures_alone(make, client):
    volunteer = Helping(make).volunteer(make.person("王秀英"))
    recorded(make, volunteer)
    client.sign_in(make.resident(volunteer.person))
    pages = [client.get(f"/volunteers/points{page}").text for page in ("", "/published", "/published/print")]
    client.sign_in(make.worker())
    pages.append(client.get(f"/desk/volunteers/points/people/{volunteer.person.public_id}").text)
    for text in (TAGS.sub(" ", page) for page in pages):
        assert "年" in text
        assert MONTH.search(text) is None, MONTH.search(text)


def test_the_table_on_the_paper_writes_days_in_words(known):
    said = certificate_paper.content(fresh(known[2]), font=FONT, address=lambda number, code: f"{number}?{code}")
    assert said["rows"]
    for row in said["rows"]:
        assert "年" in row[2]
        assert ISO.search(row[2]) is None, row
