"""The resident's forms: three steps of a request, and what she may do with it afterwards."""

from collections.abc import Sequence
from typing import Any, Self

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, MultipleFileField, SelectField, StringField, TextAreaField
from wtforms.validators import Optional, ValidationError

from portal.casework.forms.fields import PickField, clean_pictures
from portal.casework.models.cases import Case
from portal.casework.models.categories import Category
from portal.casework.models.codes import Against, Satisfaction
from portal.casework.service import photos, reporting
from portal.casework.service.choosing import Group
from portal.casework.service.reporting import ACCUSING, Spot, Where
from portal.core.forms import Form, OnceForm, TrimmedField, at_most, required
from portal.registry.models import Organisation, Person

LONGEST = 1000


def _options(groups: Sequence[Group]) -> dict[str, list[tuple[str, str]]]:
    """The categories as a list to choose from, under their first level."""
    said = {group.parent.name: [(str(leaf.id), leaf.name) for leaf in group.leaves] for group in groups}
    return {str(_("请选择")): [("", str(_("按我写的话来选")))], **said}


def _words_required(field: Any) -> None:
    if len(str(field.data or "").strip()) < 4:
        raise ValidationError(_("请再写几个字，让人看得明白，例如：3 号楼门口路灯不亮。"))


class NewForm(OnceForm):
    behalf = PickField(_l("这件事是谁的"), validators=[Optional()])
    what = TextAreaField(
        _l("哪里不好了，要我们做什么"), validators=[required(_l("请写一写要反映什么")), at_most(LONGEST)]
    )
    category = SelectField(_l("属于哪一类"), validators=[Optional()])

    @classmethod
    def among(cls, whom: Sequence[Person], groups: Sequence[Group]) -> Self:
        form = cls(data={"behalf": whom[0].public_id if whom else ""}) if not cls().is_submitted() else cls()
        form.behalf.choices = _whose(whom)
        form.category.choices = _options(groups)
        return form

    def validate_what(self, field: Any) -> None:
        _words_required(field)

    def category_id(self) -> int | None:
        return int(self.category.data) if str(self.category.data or "").isdigit() else None


class WhatForm(Form):
    """The same once there is a draft: with the category that the words suggest and its own questions."""

    what = TextAreaField(
        _l("哪里不好了，要我们做什么"), validators=[required(_l("请写一写要反映什么")), at_most(LONGEST)]
    )
    category = SelectField(_l("属于哪一类"), validators=[Optional()])
    behalf = PickField(_l("这件事是谁的"), validators=[Optional()])
    safe = BooleanField(_l("现在没有紧急危险，我只是要反映情况"))

    def validate_what(self, field: Any) -> None:
        _words_required(field)

    def category_id(self) -> int | None:
        return int(self.category.data) if str(self.category.data or "").isdigit() else None

    def whose(self, whom: Sequence[Person]) -> Person | None:
        """For whom it is, where that was asked."""
        said = self.text("behalf") if "behalf" in self else ""
        return next((one for one in whom if one.public_id == said), None)

    def answers(self, category: Category | None) -> dict[str, str]:
        """What was answered to the category's own questions."""
        said = {str(one["key"]): self.text(_name(one["key"])).strip() for one in _asked(self, category)}
        return {key: words for key, words in said.items() if words}


def _name(key: object) -> str:
    return f"ask_{key}"


def _asked(form: Form, category: Category | None) -> list[dict[str, Any]]:
    questions = category.questions if category else []
    return [one for one in questions if _name(one["key"]) in form._fields]


def _whose(whom: Sequence[Person]) -> list[tuple[str, str]]:
    """For whom somebody may report: herself first."""
    return [
        (one.public_id, _("我自己的") if turn == 0 else _("%(name)s的", name=one.name)) for turn, one in enumerate(whom)
    ]


def what_form(case: Case, groups: Sequence[Group], whom: Sequence[Person] = ()) -> WhatForm:
    """The form with the questions of the draft's category."""
    known = dict(reporting.said_answers(case))
    more: dict[str, Any] = {}
    for one in case.category.questions if case.category else []:
        more[_name(one["key"])] = _question(one)
    kind = type("WhatFormWithQuestions", (WhatForm,), more)
    said = {_name(key): words for key, words in known.items()}
    who = case.behalf or case.reporter
    known_of = {"what": case.what, "category": str(case.category_id or ""), "behalf": who.public_id if who else ""}
    form: WhatForm = kind(data=known_of | said)
    form.behalf.choices = _whose(whom)
    if len(whom) < 2:
        del form.behalf
    form.category.choices = _options(groups)
    for one in case.category.questions if case.category else []:
        field = form._fields[_name(one["key"])]
        if isinstance(field, PickField):
            field.choices = [(word, word) for word in one["choices"]]
    return form


