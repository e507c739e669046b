"""The inbox: what is unread is counted on the bell, and reading is a post."""

import re
from datetime import timedelta

import sqlalchemy as sa

from portal.core.clock import now
from portal.core.db import db
from portal.identity.models import Account
from portal.notifications.models import Announcement, AnnouncementState, Notice
from tests.client import Client
from tests.make import Make


def a_notice(make: Make, account: Account, topic: str = "nothing.at_all") -> Notice:
    return make.add(Notice(account_id=account.id, topic=topic, facts={}, at=now()))


def unread() -> int:
    return db.session.scalar(sa.select(sa.func.count()).where(Notice.read_at.is_(None))) or 0


def test_an_empty_inbox_says_what_will_come(make: Make, client: Client) -> None:
    client.sign_in(make.resident(make.person()))
    html = client.get("/notices/").get_data(as_text=True)
    assert "还没有通知" in html
    assert "条未读" not in html


def test_the_bell_counts_what_is_unread_on_every_page(make: Make, client: Client) -> None:
    account = make.resident(make.person())
    a_notice(make, account)
    a_notice(make, account)
    client.sign_in(account)
    for address in ("/", "/me", "/notices/"):
        assert '<span class="badge">2' in client.get(address).get_data(as_text=True)


def test_one_number_on_the_page_agrees_with_the_bell_and_an_urgent_one_is_marked_unread(
    make: Make, client: Client
) -> None:
    account = make.resident(make.person())
    for _one in range(3):
        a_notice(make, account)
    shown = {"from_at": now() - timedelta(hours=1), "until_at": now() + timedelta(days=1), "published_at": now()}
    told = {"title": "停水", "body": "今天停水。", "written_at": now(), "written_by": "w", "written_by_name": "周洁"}
    state = {"state": AnnouncementState.PUBLISHED, "is_urgent": True}
    made = make.add(Announcement(area_id=make.community().id, **shown, **told, **state))
    html = client.sign_in(account).get("/notices/").get_data(as_text=True)
    assert re.findall(r"(\d+) 条未读", html) == ["4"]
    assert '<span class="badge">4' in html
    urgent = html.split("停水", 1)[1].split("</a>", 1)[0]
    assert "紧急" in urgent
    assert "未读" in urgent
    client.post(f"/notices/announcements/{made.id}/read")
    assert "未读" not in client.get("/notices/").get_data(as_text=True).split("停水", 1)[1].split("</a>", 1)[0]


def test_reading_the_list_marks_nothing_and_the_button_marks_all(make: Make, client: Client) -> None:
    account = make.resident(make.person())
    notice = a_notice(make, account)
    client.sign_in(account)
    client.get("/notices/")
    assert unread() == 1
    assert client.post("/notices/read", data={"up_to": notice.id}).status_code == 303
    assert unread() == 0
    assert "badge" not in client.get("/notices/").get_data(as_text=True)


def test_what_came_after_the_page_was_shown_stays_unread(make: Make, client: Client) -> None:
    account = make.resident(make.person())
    shown = a_notice(make, account)
    a_notice(make, account)
    client.sign_in(account)
    client.post("/notices/read", data={"up_to": shown.id})
    assert unread() == 1


def test_a_neighbours_notices_are_neither_shown_nor_marked(make: Make, client: Client) -> None:
    neighbour = make.resident(make.person("陈建国"))
    notice = a_notice(make, neighbour)
    client.sign_in(make.resident(make.person("王秀英")))
    assert "还没有通知" in client.get("/notices/").get_data(as_text=True)
    client.post("/notices/read", data={"up_to": notice.id})
    assert unread() == 1


def test_a_visitor_has_no_inbox(client: Client) -> None:
    assert client.get("/notices/").status_code == 303
    assert client.post("/notices/read").status_code == 303


def test_a_worker_reads_what_the_portal_told_her(make, client):
    worker = make.worker()
    make.add(Notice(account_id=worker.id, topic="identity.recovery_used", facts={"left": 9}, at=now()))
    signed = client.sign_in(worker)
    assert "条未读" in signed.get("/desk/").text
    page = signed.get("/desk/notices/").text
    assert "未读" in page
    notice = db.session.scalars(sa.select(Notice.id)).one()
    assert signed.post("/desk/notices/read", data={"up_to": str(notice)}).status_code == 303
    assert "条未读" not in signed.get("/desk/notices/").text
