"""The paper: its font stands in the file, its text can be taken out whole, and what the font lacks is said, not left
blank.
"""

import hashlib
import io
import json
import subprocess
import sys
from pathlib import Path

import pypdf
import pytest
import sqlalchemy as sa

from portal.core.db import db, transaction
from portal.registry.models import Person
from portal.volunteers import record_jobs
from portal.volunteers.models.codes import CertificateState
from portal.volunteers.models.records import ServiceCertificate
from portal.volunteers.service import certificate_drawing, certificate_paper, certificates
from tests.helping import Helping
from tests.volunteers.recorded import ago, facts, given, told, worker_of
from tests.volunteers.test_certificates import asked, fresh, issued

ROOT = Path(__file__).resolve().parents[2]
FONT = ROOT / "static" / certificate_paper.FONT
RARE = "王㛃𬘡龘"
# A sign of Extension G, which few fonts have.
NOT_IN_THE_FONT = "\U00030000"


def text_of(body: bytes) -> str:
    """The words of a PDF. The reader takes each half of a sign's two bytes for a sign: the empty halves are left out,
    and the spaces that it guesses between Chinese signs.
    """
    pages = pypdf.PdfReader(io.BytesIO(body)).pages
    return "".join("".join(page.extract_text() for page in pages).replace("\0", "").split())


def paper_of(certificate: ServiceCertificate) -> bytes:
    return certificate_paper.body_of(fresh(certificate))


@pytest.fixture
def certificate(make) -> ServiceCertificate:
    volunteer = Helping(make).volunteer(make.person(RARE), number="V00000012")
    given(make, volunteer)
    return issued(asked(volunteer), worker_of(make))


def test_the_text_comes_out_whole_with_its_rare_signs(certificate):
    body = paper_of(certificate)
    assert body.startswith(b"%PDF-")
    text = text_of(body)
    hours = "累计服务时间2.0小时"
    for words in (
        "志愿服务记录证明",
        RARE,
        "V00000012",
        hours,
        "春风里社区居民委员会（盖章）",
        "张主任",
        "0571-88880000",
    ):
        assert words in text
    for words in (
        fresh(certificate).number,
        fresh(certificate).code,
        "老人送餐",
        "把午餐送到行动不便的老人家中",
        "求职",
    ):
        assert words in text
    for part in ("一、志愿者", "二、服务时间和内容", "三、出具单位", "四、证明"):
        assert part in text


def test_what_was_written_in_several_lines_stands_in_one_and_two_days_in_two(make):
    volunteer = Helping(make).volunteer()
    for days in (5, 3):
        given(make, volunteer, facts(ago(days), content="一、取餐\r\n二、送到家\t三、回访"))
    certificate = issued(asked(volunteer), worker_of(make))
    assert fresh(certificate).fault == ""
    assert "一、取餐二、送到家三、回访" in text_of(paper_of(certificate))
    (row,) = certificate_paper.content(fresh(certificate), font=FONT, address=lambda *_said: "")["rows"]
    assert row[1] == "一、取餐 二、送到家 三、回访"
    assert [line[-1] for line in row[2].split("\n")] == ["至", "日"]


def test_the_number_of_the_document_is_masked_unless_she_wished_it_whole(make):
    volunteer, by = Helping(make).volunteer(), worker_of(make)
    given(make, volunteer)
    number = volunteer.person.id_number
    masked = issued(asked(volunteer), by)
    assert number not in text_of(paper_of(masked))
    assert masked.facts["id_masked"] in text_of(paper_of(masked))
    whole = issued(asked(volunteer, with_number=True), by)
    assert number in text_of(paper_of(whole))


def test_every_font_of_the_paper_stands_in_the_file_and_is_a_part_of_ours(certificate):
    body = paper_of(certificate)
    fonts = pypdf.PdfReader(io.BytesIO(body)).pages[0]["/Resources"]["/Font"]
    for name in fonts:
        descended = fonts[name]["/DescendantFonts"][0].get_object()["/FontDescriptor"]
        assert "PortalSansSC" in descended["/FontName"]
        assert len(descended["/FontFile3"].get_object().get_data()) > 1000
    assert len(body) < 120_000


