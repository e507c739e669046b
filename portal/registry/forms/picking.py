"""Looking somebody up within a form and picking her: names, masked telephones and buildings of those in scope."""

from collections.abc import Collection

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SubmitField

from portal.core.access import Scope
from portal.core.errors import Missing, Refused
from portal.core.forms import OnceForm, TrimmedField, at_most
from portal.core.masking import mask_phone
from portal.registry.forms.homes import LookingForm
from portal.registry.models import Person
from portal.registry.service import people, records


class PersonPick(LookingForm, OnceForm):
    """A form one step of which is a search for somebody. Each search leaves its kind and count in the audit."""

    person_words = TrimmedField(_l("查找居民"), [at_most(60)])
    person_look = SubmitField(_l("查找居民"))
    person = RadioField(_l("找到的居民"), choices=[], validate_choice=False)

    def offer_people(self, within: Collection[Scope]) -> None:
        self.within = within
        words = self.text("person_words")
        found = people.find(words, within) if words and self.is_submitted() else []
        if self.looks and words:
            records.record_search(words, len(found))
        picked = self.picked_or_none()
        known = {one.public_id: one for one in [*([picked] if picked else []), *found]}
        self.person.choices = [(key, _said(one)) for key, one in known.items()]
        only = found[0] if len(found) == 1 and self.looks else None
        chosen = picked or only
        self.person.data = chosen.public_id if chosen else ""

    def picked_or_none(self) -> Person | None:
        """Whoever was picked, as far as she is in scope."""
        number = self.text("person")
        if not number:
            return None
        try:
            return people.person_in(self.within, number)
        except Missing:
            return None

    def picked(self) -> Person:
        found = self.picked_or_none()
        if found is None:
            raise Refused(_("请先查找，再选中一位居民。"), field="person_words")
        return found

    def body(self) -> str:
        """What is done does not hang on how somebody was found."""
        said = super().body()
        return said.replace(self.text("person_words"), "") if self.text("person_words") else said


def _said(person: Person) -> str:
    home = person.household.dwelling if person.household else None
    place = f"{home.building.estate.name} {home.building.name}" if home else ""
    phone = mask_phone(person.phone) if person.phone else ""
    return " ".join(part for part in (person.name, phone, place) if part)
