"""What every answer carries, and what no answer may."""

import dataclasses
from datetime import UTC, date, datetime, time

import pytest
import time_machine
from werkzeug.routing import BuildError

from portal.app import create_app
from portal.config import Mode
from portal.core import access, clock, web
from portal.core.access import Platform
from portal.core.db import db
from portal.core.statics import build
from portal.identity import passwords
from tests.client import Client

PROMISED = {
    "Content-Security-Policy": web.CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@pytest.fixture
def variant(config):
    """Further applications with other settings, whose connections are closed again."""
    made = []

    def with_settings(**settings):
        made.append(create_app(dataclasses.replace(config, **settings)))
        made[-1].test_client_class = Client
        return made[-1]

    yield with_settings
    for app in made:
        with app.app_context():
            db.engine.dispose()


@pytest.mark.parametrize("path", ["/", "/desk", "/nowhere"])
@pytest.mark.parametrize("name", PROMISED)
def test_every_answer_carries_the_promised_headers(client, path, name):
    assert client.get(path).headers[name] == PROMISED[name]


def test_a_camera_is_allowed_on_the_scanning_page_only(client):
    assert "camera=()" in client.get("/").headers["Permissions-Policy"]


def test_a_post_from_another_site_is_refused(client):
    answer = client.post("/preferences", data={"scale": "1.3"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert "scale=" not in str(answer.headers.getlist("Set-Cookie"))


def test_a_post_without_its_token_is_refused_in_words(app, client):
    app.config["WTF_CSRF_ENABLED"] = True
    answer = client.post("/preferences", data={"scale": "1.3"})
    assert answer.status_code == 400
    assert "返回上一页" in answer.text


def test_a_page_left_open_too_long_can_be_opened_again(app, client):
    app.config["WTF_CSRF_ENABLED"] = True
    answer = client.post("/account/sign-in?next=/me", data={"phone": "13800000001"})
    assert answer.status_code == 400
    assert 'href="/account/sign-in?next=/me"' in answer.text


def test_a_host_that_is_not_ours_is_refused(variant):
    app = variant(trusted_hosts=("portal.example",))
    assert app.test_client().get("/", headers={"Host": "evil.example"}).status_code == 400
    assert app.test_client().get("/", headers={"Host": "portal.example"}).status_code == 200


def test_a_forwarded_address_counts_only_behind_a_known_proxy(variant):
    seen = {}

    def address(environ, start_response):
        seen["address"] = environ["REMOTE_ADDR"]
        start_response("200 OK", [])
        return [b""]

    direct = variant()
    behind = variant(proxies=1)
    assert direct.wsgi_app.__class__.__name__ != "ProxyFix"
    behind.wsgi_app.app = address
    behind.test_client().get("/", headers={"X-Forwarded-For": "6.6.6.6, 10.1.2.3"})
    assert seen["address"] == "10.1.2.3"


@pytest.mark.parametrize(
    "address",
    [
        "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "http://evil.example",
        "https:evil.example", "javascript:alert(1)", "/\tevil", "/\nevil", "/ evil", "/x\\y", "evil", "", None,
        "%2f%2fevil.example", "data:text/html,x", "/\r\nLocation: x", "ftp://evil", " /", "\x00/",
    ],
)  # fmt: skip
def test_a_next_address_cannot_leave_the_portal(address):
    assert access.safe_next(address, "/home") == "/home"


@pytest.mark.parametrize("address", ["/", "/meals/", "/meals/12?day=2026-11-23", "/desk/people/abc#phone"])
def test_a_next_address_inside_the_portal_is_kept(address):
    assert access.safe_next(address, "/home") == address


def test_an_unknown_page_says_how_to_go_on(client):
    answer = client.get("/nowhere")
    assert answer.status_code == 404
    assert "回首页" in answer.text


def test_static_names_change_with_their_content(tmp_path):
    source = tmp_path / "static"
    source.mkdir()
    (source / "a.css").write_text("a { color: red }")
    first = build(source, tmp_path / "built")
    (source / "a.css").write_text("a { color: blue }")
    second = build(source, tmp_path / "built")
    assert first.url("a.css") != second.url("a.css")
    assert (second.root / (second.names["a.css"] + ".br")).is_file()


def test_a_second_build_reuses_the_first(tmp_path):
    source = tmp_path / "static"
    source.mkdir()
    (source / "a.css").write_text("a { color: red }")
    first = build(source, tmp_path / "built")
    stamp = first.root.stat().st_mtime_ns
    assert build(source, tmp_path / "built").root.stat().st_mtime_ns == stamp


def test_a_file_to_save_keeps_its_chinese_name(app):
    with app.test_request_context():
        answer = web.download(b"x", "被拒绝的行 1.xlsx", "application/octet-stream")
    assert answer.headers["Content-Disposition"].endswith("%E8%A2%AB%E6%8B%92%E7%BB%9D%E7%9A%84%E8%A1%8C%201.xlsx")


def test_a_nul_character_is_no_failure_of_ours(make, app):
    client = app.test_client().sign_in(make.worker())
    assert client.post("/desk/people/", data={"q": "王\x00秀"}).status_code == 200
    assert client.get("/desk/person/a%00b").status_code in {400, 404}


def test_productions_session_cookie_is_bound_to_its_host(make, app, variant):
    production = variant(mode=Mode.PRODUCTION, trusted_hosts=("localhost",))
    held = app.extensions["portal.sms"]
    production.extensions["portal.sms"] = held
    production.config["WTF_CSRF_ENABLED"] = False
    account = make.worker(password_hash=passwords.hashed("zhe shi yi ju hen chang de hua", Platform.DESK))
    answer = production.test_client().post(
        "/desk/account/sign-in",
        data={"username": account.username, "password": "zhe shi yi ju hen chang de hua"},
        base_url="https://localhost",
    )
    cookie = next(line for line in answer.headers.getlist("Set-Cookie") if line.startswith("__Host-sid="))
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


@pytest.mark.parametrize(
    ("said", "number"),
    [("12", 12), ("-3", -3), ("", 7), ("x", 7), ("²", 7), ("9" * 25, 7), (str(2**31 - 1), 2**31 - 1), (str(2**31), 7)],
)
def test_a_number_asked_for_fits_a_column_or_is_the_default(app, said, number):
    with app.test_request_context("/", query_string={"before": said}):
        assert web.number_asked("before", 7) == number
        assert web.number_asked("missing", 7) == 7
        assert web.number_asked("before", 7, said={"before": said}) == number


def test_a_day_is_said_in_the_readers_language_however_often_it_is_asked(app):
    for scale, locale, words in (("1", "zh", "11月23日 周一"), ("1", "en", "Mon 23 Nov"), ("1", "zh", "11月23日 周一")):
        with time_machine.travel(clock.at(date(2026, 11, 23), time(12)), tick=False), app.test_request_context():
            web.show_as(web.View(scale=scale, locale=locale, site_name=""))
            assert web.day_words(date(2026, 11, 23)) == words
            web.show_as(web.View(scale="1", locale="zh", site_name=""))


def test_the_day_of_a_moment_is_the_streets(app):
    moment = datetime(2026, 11, 23, 16, 30, tzinfo=UTC)
    with time_machine.travel(moment, tick=False), app.test_request_context():
        assert (web.day_words(moment), web.full_day(moment)) == ("11月24日 周二", "2026年11月24日")


@pytest.mark.parametrize(
    ("day", "chinese", "english"),
    [
        (date(2026, 1, 5), "1月5日 周一", "Mon 5 Jan"),
        (date(2027, 1, 22), "1月22日 周五", "Fri 22 Jan"),
        (date(2027, 1, 23), "2027年1月23日 周六", "Sat 23 Jan 2027"),
        (date(2025, 11, 23), "2025年11月23日 周日", "Sun 23 Nov 2025"),
    ],
)
def test_a_day_of_another_year_is_said_with_its_year_unless_it_is_near(app, day, chinese, english):
    with time_machine.travel(clock.at(date(2026, 11, 23), time(12)), tick=False), app.test_request_context():
        said = []
        for locale in ("zh", "en"):
            web.show_as(web.View(scale="1", locale=locale, site_name=""))
            said.append(web.day_words(day))
        web.show_as(web.View(scale="1", locale="zh", site_name=""))
    assert said == [chinese, english]


def test_a_link_is_made_once_and_what_differs_is_another_link(app):
    link = app.jinja_env.globals["url_for"]
    with app.test_request_context("/"):
        assert [link("meals.resident.menus"), link("meals.resident.menus", day="2026-11-23")] == [
            "/meals/",
            "/meals/?day=2026-11-23",
        ]
        assert link("meals.resident.menus") == "/meals/"
    with app.test_request_context("/", environ_overrides={"SCRIPT_NAME": "/street"}):
        assert link("meals.resident.menus") == "/street/meals/"
        assert link("meals.resident.menus", day="2026-11-23") == "/street/meals/?day=2026-11-23"
    with app.test_request_context("/services/"):
        assert link(".search", q="灯") == link("catalogue.resident.search", q="灯")
        # 1, 1.0 and True are equal, and written otherwise.
        assert [link(".search", page=page) for page in (1, True, 1.0)] == [
            f"/services/search?page={page}" for page in ("1", "True", "1.0")
        ]
        assert link(".search", page=[1, 2]) == "/services/search?page=1&page=2"
    with app.test_request_context("/meals/"), pytest.raises(BuildError):
        link(".search", q="灯")


def test_only_so_many_links_are_kept(app):
    link, known = app.jinja_env.globals["url_for"], app.extensions["portal.addresses"]
    with app.test_request_context("/"):
        for number in range(web.ADDRESSES + 10):
            link("meals.resident.menus", day=number)
    assert known.cache_info().currsize == web.ADDRESSES
