"""Fields that the forms of care visits share: one of a few, several of a few."""

from typing import Any

from flask_babel import gettext as _
from wtforms import RadioField, SelectMultipleField
from wtforms.validators import ValidationError
from wtforms.widgets import CheckboxInput, ListWidget


class PickField(RadioField):
    """One of a few large answers, or none."""

    def pre_validate(self, form: Any) -> None:
        if not self.data or self.data == "None":
            self.data = ""
            return
        if self.data not in {str(choice[0]) for choice in self.choices or ()}:
            raise ValidationError(_("请选一项"))


class ManyField(SelectMultipleField):
    """Several boxes to tick."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()
