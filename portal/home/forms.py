"""What a reader says about how pages should look; what a hand-over is signed with."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import AnyOf, Optional

from portal.core.clock import today
from portal.core.forms import Form, OnceForm, TrimmedField, at_most, required
from portal.core.web import LOCALES, SCALES
from portal.home.service.handover import Signing
from portal.identity.models import Account
from portal.registry.forms.rights import PasswordAgainForm


class PreferencesForm(Form):
    """Text size and language; each button sends one of them."""

    scale = StringField(validators=[Optional(), AnyOf(SCALES)])
    locale = StringField(validators=[Optional(), AnyOf(tuple(LOCALES))])
    next = StringField()


class TakeCopyForm(PasswordAgainForm):
    kind = RadioField(_l("要哪一种"), [required(_l("请选一种"))], choices=[], default="page")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind.choices = [
            ("page", _l("在手机上看，也可以打印")),
            ("xlsx", _l("表格文件")),
            ("json", _l("数据文件")),
        ]


class ClosingForm(PasswordAgainForm):
    cancel_meals = BooleanField(_l("还没取的订餐一起取消"))
    sure = BooleanField(_l("我看明白了，要注销账号"), [required(_l("确定要注销，请先勾选这一项"))])


def _giver_words(account: Account) -> str:
    return account.name if account.is_open(today()) else _("%(name)s（已停用）", name=account.name)


class HandOverForm(OnceForm):
    giver = SelectField(_l("谁交"), choices=[])
    taker = SelectField(_l("谁接"), choices=[])
    reason = TrimmedField(_l("为什么交接"), [required(), at_most(100)])
    note = TextAreaField(_l("要交代的事"), [Optional(), at_most(1000)])
    signed = BooleanField(_l("我确认以上交接，并对此负责"), [required(_l("请勾选确认，这相当于签字"))])

    # The key of what the page said would pass; the page writes it beside that, not among the hidden fields.
    shown = StringField()

    @classmethod
    def between(
        cls, givers: Sequence[Account], takers: Sequence[Account], asked: Mapping[str, str] | None = None
    ) -> "HandOverForm":
        """`asked` is whom the address names, while nothing was sent yet."""
        form = cls()
        form.giver.choices = [(account.public_id, _giver_words(account)) for account in givers]
        form.taker.choices = [(account.public_id, account.name) for account in takers]
        if not form.is_submitted():
            form.giver.data = _one_of(givers, (asked or {}).get("giver", ""))
            others = [account for account in takers if account.public_id != form.giver.data]
            form.taker.data = _one_of(others, (asked or {}).get("taker", ""))
        return form

    def said(self) -> Signing:
        return Signing(
            self.giver.data or "",
            self.taker.data or "",
            self.text("reason"),
            self.text("note").strip(),
            self.shown.data or "",
        )


def _one_of(accounts: Sequence[Account], asked: str) -> str:
    """The one asked for, else the first."""
    ids = [account.public_id for account in accounts]
    return asked if asked in ids else next(iter(ids), "")


class TakeBackForm(Form):
    why = TrimmedField(_l("为什么收回"), [required(), at_most(100)])
