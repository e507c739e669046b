"""What a worker types about people: a search, a reason for looking, corrections, tags."""

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, RadioField, SelectField, SelectMultipleField, TextAreaField
from wtforms.validators import Optional, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from portal.core import ids
from portal.core.clock import today
from portal.core.forms import DayField, Form, IdNumberField, TrimmedField, at_most, required
from portal.core.ids import Sex
from portal.registry.forms.accounts import test_region_allowed
from portal.registry.models import Diet, Person, TagKind
from portal.registry.service import words
from portal.registry.service.records import Mending


class PhoneField(TrimmedField):
    """A mobile or a landline number, normalised."""

    def pre_validate(self, form: Any) -> None:
        if not self.data:
            return
        try:
            self.data = ids.check_phone(self.data)
        except ids.InvalidNumber as invalid:
            raise ValidationError(str(invalid)) from None


class SearchForm(Form):
    q = TrimmedField(_l("查找居民"), [required(_l("请输入要查找的内容")), at_most(60)])


class RevealForm(Form):
    reason = TrimmedField(_l("查看原因"), [required(_l("请写明为什么要看，居民本人会看到这个原因")), at_most(100)])


class EditForm(Form):
    """Corrections; what is sealed is not shown here, and an empty field leaves it as it is."""

    id_number = IdNumberField(_l("身份证号码"), [Optional()], allow_test_region=test_region_allowed)
    sex = RadioField(_l("性别"), choices=[])
    phone = PhoneField(_l("新电话"), [Optional()])
    drop_phone = BooleanField(_l("原电话已停用，清除"))
    diets = SelectMultipleField(
        _l("饮食禁忌与需要"), choices=[], widget=ListWidget(prefix_label=False), option_widget=CheckboxInput()
    )
    note = TextAreaField(_l("新备注"), [Optional(), at_most(200)])
    drop_note = BooleanField(_l("清除原备注"))

    @classmethod
    def of(cls, person: Person) -> "EditForm":
        form = cls(data={"sex": person.sex.value, "diets": [kind.value for kind in person.diets()]})
        form.sex.choices = [(kind.value, words.sex(kind)) for kind in (Sex.FEMALE, Sex.MALE, Sex.UNKNOWN)]
        form.diets.choices = [(kind.value, words.diet(kind)) for kind in Diet]
        if person.id_number:
            del form.id_number
        return form

    def said(self) -> Mending:
        return Mending(
            sex=Sex(self.sex.data),
            diets=frozenset(Diet(word) for word in self.diets.data or ()),
            phone=self.phone.data or "",
            drop_phone=self.drop_phone.data,
            id_number=(self.id_number.data or "") if self.id_number else "",
            note=(self.note.data or "").strip(),
            drop_note=self.drop_note.data,
        )


class TagForm(Form):
    kind = SelectField(_l("标签"), choices=[])
    since = DayField(_l("从哪天起"), default=today)
    source = TrimmedField(_l("依据"), [required(_l("请写明依据，例如民政名单、入户核实")), at_most(60)])

    @classmethod
    def fresh(cls) -> "TagForm":
        form = cls()
        form.kind.choices = [(kind.value, words.tag(kind)) for kind in TagKind]
        return form

    def validate_since(self, field: DayField) -> None:
        if field.data is None or field.data > today():
            raise ValidationError(_("请填今天或更早的日期"))