def test_a_sign_that_the_font_lacks_is_named_and_the_certificate_waits(make, client):
    worker = make.worker()
    person = make.person(f"李{NOT_IN_THE_FONT}")
    volunteer = Helping(make).volunteer(person)
    given(make, volunteer)
    made = asked(volunteer)
    desk = client.application.test_client().sign_in(worker)
    base = f"/desk/volunteers/certificates/{made.public_id}"
    assert desk.post(f"{base}/issue", data={"responsible": "张主任", "contact": "88880000"}).status_code == 303
    certificate = fresh(made)
    assert (certificate.state, certificate.made_at) == (CertificateState.ISSUED, None)
    assert NOT_IN_THE_FONT in certificate.fault
    assert "U+30000" in certificate.fault
    assert told("certificate_stuck")[0]["fault"] == certificate.fault
    assert certificates.paper_of(certificate) is None
    assert certificate.fault in desk.get(base).get_data(as_text=True)
    client.sign_in(make.resident(person))
    assert client.get(f"/volunteers/certificates/{made.public_id}/file").status_code == 404
    with transaction() as session:
        session.get_one(Person, person.id).name = "李明"
    assert desk.post(f"{base}/remake").status_code == 303
    assert "李明" in text_of(client.get(f"/volunteers/certificates/{made.public_id}/file").data)


def test_a_paper_that_the_queue_lost_is_made_by_the_sweep(make, monkeypatch):
    volunteer, by = Helping(make).volunteer(), worker_of(make)
    given(make, volunteer)
    with monkeypatch.context() as away:
        away.setattr(certificates.jobs, "enqueue", lambda *_name, **_facts: None)
        certificate = issued(asked(volunteer), by)
    assert fresh(certificate).made_at is None
    record_jobs.make_papers()
    assert fresh(certificate).made_at is not None


def test_the_paper_is_sealed_where_it_is_kept(certificate):
    raw = db.session.execute(sa.text("SELECT body FROM service_certificate_paper")).scalar_one()
    assert b"JVBERi0" not in bytes(raw)


def test_many_activities_go_on_a_second_page(certificate):
    said = certificate_paper.content(
        fresh(certificate), font=FONT, address=lambda number, code: f"https://portal.example/{number}?{code}"
    )
    said["rows"] = [
        [f"活动{turn:02d}", "做了许多事情" * 6, "2026-09-01 至 2026-11-20", "8", "16.0"] for turn in range(30)
    ]
    body = certificate_paper.drawn(said)
    assert len(pypdf.PdfReader(io.BytesIO(body)).pages) > 1
    assert all(f"活动{turn:02d}" in text_of(body) for turn in range(30))


def test_the_font_is_the_one_that_is_pinned_and_small_enough():
    (pinned,) = [
        one for one in json.loads((ROOT / "static/vendor/vendor.json").read_text()) if one["name"] == "noto-sans-cjk-sc"
    ]
    assert hashlib.sha256(FONT.read_bytes()).hexdigest() == pinned["sha256"]
    assert FONT.stat().st_size < 9_000_000
    assert "SIL OPEN FONT LICENSE" in (ROOT / "static" / pinned["licence_file"]).read_text()


def test_the_portal_itself_never_loads_what_draws():
    asks = "import sys, portal.app; sys.exit(any(name in sys.modules for name in ('fpdf', 'fontTools')))"
    assert subprocess.run([sys.executable, "-c", asks], cwd=ROOT, check=False).returncode == 0


def test_no_line_begins_with_a_comma_nor_ends_with_an_opening_bracket():
    sheet = certificate_drawing.Sheet("")
    sheet.add_font(certificate_drawing.FAMILY, fname=str(FONT))
    sheet.set_font(certificate_drawing.FAMILY, size=12)
    for cut in range(1, 40):
        text = "志愿者" * cut + "，参加了（老人送餐）、《探访》，共 2.0 小时。" * 3
        lines = certificate_drawing._broken(sheet, 60, text)
        assert "".join(lines) == text
        assert not [line for line in lines if line[0] in certificate_drawing.NOT_FIRST]
        assert not [line for line in lines[:-1] if line[-1] in certificate_drawing.NOT_LAST]
        assert all(sheet.get_string_width(line) <= 60 for line in lines)
