"""What a worker types about people: a newcomer, the sections of a record, a reason for looking."""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import date
from enum import StrEnum
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, HiddenField, RadioField, SelectField, SelectMultipleField, TextAreaField
from wtforms.validators import Optional, Regexp, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from portal.areas import service as areas
from portal.areas.models import Area
from portal.core import ids
from portal.core.access import Scope
from portal.core.clock import today
from portal.core.forms import DayField, Form, OnceForm, TrimmedField, at_most, required
from portal.core.ids import Sex
from portal.registry.forms.accounts import test_region_allowed
from portal.registry.forms.homes import HomeFields
from portal.registry.models import (
    Diet,
    Household,
    IdKind,
    Marriage,
    Person,
    Politics,
    Presence,
    Registration,
    Relation,
    Schooling,
    Tenure,
    Work,
)
from portal.registry.service import documents, editing, ethnicities, words
from portal.registry.service.documents import Document
from portal.registry.service.editing import Care, Contact, Family, Identity, Part, Residence
from portal.registry.service.registering import Newcomer

# How a form's field is called on the person, where the two differ.
COLUMNS = {"diets": "diet", "grid": "grid_id", "guardian": "guardian_id"}


def told(kinds: Iterable[StrEnum]) -> list[tuple[str, str]]:
    """Choices of codes, in words."""
    return [(kind.value, words.in_words(kind)) for kind in kinds]


class PhoneField(TrimmedField):
    """A mobile or a landline number, normalised."""

    def pre_validate(self, form: Any) -> None:
        if not self.data:
            return
        try:
            self.data = ids.check_phone(self.data)
        except ids.InvalidNumber as invalid:
            raise ValidationError(str(invalid)) from None


class RevealForm(Form):
    reason = TrimmedField(_l("查看原因"), [required(_l("请写明为什么要看，居民本人会看到这个原因")), at_most(100)])


class DocumentFields(Form):
    """The kind of a document and its number, checked after the kind."""

    id_kind = SelectField(_l("证件类型"), choices=[])
    id_number = TrimmedField(_l("证件号码"), [Optional(), at_most(40)])

    def offer_kinds(self) -> None:
        self.id_kind.choices = told(IdKind)

    def validate_id_number(self, field: TrimmedField) -> None:
        try:
            self.document()
        except ids.InvalidNumber as invalid:
            raise ValidationError(str(invalid)) from None

    def document(self) -> Document | None:
        """The number as it passed its check; None where none was typed."""
        number = self.text("id_number")
        kind = IdKind(self.id_kind.data)
        return documents.read(kind, number, allow_test_region=test_region_allowed()) if number else None


class SectionForm(Form):
    """One section of a record, opened on a version of it; what is sealed is not shown, and left empty it stays."""

    version = HiddenField()

    @classmethod
    def of(cls, person: Person, within: Collection[Scope]) -> "SectionForm":
        form = cls(data={"version": str(person.version), **cls.filled(person)})
        form.person, form.within = person, within
        form.offer(person)
        return form

    @staticmethod
    def filled(person: Person) -> dict[str, Any]:
        """What the fields hold that show what stands."""
        return {"version": str(person.version)}

    def offer(self, person: Person) -> None:
        """Fill the choices."""

    # What the section says, as each section's form puts it together.
    said: Callable[[], editing.Said]

    @property
    def seen(self) -> int:
        said = self.text("version")
        return int(said) if said.isascii() and said.isdigit() and len(said) < 9 else 0

    def catch_up(self) -> None:
        """Onto the person's newest version: what was typed stays, what was left as it stood shows what stands now."""
        before, fresh = editing.as_seen(self.person, self.seen), self.filled(self.person)
        for name, value in fresh.items():
            column = COLUMNS.get(name, name)
            if column in before and _plain(self._fields[name].data) == _plain(_as_filled(name, before[column], self)):
                self._fields[name].data, self._fields[name].raw_data = value, None
        self.version.data = str(self.person.version)


def _as_filled(name: str, before: str | None, form: SectionForm) -> Any:
    """What the field held when the page was opened, from what the history says."""
    if name == "diets":
        return (before or "").split(",") if before else []
    if name == "grid":
        return next((code for code, grid in form.grids.items() if str(grid.id) == before), "")
    if name == "guardian":
        return next((key for key, person in form.guardians.items() if str(person.id) == before), "")
    return before or ""


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return sorted(value) if isinstance(value, list) else value or ""


