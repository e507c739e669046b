"""The wheel: everything the portal needs is inside, though half of it stands at the top of the repository."""

import os
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from pathlib import Path

import pytest
import requests

from tests.sites import ROOT, free_port, spawned

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
BESIDE = ("templates", "static", "translations")


def test_every_package_of_the_tree_is_listed():
    listed = set(PROJECT["tool"]["setuptools"]["packages"])
    tree = {
        path.parent.relative_to(ROOT).as_posix().replace("/", ".") for path in (ROOT / "portal").rglob("__init__.py")
    }
    assert listed == tree | {f"portal.{name}" for name in BESIDE}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, so that no build folder is left in the repository."""
    copy, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("portal", *BESIDE, "pyproject.toml", "README.md", "LICENSE"):
        subprocess.run(["cp", "-r", str(ROOT / name), str(copy)], check=True)
    build = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(out), str(copy)]
    done = subprocess.run(build, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    (made,) = out.glob("*.whl")
    return made


def test_the_wheel_holds_what_stands_beside_the_code(wheel):
    with zipfile.ZipFile(wheel) as archive:
        inside = set(archive.namelist())
    wanted = {
        f"portal/{path.relative_to(ROOT).as_posix()}"
        for name in BESIDE
        for path in (ROOT / name).rglob("*")
        if path.is_file() and (name != "translations" or path.suffix == ".mo")
    }
    assert not wanted - inside
    assert "portal/migrations/HEAD" in inside
    assert not [name for name in inside if name.startswith(("tests/", "bench/", "instance/"))]


@pytest.mark.slow
def test_an_installed_portal_migrates_and_serves(wheel, tmp_path):
    """In an environment of its own, which sees this one's libraries but not this repository."""
    venv, instance = tmp_path / "venv", tmp_path / "instance"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(venv)}))
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    install = [sys.executable, "-m", "pip", "--python", str(venv / "bin/python"), "install", "--no-deps", "--no-index"]
    subprocess.run([*install, "--quiet", "--disable-pip-version-check", str(wheel)], check=True)
    port = free_port()
    env = {"PATH": os.environ["PATH"], "PORTAL_MODE": "demo", "PORTAL_INSTANCE": str(instance), "PORT": str(port)}
    portal = str(venv / "bin/portal")
    subprocess.run([portal, "migrate"], env=env, cwd=tmp_path, check=True, capture_output=True)
    process = spawned([portal, "serve"], env, tmp_path / "log.txt", folder=tmp_path)
    try:
        process.says("serving at")
        page = requests.get(f"http://127.0.0.1:{port}/account/sign-in", timeout=20)
        assert "/static/" in page.text
    finally:
        assert process.end() == 0
