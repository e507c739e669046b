"""What a reader says about how pages should look."""

from wtforms import StringField
from wtforms.validators import AnyOf, Optional

from portal.core.forms import Form
from portal.core.web import LOCALES, SCALES


class PreferencesForm(Form):
    """Text size and language; each button sends one of them."""

    scale = StringField(validators=[Optional(), AnyOf(SCALES)])
    locale = StringField(validators=[Optional(), AnyOf(tuple(LOCALES))])
    next = StringField()
