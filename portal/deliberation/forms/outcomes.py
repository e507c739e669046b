"""Forms of outcomes: what was decided, its publication, objections and their answers, tasks, the project, ratings."""

from collections.abc import Iterable
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import FileField, HiddenField, RadioField, SelectField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from portal.core import files
from portal.core.errors import Refused
from portal.core.forms import CountField, DayField, Form, OnceForm, TrimmedField, YuanField, at_most, required
from portal.deliberation.models.codes import ProjectStep, Score, Stage
from portal.deliberation.models.outcomes import FollowUp, Outcome, Project
from portal.deliberation.models.votes import Vote
from portal.deliberation.service import project_words, projects, ratings
from portal.deliberation.service.follow_ups import Progress, Task
from portal.deliberation.service.outcomes import MOST_DAYS, Decided
from portal.deliberation.service.topic_words import stage_said

SIDE = 1600


class VersionForm(OnceForm):
    """A change of what somebody saw as it was in a version."""

    version = HiddenField(default="0")

    @property
    def seen(self) -> int:
        said = self.text("version")
        return int(said) if said.isascii() and said.isdigit() and len(said) < 9 else 0


class OutcomeForm(VersionForm):
    title = TrimmedField(_l("标题"), validators=[required(), at_most(80)])
    words = TextAreaField(
        _l("商量出了什么结果"),
        validators=[required(), at_most(5000)],
        description=_l("用大白话写：定了什么、怎么做、谁来做、花多少钱"),
        render_kw={"rows": 10},
    )
    vote = SelectField(_l("根据哪次表决"), validators=[Optional()])
    days = CountField(
        _l("公示几天"),
        validators=[InputRequired(_l("请填公示几天")), NumberRange(1, MOST_DAYS, _l("请填 1 到 90 之间的整数"))],
        description=_l("公布当天不算；最后一天是休息日的，顺延到上班那天"),
    )

    def offer(self, votes: Iterable[Vote]) -> "OutcomeForm":
        self.vote.choices = [("", _("没有表决")), *((str(one.id), one.question[:60]) for one in votes)]
        return self

    @classmethod
    def of(cls, outcome: Outcome) -> "OutcomeForm":
        vote = str(outcome.vote_id or "")
        facts = {"title": outcome.title, "words": outcome.words, "days": outcome.days}
        return cls(data=facts | {"vote": vote, "version": str(outcome.version)})

    @classmethod
    def begun(cls, said: Decided) -> "OutcomeForm":
        facts = {"title": said.title, "words": said.words, "days": said.days}
        return cls(data=facts | {"vote": str(said.vote_id or "")})

    def said(self) -> Decided:
        vote = self.text("vote")
        return Decided(self.text("title"), self.text("words").strip(), self.days.data or 0, int(vote) if vote else None)


class PublishForm(OnceForm):
    """`why` is asked where stages are passed over."""

    why = TextAreaField(
        _l("为什么跳过中间的步骤"),
        validators=[Optional(), at_most(300)],
        description=_l("会公布出来，例如：没有专业问题，大家意见一致，不用听证和表决"),
        render_kw={"rows": 3},
    )


def _back() -> RadioField:
    return RadioField(_l("退回到哪一步"), validators=[required(_l("请选一步"))])


def _back_choices() -> list[tuple[str, str]]:
    return [(stage.value, stage_said(stage)) for stage in (Stage.HEARING, Stage.MEETING)]


class TakeDownForm(OnceForm):
    to = _back()
    why = TextAreaField(
        _l("为什么撤下"), validators=[required(_l("请写明原因，会公布出来")), at_most(300)], render_kw={"rows": 3}
    )

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.to.choices = _back_choices()


class ObjectForm(OnceForm):
    words = TextAreaField(
        _l("您不同意哪一点，为什么"),
        validators=[
            required(),
            Length(min=10, message=_l("请多写几句，至少 %(min)d 个字")),
            at_most(500),
        ],
        render_kw={"rows": 5},
    )


class ObjectionAnswerForm(OnceForm):
    upheld = RadioField(_l("异议成立吗"), validators=[required(_l("请选一项"))])
    answer = TextAreaField(
        _l("给提异议的人的答复"), validators=[required(_l("请写答复")), at_most(500)], render_kw={"rows": 4}
    )
    to = RadioField(_l("成立的话，退回到哪一步"), validators=[Optional()])
    why = TextAreaField(
        _l("成立的话，公布的原因"),
        validators=[Optional(), at_most(300)],
        description=_l("会公布出来，不要写是谁提的"),
        render_kw={"rows": 3},
    )

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.upheld.choices = [("no", _("不成立，结果不变")), ("yes", _("成立，撤下结果，重新商量"))]
        self.to.choices = _back_choices()

    def back_to(self) -> Stage:
        if not self.text("to"):
            raise Refused(_("请选退回到哪一步。"), field="to")
        return Stage(self.text("to"))


