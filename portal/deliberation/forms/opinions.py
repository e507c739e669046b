"""Forms of opinions: a statement, a comment, why something is hidden or shown again, a paper that is written down."""

from collections.abc import Sequence

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SearchField, TextAreaField
from wtforms.validators import DataRequired, Length, Optional

from portal.core.forms import Form, OnceForm, TrimmedField, at_most, required
from portal.deliberation.models.codes import Stand
from portal.deliberation.models.opinions import Opinion, OpinionSheet
from portal.deliberation.service.comments import MOST as COMMENT_MOST
from portal.deliberation.service.moderating import Why, why_words
from portal.deliberation.service.opinion_sheets import WORDS, Difference, Read
from portal.deliberation.service.opinion_words import opinion_said
from portal.deliberation.service.opinions import MOST

STAND, AT = "stand_", "at_"


class OpinionForm(OnceForm):
    words = TextAreaField(_l("您的看法"), [required(_l("请写一句您的看法")), at_most(MOST)])


class SeedForm(OnceForm):
    words = TextAreaField(_l("想问大家的看法"), [required(), at_most(MOST)])


class CommentForm(OnceForm):
    words = TextAreaField(_l("想说的话"), [required(_l("请写下想说的话")), at_most(COMMENT_MOST)])


class HideForm(Form):
    why = RadioField(_l("为什么隐去"), [DataRequired(_l("请选一个原因"))])
    words = TrimmedField(_l("补充说明"), [Optional(), at_most(80)])

    @classmethod
    def new(cls) -> "HideForm":
        form = cls()
        form.why.choices = [(one.value, why_words(one)) for one in Why]
        return form

    def reason(self) -> Why:
        return Why(self.text("why"))


class RestoreForm(Form):
    why = TrimmedField(_l("为什么恢复"), [required(_l("请写明原因，会公布出来")), at_most(100)])


class SeekForm(Form):
    q = SearchField(
        _l("是谁填的"),
        validators=[required(_l("请写全名，或者手机号，或者手机号后四位")), Length(max=40)],
        filters=[lambda text: (text or "").strip()],
    )

    def forget(self) -> None:
        """Do not show again what was typed to find somebody: it may be a number."""
        self.q.data = ""


class PaperForm(OnceForm):
    """One paper; a field `stand_<number>` for each statement that it asks about."""

    words = TextAreaField(_l("纸上写的看法"), [Optional(), at_most(MOST)])

    @classmethod
    def asking(cls, asked: Sequence[Opinion]) -> "PaperForm":
        choices = [(one.value, opinion_said(one)) for one in Stand] + [("", _("没填"))]
        fields = {f"{STAND}{one.id}": RadioField(one.words, default="") for one in asked}
        made: PaperForm = type("AskingForm", (cls,), fields)()
        for field in made.asked():
            field.choices = choices
        return made

    def body(self) -> str:
        """What stands on the paper: statements that came since the page was shown are no change of it."""
        return f"{self.text('words')}|{sorted(self.stands().items())}"

    def asked(self) -> list[RadioField]:
        return [field for field in self if isinstance(field, RadioField)]

    def stands(self) -> dict[int, Stand]:
        """What was ticked: a statement's number with the stand on it."""
        return {int(one.name.removeprefix(STAND)): Stand(one.data) for one in self.asked() if one.data}

    def read(self) -> Read:
        return Read(self.text("words"), self.stands())


class SheetSettleForm(Form):
    """What really stands on a paper, wherever two people read it otherwise; a field `at_<key>` for each difference."""

    @classmethod
    def of(cls, found: OpinionSheet, differ: Sequence[Difference]) -> "SheetSettleForm":
        right = [DataRequired(_l("请看着纸选一个"))]
        fields = {f"{AT}{one.key}": RadioField(one.asked, validators=right) for one in differ}
        made: SheetSettleForm = type("SettlingForm", (cls,), fields)()
        for one in differ:
            made[f"{AT}{one.key}"].choices = [
                ("first", _read(found.first_by_name, one.key, one.first)),
                ("second", _read(found.second_by_name, one.key, one.second)),
            ]
        return made

    def asked(self) -> list[RadioField]:
        return [field for field in self if isinstance(field, RadioField)]

    def firsts(self) -> list[str]:
        """The differences in which the first was right."""
        return [field.name.removeprefix(AT) for field in self.asked() if field.data == "first"]


def _read(name: str, key: str, said: str) -> str:
    words = said if key == WORDS or not said else opinion_said(Stand(said))
    return _("%(said)s（%(name)s录的）", said=words or _("没填"), name=name)


class SheetDropForm(Form):
    why = TrimmedField(_l("为什么作废"), [required(), at_most(100)])
