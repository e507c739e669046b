"""Announcements: who is meant, who reads, how reads are counted, and what nobody else sees."""

import re
from contextlib import contextmanager
from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.areas.models import Area
from portal.core.access import Scope
from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.core.errors import Missing, Refused
from portal.identity.permissions import Role
from portal.notifications.models import Announcement, AnnouncementRead, AnnouncementState, AnnouncementTag
from portal.notifications.service import announcements as service
from portal.notifications.service import reading
from portal.notifications.service.announcements import Words
from portal.notifications.service.reading import Reader
from portal.registry.models import PersonState, PersonTag, TagKind
from tests.acting import actor_of


@pytest.fixture
def announce(make):
    """Publish an announcement for an area (the test's community unless given)."""

    def announced(title="停水通知", area: Area | None = None, *tags: TagKind, **more) -> Announcement:
        area = area or make.community()
        spanned = {"from_at": now() - timedelta(hours=1), "until_at": now() + timedelta(days=3), **more}
        words = Words(area=area.code, title=title, body="周六停水。\n请储水。", tags=tags, **spanned)
        scope = (Scope(area.kind.value, area.code),)
        with transaction():
            made = service.write(scope, words, by=actor_of(make.worker()))
            service.publish(made)
        return made

    return announced


def _titles(person) -> list[str]:
    db.session.rollback()
    return [one.announcement.title for one in reading.for_reader(Reader(0, person))]


def test_a_resident_reads_what_is_for_her_grid_her_community_and_her_street(make, announce):
    grid = make.grid()
    person = make.person(grid=grid)
    announce("网格", grid)
    announce("社区")
    announce("街道", make.street())
    announce("别的网格", make.grid(name="第二网格"))
    announce("别的社区", make.community("荷塘社区"))
    assert set(_titles(person)) == {"网格", "社区", "街道"}


def test_an_announcement_for_a_tag_is_read_by_who_holds_it_today(make, announce):
    lone, other = make.person(tags=[TagKind.LIVING_ALONE]), make.person("李大山")
    ended = make.person("赵一")
    make.add(
        PersonTag(
            person_id=ended.id,
            kind=TagKind.LIVING_ALONE,
            since=today() - timedelta(days=9),
            until=today() - timedelta(days=1),
            source="test",
        )
    )
    made = announce("独居老人体检", None, TagKind.LIVING_ALONE, TagKind.EMPTY_NEST)
    assert [_titles(make.read(one)) for one in (lone, other, ended)] == [["独居老人体检"], [], []]
    assert service.meant(make.read(made)) == 1


def test_nothing_is_shown_before_its_time_after_it_or_while_it_is_a_draft(make, announce):
    person = make.person()
    announce("还没到", from_at=now() + timedelta(hours=1))
    past = announce("会过期")
    with transaction():
        db.session.get_one(Announcement, past.id).until_at = now()
    draft = announce("草稿")
    with transaction():
        db.session.get_one(Announcement, draft.id).state = AnnouncementState.DRAFT
    assert _titles(person) == []
    assert reading.public() == []


def test_the_urgent_ones_come_first(make, announce):
    announce("紧急停气", is_urgent=True)
    announce("义诊")
    assert _titles(make.person()) == ["紧急停气", "义诊"]


def test_publishing_writes_no_row_for_anybody(make, announce):
    for turn in range(5):
        make.person(f"王{turn}")
    announce()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(AnnouncementRead)) == 0


def test_counting_asks_the_same_few_questions_for_few_and_for_many(make, announce):
    made = announce()

    def asked() -> int:
        seen = []
        with _counting(seen):
            service.counts(db.session.get_one(Announcement, made.id))
        return len([one for one in seen if one.startswith("SELECT")])

    make.person()
    few = asked()
    for turn in range(8):
        make.person(f"王{turn}", grid=make.grid(name=f"网格{turn}"))
    assert asked() == few


