"""Forms of ideas: what somebody proposes, what is looked for, what the committee answers."""

from collections.abc import Iterable
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, RadioField, SelectField, StringField, SubmitField, TextAreaField
from wtforms.validators import Length, Optional

from portal.areas.models import Area
from portal.core.forms import Form, OnceForm, TrimmedField, at_most, required
from portal.deliberation.models.codes import Category
from portal.deliberation.models.topics import Idea, Topic
from portal.deliberation.service.proposing import Said
from portal.deliberation.service.topic_words import category_said

LEAST_WORDS = 10


def categories() -> list[tuple[str, str]]:
    return [(one.value, category_said(one)) for one in Category]


def category_in(text: str) -> Category | None:
    return Category(text) if text in set(Category) else None


class IdeaForm(OnceForm):
    """An idea as somebody writes it. `seen` says that she has been shown what perhaps says the same."""

    title = TrimmedField(
        _l("一句话说清建议"), validators=[required(), at_most(60)], description=_l("例如：在 6 号楼前装一排晾衣杆")
    )
    words = TextAreaField(
        _l("为什么提、想怎么办"),
        validators=[
            required(),
            Length(min=LEAST_WORDS, message=_l("请多写几句，至少 %(min)d 个字")),
            at_most(1000),
        ],
        render_kw={"rows": 5},
    )
    place = TrimmedField(_l("在哪里"), validators=[Optional(), at_most(100)])
    category = RadioField(_l("属于哪一类"), validators=[required(_l("请选一类，拿不准就选最后一项"))])
    # No hidden field of the form's own: the page writes it beside what she is shown.
    seen = StringField(default="")
    look = SubmitField(_l("先看看有没有人提过"))

    # What was made of it, once it was carried out.
    made = 0

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.category.choices = categories()

    def body(self) -> str:
        return "|".join(self.text(name).strip() for name in ("title", "words", "place", "category"))

    def said(self) -> Said:
        texts = {name: self.text(name).strip() for name in ("title", "words", "place")}
        return Said(**texts, category=Category(self.category.data))

    def so_far(self) -> str:
        return f"{self.text('title')} {self.text('words')}".strip()


class IdeaFilter(Form):
    """Which ideas are shown; asked by the address."""

    class Meta(Form.Meta):
        csrf = False

    community = SelectField(_l("社区"), validators=[Optional()])
    category = SelectField(_l("类别"), validators=[Optional()])

    def offer(self, places: Iterable[Area], own: int | None) -> "IdeaFilter":
        """Her own community where she asked for nothing else."""
        known = [(str(one.id), one.name) for one in places]
        self.community.choices = [("0", _("全部社区")), *known]
        self.category.choices = [("", _("全部类别")), *categories()]
        self.known = {key for key, _name in known}
        if not self.text("community") and own:
            self.community.data = str(own)
        return self

    def place(self) -> int | None:
        return int(self.text("community")) if self.text("community") in self.known else None

    def kind(self) -> Category | None:
        return category_in(self.text("category"))

    def address(self) -> dict[str, str]:
        return {name: self.text(name) for name in ("community", "category") if self.text(name)}


class IdeaReasonForm(OnceForm):
    reason = TrimmedField(_l("为什么收回"), validators=[required(_l("请写一句，附议的邻居会看到")), at_most(200)])


class PlainForm(OnceForm):
    """A button's form."""


def _answer(label: str) -> TextAreaField:
    return TextAreaField(
        label,
        validators=[required(_l("请写答复，提建议的人和附议的人都会看到")), at_most(500)],
        render_kw={"rows": 4},
    )


class TakeForm(OnceForm):
    answer = _answer(_l("给居民的答复"))
    topic = SelectField(_l("列到哪个议题"), validators=[Optional()])

    def offer(self, topics: Iterable[Topic]) -> "TakeForm":
        self.topic.choices = [("", _("新开一个议题（先是草稿）")), *((str(one.id), one.title) for one in topics)]
        return self

    def chosen(self, topics: Iterable[Topic]) -> Topic | None:
        return next((one for one in topics if str(one.id) == self.text("topic")), None)


class MergeForm(OnceForm):
    into = RadioField(_l("并到哪一条"), validators=[required(_l("请选一条"))])
    answer = _answer(_l("给居民的说明"))

    def offer(self, found: Iterable[Idea]) -> "MergeForm":
        words = [
            (str(one.id), _("%(title)s（%(count)d 人附议）", title=one.title, count=one.supports)) for one in found
        ]
        self.into.choices = words
        return self


class DeclineForm(OnceForm):
    answer = _answer(_l("给居民的答复：为什么不列为议题，可以怎么办"))
    hide = BooleanField(_l("原文不适合公开（例如写了别人的隐私、骂人），只留给提的人看"))
