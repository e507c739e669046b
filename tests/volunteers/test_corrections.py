"""Wishes: of one record or a missing one, answered field by field, told, withdrawn, nobody else's."""

from dataclasses import replace

import pytest
import sqlalchemy as sa

from portal.core.clock import local
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.volunteers.models.codes import CorrectionState, ServiceKind
from portal.volunteers.models.records import Correction, ServiceRecord
from portal.volunteers.service import corrections, recording
from tests.counting import count_queries
from tests.helping import Helping
from tests.volunteers.recorded import ago, facts, given, told, worker_of


def wish(volunteer, made, said, reason="实际做到十一点半") -> Correction:
    with transaction() as session:
        return corrections.ask(session.merge(volunteer), session.merge(made), said, reason=reason)


def answered(correction, taken, *, by, words="", **more) -> Correction:
    with transaction() as session:
        row = session.merge(correction)
        corrections.answer(row, taken, words=words, by=by, **more)
        return row


def the_record() -> ServiceRecord:
    db.session.rollback()
    return db.session.scalars(sa.select(ServiceRecord)).one()


def longer():
    return facts(ago(3, 9), hours=2.5, place="春风里小区", minutes=150)


def test_only_what_differs_is_wished(make):
    volunteer = Helping(make).volunteer()
    made = given(make, volunteer)
    asked = wish(volunteer, made, longer())
    assert set(asked.wishes) == {"ends_at", "minutes", "place"}
    assert asked.wishes["minutes"] == {"from": 120, "to": 150}


def test_a_wish_that_changes_nothing_is_refused(make):
    volunteer = Helping(make).volunteer()
    made = given(make, volunteer)
    with pytest.raises(Refused, match="没有要更正的内容"):
        wish(volunteer, made, recording.current_facts(made))


def test_one_wish_of_a_record_waits_at_a_time(make):
    volunteer = Helping(make).volunteer()
    made = given(make, volunteer)
    first = wish(volunteer, made, longer())
    with pytest.raises(Refused, match="已经有一份更正申请"):
        wish(volunteer, made, longer())
    with transaction() as session:
        corrections.withdraw(session.merge(first))
    wish(volunteer, made, longer())


def test_what_is_accepted_goes_into_the_record_and_what_is_not_says_why(make):
    volunteer, by = Helping(make).volunteer(), worker_of(make)
    made = given(make, volunteer)
    asked = wish(volunteer, made, longer())
    done = answered(asked, ["ends_at", "minutes"], words="地点以活动公告为准", by=by)
    record = the_record()
    assert (record.minutes, record.place, record.version) == (150, "春风里助餐点", 2)
    assert done.state is CorrectionState.ACCEPTED
    assert done.wishes["place"]["accepted"] is False
    assert done.wishes["place"]["why"] == "地点以活动公告为准"
    assert told("correction_answered") == [
        {
            "person": volunteer.person.name,
            "activity": "老人送餐",
            "accepted": 2,
            "refused": 1,
            "answer": "地点以活动公告为准",
        }
    ]


def test_refusing_a_field_asks_for_a_reason(make):
    volunteer, by = Helping(make).volunteer(), worker_of(make)
    asked = wish(volunteer, given(make, volunteer), longer())
    with pytest.raises(Refused, match="写明原因"):
        answered(asked, ["minutes"], by=by)


def test_fields_that_do_not_fit_together_are_refused_together(make):
    volunteer, by = Helping(make).volunteer(), worker_of(make)
    asked = wish(volunteer, given(make, volunteer), longer())
    with pytest.raises(Refused, match="不能超过活动的时长"):
        answered(asked, ["minutes"], words="时间不变", by=by)
    assert db.session.merge(asked).state is CorrectionState.ASKED


