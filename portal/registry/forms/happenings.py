"""What a worker types about events: a day, a note, and what the kind of event needs further."""

from collections.abc import Collection, Iterable
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectField, SelectMultipleField, TextAreaField
from wtforms.validators import Optional, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from portal.areas.models import Area
from portal.core.clock import today
from portal.core.forms import DayField, Form, OnceForm, TrimmedField, at_most, required
from portal.core.ids import Sex
from portal.registry.forms.homes import DoorFields, HomeFields
from portal.registry.forms.people import told
from portal.registry.models import Household, Person, Relation
from portal.registry.service import ethnicities, families, households, kinship
from portal.registry.service.lives import Newborn

NOBODY = [("", _l("请选择"))]


class EventForm(Form):
    """Every event asks its day and takes a note."""

    day = DayField(_l("日期"), [required(_l("请填日期"))], default=today)
    note = TextAreaField(_l("说明"), [Optional(), at_most(200)])

    def validate_day(self, field: DayField) -> None:
        if field.data and field.data > today():
            raise ValidationError(_("日期还没有到，请填今天或更早的日期。"))


def _named(members: Iterable[Person]) -> list[tuple[str, str]]:
    return [(person.public_id, person.name) for person in members]


class LeavingFields(Form):
    """A head who leaves while others stay: the new head is asked in the same form."""

    new_head = SelectField(_l("新户主"), choices=[], default="")

    def offer_heads(self, staying: Collection[Person]) -> None:
        self.staying = {person.public_id: person for person in staying}
        self.new_head.choices = [*NOBODY, *_named(staying)]

    def chosen_head(self) -> Person | None:
        return self.staying.get(self.text("new_head")) if self.new_head else None


class OneLeavesForm(LeavingFields, EventForm):
    """For an event of one person: the new head is asked where she is the head and others stay."""

    @classmethod
    def of(cls, person: Person, **asked: Any) -> "OneLeavesForm":
        form = cls(**asked)
        form.of_person = person
        members = households.living(person.household) if person.household else []
        staying = [other for other in members if other.id != person.id]
        form.offer_heads(staying)
        if person.relation is not Relation.HEAD or not staying:
            del form.new_head
        return form


class DeathForm(OneLeavesForm):
    pass


class MoveInForm(HomeFields, OneLeavesForm):
    @property
    def comer(self) -> Person | None:
        return self.of_person


class MoveOutForm(LeavingFields, EventForm):
    who = SelectMultipleField(
        _l("谁迁出"), choices=[], widget=ListWidget(prefix_label=False), option_widget=CheckboxInput()
    )

    @classmethod
    def of(cls, person: Person) -> "MoveOutForm":
        form = cls(data={"who": [person.public_id]})
        members = households.living(person.household) if person.household else []
        form.members = {other.public_id: other for other in [*members, person]}
        form.who.choices = _named(form.members.values())
        form.offer_heads(members)
        if len(members) < 2 or households.head_of(members) is None:
            del form.new_head
        return form

    def leavers(self) -> list[Person]:
        return [person for key, person in self.members.items() if key in (self.who.data or [])]


class AbsenceForm(EventForm):
    until = DayField(_l("预计哪天回来"), [Optional()])


class BirthForm(EventForm, OnceForm):
    """A newborn; its birth date is the day of the event."""

    name = TrimmedField(_l("姓名"), [required(_l("请填写姓名，还没有起名可以写“某某之子”")), at_most(60)])
    sex = RadioField(_l("性别"), choices=[])
    relation = SelectField(_l("与户主关系"), choices=[])
    guardian = SelectField(_l("监护人"), choices=[], default="")
    ethnicity = SelectField(_l("民族"), choices=[])

    @classmethod
    def of(cls, household: Household) -> "BirthForm":
        members = households.adults(households.living(household))
        head = households.head_of(members)
        form = cls(
            data={
                "guardian": head.public_id if head else "",
                "ethnicity": head.ethnicity if head else "",
                "sex": Sex.UNKNOWN.value,
                "day": today(),
                "relation": Relation.OTHER.value,
            }
        )
        form.day.label.text = _("出生日期")
        form.guardians = {person.public_id: person for person in members}
        form.guardian.choices = [("", _("暂不填")), *_named(members)]
        form.sex.choices = told((Sex.FEMALE, Sex.MALE, Sex.UNKNOWN))
        form.relation.choices = told(kind for kind in Relation if kind is not Relation.HEAD)
        form.ethnicity.choices = ethnicities.choices()
        return form

    def child(self) -> Newborn:
        return Newborn(
            name=self.text("name"),
            sex=Sex(self.sex.data),
            birth_date=self.day.data or today(),
            relation=Relation(self.relation.data),
            guardian=self.guardians.get(self.text("guardian")),
            ethnicity=self.text("ethnicity"),
        )


