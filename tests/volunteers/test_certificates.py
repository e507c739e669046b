"""Certificates: of one organiser's hours, with a notice where set, frozen, verified by everybody, revoked at once."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine

from portal.core import ids, settings
from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.registry.models import Organisation
from portal.registry.models.resources import OrganisationKind
from portal.volunteers import record_jobs
from portal.volunteers.models.codes import CertificateState
from portal.volunteers.models.records import ServiceCertificate, ServiceRecord
from portal.volunteers.service import certificate_paper, certificates, recording, signup_words
from tests.counting import count_queries
from tests.helping import Helping
from tests.volunteers.recorded import ago, facts, given, told, worker_of


@pytest.fixture(autouse=True)
def paper(monkeypatch):
    """Papers of these tests are drawn by nobody; test_certificate_pdf draws them."""
    monkeypatch.setattr(certificate_paper, "drawn", lambda _said: b"%PDF-1.7 a paper")


def asked(volunteer, *, key: int = 0, days: int = 30, **more) -> ServiceCertificate:
    with transaction() as session:
        who = session.merge(volunteer)
        organiser = certificates.organisers_of(who)[key]
        said = {"use": "求职", "with_number": False} | more
        return certificates.ask(who, organiser, today() - timedelta(days=days), today(), **said)


def issued(certificate, by) -> ServiceCertificate:
    with transaction() as session:
        row = session.merge(certificate)
        certificates.issue(row, responsible="张主任", contact="0571-88880000", by=by)
    return fresh(certificate)


def fresh(certificate) -> ServiceCertificate:
    db.session.rollback()
    return db.session.get_one(ServiceCertificate, certificate.id, populate_existing=True)


def test_each_organiser_certifies_its_own_hours_alone(make):
    volunteer, by = Helping(make).volunteer(), worker_of(make)
    body = make.add(Organisation(community_id=make.community().id, name="向阳社工站", kind=OrganisationKind.SOCIAL))
    given(make, volunteer, facts(ago(3), hours=3))
    given(make, volunteer, facts(ago(4), hours=1), organisation=body)
    given(make, volunteer, facts(ago(5), hours=2), community=make.community("秋水社区"))
    with transaction():
        found = certificates.organisers_of(db.session.merge(volunteer))
        assert [(one.name, one.minutes) for one in found] == [
            ("春风里社区居民委员会", 180),
            ("秋水社区居民委员会", 120),
            ("向阳社工站", 60),
        ]
    own, theirs = issued(asked(volunteer), by), issued(asked(volunteer, key=2), by)
    assert (own.minutes, own.facts["organiser"]) == (180, "春风里社区居民委员会")
    assert (theirs.minutes, theirs.facts["organiser"]) == (60, "向阳社工站")


def test_only_the_days_asked_for_are_certified(make):
    volunteer, by = Helping(make).volunteer(), worker_of(make)
    given(make, volunteer, facts(ago(3)))
    given(make, volunteer, facts(ago(40)))
    assert issued(asked(volunteer), by).minutes == 120


def test_days_without_service_are_refused_in_words(make):
    volunteer = Helping(make).volunteer()
    given(make, volunteer, facts(ago(40)))
    with pytest.raises(Refused, match="没有这个单位的服务记录"):
        asked(volunteer)


def test_the_same_wish_waits_once(make):
    volunteer = Helping(make).volunteer()
    given(make, volunteer)
    asked(volunteer)
    with pytest.raises(Refused, match="已经申请过"):
        asked(volunteer)


def test_what_it_says_is_frozen_when_it_is_issued(make):
    volunteer, by = Helping(make).volunteer(make.person("王秀英")), worker_of(make)
    made = given(make, volunteer)
    certificate = issued(asked(volunteer), by)
    assert certificate.state is CertificateState.ISSUED
    assert certificate.facts["name"] == "王秀英"
    assert "*" in certificate.facts["id_masked"]
    assert certificate.id_number is None
    assert (certificate.responsible, certificate.contact, certificate.issued_by_name) == (
        "张主任",
        "0571-88880000",
        "周洁",
    )
    with transaction() as session:
        recording.void(session.get_one(ServiceRecord, made.id), seen=1, reason="重复", by="周洁")
    certificate = fresh(certificate)
    assert certificate.minutes == 120
    assert certificates.has_void(certificate)


def test_the_whole_number_is_on_it_only_where_she_wished_so(make):
    volunteer, by = Helping(make).volunteer(), worker_of(make)
    given(make, volunteer)
    certificate = issued(asked(volunteer, with_number=True), by)
    assert certificate.id_number == volunteer.person.id_number
    assert volunteer.person.id_number not in str(certificate.facts)


def test_numbers_run_on_within_a_community_and_a_year(make):
    by = worker_of(make)
    numbers = []
    for _turn in range(2):
        volunteer = Helping(make).volunteer()
        given(make, volunteer)
        numbers.append(issued(asked(volunteer), by).number)
    head = f"ZY{make.community().code[-6:]}{today().year}"
    assert numbers == [f"{head}00001", f"{head}00002"]


def with_notice(days: int) -> None:
    with transaction():
        settings.put(certificates.NOTICE, days, valid_from=today(), by="street")


def test_with_a_notice_it_is_issued_by_itself_after_the_last_day(make, client):
    volunteer, by = Helping(make).volunteer(make.person("王秀英")), worker_of(make)
    given(make, volunteer)
    with_notice(7)
    certificate = issued(asked(volunteer), by)
    assert (certificate.state, certificate.notice_until) == (CertificateState.NOTICED, today() + timedelta(days=7))
    page = client.get(f"/volunteers/published?community={make.community().code}").get_data(as_text=True)
    assert "王*" in page
    assert "王秀英" not in page
    with time_machine.travel(now() + timedelta(days=7)):
        record_jobs.end_notices()
        with transaction():
            certificates.finish_notice(certificate.id)
        assert fresh(certificate).state is CertificateState.NOTICED
    with time_machine.travel(now() + timedelta(days=8)):
        record_jobs.end_notices()
    certificate = fresh(certificate)
    assert certificate.state is CertificateState.ISSUED
    assert certificate.number
    assert [event for event in ("certificate_noticed", "certificate_issued") if told(event)] == [
        "certificate_noticed",
        "certificate_issued",
    ]


def test_a_notice_whose_records_are_gone_ends_in_a_refusal(make):
    volunteer, by = Helping(make).volunteer(), worker_of(make)
    made = given(make, volunteer)
    with_notice(7)
    certificate = issued(asked(volunteer), by)
    with transaction() as session:
        recording.void(session.get_one(ServiceRecord, made.id), seen=1, reason="虚报", by="周洁")
    with time_machine.travel(now() + timedelta(days=8)):
        record_jobs.end_notices()
    assert fresh(certificate).state is CertificateState.REFUSED


def test_two_workers_do_not_issue_one_certificate_twice(make):
    volunteer, by = Helping(make).volunteer(), worker_of(make)
    given(make, volunteer)
    certificate = asked(volunteer)
    number = issued(certificate, by).number
    with pytest.raises(Refused, match="已经办理过"):
        issued(certificate, by)
    with transaction() as session:
        # As who read it before the other was done.
        row = session.get_one(ServiceCertificate, certificate.id)
        sa.orm.attributes.set_committed_value(row, "state", CertificateState.REQUESTED)
        with pytest.raises(Refused, match="刚才被别人办理过"):
            certificates.issue(row, responsible="李主任", contact="1", by=by)
        session.rollback()
    assert fresh(certificate).number == number


def verified(client, certificate, code=None):
    code = certificate.code if code is None else code
    return client.get(f"/volunteers/verify/{certificate.number}?code={code}")


def test_everybody_verifies_and_sees_the_least(make, client):
    volunteer, by = Helping(make).volunteer(make.person("王秀英")), worker_of(make)
    given(make, volunteer)
    certificate = issued(asked(volunteer), by)
    answer = verified(client, certificate)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    for words in (certificate.number, "王*英", "2.0 小时", "春风里社区居民委员会", "这份证明有效"):
        assert words in page
    for hidden in ("王秀英", volunteer.number, certificate.facts["id_masked"], "求职", "老人送餐"):
        assert hidden not in page


def test_an_unknown_number_and_a_wrong_code_are_answered_alike(make, client):
    volunteer, by = Helping(make).volunteer(), worker_of(make)
    given(make, volunteer)
    certificate = issued(asked(volunteer), by)
    another = ids.short_code(10)
    wrong = verified(client, certificate, another)
    unknown = client.get(f"/volunteers/verify/ZY99999999999?code={another}")
    without = verified(client, certificate, "")
    assert wrong.status_code == unknown.status_code == without.status_code == 404
    strip = [one.get_data(as_text=True).split("<main")[1].split("</main")[0] for one in (wrong, unknown, without)]
    assert strip[0] == strip[1] == strip[2]


def test_who_asks_too_often_is_slowed_down(make, client):
    for _turn in range(30):
        client.get("/volunteers/verify/ZY1?code=2")
    assert client.get("/volunteers/verify/ZY1?code=2").status_code == 429


def test_a_revoked_certificate_says_so_at_once_and_is_handed_out_no_more(make, client):
    person = make.person("王秀英")
    volunteer, worker = Helping(make).volunteer(person), make.worker()
    given(make, volunteer)
    certificate = asked(volunteer)
    desk = client.application.test_client().sign_in(worker)
    base = f"/desk/volunteers/certificates/{certificate.public_id}"
    assert "1 条记录，2.0 小时" in desk.get(f"{base}/issue").get_data(as_text=True)
    assert desk.post(f"{base}/issue", data={"responsible": "张主任", "contact": ""}).status_code == 422
    assert desk.post(f"{base}/issue", data={"responsible": "张主任", "contact": "88880000"}).status_code == 303
    client.sign_in(make.resident(person))
    mine = f"/volunteers/certificates/{certificate.public_id}/file"
    assert client.get(mine).data.startswith(b"%PDF")
    certificate = fresh(certificate)
    assert desk.post(f"{base}/revoke", data={"reason": ""}).status_code == 422
    assert desk.post(f"{base}/revoke", data={"reason": "服务时间重复计算"}).status_code == 303
    page = verified(client, certificate).get_data(as_text=True)
    assert f"已于 {signup_words.long_day(today())} 撤销" in page
    assert "服务时间重复计算" in page
    assert client.get(mine).status_code == 404
    assert told("certificate_revoked")[0]["reason"] == "服务时间重复计算"


def test_nobody_takes_a_neighbours_certificate(make, client):
    volunteer, by = Helping(make).volunteer(), worker_of(make)
    given(make, volunteer)
    certificate = issued(asked(volunteer), by)
    neighbour = make.person("李小红")
    Helping(make).volunteer(neighbour)
    client.sign_in(make.resident(neighbour))
    assert client.get(f"/volunteers/certificates/{certificate.public_id}/file").status_code == 404
    desk = client.application.test_client().sign_in(make.worker(scope=make.community("秋水社区")))
    base = f"/desk/volunteers/certificates/{certificate.public_id}"
    for path in ("", "/issue", "/revoke"):
        assert desk.get(f"{base}{path}").status_code == 404
    assert desk.post(f"{base}/file").status_code == 404


def test_a_resident_asks_once_and_reads_what_became_of_it(make, client):
    person = make.person("王秀英")
    volunteer = Helping(make).volunteer(person)
    client.sign_in(make.resident(person))
    assert "还没有可以证明的服务时间" in client.get("/volunteers/certificates").get_data(as_text=True)
    given(make, volunteer)
    page = client.get("/volunteers/certificates/ask").get_data(as_text=True)
    idem = page.split('name="idem"')[1].split('value="')[1].split('"')[0]
    said = {
        "organiser": f"{make.community().id}-0",
        "first_day": str(today() - timedelta(days=30)),
        "last_day": str(today()),
        "use": "求职",
        "idem": idem,
    }
    for _click in range(2):
        assert client.post("/volunteers/certificates/ask", data=said).status_code == 303
    (made,) = db.session.scalars(sa.select(ServiceCertificate)).all()
    desk = client.application.test_client().sign_in(make.worker())
    base = f"/desk/volunteers/certificates/{made.public_id}"
    assert desk.post(f"{base}/refuse", data={"reason": "请先更正记录"}).status_code == 303
    assert "请先更正记录" in client.get("/volunteers/certificates").get_data(as_text=True)


def test_issuing_asks_for_the_password_anew(make, client):
    volunteer = Helping(make).volunteer()
    given(make, volunteer)
    certificate = asked(volunteer)
    client.sign_in(make.worker())
    with time_machine.travel(now() + timedelta(minutes=6)):
        answer = client.get(f"/desk/volunteers/certificates/{certificate.public_id}/issue")
    assert answer.status_code == 303
    assert "confirm" in answer.location


def test_the_lists_ask_few_questions(make, client):
    for _turn in range(6):
        volunteer = Helping(make).volunteer()
        given(make, volunteer)
        asked(volunteer)
    client.sign_in(make.worker())
    client.get("/desk/volunteers/certificates")
    with count_queries() as questions:
        client.get("/desk/volunteers/certificates")
    assert len(questions) <= 8
