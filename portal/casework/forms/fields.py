"""Fields of requests: one of a few or none, and photographs."""

from typing import Any

from flask_babel import gettext as _
from wtforms import MultipleFileField, RadioField
from wtforms.validators import ValidationError

from portal.core import files
from portal.core.errors import Refused
from portal.core.forms import Form

SIDE = 1600


class PickField(RadioField):
    """One of a few large answers, or none."""

    def pre_validate(self, form: Any) -> None:
        if not self.data or self.data == "None":
            self.data = ""
            return
        if self.data not in {str(choice[0]) for choice in self.choices or ()}:
            raise ValidationError(_("请选一项"))


def clean_pictures(form: Form, field: MultipleFileField, most: int) -> list[bytes]:
    """The chosen pictures made anew without their location; before any query, because decoding takes its time."""
    chosen = [one for one in field.data or () if getattr(one, "filename", "")]
    if len(chosen) > most:
        form.refuse(Refused(_("一次最多选 %(count)d 张照片。", count=most), field=field.short_name))
        return []
    made = []
    for one in chosen:
        try:
            made.append(files.clean_image(one.read(), max_side=SIDE))
        except files.BadFile as bad:
            words = _("“%(name)s”：%(why)s", name=str(one.filename)[-40:], why=bad.sentence)
            form.refuse(Refused(words, field=field.short_name))
    return made if not form.errors else []
