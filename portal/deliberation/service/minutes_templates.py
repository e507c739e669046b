"""An area's own document for minutes: checked when it is brought, kept, filled when minutes are downloaded, removed."""

import base64
from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.areas.models import Area
from portal.core import audit, children
from portal.core.access import Actor, Scope
from portal.core.clock import now
from portal.core.db import db, guarded, unique_or
from portal.core.errors import Missing, Refused
from portal.core.files import BadFile, FileFault
from portal.core.sheets import Limits, checked_document
from portal.deliberation.models.meetings import MinutesTemplate
from portal.deliberation.service import reach

MODULE, SECONDS = "portal.deliberation.filling", 15
LIMITS = Limits(file_bytes=5 * 1024 * 1024, unpacked_bytes=30 * 1024 * 1024, members=300)
# What is filled in grows with the minutes; what comes out of a document of five megabytes is not many times as large.
MOST_OUT = 20 * 1024 * 1024


def names() -> list[tuple[str, str]]:
    """What a document may ask for, with what stands there afterwards."""
    return [
        ("{{ 会议名称 }}", _("会议名称")),
        ("{{ 时间 }}", _("时间")),
        ("{{ 地点 }}", _("地点")),
        ("{{ 形式 }}", _("形式")),
        ("{{ 到会情况 }}", _("到会人数和法定人数")),
        ("{{ 依据 }}", _("依据")),
        ("{{ 议程 }}", _("每一项议程和说了什么")),
        ("{{ 动议 }}", _("每个动议和举手结果")),
        ("{{ 纪要 }}", _("写好的纪要，一段一行")),
    ]


def _by_chinese_names(facts: Mapping[str, Any]) -> dict[str, str]:
    """The facts as who makes a document in Chinese names them; what there are several of is one text of many lines."""
    plain = {
        "会议名称": "title",
        "时间": "when",
        "地点": "place",
        "形式": "forum",
        "到会情况": "attendance",
        "依据": "rule",
    }
    agenda = [line for one in facts["items"] for line in (one["title"], one["said"]) if line]
    motions = [f"{one['words']}　{one['hands']}" for one in facts["motions"]]
    lines = {"议程": agenda, "动议": motions, "纪要": facts["minutes"]}
    return {name: str(facts[key]) for name, key in plain.items()} | {
        name: "\n".join(said) for name, said in lines.items()
    }


def sample() -> dict[str, Any]:
    """A meeting that never was, to try a document with."""
    said = "……" * 20
    plain = dict.fromkeys(("title", "when", "place", "forum", "attendance", "rule"), said)
    items = [{"title": said, "said": said}] * 3
    return plain | {"items": items, "motions": [{"words": said, "hands": said}] * 3, "minutes": [said] * 5}


def checked(data: bytes) -> bytes:
    """A document that can be filled, from its checked parts; refused in words else. Slow: ask before any query."""
    if not data:
        raise Refused(_("请选一个 .docx 文件。"), field="file")
    content = unpacked(data)
    fill(content, sample())
    return content


def unpacked(data: bytes) -> bytes:
    """The checked copy of a document that somebody brought, within the limits."""
    large = Refused(_("文件内容太大，最多 5 MB。请删去图片再上传。"), field="file")
    if len(data) > LIMITS.file_bytes:
        raise large
    try:
        return checked_document(data, LIMITS).getvalue()
    except BadFile as bad:
        if bad.reason in {FileFault.TOO_LARGE, FileFault.TOO_MANY_PARTS}:
            raise large from None
        if bad.reason in {FileFault.ENCRYPTED, FileFault.POINTS_ELSEWHERE}:
            raise Refused(bad.sentence, field="file") from None
        words = _("这不是能打开的 .docx 文件，或者里面带有程序。请用文字处理软件另存为普通的 .docx 再上传。")
        raise Refused(words, field="file") from None


def fill(content: bytes, facts: Mapping[str, Any]) -> bytes:
    """A document with its facts, made in a process that is stopped when it takes too long or too much memory."""
    asked = {"template": base64.b64encode(content).decode(), "facts": {**facts, **_by_chinese_names(facts)}}
    try:
        found = children.ask(MODULE, asked, seconds=SECONDS, goes_on=lambda _told: True)
    except children.Broken:
        words = _("这个文件填起来太慢或太大，没有接收。请删去重复的填空，或者用默认的样式改。")
        raise Refused(words, field="file") from None
    if fault := found.get("fault"):
        raise _fault(str(fault), found["names"])
    made = base64.b64decode(found["document"])
    if len(made) > MOST_OUT:
        raise Refused(_("这个文件填好以后太大。请删去图片再上传。"), field="file")
    return made


def _fault(fault: str, unknown: Collection[str]) -> Refused:
    if fault == "unknown":
        words = _("文件里有不认识的填空：%(names)s。请照下面的写法改。", names=_("、").join(unknown))
        return Refused(words, field="file")
    if fault == "field":
        words = _(
            "文件里有要从别处取内容或运行程序的域：%(names)s。请删去这些域，改成普通文字或图片再上传。",
            names=_("、").join(unknown),
        )
        return Refused(words, field="file")
    if fault == "none":
        return Refused(_("文件里没有填空，填不进会议的内容。请照下面的写法加上。"), field="file")
    return Refused(_("文件里的填空写得不完整，例如少了一个括号或者结尾。请照下面的写法改。"), field="file")


def of(area: Area) -> MinutesTemplate | None:
    return db.session.scalar(sa.select(MinutesTemplate).where(MinutesTemplate.area_id == area.id))


def content_of(area: Area) -> bytes | None:
    """The area's own document, None where ours is used."""
    return db.session.scalar(sa.select(MinutesTemplate.content).where(MinutesTemplate.area_id == area.id))


def area_in(within: Collection[Scope], code: str) -> Area:
    """An area whose meetings a worker keeps; Missing for every other."""
    found = next((area for area in reach.lead_areas(within) if area.code == code), None)
    if found is None:
        raise Missing
    return found


def listed(within: Collection[Scope]) -> list[tuple[Area, MinutesTemplate | None]]:
    """The areas whose meetings a worker keeps, with their own documents."""
    areas = reach.lead_areas(within)
    query = sa.select(MinutesTemplate).where(MinutesTemplate.area_id.in_([area.id for area in areas]))
    own = {one.area_id: one for one in db.session.scalars(query)}
    return [(area, own.get(area.id)) for area in areas]


def keep(area: Area, content: bytes, *, name: str, by: Actor) -> None:
    """From now on minutes of the area's meetings are filled into this document."""
    values: dict[str, Any] = {"name": name[:100], "content": content, "added_at": now(), "added_by_name": by.name}
    replaced = sa.update(MinutesTemplate).where(MinutesTemplate.area_id == area.id).values(**values)
    if not guarded(replaced):
        with unique_or(Refused(_("刚刚有人换过，请刷新看看。"), field="file")):
            db.session.add(MinutesTemplate(area_id=area.id, **values))
    audit.record("deliberation.minutes_template_kept", area, name=name[:100], bytes=len(content))


def remove(area: Area, *, why: str) -> None:
    """Back to ours; removed twice is removed."""
    if guarded(sa.delete(MinutesTemplate).where(MinutesTemplate.area_id == area.id)):
        audit.record("deliberation.minutes_template_removed", area, reason=why)