class IdentityFields(DocumentFields):
    name = TrimmedField(_l("姓名"), [required(_l("请填写姓名，不知道姓名可以写“无名氏”")), at_most(60)])
    sex = RadioField(_l("性别"), choices=[])
    birth_date = DayField(_l("出生日期"), [Optional()])
    ethnicity = SelectField(_l("民族"), choices=[])

    def offer_identity(self) -> None:
        self.offer_kinds()
        self.sex.choices = told((Sex.FEMALE, Sex.MALE, Sex.UNKNOWN))
        self.ethnicity.choices = ethnicities.choices()

    def validate_birth_date(self, field: DayField) -> None:
        if field.data and field.data > today():
            raise ValidationError(_("出生日期还没有到，请核对"))


class IdentityForm(IdentityFields, SectionForm):
    reason = TrimmedField(_l("换号码的原因"), [Optional(), at_most(100)])
    marriage = SelectField(_l("婚姻状况"), choices=[])
    schooling = SelectField(_l("学历"), choices=[])
    politics = SelectField(_l("政治面貌"), choices=[])
    work = SelectField(_l("从业状况"), choices=[])

    @staticmethod
    def filled(person: Person) -> dict[str, Any]:
        codes = ("sex", "id_kind", "marriage", "schooling", "politics", "work")
        plain = {"name": person.name, "birth_date": person.birth_date, "ethnicity": person.ethnicity}
        return {**plain, **{name: getattr(person, name).value for name in codes}}

    def offer(self, person: Person) -> None:
        self.offer_identity()
        self.marriage.choices, self.schooling.choices = told(Marriage), told(Schooling)
        self.politics.choices, self.work.choices = told(Politics), told(Work)
        if not person.id_number:
            del self.reason

    def said(self) -> Identity:
        return Identity(
            name=self.text("name"),
            sex=Sex(self.sex.data),
            birth_date=self.birth_date.data,
            ethnicity=self.text("ethnicity"),
            marriage=Marriage(self.marriage.data),
            schooling=Schooling(self.schooling.data),
            politics=Politics(self.politics.data),
            work=Work(self.work.data),
            document=self.document(),
            reason=self.text("reason") if self.reason else "",
        )


class ResidenceForm(SectionForm):
    registration = RadioField(_l("户籍"), choices=[])
    registration_code = TrimmedField(
        _l("户籍地代码"), [Optional(), Regexp(r"^(\d{6}|\d{9}|\d{12})$", message=_l("请填 6、9 或 12 位数字"))]
    )
    registered_address = TrimmedField(_l("新户籍地址"), [Optional(), at_most(120)])
    drop_registered_address = BooleanField(_l("清除原户籍地址"))
    presence = RadioField(_l("人户状态"), choices=[])
    tenure = RadioField(_l("居住类型"), choices=[])
    living_since = DayField(_l("起居日期"), [Optional()])
    grid = SelectField(_l("网格"), choices=[])

    @staticmethod
    def filled(person: Person) -> dict[str, Any]:
        codes = {name: getattr(person, name).value for name in ("registration", "presence", "tenure")}
        plain = {"registration_code": person.registration_code, "living_since": person.living_since}
        return {**codes, **plain, "grid": person.grid.code if person.grid else ""}

    def offer(self, person: Person) -> None:
        self.registration.choices, self.presence.choices = told(Registration), told(Presence)
        self.tenure.choices = told(Tenure)
        self.grids = {grid.code: grid for grid in areas.grids(person.community)}
        self.grid.choices = [("", _("未划分")), *((grid.code, grid.name) for grid in self.grids.values())]

    def validate_living_since(self, field: DayField) -> None:
        if field.data and field.data > today():
            raise ValidationError(_("请填今天或更早的日期"))

    def said(self) -> Residence:
        return Residence(
            registration=Registration(self.registration.data),
            registration_code=self.text("registration_code"),
            presence=Presence(self.presence.data),
            tenure=Tenure(self.tenure.data),
            living_since=self.living_since.data,
            grid=self.grids.get(self.text("grid")),
            registered_address=self.text("registered_address"),
            drop_registered_address=bool(self.drop_registered_address.data),
        )