class TaskForm(VersionForm):
    title = TrimmedField(_l("做什么"), validators=[required(), at_most(100)])
    words = TextAreaField(_l("怎么做"), validators=[Optional(), at_most(500)], render_kw={"rows": 3})
    owner = SelectField(_l("谁负责"), validators=[required(_l("请选一位负责人"))])
    due_on = DayField(_l("哪天以前办好"), validators=[required(_l("请填日期"))])
    budget = YuanField(_l("预算（元）"), validators=[Optional()])

    def offer(self, owners: Iterable[tuple[str, str]]) -> "TaskForm":
        self.owner.choices = list(owners)
        return self

    @classmethod
    def of(cls, task: FollowUp) -> "TaskForm":
        facts = {"title": task.title, "words": task.words, "owner": task.owner, "due_on": task.due_on}
        return cls(data=facts | {"budget": task.budget_fen, "version": str(task.version)})

    def task(self) -> Task:
        budget: Any = self.budget.data
        assert self.due_on.data is not None
        return Task(
            self.text("title"), self.text("words").strip(), self.text("owner"), self.due_on.data, int(budget or 0)
        )


class ReportForm(OnceForm):
    words = TextAreaField(_l("做了什么"), validators=[required(), at_most(500)], render_kw={"rows": 3})
    percent = CountField(
        _l("现在完成了百分之几"),
        validators=[InputRequired(_l("请填 0 到 100 之间的整数")), NumberRange(0, 100, _l("请填 0 到 100 之间的整数"))],
        description=_l("填 100 就是办好了"),
    )
    spent = YuanField(_l("这次花了多少（元）"), validators=[Optional()])
    photo = FileField(_l("照片"), validators=[Optional()], description=_l("不会保存拍摄地点"))
    photo_words = TrimmedField(
        _l("照片上是什么"), validators=[Optional(), at_most(100)], description=_l("放照片时要填，例如：新装的晾衣杆")
    )

    def body(self) -> str:
        names = ("words", "percent", "spent", "photo_words")
        return "|".join(str(self._fields[name].data) for name in names)

    def picture(self) -> bytes | None:
        """The chosen picture made anew without its location; before any query, because decoding takes its time."""
        chosen: Any = self.photo.data
        if not getattr(chosen, "filename", ""):
            return None
        try:
            return files.clean_image(chosen.read(), max_side=SIDE)
        except files.BadFile as bad:
            self.refuse(Refused(bad.sentence, field="photo"))
            return None

    def progress(self, photo: bytes | None) -> Progress:
        spent: Any = self.spent.data
        return Progress(
            self.text("words").strip(), self.percent.data or 0, int(spent or 0), photo, self.text("photo_words")
        )


class DropForm(OnceForm):
    why = TextAreaField(
        _l("为什么不办了"), validators=[required(_l("请写明原因，会公布出来")), at_most(300)], render_kw={"rows": 3}
    )


class ProjectForm(OnceForm):
    name = TrimmedField(_l("项目名称"), validators=[required(), at_most(80)])


LONG = frozenset({"evidence", "content", "aim", "output", "notice", "scores", "milestones", "records", "finance"})
MONEY = frozenset({"budget", "spent"})
COUNTED = frozenset({"supports"})
CHOSEN = {"source": project_words.sources, "verdict": project_words.verdicts}


def _field(name: str, label: str) -> Any:
    if name in MONEY:
        return YuanField(label, validators=[Optional()])
    if name in COUNTED:
        return CountField(label, validators=[Optional(), NumberRange(0, 1_000_000, _("请填 0 以上的整数"))])
    if name in CHOSEN:
        return SelectField(label, validators=[Optional()])
    if name in LONG:
        return TextAreaField(label, validators=[Optional(), at_most(1000)], render_kw={"rows": 3})
    return TrimmedField(label, validators=[Optional(), at_most(200)])


def step_form(project: Project) -> VersionForm:
    """The form of the project's present step, with what was written down before."""
    step: ProjectStep = project.step
    fields = {name: _field(name, label) for name, label in project_words.labels(step).items()}
    kind = type("StepForm", (VersionForm,), fields)
    held = project.facts.get(step.value) or {}
    # Words written down before the field asked for a figure would keep the form from ever being saved.
    shown = {name: said for name, said in held.items() if name not in COUNTED or str(said or "").isdecimal()}
    made: VersionForm = kind(data=shown | {"version": str(project.version)})
    for name in CHOSEN.keys() & fields.keys():
        made._fields[name].choices = [("", _("请选")), *CHOSEN[name]()]
    # Saved half-filled, but the next step waits for these: they are not called optional.
    for name in projects.NEEDS[step]:
        made._fields[name].flags.optional = False
    return made


def step_said(form: VersionForm, step: ProjectStep) -> dict[str, Any]:
    names = project_words.labels(step)
    return {name: form._fields[name].data for name in names}


class RateForm(OnceForm):
    score = RadioField(_l("办得怎么样"), validators=[required(_l("请选一项"))])
    words = TextAreaField(
        _l("想说的话"),
        validators=[Optional(), at_most(300)],
        description=_l("只给居委会看，不公开"),
        render_kw={"rows": 3},
    )

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.score.choices = [(score.value, ratings.score_said(score)) for score in Score]


class PlainForm(Form):
    """A button's form."""
