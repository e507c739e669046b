"""Minutes: written on the spot and saved by themselves, each version kept; as a document to edit and bring back."""

import io
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from docx import Document
from docx.opc.exceptions import PackageNotFoundError
from docxtpl import DocxTemplate
from flask_babel import gettext as _
from jinja2.sandbox import SandboxedEnvironment

from portal.core import audit
from portal.core.access import Actor
from portal.core.clock import now
from portal.core.db import db, guarded
from portal.core.errors import Missing, Refused
from portal.deliberation.models.codes import MeetingState
from portal.deliberation.models.meetings import Meeting, MinutesVersion
from portal.deliberation.service import (
    meeting_attendance,
    meeting_words,
    meetings,
    minutes_templates,
    topic_words,
)

WRITTEN = (MeetingState.NOTIFIED, MeetingState.RUNNING, MeetingState.CLOSED)
# What the same hand saves again within this time is one version.
ONE_GO = timedelta(minutes=10)
MOST = 50_000


class Overtaken(Refused):
    """Somebody else saved meanwhile: nothing is written over unseen."""


def newest(meeting: Meeting) -> MinutesVersion | None:
    query = sa.select(MinutesVersion).where(MinutesVersion.meeting_id == meeting.id)
    return db.session.scalar(query.order_by(MinutesVersion.version.desc()).limit(1))


def versions(meeting: Meeting) -> list[MinutesVersion]:
    query = sa.select(MinutesVersion).where(MinutesVersion.meeting_id == meeting.id)
    return list(db.session.scalars(query.order_by(MinutesVersion.version.desc()).limit(200)))


def version(meeting: Meeting, number: int) -> MinutesVersion:
    query = sa.select(MinutesVersion).where(MinutesVersion.meeting_id == meeting.id, MinutesVersion.version == number)
    found = db.session.scalar(query)
    if found is None:
        raise Missing
    return found


def save(meeting: Meeting, text: str, *, seen: int, by: Actor) -> int:
    """Save the minutes over the version that was seen; the number of what stands now. The same text again is none."""
    if meeting.state not in WRITTEN:
        raise Refused(_("会议还没有通知，或情况已经公布，不能再写纪要。"))
    text = text.replace("\r\n", "\n")
    if text == meeting.minutes and seen <= meeting.minutes_version:
        return meeting.minutes_version
    following = meeting.minutes_version + 1
    written = sa.update(Meeting).where(Meeting.id == meeting.id, Meeting.minutes_version == seen)
    if not guarded(written.values(minutes=text, minutes_version=following)):
        raise Overtaken(_("您写的时候，另一个人也保存了纪要。下面两份都在，请合到一起再保存。"), field="minutes")
    last = newest(meeting)
    db.session.refresh(meeting)
    moment = now()
    if last is not None and last.by_name == by.name and moment - last.at < ONE_GO:
        last.text, last.version = text, following
    else:
        db.session.add(MinutesVersion(meeting_id=meeting.id, version=following, text=text, by_name=by.name, at=moment))
        audit.record("deliberation.minutes_written", meeting, version=following, signs=len(text))
    db.session.flush()
    return following


# ---- as a document


def _blank() -> io.BytesIO:
    """What is filled where a community has no document of its own: headings, loops over what there are several of."""
    document = Document()
    document.add_heading("{{ title }}", level=0)
    for label, name in (
        (_("时间"), "when"),
        (_("地点"), "place"),
        (_("形式"), "forum"),
        (_("到会"), "attendance"),
        (_("依据"), "rule"),
    ):
        document.add_paragraph(_("%(label)s：%(value)s", label=label, value="{{ " + name + " }}"))
    document.add_heading(_("议程"), level=1)
    document.add_paragraph("{%p for item in items %}")
    document.add_heading("{{ item.title }}", level=2)
    document.add_paragraph("{{ item.said }}")
    document.add_paragraph("{%p endfor %}")
    document.add_heading(_("动议和举手"), level=1)
    document.add_paragraph("{%p for motion in motions %}")
    document.add_paragraph("{{ motion.words }}")
    document.add_paragraph("{{ motion.hands }}")
    document.add_paragraph("{%p endfor %}")
    document.add_heading(_("纪要"), level=1)
    document.add_paragraph("{%p for line in minutes %}")
    document.add_paragraph("{{ line }}")
    document.add_paragraph("{%p endfor %}")
    document.add_paragraph(_("主持人签名：                    记录人签名："))
    held = io.BytesIO()
    document.save(held)
    held.seek(0)
    return held


