"""Take the README's screenshots again: a fresh demonstration, a phone, a desk, the elder view.

`make pictures` writes docs/pictures/*.png. With a folder as argument it takes many more pages there, for looking.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 800}
RESIDENT = ("/account/sign-in", "13800000002", "jiankang2026")
WORKER = ("/desk/account/sign-in", "worker2", "chunhui-jiedao-2026")
COMMUNITY = ("/desk/account/sign-in", "worker", "chunhui-jiedao-2026")
GRID = ("/desk/account/sign-in", "grid", "chunhui-jiedao-2026")
CANTEEN = ("/desk/account/sign-in", "canteen2", "chunhui-jiedao-2026")


@dataclass(frozen=True)
class Shot:
    name: str
    path: str
    who: tuple[str, str, str] | None = None
    desk: bool = False
    scale: str = "1"
    whole: bool = False
    # What stands just below the head: a selector; the top of the page without one.
    at: str = ""


README = (
    Shot("resident-home", "/", RESIDENT),
    Shot("resident-home-elder", "/", RESIDENT, scale="1.3"),
    Shot("menus-elder", "/meals/", RESIDENT, scale="1.3"),
    Shot("desk", "/desk/", WORKER, desk=True),
    Shot("building", "/desk/people/buildings/8", WORKER, desk=True),
    Shot("visits", "/desk/visits/", GRID),
    Shot("grid", "/desk/grids/999901001002001", WORKER, desk=True),
    Shot("kitchen", "/desk/meals/kitchen", CANTEEN, desk=True),
    Shot("redeem", "/desk/meals/redeem", CANTEEN),
    Shot("services", "/services/", RESIDENT),
    Shot("day", "/desk/services/days", COMMUNITY, desk=True),
    Shot("requests", "/desk/cases/", COMMUNITY, desk=True),
    Shot("topic", "/deliberation/topics/1", RESIDENT),
    Shot("opinion-map", "/deliberation/topics/9/map", RESIDENT, at="main > .card:nth-of-type(2)"),
    Shot("vote", "/deliberation/votes/1/cast", RESIDENT),
    Shot("vote-result", "/deliberation/votes/3", RESIDENT, at=".big-figure"),
)


@contextmanager
def demonstration() -> Iterator[str]:
    """A portal of its own on a free port, loaded with the demonstration."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "PORTAL_MODE": "demo", "PORTAL_INSTANCE": folder, "PORT": str(port)}
        for command in ("migrate", "demo"):
            subprocess.run(
                [sys.executable, "-m", "portal", command], cwd=ROOT, env=env, check=True, stdout=subprocess.DEVNULL
            )
        server = subprocess.Popen([sys.executable, "-m", "portal", "serve"], cwd=ROOT, env=env)
        try:
            _wait(f"http://127.0.0.1:{port}/healthz")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(timeout=30)


def _wait(address: str) -> None:
    for _try in range(100):
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the portal did not start")


def _page(browser: Browser, address: str, shot: Shot) -> Page:
    context = browser.new_context(viewport=DESK if shot.desk else PHONE, locale="zh-CN", device_scale_factor=2)
    context.add_cookies([{"name": "scale", "value": shot.scale, "url": address}])
    page = context.new_page()
    if shot.who:
        path, login, password = shot.who
        page.goto(address + path)
        page.locator("main input[type=text], main input[type=tel]").first.fill(login)
        page.locator("main input[type=password]").first.fill(password)
        page.locator("main button[type=submit]").first.click()
        page.wait_for_load_state()
    return page


def _lighten(path: Path) -> None:
    """A page has few colours: a palette of 256 shows it as well, in half the bytes."""
    with Image.open(path) as picture:
        few = picture.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    few.save(path, optimize=True)


def take(shots: tuple[Shot, ...], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium")
    with demonstration() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--lang=zh-CN"])
        for shot in shots:
            page = _page(browser, address, shot)
            page.goto(address + shot.path)
            if shot.at:
                place = page.locator(shot.at).first
                place.evaluate("part => window.scrollTo(0, part.getBoundingClientRect().top + window.scrollY - 110)")
            page.screenshot(path=folder / f"{shot.name}.png", full_page=shot.whole)
            page.context.close()
            _lighten(folder / f"{shot.name}.png")
        browser.close()


if __name__ == "__main__":
    take(README, ROOT / "docs" / "pictures")
