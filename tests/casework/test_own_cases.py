"""A resident's own requests: who sees them, urging, adding, withdrawing, following."""

import io
from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.casework.models.cases import Case, CaseFollower
from portal.casework.models.codes import Against, CaseState
from portal.casework.service import asking, following, moves, naming
from portal.core import clock
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.identity.permissions import Role
from portal.notifications import wording
from portal.registry.models import Organisation, OrganisationKind, Staff, StaffKind
from tests.acting import actor_of
from tests.casework.asked import Street, jpeg, page, street, told
from tests.client import Client
from tests.counting import count_queries
from tests.make import Make

S = CaseState


@pytest.fixture
def place(make: Make) -> Street:
    return street(make)


def test_a_neighbours_case_is_not_there_whatever_is_asked_of_it(place: Street, client: Client) -> None:
    case = place.sent(place.resident(room="101"))
    client.sign_in(place.resident("李小红", "102").account)
    for path in ("", "/sent", "/add", "/withdraw", "/reopen", "/followed", "/photos/abc"):
        assert client.get(f"/cases/{case.public_id}{path}").status_code == 404, path
    for path in ("", "/urge", "/add", "/withdraw", "/reopen", "/unfollow"):
        assert (
            client.post(f"/cases/{case.public_id}{path}", data={"answer": "good", "why": "x", "words": "x"}).status_code
            == 404
        )


def test_a_case_can_be_urged_once_a_working_day(place: Street, client: Client) -> None:
    who, worker = place.resident(), place.make.worker()
    case = place.moved(place.sent(who), S.ACCEPTED, S.ASSIGNED, by=worker)
    client.sign_in(who.account)
    client.post(f"/cases/{case.public_id}/urge")
    assert [row.recipient_id for row in told("casework.urged")] == [worker.public_id]
    shown = page(client, f"/cases/{case.public_id}")
    assert "已经催过" in shown
    client.post(f"/cases/{case.public_id}/urge")
    assert len(told("casework.urged")) == 1
    assert "可以再催" in page(client, f"/cases/{case.public_id}")
    with transaction():
        found = db.session.get_one(Case, case.id)
        found.urged_at = clock.now() - timedelta(days=12)
    client.post(f"/cases/{case.public_id}/urge")
    assert db.session.get_one(Case, case.id).urges == 2


def test_what_nobody_has_yet_is_urged_with_the_dispatchers(place: Street) -> None:
    worker, who = place.make.worker(), place.resident()
    case = place.sent(who)
    with transaction():
        asking.urge(db.session.get_one(Case, case.id), by=moves.resident(actor_of(who.account)))
    assert [row.recipient_id for row in told("casework.urged")] == [worker.public_id]


def test_words_and_a_photograph_are_added_while_it_runs(place: Street, client: Client) -> None:
    who = place.resident()
    case = place.sent(who)
    client.sign_in(who.account)
    data = {"words": "今晚更黑了", "photo": (io.BytesIO(jpeg()), "b.jpg")}
    assert client.post(f"/cases/{case.public_id}/add", data=data).status_code == 303
    shown = page(client, f"/cases/{case.public_id}")
    assert "今晚更黑了" in shown
    assert "反映时的照片 1" in shown
    photo = db.session.get_one(Case, case.id).photos[0]
    assert client.get(f"/cases/{case.public_id}/photos/{photo.public_id}").mimetype == "image/jpeg"
    assert client.post(f"/cases/{case.public_id}/add", data={"words": ""}).status_code == 422


def test_an_answered_case_takes_no_more_words(place: Street, client: Client) -> None:
    who = place.resident()
    case = place.answered(place.sent(who), place.make.worker())
    client.sign_in(who.account)
    assert client.post(f"/cases/{case.public_id}/add", data={"words": "再说一句"}).status_code == 422
    assert client.post(f"/cases/{case.public_id}/withdraw", data={"why": "不要了"}).status_code == 422


def test_a_withdrawn_case_is_over_and_its_holder_is_told(place: Street, client: Client) -> None:
    who, worker = place.resident(), place.make.worker()
    case = place.moved(place.sent(who), S.ACCEPTED, S.ASSIGNED, by=worker)
    client.sign_in(who.account)
    assert client.post(f"/cases/{case.public_id}/withdraw", data={"why": ""}).status_code == 422
    assert client.post(f"/cases/{case.public_id}/withdraw", data={"why": "自己修好了"}).status_code == 303
    assert db.session.get_one(Case, case.id).state is S.WITHDRAWN
    assert [row.recipient_id for row in told("casework.over")] == [worker.public_id]