class SplitForm(DoorFields, LeavingFields, EventForm):
    who = SelectMultipleField(
        _l("谁分出去"), choices=[], widget=ListWidget(prefix_label=False), option_widget=CheckboxInput()
    )
    head = SelectField(_l("新户的户主"), choices=[], default="")
    number = TrimmedField(_l("新户的户号"), [required(_l("请填写户号")), at_most(40)])
    lives = RadioField(_l("新户住在哪里"), choices=[])

    @classmethod
    def of(cls, household: Household, community: Area) -> "SplitForm":
        form = cls(data={"lives": "same", "number": households.next_number(community.id)})
        form.household = household
        members = households.living(household)
        form.members = {person.public_id: person for person in members}
        form.who.choices = _named(members)
        form.head.choices = [*NOBODY, *_named(members)]
        form.lives.choices = [("same", _("还住原来的房屋")), ("other", _("另一处房屋")), ("unknown", _("不填"))]
        form.offer_heads(members)
        form.new_head.label.text = _("原户的新户主")
        form.offer_buildings(community)
        return form

    def validate(self, extra_validators: Any = None) -> bool:
        """All that is wrong at once: who goes, who is head, the number, the home and the day."""
        holds = super().validate(extra_validators)
        mistakes = families.split_mistakes(
            self.household,
            [*self.members.values()],
            self.leavers(),
            number=self.text("number"),
            head=self.chosen(),
            new_head=self.chosen_head(),
        )
        for mistake in mistakes:
            self.refuse(mistake)
        if self.lives.data == "other":
            self.refuse_door()
        return holds and not self.errors

    def chosen(self) -> Person | None:
        return self.members.get(self.text("head"))

    def leavers(self) -> list[Person]:
        return [person for key, person in self.members.items() if key in (self.who.data or [])]


class RelationsForm(EventForm):
    """A form that states relations anew: one select for each member, named after the member's id."""

    @classmethod
    def naming(cls, members: Collection[Person], said: dict[int, Relation], **asked: Any) -> "RelationsForm":
        fields = {f"relation_{person.id}": SelectField(person.name, choices=[]) for person in members}
        made = type(cls.__name__, (cls,), fields)
        form: RelationsForm = made(data={**{f"relation_{key}": kind.value for key, kind in said.items()}, **asked})
        form.named = list(members)
        for field in form.relation_fields():
            field.choices = told(kind for kind in Relation if kind is not Relation.HEAD)
        return form

    def relation_fields(self) -> list[Any]:
        return [self._fields[f"relation_{person.id}"] for person in self.named]

    def relations(self) -> dict[int, Relation]:
        return {
            person.id: Relation(field.data) for person, field in zip(self.named, self.relation_fields(), strict=True)
        }


class HeadForm(RelationsForm):
    """The new head is chosen on the address; the others' relations to her are proposed, and may be corrected."""

    @classmethod
    def of(cls, members: Collection[Person], head: Person) -> RelationsForm:
        others = [person for person in members if person.id != head.id]
        return cls.naming(others, kinship.under(head, members))


class JoinForm(RelationsForm):
    """The household that comes in is chosen on the address."""

    @classmethod
    def of(cls, comers: Collection[Person]) -> RelationsForm:
        return cls.naming(comers, {person.id: Relation.OTHER for person in comers})


class UndoForm(Form):
    reason = TrimmedField(_l("撤销的原因"), [required(_l("请写明为什么撤销")), at_most(100)])
