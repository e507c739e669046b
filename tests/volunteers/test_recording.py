"""Records: made from confirmed hours or by hand, within their term, never twice for one time, changed with history."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
import time_machine

from portal.core import audit, events, sheets
from portal.core.clock import today
from portal.core.db import db, transaction
from portal.core.errors import Missing, Refused
from portal.identity.permissions import Role
from portal.registry.models import Organisation
from portal.registry.models.resources import OrganisationKind
from portal.volunteers.models.codes import HoursState, RecordState
from portal.volunteers.models.records import RecordedTime, RecordVersion, ServiceRecord
from portal.volunteers.models.signups import Attendance
from portal.volunteers.record_jobs import record_confirmed
from portal.volunteers.service import attending, record_parties, recording, records
from tests.counting import count_queries
from tests.days import as_of_now, later
from tests.helping import Helping
from tests.visitor import words_shown
from tests.volunteers.recorded import ago, attended, facts, given, told, worker_of

SHANGHAI = ZoneInfo("Asia/Shanghai")


def recorded() -> list[ServiceRecord]:
    db.session.rollback()
    return list(db.session.scalars(sa.select(ServiceRecord).order_by(ServiceRecord.id)))


def confirmed(attendance: Attendance) -> None:
    with transaction():
        events.publish(attending.CONFIRMED, attendance_id=attendance.id)


def test_confirmed_hours_become_a_record_with_the_fields_of_the_law(make):
    attendance = attended(make, title="周二送餐", came=7, minutes=108)
    confirmed(attendance)
    (made,) = recorded()
    assert (made.activity, made.organiser, made.leader_name) == ("周二送餐", "春风里社区居民委员会", "周洁")
    assert (made.content, made.place) == ("把午餐送到行动不便的老人家中", "春风里助餐点")
    assert made.minutes == 108
    assert made.starts_at == ago(3, 9, 7)
    assert made.ends_at == ago(3, 11)
    assert made.recorded_by_name == "吴梅"


def test_a_record_of_an_organisations_activity_is_the_organisations(make):
    body = make.add(Organisation(community_id=make.community().id, name="向阳社工站", kind=OrganisationKind.SOCIAL))
    confirmed(attended(make, organisation_id=body.id))
    assert [(one.organiser, one.organisation_id) for one in recorded()] == [("向阳社工站", body.id)]


def test_the_event_twice_makes_one_record(make):
    attendance = attended(make)
    confirmed(attendance)
    confirmed(attendance)
    assert len(recorded()) == 1


def test_hours_are_whole_tenths_and_never_more_than_the_span(make):
    confirmed(attended(make, came=3, left=4, minutes=113))
    (made,) = recorded()
    assert made.minutes == 108
    assert made.minutes <= (made.ends_at - made.starts_at).total_seconds() // 60


def test_hours_confirmed_anew_change_the_record_and_keep_its_history(make):
    attendance = attended(make)
    confirmed(attendance)
    with transaction() as session:
        row = session.get_one(Attendance, attendance.id)
        row.minutes, row.left_at = 60, ago(3, 10)
    confirmed(attendance)
    (made,) = recorded()
    assert (made.minutes, made.version) == (60, 2)
    assert [version.facts["minutes"] for version in records.versions(made)] == [120]


def test_hours_confirmed_as_none_void_the_record(make):
    attendance = attended(make)
    confirmed(attendance)
    with transaction() as session:
        session.get_one(Attendance, attendance.id).minutes = 0
    confirmed(attendance)
    assert [one.state for one in recorded()] == [RecordState.VOID]


def test_what_an_event_missed_the_job_records(make):
    attended(make)
    attended(make, state=HoursState.TO_CONFIRM)
    record_confirmed()
    assert len(recorded()) == 1


def test_what_overlaps_leaves_nothing_behind_and_waits_on_the_workers_page(make):
    volunteer = Helping(make).volunteer()
    given(make, volunteer)
    attendance = attended(make, volunteer, starts=ago(3, 10))
    confirmed(attendance)
    assert len(recorded()) == 1
    (due,) = records.due_in([worker_of(make).grants[0].scope])
    assert due.attendance.id == attendance.id
    assert due.ready


def test_the_term_is_ten_working_days_after_the_service(make):
    with time_machine.travel(datetime(2026, 9, 20, 12, tzinfo=SHANGHAI), tick=False):
        volunteer = Helping(make).volunteer()
        # A Friday: two weeks of five working days, where no table of holidays says otherwise.
        made = given(make, volunteer, facts(datetime(2026, 9, 4, 9, tzinfo=SHANGHAI)))
        assert made.due_on == date(2026, 9, 18)
        assert made.is_late
        assert records.days_left(made.due_on) < 0
        on_time = given(make, volunteer, facts(datetime(2026, 9, 7, 9, tzinfo=SHANGHAI)))
        assert on_time.due_on == date(2026, 9, 21)
        assert not on_time.is_late
        assert records.days_left(on_time.due_on) == 1


def test_two_records_of_one_volunteer_never_overlap(make):
    volunteer = Helping(make).volunteer()
    given(make, volunteer, facts(ago(3, 9)))
    with pytest.raises(Refused, match=r"老人送餐.*09:00–11:00.*同一时间只能记一次"):
        given(make, volunteer, facts(ago(3, 10, 55)))
    given(make, volunteer, facts(ago(3, 11)))
    given(make, volunteer, facts(ago(3, 7)))
    given(make, Helping(make).volunteer(), facts(ago(3, 9)))
    assert len(recorded()) == 4


def test_a_record_across_midnight_holds_the_time_of_both_days(make):
    volunteer = Helping(make).volunteer()
    given(make, volunteer, facts(ago(3, 23), hours=2))
    with pytest.raises(Refused, match="同一时间"):
        given(make, volunteer, facts(ago(2, 0, 30), hours=1))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"minutes": 0}, "大于 0"),
        ({"minutes": 61}, "0.1 小时"),
        ({"minutes": 126}, "最多 2.0 小时；路上的时间不算"),
        ({"ends_at": later(ago, 3, 9)}, "结束时间要晚于"),
        ({"ends_at": later(ago, 1, 9)}, "最长 24 小时"),
        ({"starts_at": later(lambda: ago(3, 9).replace(second=30))}, "填到分钟"),
    ],
)
def test_times_that_no_record_can_have_are_refused_in_words(make, more, words):
    with pytest.raises(Refused, match=words):
        given(make, Helping(make).volunteer(), facts(**as_of_now(more)))


def test_a_service_that_is_not_over_is_not_recorded(make):
    with pytest.raises(Refused, match="还没有结束"):
        given(make, Helping(make).volunteer(), facts(ago(-1)))


def test_a_change_keeps_how_it_stood_and_moves_the_time_it_holds(make):
    volunteer = Helping(make).volunteer()
    made = given(make, volunteer)
    with transaction() as session:
        row = session.merge(made)
        recording.change(row, facts(ago(3, 14), hours=1), seen=1, reason="记错了下午", by="周洁")
    (made,) = recorded()
    assert (made.minutes, made.version) == (60, 2)
    ((version, changes),) = records.history(made)
    assert (version.reason, version.changed_by_name) == ("记错了下午", "周洁")
    assert ("服务时间（小时）", "2.0", "1.0") in changes
    held = db.session.scalars(sa.select(RecordedTime.at).order_by(RecordedTime.at)).all()
    assert (held[0], len(held)) == (ago(3, 14), 12)
    given(make, volunteer, facts(ago(3, 9)))
    assert told("record_changed")[0]["reason"] == "记错了下午"


def test_two_workers_who_saw_the_same_version_do_not_overwrite_each_other(make):
    made = given(make, Helping(make).volunteer())
    with transaction() as session:
        recording.change(session.merge(made), facts(activity="送餐"), seen=1, reason="名称", by="周洁")
    with transaction() as session, pytest.raises(Refused, match="刚才被改过"):
        recording.change(session.merge(made), facts(activity="探访"), seen=1, reason="名称", by="吴梅")


def test_the_history_is_append_only(make):
    made = given(make, Helping(make).volunteer())
    with transaction() as session:
        recording.void(session.merge(made), seen=1, reason="不是志愿服务", by="周洁")
    for statement in (sa.update(RecordVersion).values(reason="别的"), sa.delete(RecordVersion)):
        with pytest.raises(sa.exc.DBAPIError), transaction() as session:
            session.execute(statement)


def test_a_void_record_frees_its_time_and_does_not_count(make):
    volunteer = Helping(make).volunteer()
    made = given(make, volunteer)
    with transaction() as session:
        recording.void(session.merge(made), seen=1, reason="不是志愿服务", by="周洁")
    db.session.rollback()
    assert records.total(db.session.merge(volunteer)) == 0
    given(make, volunteer)
    assert told("record_voided")[0]["reason"] == "不是志愿服务"


def test_each_act_is_published_for_the_points(make, monkeypatch):
    heard = []
    monkeypatch.setattr(recording.events, "publish", lambda name, **said: heard.append((name, said["record_id"])))
    made = given(make, Helping(make).volunteer())
    with transaction() as session:
        row = session.merge(made)
        recording.change(row, facts(hours=1), seen=1, reason="短", by="周洁")
        recording.void(row, seen=2, reason="错", by="周洁")
    names = ["service_recorded", "service_record_changed", "service_record_voided"]
    assert heard == [(name, made.id) for name in names]


def test_a_rating_has_its_day_and_a_second_one_keeps_the_first(make):
    made = given(make, Helping(make).volunteer())
    with transaction() as session:
        recording.rate(session.merge(made), 5, seen=1, by="周洁")
    (made,) = recorded()
    assert (made.quality, made.rated_on, made.version) == (5, today(), 1)
    with transaction() as session:
        recording.rate(session.merge(made), 3, seen=1, by="周洁")
    (made,) = recorded()
    assert (made.quality, made.version) == (3, 2)


def test_only_the_organisers_workers_see_and_change_a_record(make, client):
    made = given(make, Helping(make).volunteer())
    other = make.worker(scope=make.community("秋水社区"))
    client.sign_in(other)
    for path in ("", "/edit", "/void"):
        assert client.get(f"/desk/volunteers/records/{made.public_id}{path}").status_code == 404
    with pytest.raises(Missing):
        records.record_in([worker_of(make, make.community("冬青社区")).grants[0].scope], made.public_id)


def test_a_worker_records_only_for_her_own_organisers(make, client):
    volunteer, foreign = Helping(make).volunteer(), make.community("秋水社区")
    client.sign_in(make.worker())
    answer = client.post("/desk/volunteers/records/new", data=_said(volunteer.number, organiser=f"{foreign.id}-0"))
    assert answer.status_code == 422
    assert recorded() == []


def test_an_organiser_of_another_community_is_nobodys_to_record_for(make):
    own, foreign = make.community(), make.community("秋水社区")
    body = make.add(Organisation(community_id=foreign.id, name="向阳社工站", kind=OrganisationKind.SOCIAL))
    assert record_parties.organiser(f"{own.id}-0", [own], []) == (own, None)
    for key in (f"{foreign.id}-0", f"{own.id}-{body.id}", f"{foreign.id}-{body.id}", "", "x-y"):
        with pytest.raises(Refused, match="谁组织，谁记录"):
            record_parties.organiser(key, [own], [body])


def _said(who: str, **more: str) -> dict[str, str]:
    day = ago(3).astimezone(SHANGHAI).date()
    said = {
        "who": who,
        "activity": "图书角整理",
        "kind": "culture",
        "content": "整理图书",
        "place": "社区一楼",
        "leader_name": "周洁",
        "day": day.isoformat(),
        "starts": "14:00",
        "ends": "16:00",
        "hours": "1.5",
    }
    return said | more


def test_a_worker_records_by_hand_once_however_often_she_clicks(make, client):
    volunteer = Helping(make).volunteer()
    client.sign_in(make.worker())
    page = client.get("/desk/volunteers/records/new").get_data(as_text=True)
    idem = page.split('name="idem"')[1].split('value="')[1].split('"')[0]
    said = _said(volunteer.number, organiser=f"{make.community().id}-0", idem=idem)
    for _click in range(2):
        assert client.post("/desk/volunteers/records/new", data=said).status_code == 303
    (made,) = recorded()
    assert (made.minutes, made.activity, made.signup_id) == (90, "图书角整理", None)
    assert told("record_made")[0]["hours"] == "1.5"


@pytest.mark.parametrize(
    ("hours", "words"),
    [("一个半", "最多一位小数"), ("1.25", "最多一位小数"), ("0", "服务时间要大于"), ("", "请填服务时间")],
)
def test_hours_that_are_no_hours_are_told_apart_from_none_typed(make, client, hours, words):
    volunteer = Helping(make).volunteer()
    client.sign_in(make.worker())
    said = _said(volunteer.number, organiser=f"{make.community().id}-0", hours=hours)
    answer = client.post("/desk/volunteers/records/new", data=said)
    assert answer.status_code == 422
    assert words in words_shown(answer.text)
    assert recorded() == []


def test_an_end_before_the_beginning_is_on_the_next_day(make, client):
    volunteer = Helping(make).volunteer()
    client.sign_in(make.worker())
    said = _said(volunteer.number, organiser=f"{make.community().id}-0", starts="22:00", ends="00:30", hours="2.5")
    assert client.post("/desk/volunteers/records/new", data=said).status_code == 303
    (made,) = recorded()
    assert (made.starts_at, made.ends_at) == (ago(3, 22), ago(2, 0, 30))


def test_the_pages_of_a_record_carry_it_from_its_making_to_its_end(make, client):
    attended(make)
    client.sign_in(make.worker())
    due = client.get("/desk/volunteers/records/due").get_data(as_text=True)
    assert "个工作日" in due
    (waiting,) = db.session.scalars(sa.select(Attendance.id)).all()
    assert client.post(f"/desk/volunteers/records/due/{waiting}").status_code == 303
    # A second click finds it recorded, and says so.
    assert client.post(f"/desk/volunteers/records/due/{waiting}").status_code == 303
    assert "已经记录过了" in client.get("/desk/volunteers/records").get_data(as_text=True)
    (made,) = recorded()
    base = f"/desk/volunteers/records/{made.public_id}"
    assert client.post(f"{base}/rate", data={"quality": "5", "version": "1"}).status_code == 303
    assert "5 分，很好" in client.get(base).get_data(as_text=True)
    form = _said("", starts="09:00", ends="11:00", hours="1.9", version="1", reason="休息了一会")
    assert client.post(f"{base}/edit", data=form).status_code == 303
    page = client.get(base).get_data(as_text=True)
    assert "服务时间（小时）：2.0 改为 1.9" in page
    assert client.post(f"{base}/void", data={"version": "2", "reason": ""}).status_code == 422
    assert client.post(f"{base}/void", data={"version": "2", "reason": "重复"}).status_code == 303
    assert "已作废" in client.get("/desk/volunteers/records?show=void").get_data(as_text=True)
    deeds = db.session.scalars(sa.select(audit.AuditRow.action).order_by(audit.AuditRow.id)).all()
    for action in ("service_recorded", "record_rated", "record_changed", "record_voided"):
        assert f"volunteers.{action}" in deeds


def test_the_list_is_found_in_few_questions_and_goes_on_where_it_ended(make, client):
    volunteer = Helping(make).volunteer(make.person("王秀英"))
    for turn in range(35):
        given(make, volunteer, facts(ago(2 + turn), activity=f"活动{turn:02d}"))
    client.sign_in(make.worker())
    client.get("/desk/volunteers/records")
    with count_queries() as asked:
        first = client.get("/desk/volunteers/records").get_data(as_text=True)
    assert len(asked) <= 8, asked
    assert "活动29" in first
    assert "活动30" not in first
    after = first.split("after=")[1].split('"')[0]
    second = client.get(f"/desk/volunteers/records?after={after}").get_data(as_text=True)
    assert "活动30" in second
    assert "活动29" not in second


def test_what_is_to_be_recorded_is_listed_in_few_questions(make, client):
    for turn in range(6):
        attended(make, starts=ago(2 + turn), state=HoursState.TO_CONFIRM)
    client.sign_in(make.worker())
    client.get("/desk/volunteers/records/due")
    with count_queries() as asked:
        page = client.get("/desk/volunteers/records/due").get_data(as_text=True)
    assert len(asked) <= 8, "\n".join(one[-300:] for one in asked)
    assert page.count("等另一个人确认") == 6


def test_a_sample_names_its_evidence_and_leaves_a_trace(make, client):
    confirmed(attended(make, Helping(make).volunteer(make.person("王秀英"))))
    given(make, Helping(make).volunteer(), facts(ago(4)))
    client.sign_in(make.worker())
    day = today()
    said = {"first_day": str(day - timedelta(days=9)), "last_day": str(day), "count": "50", "reason": "民政局抽查"}
    answer = client.post("/desk/volunteers/records/sample", data=said)
    assert answer.mimetype == sheets.MIME
    (row,) = db.session.scalars(sa.select(audit.AuditRow).where(audit.AuditRow.action == "volunteers.records_sampled"))
    assert (row.reason, row.facts["count"]) == ("民政局抽查", 2)


def test_a_grid_worker_has_no_business_with_records(make, client):
    client.sign_in(make.worker(Role.GRID_WORKER))
    assert client.get("/desk/volunteers/records").status_code == 403


def test_records_begin_and_end_on_any_minute_and_one_where_the_other_ends(make):
    volunteer = Helping(make).volunteer()
    given(make, volunteer, facts(ago(3, 9, 2), hours=1, minutes=60))
    given(make, volunteer, facts(ago(3, 10, 2), hours=0.5, minutes=30))
    with pytest.raises(Refused, match="同一时间只能记一次"):
        given(make, volunteer, facts(ago(3, 10, 31), hours=0.5, minutes=30))


def test_the_database_itself_refuses_two_records_of_the_same_mark(make, monkeypatch):
    volunteer = Helping(make).volunteer()
    monkeypatch.setattr(recording, "_overlapping", lambda _made: None)
    given(make, volunteer, facts(ago(3, 9, 2), hours=1, minutes=60))
    with pytest.raises(Refused, match="同一时间只能记一次"):
        given(make, volunteer, facts(ago(3, 9, 57), hours=1, minutes=60))
