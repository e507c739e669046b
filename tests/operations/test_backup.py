"""Backing up and restoring: a file that holds everything but the keys, put back whole or not at all."""

import tarfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from portal.core import backups
from tests.sites import Site, copy_keys, site

PEOPLE = """
from tests.make import Make
make = Make()
for name in ("王秀英", "李桂兰"):
    make.person(name)
"""


@pytest.fixture(scope="module")
def example(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(database, tmp_path_factory.mktemp("backup") / "example") as made:
        made.migrated().python(PEOPLE)
        uploads = made.instance / "uploads/notices"
        uploads.mkdir(parents=True)
        (uploads / "picture.png").write_bytes(b"a picture")
        yield made


@pytest.fixture
def filled(new_site: Callable[..., Site], example: Site) -> Site:
    """A site with two people and a picture."""
    return new_site(like=example)


def _backed_up(site: Site) -> Path:
    done = site.run("backup")
    assert done.returncode == 0, done.stderr
    (made,) = (site.instance / "backups").glob("portal-*.tar.gz")
    return made


def test_a_backup_restored_elsewhere_is_the_same_site(filled, new_site):
    there = new_site()
    file = _backed_up(filled)
    copy_keys(filled, there)
    done = there.run("restore", str(file))
    assert done.returncode == 0, done.stderr
    assert "no flaw found" in done.stdout
    assert there.scalar("SELECT count(*) FROM person") == 2
    assert (there.instance / "uploads/notices/picture.png").read_bytes() == b"a picture"


def test_a_backup_holds_no_key(filled):
    file = _backed_up(filled)
    with tarfile.open(file) as archive:
        names = archive.getnames()
    assert [name for name in names if "key" in name] == []
    assert "uploads/notices/picture.png" in names


def test_a_backup_is_its_owners_only(filled):
    assert _backed_up(filled).stat().st_mode & 0o777 == 0o600


def test_a_backup_taken_while_the_portal_serves_is_whole(filled, new_site):
    there = new_site()
    filled.serve()
    file = _backed_up(filled)
    copy_keys(filled, there)
    assert there.run("restore", str(file)).returncode == 0


def test_restoring_needs_the_sites_keys(filled, new_site):
    file, there = _backed_up(filled), new_site()
    refused = there.run("restore", str(file))
    assert refused.returncode == 1
    assert "put the site's keys.json into the instance folder first" in refused.stderr


def test_a_database_with_rows_is_replaced_only_when_told(filled):
    file = _backed_up(filled)
    filled.python('from tests.make import Make\nMake().resident(phone="13900000000")')
    refused = filled.run("restore", str(file))
    assert refused.returncode == 1
    assert "add --replace" in refused.stderr
    assert filled.scalar("SELECT count(*) FROM account") == 1
    assert filled.run("restore", "--replace", str(file)).returncode == 0
    assert filled.scalar("SELECT count(*) FROM account") == 0
    assert filled.scalar("SELECT count(*) FROM person") == 2


def test_a_database_in_use_is_not_replaced(filled):
    file = _backed_up(filled)
    filled.serve()
    refused = filled.run("restore", "--replace", str(file))
    assert refused.returncode == 1
    assert "stop the web server and the jobs first" in refused.stderr
    assert filled.scalar("SELECT count(*) FROM person") == 2


def test_a_damaged_backup_is_refused_and_nothing_changes(filled):
    file = _backed_up(filled)
    damaged = file.with_name("portal-20260101T000000Z.tar.gz")
    damaged.write_bytes(file.read_bytes()[:-2000])
    refused = filled.run("restore", "--replace", str(damaged))
    assert refused.returncode == 1
    assert "is not a backup of this portal, or is not whole" in refused.stderr
    assert filled.scalar("SELECT count(*) FROM person") == 2


def test_a_backup_with_a_changed_file_is_refused(filled, tmp_path):
    file = _backed_up(filled)
    folder, changed = tmp_path / "unpacked", tmp_path / "portal-20260101T000000Z.tar.gz"
    backups.unpack(file, folder)
    (folder / "uploads/notices/picture.png").write_bytes(b"another picture")
    with tarfile.open(changed, "w:gz") as archive:
        for path in (path for path in folder.rglob("*") if path.is_file()):
            archive.add(path, path.relative_to(folder).as_posix())
    refused = filled.run("restore", "--replace", str(changed))
    assert refused.returncode == 1
    assert "picture.png is not what the manifest says" in refused.stderr


def test_a_backup_that_reaches_outside_its_folder_is_refused(new_site, tmp_path):
    evil, outside = tmp_path / "portal-20260101T000000Z.tar.gz", tmp_path / "outside.txt"
    outside.write_text("as it was")
    with tarfile.open(evil, "w:gz") as archive:
        archive.add(outside, "../../outside.txt")
    site = new_site().migrated()
    refused = site.run("restore", "--replace", str(evil))
    assert refused.returncode == 1
    assert "has no place in a backup" in refused.stderr
    assert outside.read_text() == "as it was"


def test_the_newest_of_24_hours_14_days_and_12_months_are_kept(tmp_path):
    moment = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
    for hours in range(24 * 400):
        made = moment - timedelta(hours=hours)
        (tmp_path / f"portal-{made.strftime(backups.STAMP)}.tar.gz").touch()
    backups.prune(tmp_path)
    left = sorted(path.name.removeprefix("portal-") for path in tmp_path.glob("*"))
    days = {name[:8] for name in left}
    months = {name[:6] for name in left}
    assert len([name for name in left if name >= "20261121T13"]) == 24
    assert {f"202611{day:02d}" for day in range(9, 23)} <= days
    assert len(months) == 12
    # One file can be the newest of its hour, its day and its month.
    assert len(left) == 24 + 12 + 11
