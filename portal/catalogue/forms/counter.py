"""Forms of the counter: finding an appointment, marks with their reasons, booking for somebody, words, papers."""

from collections.abc import Iterable
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField
from wtforms import BooleanField, RadioField, SelectField, TextAreaField
from wtforms.validators import Optional

from portal.catalogue.forms.agreement import Agreement
from portal.catalogue.models.appointments import Channel
from portal.catalogue.models.items import Item
from portal.core.forms import Form, OnceForm, TrimmedField, at_most, required


class CheckInForm(Form):
    """What a camera or a hand says, or a photograph of the code."""

    code = TrimmedField(_l("预约码"), [at_most(500)])
    photo = FileField(_l("二维码照片"))


class ReasonForm(OnceForm):
    reason = TrimmedField(_l("原因"), [required(_l("请写明原因")), at_most(120)])


class ItemForm(Form):
    """Which item; asked by the address, so nothing is sent."""

    class Meta(Form.Meta):
        csrf = False

    item = SelectField(_l("办什么"), coerce=int, default=0)

    def offer(self, items: Iterable[Item], chosen: int) -> None:
        self.item.choices = [(one.id, one.title) for one in items]
        self.item.data = chosen


class AgreedForm(Agreement, OnceForm):
    """What is done for somebody who asked for it: how she agreed, and when."""


class BookForForm(AgreedForm):
    """Booking for somebody: asked at the counter or on the telephone, and told what it means."""

    channel = RadioField(_l("怎么提出的"), default=Channel.COUNTER.value)
    agreed = BooleanField(
        _l("已向本人说明：代约免费，姓名和联系方式只用于这次服务，可以随时取消"), [required(_l("请先说明并得到同意"))]
    )
    note = TextAreaField(_l("给服务人员的话"), [Optional(), at_most(100)])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.channel.choices = [(Channel.COUNTER.value, _l("到窗口来")), (Channel.PHONE.value, _l("打电话来"))]


class MessageForm(OnceForm):
    words = TextAreaField(
        _l("要说的话"), [required(_l("请写要通知的话")), at_most(150)], description=_l("最多 150 字，不要写个人情况")
    )


class PaperForm(OnceForm):
    what = TrimmedField(
        _l("收了什么"),
        [required(_l("请写明收了什么材料")), at_most(120)],
        description=_l("例如：户口簿原件一本、照片两张"),
    )
    place = TrimmedField(_l("放在哪里"), [required(_l("请写明放在哪里")), at_most(80)])


class PaperMoveForm(Form):
    place = TrimmedField(_l("现在在哪里"), [required(_l("请写明现在在哪里")), at_most(80)])


class PaperBackForm(Form):
    to = TrimmedField(_l("交还给谁"), [required(_l("请写明交还给谁")), at_most(60)])
