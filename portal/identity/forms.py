"""Forms of signing in: shapes only; whether a name and a password agree, the service says."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, PasswordField, StringField, SubmitField
from wtforms.validators import Length, Regexp, ValidationError

from portal.core.forms import Form, MobileField, TrimmedField, at_most, required
from portal.identity.passwords import MOST

SHORT_ENOUGH = Length(max=MOST, message=_l("密码最多 %(max)d 个字符"))


class SignInForm(Form):
    phone = MobileField(_l("手机号"), [required(_l("请填写手机号"))])
    password = PasswordField(_l("密码"), [required(_l("请填写密码")), SHORT_ENOUGH])


class PhoneForm(Form):
    phone = MobileField(_l("手机号"), [required(_l("请填写手机号"))])


class CodeForm(Form):
    code = TrimmedField(
        _l("短信验证码"),
        [required(_l("请填写短信里的验证码")), Regexp(r"^[0-9]{6}$", message=_l("验证码是 6 位数字"))],
    )
    again = SubmitField(_l("重新发送"))


class NewPasswordForm(Form):
    password = PasswordField(_l("新密码"), [required(_l("请填写新密码")), SHORT_ENOUGH])
    again = PasswordField(_l("再输入一次"), [required(_l("请把新密码再输入一次"))])

    def validate_again(self, field: StringField) -> None:
        if field.data != self.password.data:
            raise ValidationError(_("两次输入的密码不一样，请再输入一次"))


class ChangePasswordForm(NewPasswordForm):
    current = PasswordField(_l("现在的密码"), [required(_l("请填写现在的密码")), SHORT_ENOUGH])


class DeskSignInForm(Form):
    username = TrimmedField(_l("用户名"), [required(_l("请填写用户名")), Length(max=40)])
    password = PasswordField(_l("密码"), [required(_l("请填写密码")), SHORT_ENOUGH])


class TotpForm(Form):
    code = TrimmedField(_l("动态口令或恢复码"), [required(_l("请填写动态口令")), at_most(40)])


class NewTotpForm(Form):
    code = TrimmedField(
        _l("动态口令"),
        [required(_l("请填写动态口令")), Regexp(r"^[0-9]{6}$", message=_l("动态口令是 6 位数字"))],
    )
    secret = HiddenField()


class ConfirmForm(Form):
    password = PasswordField(_l("密码"), [required(_l("请填写密码")), SHORT_ENOUGH])
