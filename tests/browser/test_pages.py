"""Every kind of page of every role, in a real browser: axe is content, no script fails, nothing scrolls sideways."""

import html
import re
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.core.db import db
from portal.demo.accounts import WORKERS, Shown
from portal.identity.models import Account
from tests.browser.conftest import Open, Reader

pytestmark = pytest.mark.browser
# One page of each kind is enough: people, menus and rows differ in words only.
ONE_OF_A_KIND = re.compile(
    r"/(\d{4}-\d{2}-\d{2}|\d{4}Q\d|\d+|[a-z2-7]{26}|[a-z_]+\.[a-z_]+|(?<=/correct/)[a-z_]+|(?<=/lists/)[a-z]+)(?=/|$)"
)
LINK = re.compile(r'<a\b[^>]*?\bhref="(/[^"#]*)"')
# Who reads, and over how many tests of about thirty pages theirs are shared out.
PARTS = {
    "worker2": 8,
    "committee": 4,
    "street": 5,
    "grid": 3,
    "case": 2,
    "canteen2": 1,
    "system": 1,
    "security": 1,
    "auditor": 1,
    "resident": 2,
    "": 1,
}
SHARES = [
    pytest.param(login, part, id=f"{login or 'stranger'}-{part + 1}")
    for login, parts in PARTS.items()
    for part in range(parts)
]
# A Chinese page holds no English word but these: the other language's name, endings of files, the sounds of a name,
# somebody's login. What holds a figure or a point is a code.
WORD = re.compile(r"(?<![\w.])[A-Za-z]*[a-z]{3,}[A-Za-z]*(?![\w]|\.\w)")
# An address on paper, for who reads it there.
ADDRESS = re.compile(r"https?://[\w.:/?=-]+")
KNOWN = {"English", "xlsx", "csv", "docx", "wxy", "canteen"} | {login for login, *_ in WORKERS}
# No link of the demonstration leads here. Tests of their own draw these pages, if only with the client that reads them.
UNREACHED = {
    "for a machine": {"health.alive", "health.ready"},
    "a file": {
        "casework.resident.board_photo",
        "casework.resident.draft_photo",
        "casework.resident.photo",
        "casework.worker.photo",
        "casework.worker.watch_photo",
        "catalogue.resident.application_picture",
        "catalogue.resident.room_calendar",
        "deliberation.resident.vote_recount",
        "registry.worker.import_blank",
        "visits.worker.photo",
    },
    "a step after a form or a code by telephone": {
        "identity.resident.reset_check",
        "identity.resident.reset_password",
        "identity.resident.sign_in_code_check",
        "identity.worker.confirm",
        "identity.worker.recovery_codes",
        "identity.worker.sign_in",
        "identity.worker.sign_in_totp",
        "registry.resident.claim_again",
        "registry.resident.register_code",
        "home.resident.copy",
        "casework.resident.alike",
        "casework.resident.photos_page",
        "casework.resident.replied",
        "casework.resident.reply",
        "casework.resident.sent",
        "casework.resident.what",
        "casework.resident.where",
        "casework.worker.intake_person",
        "catalogue.worker.application_new",
        "catalogue.worker.appointment_move",
        "catalogue.worker.application_receipt",
        "catalogue.worker.book_item",
        "catalogue.worker.book_leave",
        "catalogue.worker.book_wait",
        "catalogue.worker.book_offer",
        "catalogue.worker.book_slot",
        "catalogue.worker.room_who",
    },
    "an order of the resident, or one looked up at the desk": {
        "meals.resident.cancel",
        "meals.resident.change",
        "meals.resident.placed",
        "meals.worker.person_orders",
        "meals.worker.redeem_order",
    },
    "something that people bring about, and the demonstration holds none": {
        "volunteers.resident.verify",
        "volunteers.resident.wards_page",
        "volunteers.worker.roster_calendar",
        "casework.resident.add",
        "casework.resident.followed",
        "casework.resident.withdraw",
        "casework.worker.help_given",
        "catalogue.resident.application_add",
        "catalogue.resident.application_edit",
        "catalogue.resident.application_withdraw",
        "catalogue.resident.apply",
        "catalogue.resident.check",
        "catalogue.resident.waiting",
        "catalogue.worker.application",
        "catalogue.worker.application_act",
        "catalogue.worker.condition_edit",
        "catalogue.worker.errand",
        "catalogue.worker.errand_return",
        "catalogue.worker.room",
        "catalogue.worker.room_act",
        "catalogue.worker.room_block",
        "catalogue.worker.room_book",
        "catalogue.worker.room_booking",
        "catalogue.worker.room_series",
        "home.worker.hand_over",
        "home.worker.hand_over_back",
        "notifications.worker.announcement_edit",
        "registry.worker.agent",
        "registry.worker.certificate_reveal",
        "registry.worker.claim",
        "registry.worker.come_back",
        "registry.worker.contact",
        "registry.worker.owner_link",
        "registry.worker.owner_unlink",
        "registry.worker.contact_reveal",
        "registry.worker.export",
        "registry.worker.export_decide",
        "registry.worker.happening",
        "registry.worker.happening_undo",
        "registry.worker.import_columns",
        "registry.worker.import_preview",
        "registry.worker.import_progress",
        "registry.worker.import_rows",
        "registry.worker.import_take_back",
        "registry.worker.import_undo",
        "registry.worker.import_waiting",
        "registry.worker.merge_undo",
        "registry.worker.owner_end",
        "registry.worker.restricted_end",
        "registry.worker.restricted_remove",
        "registry.worker.right",
        "registry.worker.roster",
        "registry.worker.roster_edit",
        "registry.worker.twin",
        "registry.worker.twin_merge",
        "visits.worker.exclusion_end",
    },
}

