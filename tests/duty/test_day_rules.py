"""Which hours must be covered on holidays and on weekend days that are worked."""

from datetime import date, datetime, timedelta

import pytest
import time_machine

from portal.core import calendar
from portal.core.clock import SHANGHAI, today
from portal.core.db import transaction
from portal.core.errors import Refused
from portal.duty.models import DayKind, DayPlan
from portal.duty.service import cover, dayrules
from portal.duty.service.dayrules import Wanted
from portal.identity.permissions import Role
from tests.client import Client
from tests.counting import count_queries
from tests.make import Make

MONDAY = date(2026, 11, 30)
FESTIVAL, WORKED_SATURDAY = date(2026, 12, 2), date(2026, 12, 5)


@pytest.fixture(autouse=True)
def _on_a_monday_morning():
    with time_machine.travel(datetime(2026, 11, 30, 7, 0, tzinfo=SHANGHAI), tick=False):
        yield


@pytest.fixture
def community(make: Make):
    """Hours of its own for weekdays and another for Sundays; a festival on Wednesday, a Saturday that is worked."""
    with transaction():
        cover.set_required(make.community(), "周一至周五 8:30-17:30；周日 9:00-12:00")
        calendar.set_day(FESTIVAL, works=False, name="春节")
        calendar.set_day(WORKED_SATURDAY, works=True, name="春节调休")
    return make.community()


def _set(kind: DayKind, plan: DayPlan, **more) -> None:
    with transaction():
        dayrules.set_rule(Wanted(kind, plan, more.pop("valid_from", today()), **more), by="何立新")


def _hours(community, day: date) -> list[str]:
    found = [gap for gap in cover.gaps([community]) if gap.starts.astimezone(SHANGHAI).date() == day]
    return [f"{gap.starts.astimezone(SHANGHAI):%H:%M}-{gap.ends.astimezone(SHANGHAI):%H:%M}" for gap in found]


def test_without_a_rule_the_weekday_holds(community):
    assert _hours(community, FESTIVAL) == ["08:30-17:30"]
    assert _hours(community, WORKED_SATURDAY) == []


@pytest.mark.parametrize(
    ("plan", "text", "hours"),
    [
        (DayPlan.SUNDAY, "", ["09:00-12:00"]),
        (DayPlan.MONDAY, "", ["08:30-17:30"]),
        (DayPlan.NONE, "", []),
        (DayPlan.WEEKDAY, "", ["08:30-17:30"]),
        (DayPlan.OWN, "10:00-11:00 14:00-15:00", ["10:00-11:00", "14:00-15:00"]),
    ],
)
def test_a_holiday_has_the_hours_of_its_rule(community, plan, text, hours):
    _set(DayKind.HOLIDAY, plan, text=text)
    assert _hours(community, FESTIVAL) == hours
    assert _hours(community, FESTIVAL + timedelta(days=1)) == ["08:30-17:30"]


def test_a_saturday_that_is_worked_can_be_as_a_monday(community):
    _set(DayKind.WORKED, DayPlan.MONDAY)
    assert _hours(community, WORKED_SATURDAY) == ["08:30-17:30"]
    assert _hours(community, WORKED_SATURDAY + timedelta(days=7)) == []


def test_one_holiday_by_name_comes_before_all_and_the_latest_before_the_earlier(community):
    _set(DayKind.HOLIDAY, DayPlan.NONE)
    _set(DayKind.HOLIDAY, DayPlan.OWN, name="春节", text="全天")
    assert _hours(community, FESTIVAL) == ["00:00-00:00"]
    _set(DayKind.HOLIDAY, DayPlan.SUNDAY, name="春节", valid_from=FESTIVAL)
    assert _hours(community, FESTIVAL) == ["09:00-12:00"]
    _set(DayKind.HOLIDAY, DayPlan.MONDAY, name="春节", valid_from=FESTIVAL + timedelta(days=1))
    assert _hours(community, FESTIVAL) == ["09:00-12:00"]


def test_the_same_day_again_changes_it_and_the_past_stays(community):
    _set(DayKind.HOLIDAY, DayPlan.NONE)
    _set(DayKind.HOLIDAY, DayPlan.SUNDAY)
    assert [rule.plan for rule in dayrules.rules()] == [DayPlan.SUNDAY]
    with pytest.raises(Refused, match="不能早于今天"):
        _set(DayKind.HOLIDAY, DayPlan.NONE, valid_from=today() - timedelta(days=1))
    with pytest.raises(Refused, match="只写时间"):
        _set(DayKind.HOLIDAY, DayPlan.OWN, text="周一 9:00-10:00")
    with pytest.raises(Refused, match="只写时间"):
        _set(DayKind.HOLIDAY, DayPlan.OWN, text="")


