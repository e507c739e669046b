"""A form that knows what stood when it was opened: the second of two who edit one thing is told what the first did."""

import json
from collections.abc import Mapping
from datetime import date, time
from typing import Any

from flask_babel import gettext as _
from wtforms import Field, HiddenField

from portal.core.errors import Refused
from portal.core.forms import OnceForm

SHOWN = 60


def snapshot(data: Mapping[str, Any]) -> str:
    """What the fields hold, as the page carries it."""
    return json.dumps({name: _plain(value) for name, value in data.items()}, ensure_ascii=False, sort_keys=True)


def _plain(value: Any) -> Any:
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return sorted(str(one) for one in value)
    if isinstance(value, bool):
        return value
    return "" if value is None else str(value).strip()


class SeenForm(OnceForm):
    """Opened with `seen=snapshot(data)`; its act calls refuse_older() first."""

    seen = HiddenField()

    def refuse_older(self, stands: Mapping[str, Any], *, by: str) -> None:
        """Refuse where something changed since the page was opened: what was typed stays, what was left as it was
        shows what stands now, and the words say who changed what.
        """
        seen, changed = self._seen(), []
        for name, value in stands.items():
            field = self._fields.get(name)
            if field is None or name not in seen or seen[name] == _plain(value):
                continue
            if _plain(field.data) == seen[name]:
                field.data, field.raw_data = value, None
            changed.append(_("%(field)s：%(value)s", field=field.label.text, value=_shown(field, value)))
        self.seen.data = snapshot(stands)
        if changed:
            words = _(
                "您打开这一页以后，%(who)s改过（%(what)s）。您填的内容还在，请核对后再保存一次。",
                who=by or _("同事"),
                what=_("；").join(changed),
            )
            raise Refused(words)

    def _seen(self) -> dict[str, Any]:
        try:
            found = json.loads(self.text("seen") or "{}")
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


def _shown(field: Field, value: Any) -> str:
    """A value in the words of its field."""
    if isinstance(value, bool):
        return _("是") if value else _("否")
    choices = {str(one[0]): str(one[1]) for one in getattr(field, "choices", None) or ()}
    if choices:
        held = value if isinstance(value, list | tuple) else [value]
        value = _("、").join(choices.get(_plain(one), _plain(one)) for one in held)
    said = _plain(value)[:SHOWN]
    return said or _("空")
