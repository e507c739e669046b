"""A real browser before a real server: phone and desk, standard and elder view, with and without JavaScript."""

import shutil
import threading
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright
from werkzeug.serving import make_server

from portal.core import statics
from portal.core.web import LOCALES
from tests.client import Client

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 800}
ARGUMENTS = [
    "--no-sandbox",
    "--lang=zh-CN",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
    # A page lives here for a second or two: compiling its scripts for speed, or another process that draws, comes too
    # late to be worth it. Layout, styles and what a script does are the same.
    "--js-flags=--no-maglev --no-turbofan",
    "--disable-gpu",
    "--in-process-gpu",
]
# Asked for violations alone, axe spares itself and us the long list of what is well.
AXE = "axe.run({resultTypes: ['violations']}).then(found => found.violations)"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    assert path, "no Chromium: install the package chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    """The application served on a free port of the loopback, its static files in front."""
    app.config["WTF_CSRF_ENABLED"] = True
    front = statics.served(app.wsgi_app, app.extensions["portal.statics"])
    server = make_server("127.0.0.1", 0, front, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(timeout=10)
    server.server_close()


class Reader:
    """A person with a browser; every page reached is held to what all pages promise."""

    def __init__(self, context: BrowserContext, address: str, *, scripts: bool) -> None:
        self.context = context
        self.address = address
        self.scripts = scripts
        self.complaints: list[str] = []
        self.page: Page = context.new_page()
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _heard(self, message: ConsoleMessage) -> None:
        # A refused form is a 422 and shows as a failed load; that is no fault of the page.
        if message.type == "error" and "422" not in message.text:
            self.complaints.append(f"{message.text} ({self.page.url})")

    def go(self, path: str, *, axe: bool = True) -> "Reader":
        self.page.goto(self.address + path)
        return self.look(axe=axe)

    def carry(self, client: Client) -> "Reader":
        """Take over the session that a test client has signed in to."""
        sid = client.get_cookie("sid")
        assert sid
        self.context.add_cookies([{"name": "sid", "value": sid.value, "url": self.address}])
        return self

    def look(self, *, axe: bool = True) -> "Reader":
        """Hold the page that is open now to the promises of all pages; axe's share of them takes longest."""
        self.page.wait_for_load_state()
        assert not self.complaints, self.complaints
        width = self.page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert width[0] <= width[1], f"{self.page.url} is wider than its window: {width}"
        if axe and self.scripts:
            found = self.page.evaluate(AXE)
            said = [(item["id"], [node["html"] for node in item["nodes"]][:3]) for item in found]
            assert not found, f"{self.page.url}: {said}"
        return self

    def press(self, name: str) -> "Reader":
        """Press the button of that name, or follow the link, and look at what comes."""
        button = self.page.get_by_role("button", name=name).or_(self.page.get_by_role("link", name=name))
        button.first.click()
        return self.look()

    def fill(self, label: str, value: str) -> "Reader":
        self.page.get_by_label(label, exact=False).first.fill(value)
        return self

    def reads(self, text: str) -> bool:
        return text in self.page.locator("body").inner_text()


Open = Callable[..., Reader]


@pytest.fixture
def reader(browser: Browser, address: str) -> Iterator[Open]:
    """Open a browser of some size, text step and language; axe needs scripts, so without them it is left out.

    Where it is not to be asked, `axe=False` spares each page half a megabyte of it.
    """
    contexts: list[BrowserContext] = []

    def open_reader(
        *, desk: bool = False, scale: str = "1", scripts: bool = True, locale: str = "zh", axe: bool = True
    ) -> Reader:
        context = browser.new_context(
            viewport=DESK if desk else PHONE,
            locale=LOCALES["zh"].replace("_Hans_", "-"),
            java_script_enabled=scripts,
            has_touch=not desk,
            bypass_csp=False,
        )
        context.add_cookies(
            [{"name": name, "value": value, "url": address} for name, value in (("scale", scale), ("locale", locale))]
        )
        if axe and scripts:
            context.add_init_script(AXE_SCRIPT)
        contexts.append(context)
        return Reader(context, address, scripts=scripts)

    yield open_reader
    for context in contexts:
        context.close()