class FamilyForm(SectionForm):
    relation = SelectField(_l("与户主关系"), choices=[])
    guardian = SelectField(_l("监护人"), choices=[])
    guardian_number = TrimmedField(_l("监护人证件号码"), [Optional(), at_most(40)])

    @staticmethod
    def filled(person: Person) -> dict[str, Any]:
        guardian = person.guardian.public_id if person.guardian else ""
        return {"relation": person.relation.value, "guardian": guardian}

    def offer(self, person: Person) -> None:
        self.relation.choices = told(Relation)
        known = [*editing.possible_guardians(person), *([person.guardian] if person.guardian else [])]
        self.guardians = {other.public_id: other for other in known}
        self.guardian.choices = [("", _("不需要或未登记")), *((key, one.name) for key, one in self.guardians.items())]

    def said(self) -> Family:
        number = self.text("guardian_number")
        chosen = self.guardians.get(self.text("guardian"))
        guardian = editing.guardian_by_number(number, self.within) if number else chosen
        return Family(Relation(self.relation.data), guardian)


class ContactForm(SectionForm):
    phone = PhoneField(_l("新电话"), [Optional()])
    drop_phone = BooleanField(_l("原电话已停用，清除"))

    def said(self) -> Contact:
        return Contact(self.text("phone"), bool(self.drop_phone.data))


class CareForm(SectionForm):
    diets = SelectMultipleField(
        _l("饮食禁忌与需要"), choices=[], widget=ListWidget(prefix_label=False), option_widget=CheckboxInput()
    )
    health = TextAreaField(_l("新的健康情况"), [Optional(), at_most(200)])
    drop_health = BooleanField(_l("清除原健康情况"))
    note = TextAreaField(_l("新备注"), [Optional(), at_most(200)])
    drop_note = BooleanField(_l("清除原备注"))

    @staticmethod
    def filled(person: Person) -> dict[str, Any]:
        return {"diets": sorted(kind.value for kind in person.diets())}

    def offer(self, person: Person) -> None:
        self.diets.choices = told(Diet)

    def said(self) -> Care:
        return Care(
            diets=frozenset(Diet(word) for word in self.diets.data or ()),
            health=self.text("health").strip(),
            drop_health=bool(self.drop_health.data),
            note=self.text("note").strip(),
            drop_note=bool(self.drop_note.data),
        )


FORMS: dict[Part, type[SectionForm]] = {
    Part.IDENTITY: IdentityForm,
    Part.RESIDENCE: ResidenceForm,
    Part.FAMILY: FamilyForm,
    Part.CONTACT: ContactForm,
    Part.CARE: CareForm,
}


class RegisterForm(IdentityFields, HomeFields, OnceForm):
    """A newcomer, with documents or without; what is alike in the register must be looked at first."""

    community = SelectField(_l("社区"), choices=[])
    phone = PhoneField(_l("联系电话"), [Optional()])
    day = DayField(_l("哪天来的"), [required(_l("请填日期"))], default=today)
    note = TextAreaField(_l("说明"), [Optional(), at_most(200)])
    is_another = BooleanField(_l("看过了，不是同一个人，继续登记"))
    takes_over = BooleanField(_l("已核对证件，把原来的登记转入本社区"))

    @classmethod
    def among(
        cls, communities: Sequence[Area], within: Collection[Scope], *, led: Household | None = None
    ) -> tuple["RegisterForm", Area]:
        """The form, and the community it is about: the one chosen, else the first. `led` is a household to come to."""
        plain = {"sex": Sex.UNKNOWN.value, "id_kind": IdKind.ID_CARD.value, "home": "existing"}
        form = cls(data={**plain, "community": communities[0].code})
        form.community.choices = [(area.code, area.name) for area in communities]
        chosen = next((area for area in communities if area.code == form.community.data), communities[0])
        form.offer_identity()
        form.offer_homes(chosen, within, led=led)
        return form, chosen

    def validate_day(self, field: DayField) -> None:
        if field.data and field.data > today():
            raise ValidationError(_("日期还没有到，请填今天或更早的日期。"))
        if field.data and self.birth_date.data and field.data < self.birth_date.data:
            raise ValidationError(_("迁入日期早于出生日期，请核对。"))

    def newcomer(self) -> Newcomer:
        return Newcomer(
            name=self.text("name"),
            sex=Sex(self.sex.data),
            birth_date=self.birth_date.data,
            document=self.document(),
            ethnicity=self.text("ethnicity"),
            phone=self.text("phone"),
        )