@contextmanager
def _counting(asked):
    def note(_connection, _cursor, statement, *_rest):
        asked.append(statement)

    db.session.rollback()
    db.session.expire_all()
    sa.event.listen(db.engine, "before_cursor_execute", note)
    yield
    sa.event.remove(db.engine, "before_cursor_execute", note)


def test_the_dead_the_moved_and_the_merged_are_not_counted(make, announce):
    kept = make.person()
    make.person("李大山", state=PersonState.DEAD)
    make.person("赵一", state=PersonState.MOVED_OUT)
    make.person("王秀瑛", merged_into_id=kept.id)
    counts = service.counts(make.read(announce()))
    assert (counts.meant, counts.with_account, counts.read, counts.unread) == (1, 0, 0, 1)


def test_reading_counts_once_a_person_and_by_grid(make, client, announce):
    grid = make.grid()
    reader, other = make.person(grid=grid), make.person("李大山", grid=grid)
    make.person("赵一")
    made = announce()
    client.sign_in(make.resident(reader))
    for _turn in range(2):
        assert client.post(f"/notices/announcements/{made.id}/read").status_code == 303
    counts = service.counts(make.read(made))
    assert (counts.meant, counts.with_account, counts.read) == (3, 1, 1)
    assert list(counts.by_grid) == [("第一网格", 2, 1), ("", 1, 0)]
    assert other.name not in str(counts)


def test_who_it_is_not_meant_for_is_not_counted_as_a_reader(make, client, announce):
    made = announce("荷塘的公告", make.community("荷塘社区"))
    client.sign_in(make.resident(make.person()))
    client.post(f"/notices/announcements/{made.id}/read")
    assert service.counts(make.read(made)).read == 0


def test_opening_an_announcement_writes_nothing(make, client, announce):
    made = announce()
    client.sign_in(make.resident(make.person()))
    page = client.get(f"/notices/announcements/{made.id}")
    assert "我看过了" in page.get_data(as_text=True)
    assert service.counts(make.read(made)).read == 0


def test_a_stranger_reads_what_is_for_all_and_not_what_is_for_some(make, client, announce):
    open_to_all, for_some = announce("停水通知"), announce("低保申报", None, TagKind.LOW_INCOME)
    page = client.get("/notices/announcements").get_data(as_text=True)
    assert "停水通知" in page
    assert "低保申报" not in page
    assert client.get(f"/notices/announcements/{open_to_all.id}").status_code == 200
    assert client.get(f"/notices/announcements/{for_some.id}").status_code == 404


def test_a_resident_without_the_tag_does_not_find_it_and_with_it_sees_no_tag_named(make, client, announce):
    made = announce("补贴申报", None, TagKind.LOW_INCOME)
    client.sign_in(make.resident(make.person()))
    assert client.get(f"/notices/announcements/{made.id}").status_code == 404
    client.sign_in(make.resident(make.person("李大山", tags=[TagKind.LOW_INCOME])))
    page = client.get(f"/notices/announcements/{made.id}").get_data(as_text=True)
    assert "补贴申报" in page
    assert "低保" not in page


def test_a_residents_notices_show_the_announcements(make, client, announce):
    announce("停水通知")
    client.sign_in(make.resident(make.person()))
    assert "停水通知" in client.get("/notices/").get_data(as_text=True)


def test_nobody_announces_beyond_her_own_area(make):
    other = make.community("荷塘社区")
    scope = (Scope("community", make.community().code),)
    words = Words(other.code, "越界", "正文", now(), now() + timedelta(days=1))
    with transaction(), pytest.raises(Missing):
        service.write(scope, words, by=actor_of(make.worker()))


def test_a_published_announcement_is_changed_no_more_and_withdrawn_for_good(make, announce):
    made, scope = announce(), (Scope("community", make.community().code),)
    words = Words(make.community().code, "改", "改", now(), now() + timedelta(days=1))
    with transaction(), pytest.raises(Refused, match="已经发布"):
        service.change(make.read(made), scope, words)
    with transaction():
        service.withdraw(db.session.get_one(Announcement, made.id), "写错了日期")
    assert _titles(make.person()) == []
    with transaction(), pytest.raises(Refused):
        service.publish(db.session.get_one(Announcement, made.id))


