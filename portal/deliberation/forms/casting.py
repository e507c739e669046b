"""Forms of casting: the ballot and its confirmation, the password again, a receipt to be looked up."""

from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, PasswordField, RadioField, SubmitField
from wtforms.validators import InputRequired, Length

from portal.core.forms import Form, TrimmedField, required
from portal.deliberation.models.votes import Vote
from portal.deliberation.service import casting
from portal.deliberation.service.own_votes import Own


class BallotForm(Form):
    """`slip` is random and makes the receipt; `seen` is the version of the vote that the page showed."""

    choice = RadioField(_l("您的选择"), [InputRequired(_l("请选一项"))], coerce=int)
    entry = HiddenField()
    slip = HiddenField(default=casting.new_slip)
    seen = HiddenField(default="0")
    sure = SubmitField(_l("确认投票"))

    @classmethod
    def of(cls, vote: Vote, line: Own) -> "BallotForm":
        form = cls()
        form.choice.choices = [
            (one.number, f"{one.label}（{one.words}）" if one.words else one.label) for one in vote.options
        ]
        if not form.is_submitted():
            form.entry.data, form.seen.data = str(line.number), str(line.version)
        return form

    @property
    def version_seen(self) -> int:
        text = self.text("seen")
        return int(text) if text.isdecimal() and len(text) < 6 else 0


class OwnPasswordForm(Form):
    password = PasswordField(_l("密码"), [required(_l("请填写密码")), Length(max=128, message=_l("密码太长了"))])


class ReceiptForm(Form):
    receipt = TrimmedField(
        _l("回执号"),
        [required(_l("请填回执号")), Length(max=60, message=_l("回执号是 16 个字母和数字，请再看一下"))],
        description=_l("16 个字母和数字，空格和大小写都没有关系"),
    )
