"""Forms of the street's categories, and of who else handles what."""

import re
from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, SelectField, TextAreaField
from wtforms.validators import InputRequired, NumberRange, Optional, ValidationError

from portal.areas.models import Area
from portal.casework.models.categories import CaseRedirect, Category
from portal.casework.models.codes import CaseKind, RedirectKind, Urgency
from portal.casework.service.rules import CategoryFacts, RedirectFacts
from portal.casework.service.words import choices
from portal.core import search
from portal.core.clock import today
from portal.core.forms import CountField, DayField, Form, TrimmedField, at_most, required

PICK = _l("请选一项")
MOST_WORDS, LONGEST_WORD, MOST_QUESTIONS, MOST_CHOICES = 80, 20, 6, 8
PHONE = re.compile(r"[0-9][0-9 \-]{1,18}[0-9]")


def _words(text: str) -> list[str]:
    """Words apart by spaces, commas or lines, as the search compares them; each once."""
    found = (search.normalise(word).replace(" ", "") for word in re.split(r"[\s,，、;；]+", text))
    return list(dict.fromkeys(word for word in found if word))


def _check_words(words: list[str]) -> None:
    if len(words) > MOST_WORDS:
        raise ValidationError(_("最多写 %(count)d 个词", count=MOST_WORDS))
    long = next((word for word in words if len(word) > LONGEST_WORD), None)
    if long:
        raise ValidationError(_("“%(word)s”太长，词与词之间请用空格隔开", word=long[:LONGEST_WORD]))


def _question(line: str) -> dict[str, Any]:
    label, _colon, said = line.lstrip("*＊").replace("：", ":").partition(":")
    among = [one.strip() for one in re.split(r"[/／]", said) if one.strip()]
    return {"label": label.strip(), "required": line[0] in "*＊", "choices": list(dict.fromkeys(among))}


def questions_of(text: str) -> list[dict[str, Any]]:
    """One question a line: a star before it where it must be answered, after a colon its answers, apart by strokes."""
    return [_question(line.strip()) for line in text.splitlines() if line.strip("*＊ \t\r")]


def questions_text(asked: Sequence[dict[str, Any]]) -> str:
    """The same back again."""
    lines = []
    for one in asked:
        said = f"：{'/'.join(one['choices'])}" if one["choices"] else ""
        lines.append(f"{'*' if one['required'] else ''}{one['label']}{said}")
    return "\n".join(lines)


class RuleForm(Form):
    """What holds in an area from a day on; neither changes later."""

    area = SelectField(_l("适用范围"), validators=[Optional()])
    valid_from = DayField(_l("从哪天起"), validators=[required()], default=today)
    position = CountField(
        _l("排在第几"), validators=[InputRequired(_l("请填整数")), NumberRange(0, 999, _l("请填 0 到 999 之间的整数"))]
    )

    def offer_places(self, places: Sequence[Area], row: Category | CaseRedirect | None) -> None:
        self.area.choices = [(area.code, area.name) for area in places]
        if row is not None:
            del self.area, self.valid_from

    def area_code(self, row: Category | CaseRedirect | None) -> str:
        return row.area_code if row is not None else self.text("area")