def test_the_gaps_of_many_communities_ask_as_much_as_of_one(make: Make, community):
    _set(DayKind.HOLIDAY, DayPlan.NONE)
    cover.gaps([community])
    with count_queries() as few:
        cover.gaps([community])
    communities = [community, *(make.community(f"第{turn}社区") for turn in range(4))]
    assert all(one.code for one in communities)
    with count_queries() as many:
        cover.gaps(communities)
    assert len(many) == len(few)


def test_an_administrator_edits_the_rules_and_planners_read_them(make: Make, client: Client, community):
    admin = client.sign_in(make.worker(Role.SYSTEM_ADMINISTRATOR))
    assert "节假日值班" in admin.get("/desk/").text
    assert "还没有规定" in admin.get("/desk/duty/day-rules").text
    form = {"kind": "holiday", "plan": "own", "hours": "9:00-12:00", "name": "", "valid_from": today().isoformat()}
    assert admin.post("/desk/duty/day-rules", data={**form, "hours": "看不懂"}).status_code == 422
    assert admin.post("/desk/duty/day-rules", data=form).status_code == 303
    assert "统一的时段 09:00-12:00" in admin.get("/desk/duty/day-rules").text
    plans = client.sign_in(make.worker(Role.COMMUNITY_WORKER))
    assert "统一的时段 09:00-12:00" in plans.get("/desk/duty/cover").text
    assert plans.get("/desk/duty/day-rules").status_code == 403
    assert _hours(community, FESTIVAL) == ["09:00-12:00"]


def test_a_holiday_that_the_calendar_does_not_know_is_refused(make: Make, client: Client, community):
    with pytest.raises(Refused, match="没有这个节日"):
        _set(DayKind.HOLIDAY, DayPlan.NONE, name="春结")
    with transaction():
        calendar.set_day(date(2027, 3, 3), works=False, name="三月三")
    admin = client.sign_in(make.worker(Role.SYSTEM_ADMINISTRATOR))
    shown = admin.get("/desk/duty/day-rules").text
    assert '<option value="端午节"' in shown
    assert '<option value="三月三"' in shown
    assert '<option value="春节调休"' not in shown
    form = {"kind": "holiday", "plan": "none", "hours": "", "valid_from": today().isoformat()}
    refused = admin.post("/desk/duty/day-rules", data={**form, "name": "春结"})
    assert (refused.status_code, "没有这个节日" in refused.text) == (422, True)
    assert dayrules.rules() == []
    assert admin.post("/desk/duty/day-rules", data={**form, "name": "三月三"}).status_code == 303


def test_a_rule_taken_back_holds_no_longer_and_stays_in_the_list(make: Make, client: Client, community):
    _set(DayKind.HOLIDAY, DayPlan.NONE)
    (rule,) = dayrules.rules()
    admin = client.sign_in(make.worker(Role.SYSTEM_ADMINISTRATOR, name="何立新"))
    address = f"/desk/duty/day-rules/{rule.id}/undo"
    assert address in admin.get("/desk/duty/day-rules").text
    assert admin.post(address).status_code == 303
    assert _hours(community, FESTIVAL) == ["08:30-17:30"]
    shown = admin.get("/desk/duty/day-rules").text
    assert "已撤销" in shown
    assert address not in shown
    assert "不要求有人值班" not in client.sign_in(make.worker(Role.COMMUNITY_WORKER)).get("/desk/duty/cover").text
    again = client.sign_in(make.worker(Role.SYSTEM_ADMINISTRATOR)).post(address, follow_redirects=True)
    assert "已经撤销" in again.text
    assert admin.post("/desk/duty/day-rules/999/undo").status_code == 404


def test_the_days_before_it_was_taken_back_keep_their_rule(community):
    _set(DayKind.HOLIDAY, DayPlan.NONE)
    (rule,) = dayrules.rules()
    with time_machine.travel(datetime(2026, 12, 3, 7, 0, tzinfo=SHANGHAI), tick=False):
        with transaction():
            dayrules.take_back(rule.id, by="何立新")
        with transaction():
            calendar.set_day(date(2026, 12, 4), works=False, name="春节")
        of_week = dayrules.of_span(FESTIVAL, date(2026, 12, 4))
        assert of_week.spans(FESTIVAL, {"2": [["08:30", "17:30"]]}) == []
        assert of_week.spans(date(2026, 12, 4), {"4": [["08:30", "17:30"]]}) == [["08:30", "17:30"]]


def test_a_rule_taken_back_can_be_set_again_the_same_day(community):
    _set(DayKind.HOLIDAY, DayPlan.NONE)
    with transaction():
        dayrules.take_back(dayrules.rules()[0].id, by="何立新")
    _set(DayKind.HOLIDAY, DayPlan.SUNDAY)
    assert _hours(community, FESTIVAL) == ["09:00-12:00"]