def test_an_answer_is_given_once(make):
    volunteer, by = Helping(make).volunteer(), worker_of(make)
    asked = wish(volunteer, given(make, volunteer), longer())
    answered(asked, [], words="签到表上是十一点", by=by)
    with pytest.raises(Refused, match="已经答复过"):
        answered(asked, ["ends_at", "minutes", "place"], by=by)
    assert the_record().minutes == 120


def test_a_missing_record_is_made_when_everything_is_accepted(make):
    volunteer, by = Helping(make).volunteer(), worker_of(make)
    with transaction() as session:
        place = session.merge(make.community())
        asked = corrections.ask_missing(session.merge(volunteer), place, facts(), reason="忘了签到")
    with pytest.raises(Refused, match="服务类别"):
        answered(asked, list(asked.wishes), by=by)
    with pytest.raises(Refused, match="全部采纳"):
        answered(asked, ["minutes"], words="别的不对", by=by)
    answered(asked, list(asked.wishes), by=by, kind=ServiceKind.MEALS, leader="吴梅")
    record = the_record()
    assert (record.minutes, record.leader_name, record.volunteer_id) == (120, "吴梅", volunteer.id)
    assert told("record_made")


def test_a_missing_record_that_overlaps_is_refused_to_the_worker_in_words(make):
    volunteer, by = Helping(make).volunteer(), worker_of(make)
    given(make, volunteer)
    with transaction() as session:
        place = session.merge(make.community())
        asked = corrections.ask_missing(session.merge(volunteer), place, facts(), reason="忘了签到")
    with pytest.raises(Refused, match="同一时间只能记一次"):
        answered(asked, list(asked.wishes), by=by, kind=ServiceKind.MEALS, leader="吴梅")


def test_from_the_telephone_to_the_desk_and_back(make, client):
    person = make.person("王秀英")
    volunteer = Helping(make).volunteer(person)
    made = given(make, volunteer)
    client.sign_in(make.resident(person))
    address = f"/volunteers/hours/records/{made.public_id}/correct"
    assert "老人送餐" in client.get(address).get_data(as_text=True)
    said = {
        "day": local(made.starts_at).date().isoformat(),
        "starts": "09:00",
        "ends": "11:30",
        "hours": "2.5",
        "activity": "老人送餐",
        "place": "春风里助餐点",
        "content": made.content,
        "reason": "做到十一点半",
    }
    assert client.post(address, data=said | {"hours": "二"}).status_code == 422
    assert client.post(address, data=said).status_code == 303
    (asked,) = db.session.scalars(sa.select(Correction)).all()
    assert "等答复" in client.get("/volunteers/hours").get_data(as_text=True)
    desk = client.application.test_client().sign_in(make.worker())
    assert "王秀英" in desk.get("/desk/volunteers/records/corrections").get_data(as_text=True)
    page = f"/desk/volunteers/records/corrections/{asked.public_id}"
    assert "做到十一点半" in desk.get(page).get_data(as_text=True)
    assert desk.post(page, data={"taken": ["ends_at"]}).status_code == 422
    assert desk.post(page, data={"taken": ["ends_at", "minutes"]}).status_code == 303
    assert the_record().minutes == 150
    assert "已采纳" in client.get(f"/volunteers/hours/corrections/{asked.public_id}").get_data(as_text=True)


def test_a_missing_service_is_asked_for_and_taken_back(make, client):
    person = make.person("王秀英")
    Helping(make).volunteer(person)
    client.sign_in(make.resident(person))
    said = {
        "community": str(make.community().id),
        "day": local(ago()).date().isoformat(),
        "starts": "09:00",
        "ends": "10:00",
        "hours": "1",
        "activity": "探访",
        "place": "6号楼",
        "content": "看望老人",
        "reason": "忘了签到",
    }
    assert client.post("/volunteers/hours/missing", data=said).status_code == 303
    (asked,) = db.session.scalars(sa.select(Correction)).all()
    assert client.post(f"/volunteers/hours/corrections/{asked.public_id}/withdraw").status_code == 303
    db.session.refresh(asked)
    assert asked.state is CorrectionState.WITHDRAWN


