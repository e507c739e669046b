"""Forms of administration: parameters, special days, accounts and roles."""

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectField
from wtforms.validators import InputRequired, Length, Optional, Regexp

from portal.core.clock import today
from portal.core.forms import CountField, DayField, Form, TrimmedField, at_most, required


class ParameterForm(Form):
    value = CountField(_l("数值"), validators=[InputRequired(_l("请填整数"))])
    valid_from = DayField(_l("生效日期"), default=today, validators=[InputRequired(_l("请填生效日期"))])
    note = TrimmedField(_l("说明"), validators=[Optional(), at_most(200)])

    def wanted(self) -> dict[str, Any]:
        return {"value": self.value.data, "valid_from": self.valid_from.data, "note": self.note.data or ""}


class SpecialDayForm(Form):
    day = DayField(_l("日期"), validators=[InputRequired(_l("请填日期"))])
    works = RadioField(_l("这一天"), default="no", validators=[required(_l("请选择放假还是上班"))])
    name = TrimmedField(_l("名称"), validators=[required(_l("请填名称")), at_most(40)])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.works.choices = [("no", _l("放假")), ("yes", _l("上班（调休）"))]


class AccountFilter(Form):
    """The list's filter: read from the address, so without a token."""

    class Meta:
        csrf = False

    q = TrimmedField(_l("姓名或用户名"), validators=[at_most(60)])
    role = SelectField(_l("角色"), default="")

    def __init__(self, *args: Any, roles: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.role.choices = [("", _l("全部角色")), *roles]


class AccountForm(Form):
    name = TrimmedField(_l("姓名"), validators=[required(_l("请填姓名")), at_most(60)])
    username = TrimmedField(
        _l("用户名"),
        validators=[
            required(_l("请填用户名")),
            Length(min=3, max=40, message=_l("用户名 3 到 40 个字符")),
            Regexp(r"[A-Za-z0-9][A-Za-z0-9._-]*$", message=_l("用户名只能用字母、数字、点、横线和下划线")),
        ],
    )

    expires_on = DayField(_l("账号到期日"), validators=[Optional()])

    def wanted(self) -> dict[str, Any]:
        return {"username": self.text("username"), "name": self.text("name"), "expires_on": self.expires_on.data}


class ExpiryForm(Form):
    expires_on = DayField(_l("账号到期日"), validators=[Optional()])


class GrantForm(Form):
    scope = SelectField(_l("管辖范围"), validators=[required(_l("请选择管辖范围"))])
    until = DayField(_l("到期日"), validators=[Optional()])

    def __init__(self, *args: Any, scopes: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.scope.choices = [("", _l("请选择")), *scopes] if len(scopes) != 1 else scopes
