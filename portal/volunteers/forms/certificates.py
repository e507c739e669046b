"""Forms of certificates and stars: asking, issuing, refusing and taking back, the rules, and verifying."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, RadioField, SelectField
from wtforms.validators import NumberRange, Optional

from portal.core.clock import today
from portal.core.errors import Refused
from portal.core.forms import CountField, DayField, Form, OnceForm, TrimmedField, at_most, required
from portal.volunteers.models.records import StarRule
from portal.volunteers.service.certificates import Organiser


class CertificateForm(OnceForm):
    organiser = RadioField(_l("由哪个单位出证明"), validators=[required(_l("请选一个单位"))])
    first_day = DayField(_l("从哪天"), validators=[required()], default=lambda: today().replace(month=1, day=1))
    last_day = DayField(_l("到哪天"), validators=[required()], default=today)
    use = TrimmedField(_l("用途"), validators=[Optional(), at_most(60)], description=_l("例如：求职、升学、评优"))
    with_number = BooleanField(_l("证明上写完整的证件号码"))

    def offer(self, organisers: Iterable[Organiser]) -> "CertificateForm":
        self.organiser.choices = [
            (one.key, _("%(name)s，%(hours)s 小时", name=one.name, hours=f"{one.minutes / 60:.1f}"))
            for one in organisers
        ]
        if not self.organiser.data and self.organiser.choices:
            self.organiser.data = self.organiser.choices[0][0]
        return self

    def span(self) -> tuple[date, date]:
        return self.first_day.data or today(), self.last_day.data or today()

    def wishes(self) -> dict[str, Any]:
        return {"use": self.text("use"), "with_number": bool(self.with_number.data)}

    def chosen(self, organisers: Iterable[Organiser]) -> Organiser:
        found = next((one for one in organisers if one.key == self.organiser.data), None)
        if found is None:
            raise Refused(_("请选一个单位"), field="organiser")
        return found


class IssueForm(OnceForm):
    responsible = TrimmedField(_l("单位负责人"), validators=[required(_l("请填单位负责人")), at_most(60)])
    contact = TrimmedField(_l("联系方式"), validators=[required(_l("请填单位的联系电话")), at_most(40)])


class CauseForm(OnceForm):
    """A negative act asks why; the answer is read by the volunteer."""

    reason = TrimmedField(_l("原因"), validators=[required(_l("请写明原因，志愿者会看到")), at_most(200)])


class RevokeForm(CauseForm):
    """Why a certificate is taken back is read by everybody who verifies it."""

    reason = TrimmedField(
        _l("撤销的原因"),
        validators=[required(_l("请写明原因，查验的人会看到")), at_most(200)],
        description=_l("查验页面会公开显示，请不要写姓名、电话等个人信息"),
    )


class StarRevokeForm(CauseForm):
    is_false = BooleanField(_l("虚报服务时间（规定年限内不能再申请）"))


class ApplyForm(OnceForm):
    """One button; the level is in its address."""


class StarRuleForm(OnceForm):
    level = SelectField(_l("星级"), validators=[required()])
    hours = CountField(
        _l("累计多少小时"), validators=[required(), NumberRange(1, 20000, _l("请填 1 到 20000 之间的整数"))]
    )
    valid_from = DayField(_l("从哪天起"), validators=[required()], default=today)
    valid_to = DayField(_l("到哪天为止"), validators=[Optional()])
    source = TrimmedField(_l("依据"), validators=[required(_l("请写明依据哪份文件")), at_most(120)])

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.level.choices = [(str(level), _("%(level)s 星级", level=level)) for level in range(1, 6)]

    @classmethod
    def of(cls, rule: StarRule) -> "StarRuleForm":
        facts = {"level": str(rule.level), "hours": rule.minutes // 60, "source": rule.source}
        return cls(data=facts | {"valid_from": rule.valid_from, "valid_to": rule.valid_to})

    def facts(self) -> dict[str, Any]:
        return {
            "valid_from": self.valid_from.data,
            "valid_to": self.valid_to.data,
            "source": self.text("source"),
        }


class VerifyForm(Form):
    """Asked by the address, so that a code on the paper leads there."""

    class Meta(Form.Meta):
        csrf = False

    number = TrimmedField(_l("证明编号"), validators=[required(_l("请填证明编号")), at_most(32)])
    code = TrimmedField(_l("查验码"), validators=[required(_l("请填查验码，在二维码旁边")), at_most(20)])
