"""Third-party files and compiled sentences are what their sources say."""

import hashlib
import io
import json
from pathlib import Path

from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "static"
PINNED = json.loads((STATIC / "vendor" / "vendor.json").read_text())


def test_every_third_party_file_has_the_hash_it_is_pinned_to():
    found = {item["file"]: hashlib.sha256((STATIC / item["file"]).read_bytes()).hexdigest() for item in PINNED}
    assert found == {item["file"]: item["sha256"] for item in PINNED}


def test_every_third_party_file_is_pinned_with_its_version_and_licence():
    kept = {path.relative_to(STATIC).as_posix() for path in (STATIC / "vendor").glob("*.*s")}
    assert kept <= {item["file"] for item in PINNED}
    for item in PINNED:
        assert item["version"]
        assert item["licence"]
        assert (STATIC / item["licence_file"]).is_file()


def test_htmx_is_of_the_line_that_old_web_views_read():
    assert {item["name"]: item["version"] for item in PINNED}["htmx.org"] == "2.0.11"


def test_the_compiled_sentences_are_the_written_ones():
    folder = ROOT / "translations" / "en" / "LC_MESSAGES"
    written = read_po(io.BytesIO((folder / "messages.po").read_bytes()))
    compiled = read_mo(io.BytesIO((folder / "messages.mo").read_bytes()))
    assert {item.id: item.string for item in compiled if item.id} == {
        item.id: item.string for item in written if item.id and item.string
    }