# What the day of the week or the hour brings on some days only: today's slots, meals handed over, shifts not begun.
SOME_DAYS = {
    "casework.worker.hide",
    "casework.worker.release",
    "catalogue.resident.appointment_calendar",
    "catalogue.resident.appointment_move",
    "catalogue.resident.appointment_rate",
    "catalogue.resident.slot",
    "catalogue.worker.appointment",
    "catalogue.worker.appointment_cancel",
    "catalogue.worker.appointment_no_show",
    "catalogue.worker.appointment_undo",
    "catalogue.worker.errand_new",
    "catalogue.worker.figure_rows",
    "catalogue.worker.slot",
    "catalogue.worker.slot_call_off",
    "catalogue.worker.slot_close",
    "catalogue.worker.slot_message",
    "deliberation.worker.follow_up_mine",
    "duty.worker.shift",
    "meals.worker.menu_withdraw",
    "meals.worker.order",
    "meals.worker.order_cancel",
    "meals.worker.order_change",
    "meals.worker.order_menus",
    "meals.worker.order_new",
    "meals.worker.redeem_undo",
}


def _kind(address: str) -> str:
    return ONE_OF_A_KIND.sub("/*", urlsplit(address).path)


def _enter(app: Flask, reader: Reader, login: str) -> Reader:
    if not login:
        return reader
    with app.app_context():
        where = Account.name == "李小红" if login == "resident" else Account.username == login
        account = db.session.scalars(sa.select(Account).where(where)).one()
        return reader.carry(app.test_client().sign_in(account))  # type: ignore[attr-defined]


def _walk(reader: Reader, start: str) -> list[str]:
    """Follow links from a page, one of each kind, without drawing any: the addresses of the pages.

    A link to the other platform must lead somewhere, but what is there belongs to another's walk.
    """
    waiting, seen, pages = [start], {_kind(start)}, []
    while waiting:
        address = waiting.pop(0)
        answer = reader.context.request.get(reader.address + address, max_redirects=0)
        assert answer.status < 400, f"{address} answers {answer.status}"
        if answer.status != 200 or not answer.headers["content-type"].startswith("text/html"):
            continue
        if address.startswith("/desk") != start.startswith("/desk"):
            continue
        pages.append(address)
        for link in map(html.unescape, LINK.findall(answer.text())):
            if _kind(link) not in seen:
                seen.add(_kind(link))
                waiting.append(link)
    return pages


@pytest.fixture(scope="session")
def walked() -> dict[str, list[str]]:
    """The pages of those who have walked so far; in the same demonstration they are the same for every test."""
    return {}


def _share(walked: dict[str, list[str]], reader: Reader, login: str, part: int) -> list[str]:
    if login not in walked:
        walked[login] = _walk(reader, "/desk/" if login not in {"", "resident"} else "/")
    return walked[login][part :: PARTS[login]]


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("login", "part"), SHARES)
def test_every_kind_of_page_keeps_the_promises_of_all_pages(
    app: Flask,
    demonstration: list[Shown],
    reader: Open,
    walked: dict[str, list[str]],
    login: str,
    part: int,
):
    """Each page once with axe; then, for it costs little, at another width and text size without."""
    at_desk = login not in {"", "resident"}
    first = _enter(app, reader(desk=at_desk), login)
    twice = login == "resident"
    second = _enter(app, reader(scale="1.3" if login else "1.8", axe=twice), login)
    addresses = _share(walked, first, login, part)
    assert addresses
    for address in addresses:
        first.go(address)
        foreign = set(WORD.findall(ADDRESS.sub("", first.page.locator("body").inner_text()))) - KNOWN
        assert not foreign, f"{address} says {sorted(foreign)}"
        second.go(address, axe=twice)


@pytest.mark.timeout(300)
def test_every_page_is_on_somebodys_walk_or_the_reason_is_written(
    app: Flask, demonstration: list[Shown], reader: Open, walked: dict[str, list[str]]
):
    for login in PARTS:
        _share(walked, _enter(app, reader(axe=False), login), login, 0)
    addresses = app.url_map.bind("localhost")
    reached = {addresses.match(urlsplit(page).path)[0] for pages in walked.values() for page in pages}
    every = {rule.endpoint for rule in app.url_map.iter_rules() if "GET" in (rule.methods or set())}
    excused = {endpoint for endpoints in UNREACHED.values() for endpoint in endpoints}
    # Shifts and topics of the demonstration move with the clock, and what may be done about one of them with its hour.
    moving = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith(("volunteers.", "deliberation.")) and rule.arguments
    }
    assert every - reached - SOME_DAYS - moving - {"static"} == excused


def test_reloading_or_coming_back_to_a_form_with_mistakes_asks_for_it_and_sends_nothing_again(app: Flask, reader: Open):
    visitor = reader().go("/account/sign-in")
    sent: list[str] = []
    visitor.page.on("request", lambda request: sent.append(request.method))
    visitor.page.locator("form[method=post] .field input").first.fill("1")
    visitor.page.locator("form[method=post]:has(.field) [type=submit]").first.click()
    visitor.page.wait_for_selector(".error-summary")
    assert sent.count("POST") == 1
    visitor.page.reload()
    assert visitor.page.locator(".error-summary").count() == 0
    visitor.go("/")
    visitor.page.go_back()
    assert sent.count("POST") == 1