def test_old_announcements_go_with_their_reads(make, client, announce):
    made = announce()
    client.sign_in(make.resident(make.person()))
    client.post(f"/notices/announcements/{made.id}/read")
    with transaction():
        assert service.purge(now()) == 0
        assert service.purge(now() + timedelta(days=4)) == 1
    assert db.session.scalar(sa.select(sa.func.count()).select_from(AnnouncementTag)) == 0


def _said(make, **more) -> dict[str, object]:
    said = {"area": make.community().code, "title": "义诊", "body": "周三上午", "from_day": today().isoformat()}
    said |= {"from_time": "00:00", "until_at": (today() + timedelta(days=3)).isoformat()}
    return said | more


def test_a_worker_writes_previews_publishes_and_puts_it_on_the_wall(make, client):
    make.person()
    client.sign_in(make.worker())
    assert "还没有公告" in client.get("/desk/notices/announcements").get_data(as_text=True)
    written = client.post("/desk/notices/announcements/new", data=_said(make, tags=["living_alone"]))
    assert written.status_code == 303
    preview = client.get(written.location).get_data(as_text=True)
    assert "这是预览" in preview
    assert "独居" in preview
    client.post(f"{written.location}/edit", data=_said(make))
    client.post(f"{written.location}/publish")
    assert "已发布" in client.get("/desk/notices/announcements").get_data(as_text=True)
    wall = client.get(f"{written.location}/print").get_data(as_text=True)
    assert 'class="qr"' in wall
    assert client.get(f"{written.location}/withdraw").status_code == 200
    client.post(f"{written.location}/withdraw", data={"reason": "改期"})
    assert "改期" in client.get(written.location).get_data(as_text=True)


def test_the_last_day_written_is_the_last_day_read(make, client):
    """It holds through that day: the next day's midnight would read as a day more."""
    client.sign_in(make.worker())
    written = client.post("/desk/notices/announcements/new", data=_said(make)).location
    client.post(f"{written}/publish")
    last = f"{today() + timedelta(days=3):%-m月%-d日}"
    for page in (written, f"{written}/print", "/desk/notices/announcements"):
        assert re.search(rf"{last} 周. 23:59", client.get(page).get_data(as_text=True)), page


def test_a_draft_is_thrown_away(make, client):
    client.sign_in(make.worker())
    written = client.post("/desk/notices/announcements/new", data=_said(make))
    assert client.post(f"{written.location}/drop").status_code == 303
    assert client.get(written.location).status_code == 404


def test_an_end_before_the_beginning_is_said_at_its_field(make, client):
    client.sign_in(make.worker())
    answer = client.post(
        "/desk/notices/announcements/new", data=_said(make, until_at=(today() - timedelta(days=2)).isoformat())
    )
    assert answer.status_code == 422
    assert "结束时间要晚于开始时间" in answer.get_data(as_text=True)


def test_a_worker_of_another_community_does_not_find_it(make, client, announce):
    made = announce()
    client.sign_in(make.worker(scope=make.community("荷塘社区")))
    for ending in ("", "/print", "/withdraw", "/edit"):
        assert client.get(f"/desk/notices/announcements/{made.id}{ending}").status_code == 404
    client.sign_in(make.worker(Role.STREET_ADMINISTRATOR))
    assert client.get(f"/desk/notices/announcements/{made.id}").status_code == 200


def test_a_copy_of_her_data_tells_what_she_read(make, client, announce):
    person, made = make.person(), announce("停水通知")
    client.sign_in(make.resident(person))
    client.post(f"/notices/announcements/{made.id}/read")
    assert [one["公告"] for one in service.export(person)] == ["停水通知"]


def test_sending_a_draft_twice_keeps_one(make, client):
    client.sign_in(make.worker())
    for _turn in range(2):
        client.post("/desk/notices/announcements/new", data=_said(make, idem="the-same-page"))
    assert len(db.session.scalars(sa.select(Announcement.id)).all()) == 1
