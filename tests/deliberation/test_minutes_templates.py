"""A community's own document for minutes: what is taken, what is refused in words, and what is filled in."""

import base64
import io
import re
import zipfile

import pytest
import sqlalchemy as sa
from docx import Document

from portal.core.clock import now
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.deliberation import filling
from portal.deliberation.models.meetings import MinutesTemplate
from portal.deliberation.service import meeting_minutes, minutes_templates
from portal.identity.permissions import Role
from tests.deliberating import Deliberating

pytestmark = pytest.mark.both_databases


@pytest.fixture
def deliberating(make) -> Deliberating:
    return Deliberating(make)


@pytest.fixture
def desk(app, make):
    """The committee of the test's community."""
    return app.test_client().sign_in(make.worker(Role.COMMITTEE_MEMBER))


def document(*paragraphs: str) -> bytes:
    made, held = Document(), io.BytesIO()
    for words in paragraphs:
        made.add_paragraph(words)
    made.save(held)
    return held.getvalue()


def with_part(data: bytes, name: str, content: bytes) -> bytes:
    """The same document with one part more."""
    held = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            new.writestr(part, old.read(part))
        new.writestr(name, content)
    return held.getvalue()


def put(client, community, data: bytes):
    form = {"file": (io.BytesIO(data), "我们的纪要.docx")}
    path = f"/desk/deliberation/minutes-templates/{community.code}"
    return client.post(path, data=form, content_type="multipart/form-data")


def text(data: bytes) -> str:
    return "\n".join(one.text for one in Document(io.BytesIO(data)).paragraphs)


def test_a_communitys_own_document_is_filled_and_ours_again_once_it_is_removed(make, deliberating, desk):
    community, meeting = make.community(), deliberating.meeting(title="停车位划线议事会")
    page = "/desk/deliberation/minutes-templates"
    assert "默认的样式" in desk.get(page).text
    assert put(desk, community, document("春风里社区纪要", "{{ 会议名称 }} 在 {{ 地点 }}")).status_code == 303
    assert "我们的纪要.docx" in desk.get(page).text
    answer = desk.get(f"/desk/deliberation/meetings/{meeting.id}/minutes/file")
    assert text(answer.data) == "春风里社区纪要\n停车位划线议事会 在 社区议事厅"
    assert "{{ 会议名称 }}" in text(desk.get(f"{page}/{community.code}/file").data)
    remove = f"{page}/{community.code}/remove"
    assert desk.post(remove, data={}).status_code == 422
    assert desk.post(remove, data={"why": "抬头错了"}).status_code == 303
    assert "到会" in text(desk.get(f"/desk/deliberation/meetings/{meeting.id}/minutes/file").data)


def test_a_second_document_replaces_the_first(make, desk):
    community = make.community()
    for words in ("一 {{ title }}", "二 {{ title }}"):
        assert put(desk, community, document(words)).status_code == 303
    (kept,) = db.session.scalars(sa.select(MinutesTemplate.content)).all()
    assert text(kept) == "二 {{ title }}"


def test_our_own_template_can_be_brought_back_as_it_is(app):
    with app.test_request_context():
        assert minutes_templates.checked(meeting_minutes.blank())


def test_our_own_template_asks_in_chinese_for_everything_that_can_be_filled_in(app):
    with app.test_request_context():
        given, names = text(meeting_minutes.blank()), [name for name, _meaning in minutes_templates.names()]
    assert not re.search("[A-Za-z]", given)
    assert [name for name in names if name not in given] == []


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "请选一个"),
        (b"PK\x03\x04rubbish", "不是能打开"),
        (document("没有填空"), "没有填空"),
        (document("{{ title }} {{ secret }}"), "不认识的填空：secret"),
        (document("{{ title"), "写得不完整"),
        (document("{% for item in items %}{{ item.title }}"), "写得不完整"),
        (with_part(document("{{ title }}"), "word/vbaProject.bin", b"program"), "带有程序"),
        (with_part(document("{{ title }}"), "word/media/big.png", b"\0" * (31 * 1024 * 1024)), "太大"),
        (
            with_part(document("{{ title }}"), "word/extra.xml", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'),
            "不是能打开",
        ),
    ],
)
def test_what_cannot_be_filled_is_refused_in_words(app, data, words):
    with app.test_request_context(), pytest.raises(Refused, match=words):
        minutes_templates.checked(data)


@pytest.mark.parametrize(
    "words",
    [
        "{{ title }}{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{{ title * 999999999999 }}",
    ],
)
def test_a_document_that_never_ends_or_eats_all_memory_is_stopped(app, monkeypatch, words):
    monkeypatch.setattr(minutes_templates, "SECONDS", 6)
    with app.test_request_context(), pytest.raises(Refused, match=r"太慢或太大|写得不完整"):
        minutes_templates.checked(document(words))


def test_a_document_reaches_nothing_behind_its_facts():
    found = filling.filled(document("{{ title.__class__.__mro__ }}"), {"title": "议事会"})
    assert "document" not in found


def test_what_is_filled_in_is_text_and_no_markup():
    made = filling.filled(document("{{ title }}"), {"title": "<b>甲 & 乙</b>"})
    assert "document" in made


def test_a_text_of_several_lines_keeps_them():
    made = filling.filled(document("{{ 纪要 }}"), {"纪要": "甲说停不下\n乙<说>画线"})
    assert text(base64.b64decode(made["document"])) == "甲说停不下\n乙<说>画线"


