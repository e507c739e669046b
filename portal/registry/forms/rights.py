"""What is typed about one's own data: a proposal for a field, a request, a password again, a worker's answer."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField
from wtforms import BooleanField, PasswordField, RadioField, SelectField, TextAreaField
from wtforms.validators import Optional, ValidationError

from portal.core import files
from portal.core.errors import Refused
from portal.core.forms import Form, ManyField, TrimmedField, at_most, required
from portal.identity.forms import SHORT_ENOUGH
from portal.registry.forms.people import PhoneField, told
from portal.registry.models import Channel, Diet, Marriage, Person, RightField, RightKind, Schooling, Work
from portal.registry.service.consents import Voice

CHECKS = [
    ("id_card", _l("看了身份证")),
    ("known", _l("认识本人，当面核对")),
    ("phone", _l("打登记的电话核对")),
    ("proxy", _l("看了委托书和代办人身份证")),
]
ACTS = [("add", _l("加一位")), ("replace", _l("换掉一位")), ("drop", _l("去掉一位"))]


class ProposalForm(Form):
    """Another value for one field, a word of why, perhaps a photograph of a paper that shows it."""

    why = TrimmedField(_l("为什么要改"), [required(_l("请用一句话写明为什么要改")), at_most(100)])
    photo = FileField(_l("证明照片"), [Optional()])

    def offer(self, person: Person) -> None:
        """Fill choices that depend on the person, and show what stands."""

    def said(self) -> dict[str, Any]:
        return {"value": self._fields["value"].data}

    def picture(self) -> bytes | None:
        """The photograph made anew without its location; called before any query, because decoding takes its time."""
        sent = self.photo.data
        if not sent or not getattr(sent, "filename", ""):
            return None
        try:
            return files.clean_image(sent.read(), max_side=1600)
        except files.BadFile as bad:
            self.refuse(Refused(bad.sentence, field="photo"))
            return None


class NameForm(ProposalForm):
    value = TrimmedField(_l("正确的姓名"), [required(_l("请填写姓名")), at_most(60)])


class OwnPhoneForm(ProposalForm):
    value = PhoneField(_l("新电话"), [required(_l("请填写电话"))])


class AddressForm(ProposalForm):
    value = TextAreaField(_l("正确的户籍地址"), [required(_l("请填写地址")), at_most(120)], render_kw={"rows": 2})


class ResidenceForm(ProposalForm):
    value = TextAreaField(
        _l("现在住在哪里，哪天搬来的"), [required(_l("请写小区、楼、单元、房号")), at_most(120)], render_kw={"rows": 2}
    )


class HouseholdForm(ProposalForm):
    value = TextAreaField(
        _l("少了谁、多了谁、谁搬走了"), [required(_l("请写清楚是谁、怎么变的")), at_most(200)], render_kw={"rows": 3}
    )


class WordsForm(ProposalForm):
    """In words: a worker reads them beside the papers and mends the record on its own page."""

    value = TextAreaField(
        _l("正确的应该是什么"), [required(_l("请写明正确的应该是什么")), at_most(200)], render_kw={"rows": 3}
    )


class HealthForm(ProposalForm):
    value = TextAreaField(_l("健康情况"), [required(_l("请填写健康情况")), at_most(200)], render_kw={"rows": 3})


class ChoiceForm(ProposalForm):
    value = RadioField(_l("正确的是"), [required(_l("请选一项"))], choices=[])
    kinds: Sequence[StrEnum] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.value.choices = [choice for choice in told(self.kinds) if choice[0] != "unknown"]


class MarriageForm(ChoiceForm):
    kinds = tuple(Marriage)


class SchoolingForm(ChoiceForm):
    kinds = tuple(Schooling)


class WorkForm(ChoiceForm):
    kinds = tuple(Work)


class DietForm(ProposalForm):
    value = ManyField(_l("我不能吃、需要的"), [Optional()], choices=[])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.value.choices = told(Diet)

    def offer(self, person: Person) -> None:
        if not self.is_submitted():
            self.value.data = sorted(kind.value for kind in person.diets())

    def said(self) -> dict[str, Any]:
        return {"value": sorted(self.value.data or [])}


class ContactForm(ProposalForm):
    act = RadioField(_l("要做什么"), [required(_l("请选一项"))], choices=[])
    which = SelectField(_l("换掉或去掉哪一位"), [Optional()], choices=[], validate_choice=False)
    name = TrimmedField(_l("联系人姓名"), [Optional(), at_most(60)])
    relation = TrimmedField(_l("是您的什么人"), [Optional(), at_most(20)])
    phone = PhoneField(_l("联系人电话"), [Optional()])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.act.choices = list(ACTS)

    def offer(self, person: Person) -> None:
        known = [(str(one.id), f"{one.relation} {one.name}") for one in person.contacts]
        self.which.choices = [("", _("请选择")), *known]

    def validate_act(self, field: RadioField) -> None:
        if field.data != "drop" and not (self.text("name") and self.text("relation") and self.text("phone")):
            raise ValidationError(_("请把姓名、是您的什么人、电话都填上"))

    def said(self) -> dict[str, Any]:
        return {name: self.text(name) for name in ("act", "which", "name", "relation", "phone")}


FORMS: dict[RightField, type[ProposalForm]] = {
    RightField.NAME: NameForm,
    RightField.PHONE: OwnPhoneForm,
    RightField.REGISTERED_ADDRESS: AddressForm,
    RightField.RESIDENCE: ResidenceForm,
    RightField.MARRIAGE: MarriageForm,
    RightField.SCHOOLING: SchoolingForm,
    RightField.WORK: WorkForm,
    RightField.DIET: DietForm,
    RightField.HEALTH: HealthForm,
    RightField.CONTACTS: ContactForm,
    RightField.HOUSEHOLD: HouseholdForm,
    RightField.SEX: WordsForm,
    RightField.BIRTH_DATE: WordsForm,
    RightField.ID_NUMBER: WordsForm,
    RightField.REGISTRATION: WordsForm,
    RightField.RELATION: WordsForm,
    RightField.TAGS: WordsForm,
}


class AskForm(Form):
    """A request in one's own words: delete something, explain something."""

    text_ = TextAreaField(_l("想请社区做什么"), [required(_l("请写清楚您的请求")), at_most(300)], render_kw={"rows": 4})