def blank() -> bytes:
    """Our template for somebody to make hers from: what is filled in is asked for by the names that the page lists."""
    document = Document()
    document.add_heading("{{ 会议名称 }}", level=0)
    for label, name in (
        (_("时间"), "{{ 时间 }}"),
        (_("地点"), "{{ 地点 }}"),
        (_("形式"), "{{ 形式 }}"),
        (_("到会"), "{{ 到会情况 }}"),
        (_("依据"), "{{ 依据 }}"),
    ):
        document.add_paragraph(_("%(label)s：%(value)s", label=label, value=name))
    for label, name in ((_("议程"), "{{ 议程 }}"), (_("动议和举手"), "{{ 动议 }}"), (_("纪要"), "{{ 纪要 }}")):
        document.add_heading(label, level=1)
        document.add_paragraph(name)
    document.add_paragraph(_("主持人签名：                    记录人签名："))
    held = io.BytesIO()
    document.save(held)
    return held.getvalue()


def filled(meeting: Meeting, at: datetime) -> bytes:
    """The minutes as a document, the community's own or ours, filled with what the portal knows already."""
    own = minutes_templates.content_of(meeting.topic.area)
    if own is None:
        return _ours(meeting, at)
    try:
        return minutes_templates.fill(own, _facts(meeting, at))
    except Refused:
        words = _("%(area)s自己的纪要模板填不出来。请在“纪要模板”里换一个，或者移除它。", area=meeting.topic.area.name)
        raise Refused(words) from None


def _ours(meeting: Meeting, at: datetime) -> bytes:
    template = DocxTemplate(_blank())
    template.render(_facts(meeting, at), SandboxedEnvironment(autoescape=True))
    held = io.BytesIO()
    template.save(held)
    return held.getvalue()


def _facts(meeting: Meeting, at: datetime) -> dict[str, Any]:
    return {
        "title": meeting.title,
        "when": meeting_words.when(meeting),
        "place": meeting.place,
        "forum": topic_words.forum_said(meeting.forum),
        "attendance": attendance_said(meeting),
        "rule": meeting_words.rule_said(meeting.rule),
        "items": [
            {"title": f"{one.position}. {one.title}（{meeting_words.item_length(one, at)}）", "said": one.said or "……"}
            for one in meeting.agenda
        ],
        "motions": [
            {
                "words": _("%(words)s：%(result)s", words=one.words, result=meeting_words.motion_said(one)),
                "hands": meeting_words.hands_said(one) or "……",
            }
            for one in meetings.motions(meeting)
        ],
        "minutes": meeting.minutes.split("\n") if meeting.minutes else ["……"],
    }


def attendance_said(meeting: Meeting) -> str:
    """How many came, and how the quorum stood."""
    stand = meeting_attendance.standing(meeting)
    if not stand.quorum:
        return _("到会 %(came)d 人", came=stand.came)
    words = _("够法定人数") if stand.reached else _("不够法定人数")
    if stand.entitled_area:
        return _(
            "到会 %(came)d 人，代表业主 %(counted)d 位、专有面积 %(area)s 平方米；"
            "全体业主 %(entitled)d 位、%(whole)s 平方米，至少要到 %(quorum)d 位、%(least)s 平方米，%(words)s",
            came=stand.came,
            counted=stand.counted,
            area=stand.area,
            entitled=stand.entitled,
            whole=stand.entitled_area,
            quorum=stand.quorum,
            least=stand.least_area,
            words=words,
        )
    return _(
        "到会 %(came)d 人，其中计入法定人数的 %(counted)d 人；应有 %(entitled)d 人，至少要到 %(quorum)d 人，%(words)s",
        came=stand.came,
        counted=stand.counted,
        entitled=stand.entitled,
        quorum=stand.quorum,
        words=words,
    )


def text_of(data: bytes) -> str:
    """What a document that was brought back says, paragraph by paragraph; only its words are taken."""
    bad = Refused(
        _("这不是能打开的 .docx 文件。请用文字处理软件另存为 .docx 再上传，或把文字粘贴到下面。"), field="file"
    )
    try:
        document = Document(io.BytesIO(minutes_templates.unpacked(data)))
        lines = [paragraph.text.rstrip() for paragraph in document.paragraphs]
    except (PackageNotFoundError, KeyError, ValueError, SyntaxError):
        raise bad from None
    text = "\n".join(lines).strip()
    if not text:
        raise Refused(_("文件里没有文字。请核对是不是选错了文件。"), field="file")
    if len(text) > MOST:
        raise Refused(_("纪要最多 %(most)d 个字，请删短一些。", most=MOST), field="file")
    return text