def test_another_communitys_document_does_not_exist(app, make, deliberating):
    other = app.test_client().sign_in(make.worker(Role.COMMITTEE_MEMBER, make.community("荷塘社区")))
    mine = make.community()
    with transaction():
        db.session.add(
            MinutesTemplate(area_id=mine.id, name="春.docx", content=document("{{ title }}"), added_at=now())
        )
    assert "春.docx" not in other.get("/desk/deliberation/minutes-templates").text
    for path in ("", "/file", "/remove"):
        assert other.get(f"/desk/deliberation/minutes-templates/{mine.code}{path}").status_code == 404
    assert put(other, mine, document("{{ title }}")).status_code == 404


RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def linked(kind: str, mode: str = "External") -> bytes:
    """A document that points to something elsewhere."""
    data, held = document("{{ title }}"), io.BytesIO()
    name = "word/_rels/document.xml.rels"
    said = f'<Relationship Id="rId99" Type="{RELATIONS}/{kind}" Target="http://192.0.2.1/a" TargetMode="{mode}"/>'
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            content = old.read(part)
            if part.filename == name:
                content = content.replace(b"</Relationships>", said.encode() + b"</Relationships>")
            new.writestr(part, content)
    return held.getvalue()


@pytest.mark.parametrize("kind", ["attachedTemplate", "image", "oleObject", "frame", "subDocument"])
def test_a_document_that_fetches_something_from_elsewhere_is_refused(app, kind):
    with app.test_request_context(), pytest.raises(Refused, match="连着别处"):
        minutes_templates.checked(linked(kind))


def test_a_link_that_somebody_clicks_stays(app):
    with app.test_request_context():
        assert minutes_templates.checked(linked("hyperlink"))


def begun(kind: str) -> str:
    return f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>'


def told(*pieces: str) -> str:
    return "".join(f'<w:r><w:instrText xml:space="preserve">{piece}</w:instrText></w:r>' for piece in pieces)


def with_field(markup: str, part: str = "word/document.xml") -> bytes:
    """A document with a field in its text, or in its header."""
    made, held = Document(), io.BytesIO()
    made.add_paragraph("{{ title }}")
    made.sections[0].header.paragraphs[0].text = "抬头"
    made.save(held)
    out = io.BytesIO()
    with zipfile.ZipFile(held) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for one in old.infolist():
            content = old.read(one)
            if one.filename == part:
                content = content.replace(b"</w:p>", markup.encode() + b"</w:p>", 1)
            new.writestr(one, content)
    return out.getvalue()


OUTSIDE = ["INCLUDETEXT", "INCLUDEPICTURE", "DDE", "DDEAUTO", "LINK", "DATABASE", "MACROBUTTON", "RD", "IMPORT"]


def simple(name: str) -> str:
    return f'<w:fldSimple w:instr=" {name} &quot;C:/a.doc&quot; "><w:r><w:t>a</w:t></w:r></w:fldSimple>'


def test_a_document_with_a_field_that_reads_another_file_is_refused_by_its_name(app):
    with app.test_request_context(), pytest.raises(Refused, match=r"从别处取内容.*INCLUDETEXT.*删去"):
        minutes_templates.checked(with_field(simple("INCLUDETEXT")))


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_field_that_reads_another_file_or_runs_something_is_found(name):
    assert filling.filled(with_field(simple(name)), {"title": ""}) == {"fault": "field", "names": [name]}


@pytest.mark.parametrize(
    ("markup", "part"),
    [
        (begun("begin") + told("INCL", 'UDETEXT "C:/a.doc"') + begun("separate") + begun("end"), "word/document.xml"),
        (begun("begin") + told('includetext "C:/a.doc"') + begun("end"), "word/header1.xml"),
        # Inside another; cut off before its end; without a beginning; the name made by a field of its own.
        (
            begun("begin") + told("QUOTE ") + begun("begin") + told("INCLUDETEXT a") + begun("end") * 2,
            "word/document.xml",
        ),
        (begun("begin") + told("INCLUDETEXT a"), "word/document.xml"),
        (told("INCLUDETEXT a"), "word/document.xml"),
        (
            begun("begin") + begun("begin") + told("QUOTE INCLUDETEXT") + begun("end") + told(' "a"') + begun("end"),
            "word/document.xml",
        ),
        # Put together by what is filled in.
        (
            begun("begin")
            + "<w:r><w:t>{% if not title %}</w:t></w:r>"
            + told("PAGE ")
            + "<w:r><w:t>{% endif %}</w:t></w:r>"
            + told("INCLUDETEXT a")
            + begun("end"),
            "word/document.xml",
        ),
    ],
)
def test_such_a_field_is_found_however_it_is_written(markup, part):
    assert filling.filled(with_field(markup, part), {"title": "议事会"}).get("fault") == "field"


def test_page_numbers_dates_and_links_to_click_stay():
    page = "".join(
        begun("begin") + told(f" {said} ") + begun("separate") + begun("end")
        for said in ("PAGE", "NUMPAGES \\* MERGEFORMAT", 'DATE \\@ "yyyy-MM-dd"', "=1+1", 'HYPERLINK "https://a.cn"')
    )
    assert "document" in filling.filled(with_field(page, "word/header1.xml"), {"title": "议事会"})
