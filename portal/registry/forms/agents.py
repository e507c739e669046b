"""Forms of family agents."""

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import DateField, SelectField, SelectMultipleField, TextAreaField
from wtforms.validators import Length, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from portal.core import ids
from portal.core.clock import today
from portal.core.forms import Form, TrimmedField, at_most, required
from portal.registry.forms.accounts import test_region_allowed
from portal.registry.models import FamilyAgent

RELATIONS = [
    ("child", _l("子女")),
    ("spouse", _l("配偶")),
    ("grandchild", _l("孙子女、外孙子女")),
    ("parent", _l("父母")),
    ("sibling", _l("兄弟姐妹")),
    ("relative", _l("其他亲属")),
    ("friend", _l("邻居、朋友")),
]
WAYS = [("phone", _l("电话核实")), ("visit", _l("上门当面")), ("window", _l("到社区窗口"))]
ACTIONS = [("meals.order", _l("订餐")), ("catalogue.book", _l("预约和办事")), ("cases.report", _l("反映诉求"))]


def actions_said(agent: FamilyAgent) -> str:
    """What an agent may do, in words."""
    words = {value: str(said) for value, said in ACTIONS}
    return "、".join(words.get(action, action) for action in agent.actions.split(","))


def relation_said(relation: str) -> str:
    """The relation in words; one that came in words already stays as it is."""
    return str(dict(RELATIONS).get(relation, relation))


class ActionsField(SelectMultipleField):
    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class AgentForm(Form):
    name = TrimmedField(_l("对方姓名"), [required(_l("请填写您要代办的人的姓名")), at_most(60)])
    number = TrimmedField(_l("身份证号或手机号"), [required(_l("请填写身份证号码或手机号")), at_most(30)])
    relation = SelectField(_l("您是对方的"), [required(_l("请选择您和对方的关系"))])
    actions = ActionsField(_l("代办哪些事"), [required(_l("请至少选一件"))], default=["meals.order"])
    until = DateField(_l("代办到哪一天"), [required(_l("请选择日期"))])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.relation.choices = [("", _l("请选择")), *RELATIONS]
        self.actions.choices = list(ACTIONS)

    def validate_number(self, field: Any) -> None:
        """An ID number or a mobile in shape; whether somebody has it, nobody is told."""
        try:
            if len(ids.normalise_id(field.data)) == 18:
                ids.check_id_number(field.data, today=today(), allow_test_region=test_region_allowed())
            else:
                ids.check_mobile(field.data)
        except ids.InvalidNumber as invalid:
            raise ValidationError(str(invalid)) from None

    def asked(self) -> dict[str, Any]:
        """What the form says, as keywords of the service."""
        return {key: self.data[key] for key in ("name", "number", "relation", "until", "actions")}


class ConsentForm(Form):
    """How the principal's words reached the worker who records them."""

    way = SelectField(_l("怎样表示的"), [required(_l("请选择本人是怎样表示的"))])
    note = TextAreaField(
        _l("经过"),
        [required(_l("请写明什么时候、本人怎样说的")), Length(max=160, message=_l("最多 %(max)d 个字"))],
        render_kw={"rows": 3},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.way.choices = [("", _l("请选择")), *WAYS]

    def consent(self) -> str:
        return f"{dict(WAYS)[self.text('way')]}：{self.text('note').strip()}"
