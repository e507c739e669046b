"""The form of a request that a worker takes in."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, HiddenField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Optional, ValidationError

from portal.casework.forms.fields import PickField
from portal.casework.forms.worker import PICK, category_words, offer_answers, question
from portal.casework.models.categories import Category
from portal.casework.models.codes import Channel
from portal.casework.service.intake import DESK_CHANNELS, Ground, Told
from portal.casework.service.reporting import Where
from portal.casework.service.words import case_word
from portal.core import ids
from portal.core.forms import OnceForm, TrimmedField, at_most, required
from portal.registry.models import Person


class IntakeForm(OnceForm):
    channel = PickField(_l("怎么来的"), validators=[required(PICK)])
    name = TrimmedField(_l("怎么称呼"), validators=[required(), at_most(30)])
    phone = TrimmedField(_l("电话"), validators=[Optional(), at_most(30)], description=_l("办完要回访，请尽量问到"))
    community = SelectField(_l("社区"), validators=[Optional()], coerce=int)
    category = SelectField(_l("类别"), validators=[InputRequired(PICK)], coerce=int)
    what = TextAreaField(_l("反映了什么"), validators=[required(), at_most(1000)])
    building = SelectField(_l("哪栋楼"), validators=[Optional()], coerce=int)
    place = TrimmedField(_l("具体在哪里"), validators=[Optional(), at_most(120)])
    hide_name = BooleanField(_l("对被反映的一方隐去姓名"))
    # The category whose questions and notices the worker has seen.
    looked = HiddenField()

    def questions(self) -> list[str]:
        """The names of the category's own questions."""
        return [name for name in self._fields if name.startswith("q_")]

    def has_looked(self, category: Category) -> bool:
        return self.text("looked") == str(category.id)

    def validate_phone(self, field: StringField) -> None:
        try:
            if field.data:
                field.data = ids.check_phone(field.data)
        except ids.InvalidNumber as invalid:
            raise ValidationError(str(invalid)) from None

    def told(self) -> Told:
        return Told(
            channel=Channel(self.channel.data),
            what=self.text("what"),
            category_id=self.category.data,
            where=Where(self.building.data or None, None, self.text("place")),
            hide_name=bool(self.hide_name.data),
            name=self.text("name") if "name" in self else "",
            phone=self.text("phone") if "phone" in self else "",
            answers={name[2:]: self.text(name) for name in self.questions()},
        )


def intake_form(person: Person | None, ground: Ground, category: Category | None = None) -> IntakeForm:
    """For somebody known her name, telephone and community are not asked; of a category seen, its own questions."""

    class Asking(IntakeForm):
        pass

    questions = category.questions if category else []
    for one in questions:
        setattr(Asking, f"q_{one['key']}", question(one))
    form = Asking(data={"building": ground.home_id})
    offer_answers(form, questions)
    form.channel.choices = [(channel.value, case_word(channel)) for channel in DESK_CHANNELS]
    by_words = (0, str(_("按反映的话来选")))
    form.category.choices = [by_words, *((one.id, category_words(one)) for one in ground.leaves)]
    buildings = [(one.id, f"{one.estate.name} {one.name}") for one in ground.buildings]
    form.building.choices = [(0, _("不在楼里或说不清")), *buildings]
    form.community.choices = [(one.id, one.name) for one in ground.communities]
    if person is not None:
        del form.name, form.phone
    if person is not None or len(ground.communities) == 1:
        del form.community
    return form
