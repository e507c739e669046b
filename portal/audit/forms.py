"""Forms of the audit: what to look for, and a head hash noted elsewhere."""

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import SelectField
from wtforms.validators import Optional, Regexp

from portal.audit.service import Wanted
from portal.core.forms import DayField, Form, TrimmedField, at_most


class FilterForm(Form):
    """Read from the address, so without a token."""

    class Meta:
        csrf = False

    action = SelectField(_l("操作"), default="")
    actor = TrimmedField(_l("操作人姓名"), validators=[at_most(60)])
    thing = SelectField(_l("对象"), default="")
    ref = TrimmedField(_l("对象编号"), validators=[at_most(64)])
    first = DayField(_l("从"))
    last = DayField(_l("到"))

    def __init__(self, *args: Any, actions: dict[str, str], things: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.action.choices = [("", _l("全部操作")), *_with(actions, self.action.data)]
        self.thing.choices = [("", _l("全部对象")), *_with(things, self.thing.data)]

    def wanted(self) -> Wanted:
        said = {name: self[name].data or "" for name in ("action", "actor", "thing", "ref")}
        return Wanted(**said, first=self.first.data, last=self.last.data)


def _with(words: dict[str, str], asked: str | None) -> list[tuple[str, str]]:
    """The choices, and a code that has no word yet when a row's link asked for it."""
    more = {asked: asked} if asked and asked not in words else {}
    return list({**words, **more}.items())


class CheckForm(Form):
    noted = TrimmedField(
        _l("抄存的链首值"),
        validators=[Optional(), Regexp(r"[0-9A-Fa-f\s]+$", message=_l("链首值只含数字和字母 a 到 f")), at_most(100)],
    )
