"""Forms of safety checks and referrals."""

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, SelectField, TextAreaField
from wtforms.validators import Optional

from portal.core.forms import DayField, Form, TrimmedField, at_most, required
from portal.visits.forms.fields import PickField
from portal.visits.models import CheckOutcome, Referral, ReferralState, SafetyCheck, StepKind, StepResult
from portal.visits.service.words import choices


class StepForm(Form):
    step = HiddenField()
    to_name = TrimmedField(_l("联系的是谁"), validators=[Optional(), at_most(60)])
    result = PickField(_l("结果"), validators=[required(_l("请选一项"))])
    note = TrimmedField(_l("说明"), validators=[Optional(), at_most(200)])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.result.choices = choices(StepResult)


class NamedStepForm(StepForm):
    """Any rung but trying again: somebody was turned to, and is named."""

    to_name = TrimmedField(_l("联系的是谁"), validators=[required(_l("请写明联系的是谁。")), at_most(60)])


def step_form(check: SafetyCheck, posted: str = "") -> StepForm:
    """The form of the rung that was sent, else of the next one."""
    asked = next((step for step in check.steps if str(step.id) == posted), None) if posted else check.next_step()
    form = NamedStepForm if asked and asked.kind is not StepKind.AGAIN else StepForm
    return form(data={"step": str(asked.id) if asked else ""})


class ColleagueForm(Form):
    colleague = SelectField(_l("请哪位同事去看"), default="")


class CloseForm(Form):
    outcome = PickField(_l("人怎么样"), validators=[required(_l("请选一项"))])
    how = TextAreaField(_l("怎么确认的"), validators=[required(), at_most(300)])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.outcome.choices = choices(CheckOutcome)


class MoveForm(Form):
    state = PickField(_l("现在怎样"), validators=[required(_l("请选一项"))])
    note = TextAreaField(_l("结果或原因"), validators=[at_most(300)])


def move_form(referral: Referral) -> MoveForm:
    form = MoveForm()
    if referral.may_become(ReferralState.TAKEN):
        form.note.description = _("只是接手可以不写，其他都要写")
    form.state.choices = [pair for pair in choices(ReferralState) if referral.may_become(ReferralState(pair[0]))]
    return form


class RedirectForm(Form):
    party = TrimmedField(_l("转给谁"), validators=[required(), at_most(60)])
    due_on = DayField(_l("期限"), validators=[required()])
