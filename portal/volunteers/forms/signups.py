"""Forms of signing up: the yes to risks and insurance, whom she comes with, reasons, swaps, answers."""

from collections.abc import Sequence

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, SelectField, SubmitField
from wtforms.validators import DataRequired, Optional

from portal.core.errors import Refused
from portal.core.forms import Form, ManyField, OnceForm, TrimmedField, at_most, required, status_of
from portal.core.masking import mask_name
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.signups import Signup
from portal.volunteers.service.signup_words import span
from portal.volunteers.service.swapping import Partners

ALL = "all"


class AgreeForm(OnceForm):
    """The answer to a refused resend is 409, to anything else that must be mended 422."""

    agree = BooleanField(_l("我看过活动内容、风险和保险，自愿参加"), [DataRequired(_l("请先看完风险和保险，再打勾"))])
    refused_with = 0

    def refuse(self, refused: Refused) -> None:
        super().refuse(refused)
        self.refused_with = status_of(refused)

    @property
    def status(self) -> int:
        return self.refused_with or super().status


class JoinForm(AgreeForm):
    """`alone` is whether she comes too: who looks after others may put them on a post without her."""

    me = BooleanField(_l("我自己参加"), default=True)
    others = ManyField(_l("一起参加的家人"), [Optional()])

    @classmethod
    def of(cls, me: Volunteer | None, others: Sequence[Volunteer]) -> "JoinForm":
        form = cls()
        form.others.choices = [(one.public_id, one.person.name) for one in others]
        if not others:
            del form.others
        if me is None or not others:
            del form.me
        return form

    def chosen(self, me: Volunteer | None, others: Sequence[Volunteer]) -> list[Volunteer]:
        """Who is to be put on the post; nobody chosen is refused."""
        ticked = set(self.others.data or []) if "others" in self else set()
        comes = me is not None and ("me" not in self or self.me.data)
        found = [*([me] if me and comes else []), *(one for one in others if one.public_id in ticked)]
        if not found:
            raise Refused(_("请选谁参加"), field="others")
        return found


class LeaveForm(Form):
    reason = TrimmedField(_l("退出的原因"), [Optional(), at_most(60)])


class AbsentForm(Form):
    reason = TrimmedField(_l("请假的原因"), [required(_l("请写明原因，领队会看到")), at_most(60)])


class DeclineForm(Form):
    reason = TrimmedField(_l("不参加的原因"), [required(_l("请简单写一下原因")), at_most(60)])


class PlainForm(Form):
    """One button."""


class SwapForm(Form):
    """Whoever takes it, one of the fellows, or one of their shifts in exchange."""

    whom = SelectField(_l("请谁来接"), [DataRequired(_l("请选一项"))])
    words = TrimmedField(_l("想说的话"), [Optional(), at_most(60)])

    @classmethod
    def of(cls, partners: Partners) -> "SwapForm":
        form = cls()
        choices = [(ALL, _("谁方便谁来接"))]
        choices += [
            (f"v:{one.volunteer.public_id}", _("请%(name)s来接", name=mask_name(one.volunteer.person.name)))
            for one in partners.takers
        ]
        choices += [
            (
                f"s:{one.public_id}",
                _(
                    "和%(name)s对换：%(span)s",
                    name=mask_name(one.volunteer.person.name),
                    span=span(one.starts_at, one.ends_at),
                ),
            )
            for one in partners.exchanges
        ]
        form.whom.choices = choices
        return form

    def chosen(self, partners: Partners) -> tuple[Volunteer | None, Signup | None]:
        """Of whom it is asked, and against which signup of theirs."""
        kind, _sign, key = str(self.whom.data).partition(":")
        if kind == "s":
            return None, next(one for one in partners.exchanges if one.public_id == key)
        if kind == "v":
            return next(one.volunteer for one in partners.takers if one.volunteer.public_id == key), None
        return None, None


class AnswerForm(Form):
    """A worker's or leader's yes or no; a no says why."""

    reason = TrimmedField(_l("原因"), [Optional(), at_most(60)])
    yes = SubmitField(_l("同意"))
    no = SubmitField(_l("不同意"))
