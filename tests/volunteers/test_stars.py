"""Stars: reached at the number itself, reviewed, published for working days, awarded; false reports bar for years."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
import time_machine

from portal.core import settings
from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.identity.permissions import Role
from portal.volunteers import record_jobs
from portal.volunteers.models.codes import RecordState, StarState
from portal.volunteers.models.records import ServiceRecord, Star, StarRule
from portal.volunteers.service import stars
from tests.helping import Helping
from tests.volunteers.recorded import bulk, told, worker_of

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def rules(make):
    with transaction():
        assert stars.seed(by="街道") == 5


def applied(volunteer, level=1) -> Star:
    with transaction() as session:
        return stars.apply(session.merge(volunteer), level)


def act(deed, star, **more) -> Star:
    with transaction() as session:
        deed(session.merge(star), **more)
    return fresh(star)


def fresh(star) -> Star:
    db.session.rollback()
    return db.session.get_one(Star, star.id, populate_existing=True)


def awarded(make, volunteer, by) -> Star:
    star = act(stars.publish, applied(volunteer), by=by)
    with time_machine.travel(datetime.combine(star.published_until, datetime.min.time(), SHANGHAI) + timedelta(days=1)):
        record_jobs.end_notices()
    return fresh(star)


def test_the_five_levels_are_loaded_once_with_their_source(rules):
    with transaction():
        assert stars.seed(by="街道") == 0
    found = stars.all_rules()
    assert [(one.level, one.minutes // 60) for one in found] == [(1, 100), (2, 300), (3, 600), (4, 1000), (5, 1500)]
    assert all(one.source for one in found)


@pytest.mark.parametrize(("level", "hours"), list(stars.HOURS.items()))
def test_a_level_is_reached_at_the_number_itself_and_not_a_tenth_before(make, rules, level, hours):
    helping = Helping(make)
    under, exact, over = (helping.volunteer() for _turn in range(3))
    bulk(make, under, hours * 60 - 6)
    bulk(make, exact, hours * 60)
    bulk(make, over, hours * 60 + 6)
    with pytest.raises(Refused, match=r"还差 0\.1 小时"):
        applied(under, level)
    assert applied(exact, level).state is StarState.APPLIED
    assert applied(over, level).state is StarState.APPLIED


def test_void_records_do_not_count(make, rules):
    volunteer = Helping(make).volunteer()
    made = bulk(make, volunteer, 6000)
    with transaction() as session:
        session.get_one(ServiceRecord, made.id).state = RecordState.VOID
    with pytest.raises(Refused, match=r"还差 100\.0 小时"):
        applied(volunteer)


def test_a_level_is_applied_for_once(make, rules):
    volunteer = Helping(make).volunteer()
    bulk(make, volunteer, 6000)
    applied(volunteer)
    with pytest.raises(Refused, match="已经申请过"):
        applied(volunteer)
    with pytest.raises(sa.exc.IntegrityError), transaction() as session:
        session.add(Star(volunteer_id=volunteer.id, community_id=volunteer.community_id, level=1, minutes=1))


def test_it_is_published_for_five_working_days_and_awarded_after_the_last(make, rules):
    volunteer = Helping(make).volunteer()
    bulk(make, volunteer, 6000, day=date(2026, 8, 1))
    # A Friday; the five days after it end on the next Friday.
    with time_machine.travel(datetime(2026, 9, 4, 12, tzinfo=SHANGHAI)):
        star = act(stars.publish, applied(volunteer), by=worker_of(make))
        assert (star.state, star.published_until) == (StarState.PUBLISHED, date(2026, 9, 11))
    with time_machine.travel(datetime(2026, 9, 11, 23, tzinfo=SHANGHAI)):
        record_jobs.end_notices()
        with transaction():
            stars.award(star.id)
        assert fresh(star).state is StarState.PUBLISHED
    with time_machine.travel(datetime(2026, 9, 12, 1, tzinfo=SHANGHAI)):
        record_jobs.end_notices()
    star = fresh(star)
    assert (star.state, star.awarded_on) == (StarState.AWARDED, date(2026, 9, 12))
    assert [bool(told(event)) for event in ("star_published", "star_awarded")] == [True, True]


def test_a_review_looks_at_the_hours_that_count_now(make, rules):
    volunteer = Helping(make).volunteer()
    made = bulk(make, volunteer, 6000)
    star = applied(volunteer)
    with transaction() as session:
        session.get_one(ServiceRecord, made.id).state = RecordState.VOID
    with pytest.raises(Refused, match="没有达到"):
        act(stars.publish, star, by=worker_of(make))


def test_an_objection_ends_the_publication_with_a_reason(make, rules):
    volunteer, by = Helping(make).volunteer(), worker_of(make)
    bulk(make, volunteer, 6000)
    star = act(stars.publish, applied(volunteer), by=by)
    star = act(stars.refuse, star, reason="时间有出入", by=by)
    assert star.state is StarState.REFUSED
    with time_machine.travel(now() + timedelta(days=30)):
        record_jobs.end_notices()
    assert fresh(star).state is StarState.REFUSED
    assert applied(volunteer).state is StarState.APPLIED


def test_a_star_is_not_downgraded_when_hours_go(make, rules):
    volunteer, by = Helping(make).volunteer(), worker_of(make)
    made = bulk(make, volunteer, 6000)
    star = awarded(make, volunteer, by)
    with transaction() as session:
        session.get_one(ServiceRecord, made.id).state = RecordState.VOID
    record_jobs.end_notices()
    assert fresh(star).state is StarState.AWARDED
    assert stars.highest(db.session.merge(volunteer)).level == 1


@pytest.mark.parametrize("years", [1, 3])
def test_a_false_report_bars_for_the_years_that_are_set(make, rules, years):
    volunteer, by = Helping(make).volunteer(), worker_of(make)
    bulk(make, volunteer, 6000)
    star = awarded(make, volunteer, by)
    with transaction():
        settings.put(stars.BARRED, years, valid_from=today(), by="街道")
    with time_machine.travel(datetime(2027, 3, 10, 12, tzinfo=SHANGHAI)):
        star = act(stars.revoke, star, reason="虚报", is_false=True, by=by)
        assert star.barred_until == date(2027 + years, 3, 9)
    with time_machine.travel(datetime(2027 + years, 3, 9, 12, tzinfo=SHANGHAI)), pytest.raises(Refused, match="虚报"):
        applied(volunteer)
    with time_machine.travel(datetime(2027 + years, 3, 10, 12, tzinfo=SHANGHAI)):
        assert applied(volunteer).state is StarState.APPLIED


def test_a_star_taken_back_for_another_reason_bars_nobody(make, rules):
    volunteer, by = Helping(make).volunteer(), worker_of(make)
    bulk(make, volunteer, 6000)
    star = act(stars.revoke, awarded(make, volunteer, by), reason="登记在别人名下", is_false=False, by=by)
    assert star.barred_until is None
    applied(volunteer)


def test_a_rule_ends_the_day_before_the_next_begins(make, rules):
    day = today() + timedelta(days=10)
    with transaction():
        stars.set_rule(1, 80, valid_from=day, valid_to=None, source="街道文件", by="街道")
    ends = db.session.scalars(
        sa.select(StarRule.valid_to).where(StarRule.level == 1).order_by(StarRule.valid_from)
    ).all()
    assert ends == [day - timedelta(days=1), None]
    assert stars.rules_on(today())[1].minutes == 6000
    assert stars.rules_on(day)[1].minutes == 4800


@pytest.mark.parametrize(("level", "hours", "words"), [(2, 100, "比低一级"), (2, 600, "比高一级")])
def test_a_higher_level_asks_for_more_hours(make, rules, level, hours, words):
    with pytest.raises(Refused, match=words), transaction():
        stars.set_rule(level, hours, valid_from=today(), valid_to=None, source="文件", by="街道")


def test_from_the_telephone_to_the_electronic_star(make, client, rules):
    person = make.person("王秀英")
    volunteer = Helping(make).volunteer(person)
    bulk(make, volunteer, 7200)
    client.sign_in(make.resident(person))
    page = client.get("/volunteers/stars").get_data(as_text=True)
    assert "申请 1 星级" in page
    assert "还差 180.0 小时" in page
    assert client.post("/volunteers/stars/1/apply").status_code == 303
    assert client.post("/volunteers/stars/2/apply").status_code == 303
    (star,) = db.session.scalars(sa.select(Star)).all()
    desk = client.application.test_client().sign_in(make.worker())
    assert "王秀英" in desk.get("/desk/volunteers/stars").get_data(as_text=True)
    assert desk.get(f"/desk/volunteers/stars/{star.public_id}").status_code == 200
    assert desk.post(f"/desk/volunteers/stars/{star.public_id}").status_code == 303
    published = client.get("/volunteers/published").get_data(as_text=True)
    assert "王*英" in published
    assert "公示到" in published
    with time_machine.travel(now() + timedelta(days=30)):
        record_jobs.end_notices()
    assert "电子星级证书" in client.get("/volunteers/stars").get_data(as_text=True)
    assert desk.post(f"/desk/volunteers/stars/{star.public_id}/revoke", data={"reason": ""}).status_code == 422
    said = {"reason": "虚报", "is_false": "y"}
    assert desk.post(f"/desk/volunteers/stars/{star.public_id}/revoke", data=said).status_code == 303
    assert "以前不能申请星级" in client.get("/volunteers/stars").get_data(as_text=True)


def test_the_street_keeps_the_levels_and_the_community_does_not(make, client):
    client.sign_in(make.worker(Role.STREET_ADMINISTRATOR))
    assert "装入通行标准" in client.get("/desk/volunteers/star-rules").get_data(as_text=True)
    assert client.post("/desk/volunteers/star-rules/load").status_code == 303
    rule = stars.all_rules()[0]
    assert "100" in client.get(f"/desk/volunteers/star-rules/new?from={rule.id}").get_data(as_text=True)
    said = {"level": "1", "hours": "120", "valid_from": str(today()), "source": "街道文件"}
    assert client.post("/desk/volunteers/star-rules/new", data=said).status_code == 303
    assert "街道文件" in client.get("/desk/volunteers/star-rules").get_data(as_text=True)
    desk = client.application.test_client().sign_in(make.worker())
    assert desk.get("/desk/volunteers/star-rules").status_code == 403


def test_another_communitys_star_does_not_exist_for_a_worker(make, client, rules):
    volunteer = Helping(make).volunteer()
    bulk(make, volunteer, 6000)
    star = applied(volunteer)
    client.sign_in(make.worker(scope=make.community("秋水社区")))
    for path in ("", "/refuse", "/revoke"):
        assert client.get(f"/desk/volunteers/stars/{star.public_id}{path}").status_code == 404