class CategoryForm(RuleForm):
    name = TrimmedField(_l("类别名称"), validators=[required(), at_most(40)])
    parent = SelectField(_l("属于哪个大类"), validators=[Optional()])
    hint = TrimmedField(_l("给居民的说明"), validators=[Optional(), at_most(120)])
    kind = SelectField(_l("要求"), validators=[InputRequired(PICK)])
    urgency = SelectField(_l("紧急程度"), validators=[InputRequired(PICK)])
    keywords = TextAreaField(
        _l("关键词"),
        validators=[Optional(), at_most(1200)],
        description=_l("用空格隔开；居民写的话里有这些词，就会推荐这个类别"),
    )
    questions = TextAreaField(
        _l("还要问什么"),
        validators=[Optional(), at_most(1000)],
        description=_l("每行一个问题；必须回答的前面加 *；有选项的写成“问题：选项/选项”"),
    )
    redirect = SelectField(_l("别处办理"), validators=[Optional()])
    off_list = BooleanField(_l("不在居委会事项清单内（居委会只转办和跟进）"))
    party = TrimmedField(_l("由哪个单位承办"), validators=[Optional(), at_most(60)])
    private = BooleanField(_l("涉及隐私，不上公示栏，也不给别人看相似的诉求"))

    def offer(self, parents: Sequence[Category], others: Sequence[CaseRedirect]) -> None:
        self.parent.choices = [("", _("本身就是大类")), *((str(one.id), one.name) for one in parents)]
        self.kind.choices = choices(CaseKind)
        self.urgency.choices = choices(Urgency)
        self.redirect.choices = [("", _("没有")), *((str(one.id), one.name) for one in others)]

    def validate_keywords(self, field: Any) -> None:
        _check_words(_words(field.data or ""))

    def validate_questions(self, field: Any) -> None:
        asked = questions_of(field.data or "")
        if len(asked) > MOST_QUESTIONS:
            raise ValidationError(_("最多问 %(count)d 个问题，问多了居民不愿意填", count=MOST_QUESTIONS))
        labels = [one["label"] for one in asked]
        if len(set(labels)) < len(labels):
            raise ValidationError(_("有两个问题写得一样，请删去一个"))
        for one in asked:
            _check_question(one)

    def facts(self, row: Category | None) -> CategoryFacts:
        return CategoryFacts(
            area_code=self.area_code(row),
            parent_id=int(self.parent.data) if self.parent.data else None,
            name=self.text("name"),
            hint=self.text("hint"),
            kind=CaseKind(self.kind.data),
            urgency=Urgency(self.urgency.data),
            keywords=_words(self.text("keywords")),
            questions=questions_of(self.text("questions")),
            redirect_id=int(self.redirect.data) if self.redirect.data else None,
            off_list=bool(self.off_list.data),
            party=self.text("party"),
            private=bool(self.private.data),
            position=self.position.data or 0,
        )


def _check_question(one: dict[str, Any]) -> None:
    label = str(one["label"])
    if not label or len(label) > 40:
        raise ValidationError(_("每个问题要有字，最多 40 个字"))
    if len(one["choices"]) == 1:
        raise ValidationError(_("“%(label)s”的选项至少两个，用 / 隔开", label=label))
    if len(one["choices"]) > MOST_CHOICES or any(len(word) > 20 for word in one["choices"]):
        raise ValidationError(_("“%(label)s”的选项最多 8 个，每个最多 20 个字", label=label))


def category_form(
    row: Category | None, places: Sequence[Area], parents: Sequence[Category], others: Sequence[CaseRedirect]
) -> CategoryForm:
    known: dict[str, Any] = {"position": 0}
    if row is not None:
        known = {name: getattr(row, name) for name in ("name", "hint", "off_list", "party", "private", "position")}
        known |= {"kind": row.kind.value, "urgency": row.urgency.value, "parent": str(row.parent_id or "")}
        known |= {"keywords": " ".join(row.keywords), "questions": questions_text(row.questions)}
        known |= {"redirect": str(row.redirect_id or "")}
    form = CategoryForm(data=known)
    form.offer_places(places, row)
    form.offer(parents, others)
    return form


class RedirectForm(RuleForm):
    name = TrimmedField(_l("由谁办理"), validators=[required(), at_most(60)])
    kind = SelectField(_l("哪一种"), validators=[InputRequired(PICK)])
    phone = TrimmedField(_l("电话"), validators=[required(), at_most(30)])
    says = TextAreaField(_l("对居民说什么"), validators=[required(), at_most(200)])
    words = TextAreaField(
        _l("出现哪些词时提示"), validators=[required(), at_most(1200)], description=_l("用空格隔开，例如：着火 冒烟")
    )

    def validate_phone(self, field: Any) -> None:
        if not PHONE.fullmatch(field.data or ""):
            raise ValidationError(_("请填写电话号码，例如 12345 或 0512-12345"))

    def validate_words(self, field: Any) -> None:
        _check_words(_words(field.data or ""))

    def facts(self, row: CaseRedirect | None) -> RedirectFacts:
        return RedirectFacts(
            area_code=self.area_code(row),
            name=self.text("name"),
            kind=RedirectKind(self.kind.data),
            phone=self.text("phone"),
            says=self.text("says"),
            words=_words(self.text("words")),
            position=self.position.data or 0,
        )


def redirect_form(row: CaseRedirect | None, places: Sequence[Area]) -> RedirectForm:
    known: dict[str, Any] = {"position": 0}
    if row is not None:
        known = {name: getattr(row, name) for name in ("name", "phone", "says", "position")}
        known |= {"kind": row.kind.value, "words": " ".join(row.words)}
    form = RedirectForm(data=known)
    form.offer_places(places, row)
    form.kind.choices = choices(RedirectKind)
    return form
