"""Forms of the desk: each act on a request asks for little, and knows which state of it the worker saw."""

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, HiddenField, SelectField, TextAreaField
from wtforms.validators import InputRequired, Optional

from portal.casework.forms.fields import PickField
from portal.casework.models.answers import AnswerTemplate
from portal.casework.models.cases import Case
from portal.casework.models.categories import Category
from portal.casework.models.codes import Against, CallBackWay, CaseKind, Colour, LinkKind, Satisfaction, Urgency
from portal.casework.models.recurring import Matter
from portal.casework.service import intake
from portal.casework.service.loads import Worker
from portal.casework.service.words import case_word, choices
from portal.core.forms import DayField, Form, ManyField, OnceForm, TrimmedField, at_most, required
from portal.identity.models import Account
from portal.registry.models import Organisation

PICK = _l("请选一项")
NAME_ONE = _l("请在上面找到后点“选这件”，或者填编号")


class ActForm(OnceForm):
    """An act on a request: `seen` is when the state that the page showed began."""

    seen = HiddenField()

    def see(self, case: Case) -> None:
        """Remember what the worker is looking at; what was posted stays as it was."""
        if not self.is_submitted():
            self.seen.data = case.state_at.isoformat()


def _why(label: Any = None, *, needed: bool = True, rows: Any = None) -> TextAreaField:
    rules = [required() if needed else Optional(), at_most(200)]
    return TextAreaField(label or _l("原因"), validators=rules, description=rows or "")


class WordsForm(ActForm):
    words = TextAreaField(_l("写给居民的话"), validators=[Optional(), at_most(300)])


class WhyForm(ActForm):
    why = _why()


class SplitForm(Form):
    """Which requests of a recurring matter speak of something else, and why."""

    cases = ManyField(_l("不是同一件事的"), [required(_l("请勾选要移出去的诉求。"))], choices=[])
    why = _why(_l("为什么不是同一件事"))

    def offer(self, matter: Matter) -> None:
        held = sorted(matter.held, key=lambda row: row.id, reverse=True)
        self.cases.choices = [(row.case.public_id, f"{row.case.number} {row.case.title}") for row in held]


class PauseForm(ActForm):
    why = _why(_l("为什么暂缓"), rows=_l("居民会看到"))


class ReopenForm(ActForm):
    why = _why(rows=_l("居民会看到"))


class DeclineForm(ActForm):
    why = _why(_l("为什么不受理"))
    channel = TrimmedField(
        _l("居民可以找谁办"), validators=[required(), at_most(120)], description=_l("单位和电话，居民会看到")
    )


class AssignForm(ActForm):
    worker = PickField(_l("交给谁"), validators=[required(PICK)])
    why = _why(_l("为什么改派"), needed=False)

    def offer(self, workers: list[Worker]) -> None:
        self.worker.choices = [(one.public_id, _load_words(one)) for one in workers]


def _load_words(one: Worker) -> str:
    words = _("%(name)s，在办 %(open)d 件", name=one.words, open=one.load.open)
    return _("%(words)s，超期 %(late)d 件", words=words, late=one.load.late) if one.load.late else words


class ContactForm(ActForm):
    words = TextAreaField(
        _l("联系的情况"), validators=[required(), at_most(300)], description=_l("居民会看到；第一次联系计入响应率")
    )


class NoteForm(ActForm):
    words = TextAreaField(_l("办理记录"), validators=[required(), at_most(500)])
    shown = BooleanField(_l("居民也能看到"))


class HelpForm(ActForm):
    worker = SelectField(_l("请哪位同事协助"), validators=[Optional()])
    party = TrimmedField(_l("或者哪个单位"), validators=[Optional(), at_most(60)])
    what = TextAreaField(_l("要对方做什么"), validators=[required(), at_most(300)])

    def offer(self, workers: list[Worker], me: str) -> None:
        others = [(one.public_id, _load_words(one)) for one in workers if one.public_id != me]
        self.worker.choices = [("", _("不请同事")), *others]


class HelpGivenForm(ActForm):
    answer = TextAreaField(_l("协助的结果"), validators=[required(), at_most(300)])


class ExtensionForm(ActForm):
    until = DayField(_l("延到哪天"), validators=[required()])
    why = _why(_l("为什么要延期"))