def test_nobody_sees_a_neighbours_records_or_wishes(make, client):
    volunteer = Helping(make).volunteer()
    made = given(make, volunteer)
    asked = wish(volunteer, made, longer())
    neighbour = make.person("李小红")
    Helping(make).volunteer(neighbour)
    client.sign_in(make.resident(neighbour))
    for path in (f"records/{made.public_id}", f"records/{made.public_id}/correct", f"corrections/{asked.public_id}"):
        assert client.get(f"/volunteers/hours/{path}").status_code == 404
    assert client.post(f"/volunteers/hours/corrections/{asked.public_id}/withdraw").status_code == 404
    desk = client.application.test_client().sign_in(make.worker(scope=make.community("秋水社区")))
    assert desk.get(f"/desk/volunteers/records/corrections/{asked.public_id}").status_code == 404


def test_my_hours_are_said_in_few_questions(make, client):
    person = make.person("王秀英")
    volunteer = Helping(make).volunteer(person)
    for turn in range(12):
        given(make, volunteer, facts(ago(2 + turn)))
    client.sign_in(make.resident(person))
    client.get("/volunteers/hours")
    with count_queries() as asked:
        page = client.get("/volunteers/hours").get_data(as_text=True)
    assert len(asked) <= 18, len(asked)
    assert "24.0" in page
    with count_queries() as asked:
        client.get("/volunteers/hours/records")
    assert len(asked) <= 12, len(asked)


def test_who_is_no_volunteer_reads_what_to_do(make, client):
    client.sign_in(make.resident(make.person("王秀英")))
    answer = client.get("/volunteers/hours")
    assert "登记" in answer.get_data(as_text=True)
    assert answer.status_code == 422


def test_a_correction_stays_near_the_shift_it_corrects(make):
    helping = Helping(make)
    shift = helping.shift(starts_at=ago(3, 9), hours=2)
    signup = helping.signup(shift.posts[0])
    made = given(make, signup.volunteer)
    with transaction() as session:
        session.get_one(ServiceRecord, made.id).signup_id = signup.id
    made = the_record()
    with pytest.raises(Refused, match="09:00–11:00，更正的时间前后最多超出 30 分钟"):
        wish(signup.volunteer, made, facts(ago(3, 9), hours=2.6, minutes=150))
    asked = wish(signup.volunteer, made, facts(ago(3, 8, 41), hours=2.5, minutes=150))
    assert set(asked.wishes) == {"starts_at", "ends_at", "minutes"}


def test_a_worker_changes_a_record_no_further_from_its_shift_either(make):
    helping = Helping(make)
    shift = helping.shift(starts_at=ago(3, 9), hours=2)
    signup = helping.signup(shift.posts[0])
    made = given(make, signup.volunteer)
    with transaction() as session:
        session.get_one(ServiceRecord, made.id).signup_id = signup.id
    with pytest.raises(Refused, match="超出"), transaction() as session:
        row = session.get_one(ServiceRecord, made.id)
        recording.change(row, facts(ago(3, 9), hours=3), seen=1, reason="做得久", by="周洁")


def test_what_moves_no_time_is_changed_however_far_the_record_lies_from_its_shift(make):
    signup = Helping(make).signup(Helping(make).shift(starts_at=ago(3, 9), hours=2).posts[0])
    far = facts(ago(3, 9), hours=4)
    made = given(make, signup.volunteer, far)
    with transaction() as session:
        session.get_one(ServiceRecord, made.id).signup_id = signup.id
    with transaction() as session:
        row = session.get_one(ServiceRecord, made.id)
        recording.change(row, replace(far, content="陪老人看病"), seen=1, reason="写错了", by="周洁")
    assert the_record().content == "陪老人看病"
    asked = wish(signup.volunteer, the_record(), replace(far, content="陪老人散步"))
    assert set(asked.wishes) == {"content"}
