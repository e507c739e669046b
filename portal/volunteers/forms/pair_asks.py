"""Forms of coming together: which partner, the yes to risks and insurance, words to the other."""

from collections.abc import Sequence

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import RadioField
from wtforms.validators import DataRequired, Optional
from wtforms.widgets import ListWidget

from portal.core.errors import Missing
from portal.core.forms import TrimmedField, at_most
from portal.volunteers.forms.signups import AgreeForm
from portal.volunteers.models.people import Volunteer


class PairAskForm(AgreeForm):
    other = RadioField(_l("约哪位搭档"), [DataRequired(_l("请选一位搭档"))], widget=ListWidget(prefix_label=False))
    words = TrimmedField(_l("想说的话"), [Optional(), at_most(60)])

    @classmethod
    def of(cls, others: Sequence[tuple[Volunteer, bool]]) -> "PairAskForm":
        form = cls()
        form.other.choices = [
            (one.public_id, _("%(name)s（结对同来）", name=one.person.name) if always else one.person.name)
            for one, always in others
        ]
        if not form.other.data and others:
            form.other.data = others[0][0].public_id
        return form

    def chosen(self, others: Sequence[tuple[Volunteer, bool]]) -> Volunteer:
        found = next((one for one, _always in others if one.public_id == self.other.data), None)
        if found is None:
            raise Missing
        return found