def test_followers_hear_of_the_answer_and_may_stop(place: Street, client: Client) -> None:
    who, other = place.resident(room="101"), place.resident("李小红", "102")
    case = place.sent(who)
    with transaction():
        following.follow(case, other.person)
        following.follow(case, other.person)
    place.answered(case, place.make.worker())
    assert [row.recipient_id for row in told("casework.followed")] == [other.person.public_id]
    client.sign_in(other.account)
    assert "我关注的" in page(client, "/cases/")
    assert client.post(f"/cases/{case.public_id}/unfollow").status_code == 303
    assert db.session.scalar(sa.select(sa.func.count(CaseFollower.id))) == 0
    assert client.get(f"/cases/{case.public_id}/followed").status_code == 404


def test_a_list_of_many_cases_asks_few_questions(place: Street, client: Client) -> None:
    who = place.resident()
    for turn in range(6):
        place.sent(who, f"第 {turn} 盏路灯不亮了")
    client.sign_in(who.account)
    page(client, "/cases/")
    with count_queries() as asked:
        page(client, "/cases/")
    assert len(asked) <= 8, asked


def test_every_notice_has_words(place: Street) -> None:
    facts = {
        "number": "ABCD",
        "words": "话",
        "due": "2026-11-25",
        "holder": "王建国",
        "path": "/x",
        "address": "http://x",
        "category": "路灯",
        "state": "answered",
    }
    names = "sent accepted declined signed paused answered redo merged followed arrived returned given to_redo"
    for name in [*names.split(), "over", "urged", "added", "still_bad"]:
        words = wording.words_for(f"casework.{name}", facts)
        assert "ABCD" in words.title, name
        assert words.body, name


def hidden(place: Street, **more: object) -> Case:
    return place.sent(place.resident(), "物业报修没人管", "repair", hide_name=True, **more)


def test_a_hidden_name_is_read_by_dispatchers_alone(place: Street) -> None:
    case = hidden(place)
    dispatcher, grid = place.make.worker(), place.make.worker(Role.GRID_WORKER)
    assert naming.reporter_name(case, actor_of(dispatcher)) == "王秀英"
    assert naming.reporter_name(case, actor_of(grid)) == ""
    assert naming.reporter_phone(case, actor_of(grid)) == ""
    street_one = place.make.worker(Role.STREET_ADMINISTRATOR)
    assert naming.reporter_name(case, actor_of(street_one)) == ""


def test_the_party_complained_of_never_reads_the_name_though_she_dispatches(place: Street) -> None:
    dispatcher = place.make.worker()
    case = hidden(place, against=Against.WORKER, against_worker=dispatcher.public_id)
    assert naming.reporter_name(case, actor_of(dispatcher)) == ""
    other = hidden(place, against=Against.WORKER, against_worker=place.make.worker(name="别人").public_id)
    assert naming.reporter_name(other, actor_of(dispatcher)) == "王秀英"
    committee = hidden(place, against=Against.COMMITTEE)
    assert naming.reporter_name(committee, actor_of(dispatcher)) == ""


def test_who_works_for_the_company_complained_of_does_not_read_the_name(place: Street) -> None:
    company = place.make.add(
        Organisation(community_id=place.make.community().id, name="安居物业", kind=OrganisationKind.PROPERTY)
    )
    insider = place.make.worker(name="钱管家")
    staff = Staff(
        community_id=place.make.community().id, name="钱管家", kind=StaffKind.PROPERTY, organisation_id=company.id
    )
    place.make.add(staff)
    case = hidden(place, against=Against.ORGANISATION, against_organisation_id=company.id)
    assert naming.reporter_name(case, actor_of(insider)) == ""
    assert naming.reporter_name(case, actor_of(place.make.worker())) == "王秀英"


def test_a_name_that_is_not_hidden_is_read_by_who_works_on_it(place: Street) -> None:
    case = place.sent(place.resident())
    assert naming.reporter_name(case, actor_of(place.make.worker(Role.GRID_WORKER))) == "王秀英"


def test_what_the_notice_of_a_closed_case_says_is_refused_to_urge(place: Street) -> None:
    who = place.resident()
    case = place.answered(place.sent(who), place.make.worker())
    with transaction(), pytest.raises(Refused, match="不用再催"):
        asking.urge(db.session.get_one(Case, case.id), by=moves.resident(actor_of(who.account)))
