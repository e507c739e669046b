"""Forms of registering, claiming and deciding claims."""

from flask import current_app
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, HiddenField, PasswordField, SelectField, TextAreaField
from wtforms.validators import DataRequired, Length, Optional

from portal.areas import service as areas
from portal.config import Config
from portal.core.access import Scope
from portal.core.forms import Form, IdNumberField, ManyField, MobileField, TrimmedField, at_most, required
from portal.identity.forms import SHORT_ENOUGH
from portal.registry.service import consents

EVERYWHERE = (Scope("all", ""),)


def test_region_allowed() -> bool:
    config: Config = current_app.extensions["portal.config"]
    return config.allow_test_region


class IdentityForm(Form):
    """Who somebody is, and the separate consent to keep the number."""

    name = TrimmedField(_l("姓名"), [required(_l("请填写身份证上的姓名")), at_most(60)])
    id_number = IdNumberField(
        _l("身份证号码"), [required(_l("请填写 18 位身份证号码"))], allow_test_region=test_region_allowed
    )
    community = SelectField(_l("所在社区（村）"), [required(_l("请选择您住的社区或村"))])
    consent = BooleanField(
        _l("我同意社区为核对身份、提供服务而处理我的身份证号码等敏感个人信息"),
        [DataRequired(_l("需要您单独同意，才能核对身份。不同意也可以到社区窗口办事。"))],
    )

    def offer_communities(self) -> None:
        """Fill the choices; nothing is chosen beforehand."""
        offered = [(area.code, area.name) for area in areas.whole_communities(EVERYWHERE)]
        self.community.choices = [("", _l("请选择")), *offered]


class RegisterForm(IdentityForm):
    phone = MobileField(_l("手机号"), [required(_l("请填写手机号"))])
    password = PasswordField(_l("设一个密码"), [required(_l("请设一个密码")), SHORT_ENOUGH])
    also = ManyField(_l("另外愿意的，请自己勾（不勾也能注册，以后随时能改）"), [Optional()], choices=[])

    def offer_consents(self) -> None:
        """What is asked beside the number: nothing is ticked beforehand."""
        asked = [consents.terms_of(one) for one in consents.ASKED_AT_REGISTRATION]
        self.also.choices = [(of.purpose.value, f"{of.title}：{of.what}") for of in asked]

    def told(self) -> dict[str, str]:
        """What the form says, as keywords of the service."""
        said = {name: self.text(name) for name in ("name", "id_number", "phone", "password", "community")}
        return {**said, "also": ",".join(self.also.data or [])}


class ClaimDecisionForm(Form):
    """One button confirms with a person, the other refuses with a reason."""

    person = HiddenField()
    reason = TextAreaField(
        _l("不通过的原因"), [Length(max=200, message=_l("最多 %(max)d 个字"))], render_kw={"rows": 3}
    )
