"""Forms of the people a shift serves."""

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, RadioField, SearchField, SelectField, TextAreaField
from wtforms.validators import Length, Optional

from portal.core.forms import Form, OnceForm, TrimmedField, at_most, required
from portal.volunteers.models.activities import Served
from portal.volunteers.models.codes import Task
from portal.volunteers.models.people import Volunteer
from portal.volunteers.service import activity_words


class FindServedForm(Form):
    q = SearchField(
        _l("找人"),
        validators=[required(_l("请填姓名、拼音首字母、手机号后四位或身份证号")), Length(max=40)],
        filters=[lambda text: (text or "").strip()],
    )

    def forget(self, kind: str) -> None:
        """Do not show a full number again that was typed to find somebody."""
        if kind in {"id_number", "phone"}:
            self.q.data = ""


class ServedForm(OnceForm):
    """A task for somebody; who on the shift goes there may be said later."""

    task = RadioField(_l("做什么"), default=Task.MEAL.value)
    needs = TextAreaField(
        _l("志愿者要知道的"),
        [Optional(), at_most(200)],
        description=_l("只写这件事用得上的，例如：软饭、耳背要大声敲门。不写病名和家事"),
    )
    volunteer = SelectField(_l("谁去"), coerce=int, default=0)

    def offer(self, known: Sequence[Volunteer]) -> None:
        self.task.choices = activity_words.choices(Task)
        # Who joined by a tap alone sees nobody she was not sent to (serving.is_confirmed).
        nobody = (0, _("还没定，经社区或领队确认的人都能看到"))
        self.volunteer.choices = [nobody, *((one.id, one.person.name) for one in known)]

    def facts(self) -> dict[str, Any]:
        task, volunteer = Task(self.task.data), self.volunteer.data or None
        return {"task": task, "needs": self.text("needs"), "volunteer_id": volunteer}


class AddServedForm(ServedForm):
    agreed = BooleanField(
        _l("已告诉本人（或家人），本人同意把姓名、住址和需要告诉这一班的志愿者"),
        [required(_l("请先告诉本人并得到同意"))],
    )


def served_form(known: Sequence[Volunteer], served: Served | None = None) -> ServedForm:
    if served is None:
        form: ServedForm = AddServedForm()
    else:
        data = {"task": served.task.value, "needs": served.needs or "", "volunteer": served.volunteer_id or 0}
        form = ServedForm(data=data)
    form.offer(known)
    return form


class DoneForm(OnceForm):
    words = TrimmedField(
        _l("情况怎么样"), [required(_l("请写一句情况")), at_most(100)], description=_l("例如：送到了，精神好")
    )
