"""Tags: dated, sourced, ended or taken back with a reason; a disability has class and grade (GB/T 26341)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit, clock, reasons
from portal.core.access import actor_or_none
from portal.core.clock import today
from portal.core.db import db, unique_or
from portal.core.errors import Missing, Refused
from portal.core.web import full_day
from portal.registry.models import Person, PersonTag, Source, TagKind
from portal.registry.service import changes, words

GRADES = (1, 2, 3, 4)
CLASSES = (1, 2, 3, 4, 5, 6, 7)
SAME_DAY = reasons.declare("registry.tag_ended_same_day", label=lambda: _("当天添加，当天结束"))


@dataclass(frozen=True)
class TagSaid:
    """What a form says of a tag; class and grade are for a disability only."""

    since: date
    until: date | None
    source: str
    disability: int = 0
    grade: int = 0


def class_words(number: int) -> str:
    return {
        1: _("视力"),
        2: _("听力"),
        3: _("言语"),
        4: _("肢体"),
        5: _("智力"),
        6: _("精神"),
        7: _("多重"),
    }[number]


def grade_words(number: int) -> str:
    return {1: _("一级"), 2: _("二级"), 3: _("三级"), 4: _("四级")}[number]


def detail_words(tag: PersonTag) -> str:
    """Class and grade of a disability, as far as they are known."""
    disability, grade = parted(tag)
    parts = [class_words(disability) if disability else "", grade_words(grade) if grade else ""]
    return " ".join(part for part in parts if part)


def parted(tag: PersonTag) -> tuple[int, int]:
    """Class and grade out of the column; none for what is not one."""
    first, _dash, second = (tag.detail or "").partition("-")
    known = (int(first) if first.isdigit() else 0, int(second) if second.isdigit() else 0)
    return known if known[0] in CLASSES and known[1] in GRADES else (0, 0)


def told(tag: PersonTag) -> str:
    """A tag in one line, as the history keeps it."""
    until = tag.until.isoformat() if tag.until else _("一直有效")
    detail = f"（{detail_words(tag)}）" if detail_words(tag) else ""
    return f"{words.tag(tag.kind)}{detail} {tag.since.isoformat()} – {until}"


def tag_of(person: Person, tag_id: int) -> PersonTag:
    found = next((tag for tag in person.tags if tag.id == tag_id), None)
    if found is None:
        raise Missing
    return found


def add_tag(person: Person, kind: TagKind, said: TagSaid) -> PersonTag:
    """Tag a person from a day on; a tag already in force is not given twice."""
    hold(person)
    _refuse_wrong(kind, said)
    made = PersonTag(person_id=person.id, kind=kind)
    _refuse_overlap(person, made, kind, said)
    _put(made, said)
    with unique_or(_twice()):
        person.tags.append(made)
    changes.note(person, {"tags": [None, told(made)]}, Source.WORKER)
    audit.record("registry.tag_added", person, tag=kind.value, since=said.since.isoformat())
    return made


def mend_tag(person: Person, tag: PersonTag, said: TagSaid, *, reason: str) -> None:
    """Other days, source or grade; why is kept in the history."""
    hold(person)
    _refuse_wrong(tag.kind, said)
    _refuse_overlap(person, tag, tag.kind, said)
    before = told(tag)
    with unique_or(_twice()):
        _put(tag, said)
    if told(tag) != before:
        changes.note(person, {"tags": [before, told(tag)]}, Source.WORKER, reason=reason)
    audit.record("registry.tag_changed", person, reason=reason, tag=tag.kind.value)


def end_tag(person: Person, tag: PersonTag, *, on: date | None = None) -> None:
    """The tag holds no longer from a day on, today unless said; one that began on that day never held and goes."""
    hold(person)
    day = on or today()
    if not tag.holds(today()):
        raise Refused(_("这个标签已经结束。"))
    if day > today():
        raise Refused(_("请填今天或更早的日期。"), field="day")
    if day < tag.since:
        raise Refused(_("这个标签从 %(day)s 才开始，请填那天或更晚的日期。", day=full_day(tag.since)), field="day")
    if tag.since == day:
        remove_tag(person, tag, reason=SAME_DAY)
        return
    before = told(tag)
    tag.until = clock.days_before(day, 1)
    changes.note(person, {"tags": [before, told(tag)]}, Source.WORKER)
    audit.record("registry.tag_ended", person, tag=tag.kind.value)


@dataclass(frozen=True)
class NotAlone:
    """Somebody tagged as living alone with whom others live; `day` is when the last of them came."""

    person: Person
    tag: PersonTag
    day: date


def not_alone(members: Collection[Person]) -> list[NotAlone]:
    """Of the people of one household, who still carries 独居 though she is not the only one."""
    found = []
    for person in members if len(members) > 1 else ():
        came = max((other.living_since or date.min for other in members if other is not person), default=date.min)
        tags = [tag for tag in person.tags if tag.kind is TagKind.LIVING_ALONE and tag.holds(today())]
        days = [(tag, came if tag.since <= came <= today() else today()) for tag in tags]
        found += [NotAlone(person, tag, day) for tag, day in days]
    return found


def remove_tag(person: Person, tag: PersonTag, *, reason: str) -> None:
    """It was never true: the tag goes, and the history keeps that it stood and why it went."""
    hold(person)
    if len(reason.strip()) < 2:
        raise Refused(_("请写明为什么删除，至少两个字。"), field="reason")
    changes.note(person, {"tags": [told(tag), None]}, Source.WORKER, reason=reason)
    audit.record("registry.tag_removed", person, reason=reason, tag=tag.kind.value)
    person.tags.remove(tag)
    db.session.delete(tag)
    db.session.flush()


def hold(person: Person) -> None:
    """Lock a person whose tags or contacts change, so that her version counts on."""
    db.session.execute(sa.select(Person.version).where(Person.id == person.id).with_for_update())
    db.session.refresh(person, ["version"])


def _put(tag: PersonTag, said: TagSaid) -> None:
    actor = actor_or_none()
    tag.since, tag.until, tag.source = said.since, said.until, said.source
    tag.detail = f"{said.disability}-{said.grade}" if said.disability and said.grade else ""
    tag.noted_by = actor.name if actor else ""


def _refuse_wrong(kind: TagKind, said: TagSaid) -> None:
    if said.since > today():
        raise Refused(_("请填今天或更早的日期。"), field="since")
    if said.until is not None and said.until < said.since:
        raise Refused(_("结束日期早于开始日期，请核对。"), field="until")
    if kind is TagKind.DISABLED and not (said.disability in CLASSES and said.grade in GRADES):
        raise Refused(_("残疾人标签要选残疾类别和等级，残疾证上有。"), field="disability")
    if kind is not TagKind.DISABLED and (said.disability or said.grade):
        raise Refused(_("只有残疾人标签才填残疾类别和等级。"), field="disability")


def _refuse_overlap(person: Person, tag: PersonTag, kind: TagKind, said: TagSaid) -> None:
    """The same tag does not hold twice on one day."""
    for other in person.tags:
        ends_before = other.until is not None and other.until < said.since
        begins_after = said.until is not None and other.since > said.until
        if other is not tag and other.kind is kind and not ends_before and not begins_after:
            raise _twice()


def _twice() -> Refused:
    return Refused(_("这段时间已经有这个标签了，不用再加；日期有误请改原来那一条。"), field="since")