def _question(one: dict[str, Any]) -> Any:
    checks = [required()] if one.get("required") else [Optional()]
    label = str(one["label"])
    if one.get("choices"):
        return PickField(label, validators=checks)
    return TrimmedField(label, validators=[*checks, at_most(100)])


class WhereForm(Form):
    estate = StringField()
    spot = PickField(_l("哪个单元、哪一层"), validators=[Optional()])
    place = TrimmedField(_l("具体在哪里"), validators=[Optional(), at_most(80)])

    def where(self, building_id: int | None) -> Where:
        spot, place = self.text("spot"), self.text("place")
        return Where(building_id=building_id, place=" ".join(filter(None, [spot, place])))


def where_form(case: Case, spots: Sequence[Spot]) -> WhereForm:
    """What was said before: the spot and the words apart again."""
    choices = [(words, words) for one in spots for words in one.words()]
    spot = next((words for words, _said in choices if f"{case.place} ".startswith(f"{words} ")), "")
    form = WhereForm(data={"spot": spot, "place": case.place[len(spot) :].strip()})
    form.spot.choices = choices
    if case.building_id is None:
        # Without a building it is all that says where.
        form.place.flags.optional = None
        form.place.flags.required = True
    return form


class PhotosForm(Form):
    photos = MultipleFileField(_l("照片"), validators=[Optional()], description=_l("最多 3 张，不会保存拍摄地点"))
    against = PickField(_l("反映的是谁"), validators=[Optional()])
    organisation = SelectField(_l("哪个单位"), validators=[Optional()])
    hide_name = BooleanField(_l("不让被反映的一方知道是我说的"))

    def pictures(self) -> list[bytes]:
        return clean_pictures(self, self.photos, photos.MOST)

    def whom(self) -> Against:
        return Against(self.text("against") or Against.NOBODY.value)

    def organisation_id(self) -> int | None:
        return int(self.organisation.data) if str(self.organisation.data or "").isdigit() else None

    def show(self, case: Case, among: Sequence[Organisation]) -> None:
        """What can be chosen, and what was chosen before."""
        words = {
            Against.NOBODY: _l("不涉及"),
            Against.WORKER: _l("某位工作人员"),
            Against.COMMITTEE: _l("居委会"),
            Against.ORGANISATION: _l("物业、商户等单位"),
        }
        self.against.choices = [(code.value, said) for code, said in words.items()]
        self.organisation.choices = [("", _("请选择")), *((str(one.id), one.name) for one in among)]
        if case.kind not in ACCUSING:
            del self.against, self.organisation
        if not self.is_submitted():
            self.hide_name.data = case.hide_name
            if case.kind in ACCUSING:
                self.against.data = case.against.value
                self.organisation.data = str(case.against_organisation_id or "")


class WhyForm(Form):
    why = TextAreaField(_l("为什么"), validators=[required(_l("请写一句原因")), at_most(200)])


class AddForm(Form):
    words = TextAreaField(_l("补充什么"), validators=[Optional(), at_most(500)])
    photo = MultipleFileField(_l("照片"), validators=[Optional()], description=_l("不会保存拍摄地点"))

    def pictures(self) -> list[bytes]:
        return clean_pictures(self, self.photo, 1)


class AnswerForm(Form):
    """The call-back: each button is a whole answer."""

    words = TextAreaField(_l("想说的话"), validators=[Optional(), at_most(300)])
    answer = StringField()

    def solved(self) -> bool:
        return self.text("answer") != "unsolved"

    def satisfaction(self) -> Satisfaction:
        return Satisfaction(self.text("answer")) if self.solved() else Satisfaction.BAD

    def validate_answer(self, field: Any) -> None:
        if field.data not in {"unsolved", *(one.value for one in Satisfaction)}:
            raise ValidationError(_("请点一个答案"))