class PasswordAgainForm(Form):
    password = PasswordField(_l("登录密码"), [required(_l("请输入登录密码")), SHORT_ENOUGH])


class CounterForm(Form):
    """How the counter knew who was asking, and of a child who spoke for her."""

    identity = RadioField(_l("怎样核对的身份"), [required(_l("请先核对身份"))], choices=[])
    guardian = TrimmedField(_l("监护人姓名（未满 14 周岁）"), [Optional(), at_most(60)])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.identity.choices = list(CHECKS)

    def voice(self, person: Person, *, operator: str, by: str) -> Voice:
        """The person speaks, a worker writes it down."""
        checked = str(dict(CHECKS)[self.identity.data])
        guardian = self.text("guardian")
        return Voice(
            Channel.COUNTER, by, guardian or person.name, operator=operator, guardian=guardian, identity=checked
        )


class CounterRequestForm(CounterForm):
    """A copy, a closing or another request on paper."""

    kind = RadioField(_l("申请什么"), [required(_l("请选一项"))], choices=[])
    text_ = TextAreaField(_l("请求的内容"), [Optional(), at_most(300)], render_kw={"rows": 3})

    def offer(self, kinds: Sequence[tuple[str, str]]) -> None:
        self.kind.choices = list(kinds)

    def validate_kind(self, field: RadioField) -> None:
        if field.data == RightKind.OTHER.value and not self.text("text_").strip():
            raise ValidationError(_("请写明居民请求什么"))


class AnswerForm(Form):
    """The buttons beside it agree, or refuse with this as the reason."""

    answer = TextAreaField(_l("给居民的答复"), [Optional(), at_most(200)], render_kw={"rows": 3})
    done = BooleanField(_l("我已经改好了"))
