"""What every counter asks that acts for somebody (代办): how she agreed, and when; it is kept with what was done."""

from flask_babel import lazy_gettext as _l
from wtforms import RadioField
from wtforms.validators import InputRequired

from portal.catalogue.service import booking_for
from portal.core.clock import local, now
from portal.core.forms import TrimmedField, at_most, required


class Agreement:
    """The two fields, for a form to inherit."""

    how = RadioField(
        _l("本人怎么同意的"), choices=booking_for.ways, validators=[InputRequired(_l("请选本人怎么同意的"))]
    )
    given_at = TrimmedField(
        _l("什么时候同意的"),
        [required(_l("请写明什么时候")), at_most(40)],
        default=lambda: f"{local(now()):%Y-%m-%d %H:%M}",
    )

    def consent(self) -> str:
        return booking_for.consent_words(self.how.data or "", (self.given_at.data or "").strip())
