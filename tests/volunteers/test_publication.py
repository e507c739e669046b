"""公示: a community's month with masked names, in full only where agreed, printable, open to everybody."""

from datetime import datetime, time, timedelta

from portal.core import clock
from portal.core.clock import today
from portal.core.db import transaction
from portal.volunteers.models.records import ServiceRecord
from portal.volunteers.service import publication, recording
from tests.counting import count_queries
from tests.helping import Helping
from tests.volunteers.recorded import facts, given


def last_month(day: int, hour: int = 9) -> datetime:
    first = (today().replace(day=1) - timedelta(days=1)).replace(day=1)
    return clock.at(first.replace(day=day), time(hour))


def month() -> str:
    return (today().replace(day=1) - timedelta(days=1)).isoformat()[:7]


def page_of(client, make, path="", **more) -> str:
    query = "&".join(
        f"{name}={value}" for name, value in ({"community": make.community().code, "month": month()} | more).items()
    )
    return client.get(f"/volunteers/published{path}?{query}").get_data(as_text=True)


def test_a_stranger_reads_the_hours_of_a_month_with_masked_names(make, client):
    shy = Helping(make).volunteer(make.person("王秀英"))
    open_ = Helping(make).volunteer(make.person("李建国"), shows_name=True)
    given(make, shy, facts(last_month(3)))
    given(make, shy, facts(last_month(4), hours=1.5, minutes=90))
    given(make, open_, facts(last_month(5)))
    page = page_of(client, make)
    assert "王*英" in page
    assert "王秀英" not in page
    assert "李建国" in page
    assert "2 位志愿者服务 3 次，共 5.5 小时" in page
    paper = page_of(client, make, "/print")
    assert "王*英" in paper
    assert "王秀英" not in paper
    assert "3.5" in paper


def test_only_that_community_that_month_and_what_counts_is_published(make, client):
    volunteer = Helping(make).volunteer(make.person("王秀英"))
    given(make, volunteer, facts(last_month(3)))
    given(make, volunteer, facts(last_month(4)), community=make.community("秋水社区"))
    first = clock.day_bounds(today().replace(day=1))[0]
    given(make, volunteer, facts(first - timedelta(days=40)))
    gone = given(make, volunteer, facts(last_month(5)))
    with transaction() as session:
        recording.void(session.get_one(ServiceRecord, gone.id), seen=1, reason="重复", by="周洁")
    found = publication.month_of(make.community(), last_month(1).date() + timedelta(days=1))
    assert (found.people, found.count, found.minutes) == (1, 1, 120)
    assert "1 位志愿者服务 1 次" in page_of(client, make)


def test_the_night_of_the_last_day_belongs_to_its_own_month(make):
    volunteer = Helping(make).volunteer()
    first = clock.day_bounds(today().replace(day=1))[0]
    given(make, volunteer, facts(first - timedelta(minutes=30), hours=1))
    found = publication.month_of(make.community(), last_month(2).date())
    assert found.count == 1


def test_the_most_hours_come_first_and_pages_go_on(make):
    helping = Helping(make)
    for turn in range(4):
        given(make, helping.volunteer(), facts(last_month(2 + turn), hours=1 + turn))
    first = publication.month_of(make.community(), last_month(2).date(), limit=3)
    second = publication.month_of(make.community(), last_month(2).date(), page=2, limit=3)
    assert [line.minutes for line in first.lines] == [240, 180, 120]
    assert (first.more, second.more, [line.minutes for line in second.lines]) == (True, False, [60])


def test_the_page_asks_few_questions_however_many_there_are(make, client):
    helping = Helping(make)
    for turn in range(8):
        given(make, helping.volunteer(), facts(last_month(2 + turn)))
    page_of(client, make)
    with count_queries() as asked:
        page_of(client, make)
    assert len(asked) <= 8, asked


def test_months_without_service_and_unknown_communities_are_answered(make, client):
    assert "还没有社区" in client.get("/volunteers/published").get_data(as_text=True)
    make.community()
    assert "这个月还没有服务记录" in client.get("/volunteers/published?month=nonsense").get_data(as_text=True)
    assert client.get("/volunteers/published?community=nowhere").status_code == 404
    assert "还没有服务记录" in client.get("/volunteers/published/print").get_data(as_text=True)
