"""Forms of appointments: a note when booking, a reason when cancelling, a rating afterwards."""

from flask_babel import lazy_gettext as _l
from wtforms import RadioField, TextAreaField
from wtforms.validators import InputRequired, Optional

from portal.catalogue.models.appointments import Rating
from portal.catalogue.service.appointment_words import choices
from portal.core.errors import Refused
from portal.core.forms import Form, OnceForm, TrimmedField, at_most, status_of


class BookForm(OnceForm):
    """The answer to a refused resend is 409, to anything else that must be mended 422."""

    class Meta(OnceForm.Meta):
        # The token of every unsafe request is checked before its view; the template writes it.
        csrf = False

    note = TextAreaField(_l("要说明的情况"), [Optional(), at_most(100)], render_kw={"rows": 2})
    refused_with = 0

    def refuse(self, refused: Refused) -> None:
        super().refuse(refused)
        self.refused_with = status_of(refused)

    @property
    def status(self) -> int:
        return self.refused_with or super().status


class PlainForm(Form):
    """One button: to wait, to take what is offered, to leave the line, to move."""


class CancelAppointmentForm(Form):
    reason = TrimmedField(_l("取消的原因"), [Optional(), at_most(60)])


class RateForm(Form):
    rating = RadioField(_l("这次服务怎么样"), [InputRequired(_l("请选一项"))])
    words = TextAreaField(_l("想说的话"), [Optional(), at_most(200)], render_kw={"rows": 3})

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.rating.choices = choices(Rating)

    def chosen(self) -> Rating:
        return Rating(self.rating.data)
