"""What a worker writes into an announcement."""

from datetime import date, datetime, time, timedelta
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, SelectField, SelectMultipleField, TextAreaField
from wtforms.validators import Optional
from wtforms.widgets import CheckboxInput, ListWidget

from portal.areas.models import Area, AreaKind
from portal.core.clock import at, local, today
from portal.core.forms import ClockField, DayField, Form, OnceForm, TrimmedField, at_most, required
from portal.notifications.models import Announcement
from portal.notifications.service.announcements import Words
from portal.registry.models import TagKind
from portal.registry.service import words as registry

USUAL = timedelta(days=14)


class AnnouncementForm(OnceForm):
    """`until_at` is where a refusal about the span is put; the fields hold day and time apart, as telephones do."""

    area = SelectField(_l("发给哪里"))
    tags = SelectMultipleField(
        _l("只发给这些人群"), [Optional()], widget=ListWidget(prefix_label=False), option_widget=CheckboxInput()
    )
    title = TrimmedField(_l("标题"), [required(), at_most(60)])
    body = TextAreaField(_l("正文"), [required(), at_most(3000)])
    is_urgent = BooleanField(_l("紧急（排在最前，红色提示）"))
    from_day = DayField(_l("从哪天起"), [required(_l("请填日期"))])
    from_time = ClockField(_l("从几点起"), [required(_l("请填时间，例如 08:30"))])
    until_at = DayField(_l("到哪天为止（含当天）"), [required(_l("请填日期"))])

    def __init__(self, *args: Any, standing: Announcement | None = None, **kwargs: Any) -> None:
        kwargs["data"] = _said_of(standing) if standing else _usual()
        super().__init__(*args, **kwargs)
        self.tags.choices = [(kind.value, registry.tag(kind)) for kind in TagKind]

    def offer(self, areas: list[Area]) -> None:
        names = {area.id: area.name for area in areas}
        self.area.choices = [(area.code, _area_words(area, names)) for area in areas]

    def words(self) -> Words:
        assert self.from_time.data
        last: date = self.until_at.data or today()
        return Words(
            area=self.area.data,
            title=self.text("title"),
            body=self.text("body").strip().replace("\r\n", "\n"),
            tags=tuple(TagKind(code) for code in self.tags.data or []),
            is_urgent=bool(self.is_urgent.data),
            from_at=at(self.from_day.data or today(), self.from_time.data),
            until_at=at(last + timedelta(days=1), time(0)),
        )


def _area_words(area: Area, names: dict[int, str]) -> str:
    """A grid with its community; a street and a community as all of it."""
    if area.kind is AreaKind.GRID:
        return f"{names.get(area.parent_id or 0, '')} {area.name}".strip()
    return _("%(area)s（全体）", area=area.name)


def _usual() -> dict[str, Any]:
    return {"from_day": today(), "from_time": time(0), "until_at": today() + USUAL}


def _said_of(standing: Announcement) -> dict[str, Any]:
    first: datetime = local(standing.from_at)
    return {
        "area": standing.area.code,
        "tags": [tag.kind.value for tag in standing.tags],
        "title": standing.title,
        "body": standing.body,
        "is_urgent": standing.is_urgent,
        "from_day": first.date(),
        "from_time": first.time(),
        "until_at": (local(standing.until_at) - timedelta(days=1)).date(),
    }


class WithdrawForm(Form):
    reason = TrimmedField(_l("撤回原因"), [required(_l("请写明原因")), at_most(120)])
