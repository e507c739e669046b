"""The resident's form: when a visit suits her, and whether she thinks it necessary."""

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField

from portal.core.forms import Form, required
from portal.visits.forms.fields import PickField
from portal.visits.models import CareSubject, TimeOfDay
from portal.visits.service.words import choices


class PreferForm(Form):
    time_of_day = PickField(_l("什么时候方便"), validators=[required(_l("请选一项"))])
    not_needed = BooleanField(_l("我觉得不需要探访，请打电话问我"))

    @classmethod
    def of(cls, subject: CareSubject | None) -> "PreferForm":
        said = {
            "time_of_day": (subject.time_of_day if subject else TimeOfDay.ANY).value,
            "not_needed": bool(subject and subject.not_needed_at),
        }
        form = cls(data=said)
        form.time_of_day.choices = choices(TimeOfDay)
        return form