class DecideForm(ActForm):
    granted = PickField(_l("是否同意"), validators=[required(PICK)])
    why = _why(_l("意见"), needed=False, rows=_l("不同意时要写明原因"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.granted.choices = [("yes", _("同意")), ("no", _("不同意"))]


class EscalateForm(ActForm):
    party = TrimmedField(_l("由哪个单位承办"), validators=[required(), at_most(60)])
    why = _why(_l("为什么上报"), rows=_l("居民会看到"))


class AnswerForm(ActForm):
    template = SelectField(_l("用模板"), validators=[Optional()])
    words = TextAreaField(_l("答复内容"), validators=[required(), at_most(1000)], description=_l("居民会收到"))
    also = ManyField(_l("同时答复这些重复件"), validators=[Optional()])

    def offer(self, templates: list[AnswerTemplate], duplicates: list[Case]) -> None:
        self.template.choices = [("", _("不用模板")), *((str(one.id), one.name) for one in templates)]
        self.also.choices = [(one.public_id, f"{one.number} {one.title}") for one in duplicates]
        if not duplicates:
            del self.also
        if not templates:
            del self.template


class LinkForm(ActForm):
    number = TrimmedField(_l("另一件的编号"), validators=[required(NAME_ONE), at_most(12)])
    kind = PickField(_l("是什么关系"), validators=[required(PICK)], default=LinkKind.DUPLICATE.value)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind.choices = choices(LinkKind)


class MergeForm(ActForm):
    number = TrimmedField(_l("并入哪一件（编号）"), validators=[required(NAME_ONE), at_most(12)])
    why = _why(_l("为什么并件"), rows=_l("居民会看到"))


class PressForm(ActForm):
    colour = PickField(_l("督办级别"), validators=[required(PICK)], default=Colour.RED.value)
    why = _why(_l("为什么督办"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.colour.choices = [("yellow", _("黄色：请抓紧")), ("red", _("红色：必须马上办"))]


class ClassifyForm(ActForm):
    category = SelectField(_l("类别"), validators=[InputRequired(PICK)], coerce=int)
    kind = SelectField(_l("要求"), validators=[InputRequired(PICK)])
    urgency = SelectField(_l("紧急程度"), validators=[InputRequired(PICK)])
    party = TrimmedField(
        _l("承办单位"), validators=[Optional(), at_most(60)], description=_l("不在居委会事项清单内的，要填由谁承办")
    )

    def offer(self, leaves: list[Category]) -> None:
        self.category.choices = [(one.id, category_words(one)) for one in leaves]
        self.kind.choices = choices(CaseKind)
        self.urgency.choices = choices(Urgency)

    def said(self, category: Category) -> dict[str, str]:
        """The answers to a category's questions, by key."""
        return {one["key"]: self.text(f"q_{one['key']}") for one in category.questions if f"q_{one['key']}" in self}


def classify_form(case: Case, leaves: list[Category], chosen: str = "") -> ClassifyForm:
    """With the questions of the category chosen on the form, or else of the one that it has."""
    category = next((one for one in leaves if str(one.id) == chosen), case.category)

    class Asking(ClassifyForm):
        pass

    for one in category.questions if category else []:
        setattr(Asking, f"q_{one['key']}", question(one))
    known = {"category": case.category_id, "kind": case.kind.value, "urgency": case.urgency.value, "party": case.party}
    form = Asking(data=known | {f"q_{key}": value for key, value in intake.said_of(case).items()})
    form.offer(leaves)
    offer_answers(form, category.questions if category else [])
    return form


def question(one: dict[str, Any]) -> Any:
    """The field of one of a category's own questions."""
    if one.get("choices"):
        return SelectField(one["label"], validators=[Optional()])
    return TrimmedField(one["label"], validators=[Optional(), at_most(100)])


def offer_answers(form: Form, questions: list[dict[str, Any]]) -> None:
    """What may be chosen for those of a category's questions that have a list."""
    for one in questions:
        field = form[f"q_{one['key']}"]
        if isinstance(field, SelectField):
            field.choices = [("", _("没有问到")), *((word, word) for word in one["choices"])]


def category_words(category: Category) -> str:
    return f"{category.parent.name} · {category.name}" if category.parent else category.name


class CallForm(ActForm):
    way = PickField(_l("怎么回访的"), validators=[required(PICK)], default=CallBackWay.PHONE.value)
    solved = PickField(_l("解决了没有"), validators=[required(PICK)])
    satisfaction = PickField(_l("满意吗"), validators=[Optional()])
    words = TextAreaField(_l("居民说了什么"), validators=[Optional(), at_most(300)])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.way.choices = [(way.value, case_word(way)) for way in (CallBackWay.PHONE, CallBackWay.VISIT)]
        self.solved.choices = [("yes", _("解决了")), ("no", _("没解决"))]
        self.satisfaction.choices = choices(Satisfaction)


class ReleaseForm(ActForm):
    asked = TextAreaField(_l("居民反映了什么"), validators=[required(), at_most(300)])
    done = TextAreaField(_l("社区做了什么"), validators=[required(), at_most(300)])
    photos = ManyField(_l("公开哪些照片"), validators=[Optional()])

    def offer(self, case: Case) -> None:
        self.photos.choices = [
            (photo.public_id, _("%(stage)s，第 %(turn)d 张", stage=case_word(photo.stage), turn=turn))
            for turn, photo in enumerate(case.photos, start=1)
        ]
        if not case.photos:
            del self.photos


class AgainstForm(ActForm):
    against = PickField(_l("反映的是谁"), validators=[required(PICK)])
    worker = SelectField(_l("哪位工作人员"), validators=[Optional()])
    organisation = SelectField(_l("哪个单位"), validators=[Optional()])

    def offer(self, workers: list[Account], organisations: list[Organisation]) -> None:
        self.against.choices = choices(Against)
        self.worker.choices = [("", _("不是工作人员，或者还不清楚")), *((one.public_id, one.name) for one in workers)]
        self.organisation.choices = [("", _("不是单位")), *((str(one.id), one.name) for one in organisations)]

    def organisation_id(self) -> int | None:
        return int(self.organisation.data) if str(self.organisation.data or "").isdecimal() else None


class FindForm(Form):
    q = TrimmedField(_l("来人或来电的居民"), validators=[required(_l("请输入要查找的内容")), at_most(60)])


class SearchForm(Form):
    """Another request by what one remembers of it; sent as an address."""

    words = TrimmedField(
        _l("另一件说的什么、在哪里"),
        validators=[Optional(), at_most(60)],
        description=_l("几个词用空格隔开，例如：路灯 3号楼"),
    )
    day = DayField(_l("大约哪天反映的"), validators=[Optional()], description=_l("找这天前后三天的"))


class TemplateForm(Form):
    community = SelectField(_l("社区"), validators=[InputRequired(PICK)], coerce=int)
    category = SelectField(_l("用在哪个类别"), validators=[Optional()])
    name = TrimmedField(_l("模板名称"), validators=[required(), at_most(60)])
    words = TextAreaField(
        _l("答复内容"),
        validators=[required(), at_most(1000)],
        description=_l("可以写【编号】【标题】【社区】【办理人】，用的时候自动填上"),
    )
