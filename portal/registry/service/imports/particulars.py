"""Understanding what only some registers hold: the standards' codes, whom to call, disability, the guardian."""

import re
from collections.abc import Mapping
from datetime import date

from flask_babel import gettext as _

from portal.core import ids
from portal.registry.models import TagKind
from portal.registry.service.imports import numbers
from portal.registry.service.imports.checked import Checked
from portal.registry.service.imports.codes import (
    DISABILITY_CLASSES,
    DISABILITY_GRADES,
    MARRIAGE_WORDS,
    POLITICS_WORDS,
    PRESENCE_WORDS,
    SCHOOLING_WORDS,
    TENURE_WORDS,
    WORK_WORDS,
    ethnicity_of,
)
from portal.registry.service.imports.vocabulary import Field

CODED = (
    (Field.MARRIAGE, "marriage", MARRIAGE_WORDS),
    (Field.SCHOOLING, "schooling", SCHOOLING_WORDS),
    (Field.POLITICS, "politics", POLITICS_WORDS),
    (Field.WORK, "work", WORK_WORDS),
    (Field.PRESENCE, "presence", PRESENCE_WORDS),
    (Field.TENURE, "tenure", TENURE_WORDS),
)
PHONE = re.compile(r"[+0-9][0-9\s-]{5,}[0-9]")
IN_BRACKETS = re.compile(r"[(（]([^)）]*)[)）]")
NUMBER_OF_DISABILITY = re.compile(r"[0-9]{17}[0-9X]([1-7])([1-4])")


def understand(row: Checked, said: Mapping[Field, str], today: date) -> None:
    """Known words become codes; an unknown one is kept in the note, and the field stays as it stands."""
    for where, name, known in CODED:
        word = said.get(where, "").replace(" ", "")
        if word in known:
            setattr(row, name, known[word])
        elif word:
            _keep(row, where, word)
    row.ethnicity = ethnicity_of(said.get(Field.ETHNICITY, ""))
    if Field.ETHNICITY in said and not row.ethnicity:
        _keep(row, Field.ETHNICITY, said[Field.ETHNICITY])
    _since(row, said.get(Field.LIVING_SINCE, ""), today)
    _contact(row, said)
    _disability(row, said)
    row.guardian = said.get(Field.GUARDIAN, "")
    if row.guardian:
        row.notes.append(_("登记表上的监护人：%(text)s", text=row.guardian))


def _keep(row: Checked, where: Field, text: str) -> None:
    row.given.discard(where)
    labels = {
        Field.ETHNICITY: _("民族"),
        Field.MARRIAGE: _("婚姻状况"),
        Field.SCHOOLING: _("学历"),
        Field.POLITICS: _("政治面貌"),
        Field.WORK: _("从业状况"),
        Field.PRESENCE: _("人户状态"),
        Field.TENURE: _("居住类型"),
        Field.LIVING_SINCE: _("起居日期"),
        Field.DISABILITY_CLASS: _("残疾类别"),
        Field.CONTACT_NAME: _("紧急联系人"),
    }
    row.keep(where, _("登记表上的%(what)s：%(text)s", what=labels[where], text=text))


def _since(row: Checked, text: str, today: date) -> None:
    if not text:
        return
    try:
        row.living_since = numbers.day(text, today=today)
    except ValueError:
        row.living_since = None
    if row.living_since is None or row.living_since > today:
        row.living_since = None
        _keep(row, Field.LIVING_SINCE, text)


def _contact(row: Checked, said: Mapping[Field, str]) -> None:
    """Three columns, or one that holds all: 李敏（女儿）13700000001. Without a telephone nobody can be called."""
    name, phone = said.get(Field.CONTACT_NAME, ""), said.get(Field.CONTACT_PHONE, "")
    if not name and not phone:
        return
    inside = PHONE.search(name)
    if inside:
        phone, name = phone or inside[0], name.replace(inside[0], " ")
    bracketed = IN_BRACKETS.search(name)
    relation = said.get(Field.CONTACT_RELATION, "") or (bracketed[1] if bracketed else "")
    words = IN_BRACKETS.sub("", name).split()
    try:
        row.contact_phone = ids.check_phone(phone)
    except ids.InvalidNumber:
        _keep(row, Field.CONTACT_NAME, " ".join(part for part in (*words, relation, phone) if part))
        return
    row.contact_name = words[0] if words else _("未写姓名")
    row.contact_relation = relation or (words[1] if len(words) > 1 else "")


def _disability(row: Checked, said: Mapping[Field, str]) -> None:
    """Class and grade of GB/T 26341 as "4-2"; a certificate's number of 20 figures says both."""
    kind, grade = said.get(Field.DISABILITY_CLASS, ""), said.get(Field.DISABILITY_GRADE, "")
    if not kind and not grade:
        return
    number = NUMBER_OF_DISABILITY.search(ids.normalise_id(kind))
    said_apart = DISABILITY_CLASSES.get(kind, ""), DISABILITY_GRADES.get(grade, "")
    found = (number[1], number[2]) if number else said_apart
    if not found[0] and kind not in {"", "有", "是", "残疾"}:
        _keep(row, Field.DISABILITY_CLASS, " ".join(part for part in (kind, grade) if part))
    row.disability = "-".join(found) if all(found) else ""
    if TagKind.DISABLED not in row.tags:
        row.tags.append(TagKind.DISABLED)
