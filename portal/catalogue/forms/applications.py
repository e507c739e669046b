"""Forms of applications: for whom, what is said and which papers; and what a worker says with each act."""

from collections.abc import Iterable
from typing import Any

from flask import request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, RadioField, SelectField, TextAreaField
from wtforms.validators import Optional

from portal.catalogue.forms.agreement import Agreement
from portal.catalogue.models.applications import Application, ApplicationPaper, PaperState, Score
from portal.catalogue.models.items import Item
from portal.catalogue.service.applications import words
from portal.core import files
from portal.core.errors import Refused
from portal.core.forms import Form, ManyField, OnceForm, TrimmedField, at_most, required
from portal.registry.models import Person

PAPER, WINDOW = "paper-", "window-"
# Photographs of one sending; each is decoded, which takes its time.
MOST_PICTURES = 6


class BeginForm(Form):
    whose = RadioField(_l("给谁办"), validators=[required(_l("请选给谁办"))])

    def offer(self, whom: Iterable[Person]) -> None:
        self.whose.choices = [(person.public_id, person.name) for person in whom]
        if not self.whose.data and self.whose.choices:
            self.whose.data = self.whose.choices[0][0]

    def chosen(self, whom: Iterable[Person]) -> Person | None:
        return next((person for person in whom if person.public_id == self.whose.data), None)


class PapersForm(Form):
    """Words, and photographs by paper; these come beside the fields, as many as the item has papers."""

    said = TextAreaField(_l("要办什么、现在是什么情况"), validators=[at_most(1000)])

    def pictures(self) -> list[tuple[int, bytes]]:
        """What was sent by paper, made anew without its place; called before any query, for decoding takes time."""
        sent = [(name, file) for name, file in request.files.items(multi=True) if file.filename]
        if len(sent) > MOST_PICTURES:
            self.refuse(Refused(_("一次最多传 %(count)d 张照片，其余的下一次再传。", count=MOST_PICTURES)))
            return []
        found = []
        for name, file in sent:
            number = name.removeprefix(PAPER)
            if not name.startswith(PAPER) or not number.isascii() or not number.isdigit() or len(number) > 9:
                continue
            try:
                found.append((int(number), files.clean_image(file.read(), max_side=1800)))
            except files.BadFile as bad:
                self.refuse(Refused(_("%(name)s：%(why)s", name=file.filename, why=bad.sentence)))
        return found

    def say_lost(self) -> None:
        """A browser keeps no chosen file over a refusal: that the photographs are gone is said."""
        if any(file.filename for file in request.files.values()):
            self.refuse(Refused(_("这次选的照片没有存上，改好以后请重新选照片。")))


class DraftForm(PapersForm):
    def dropped(self) -> tuple[int, int] | None:
        """The paper and the picture whose 删掉 was pressed."""
        paper, _dash, picture = request.form.get("drop", "").partition("-")
        known = all(part.isascii() and part.isdigit() and len(part) < 10 for part in (paper, picture))
        return (int(paper), int(picture)) if known else None


class AddForm(PapersForm):
    said = TextAreaField(_l("补充说明"), validators=[Optional(), at_most(500)])

    def window(self) -> list[int]:
        """The papers that she says she brings to the counter."""
        numbers = [name.removeprefix(WINDOW) for name in request.form if name.startswith(WINDOW)]
        return [int(one) for one in numbers if one.isascii() and one.isdigit() and len(one) < 10]


class WithdrawForm(Form):
    reason = TrimmedField(_l("撤回的原因"), validators=[Optional(), at_most(100)])


class RateForm(Form):
    score = RadioField(_l("办得怎么样"), validators=[required(_l("请选一项"))])
    words = TextAreaField(_l("想说的话（选“不满意”的请写原因，其余可以不写）"), validators=[at_most(300)])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.score.choices = words.choices(Score)


class CounterForm(Agreement, OnceForm):
    """代办 at the counter, free of charge, with the person's consent on record."""

    item = SelectField(_l("办什么事"), validators=[required(_l("请选事项"))])
    said = TextAreaField(_l("要办什么、现在是什么情况"), validators=[required(), at_most(1000)])

    def offer(self, items: Iterable[Item]) -> None:
        self.item.choices = [("", _("请选"))] + [(str(item.id), item.title) for item in items]

    def chosen(self, items: Iterable[Item]) -> Item | None:
        return next((item for item in items if str(item.id) == self.item.data), None)


class NoteForm(Form):
    note = TextAreaField(_l("说明"), validators=[Optional(), at_most(300)])


class SeenForm(Form):
    """An act while a required paper is missing: that she has seen it is ticked; nothing missing, nothing to tick."""

    seen = BooleanField(_l("我已看到还缺材料，仍然继续"))

    def warn(self, lacking: list[str]) -> None:
        if lacking:
            self.seen.description = _("必交的材料还没有收到：%(listed)s", listed=_("、").join(lacking))
        else:
            del self.seen

    def has_seen(self) -> bool:
        return "seen" in self and bool(self.seen.data)


class AcceptForm(SeenForm, NoteForm):
    pass


class AskForm(Form):
    papers = ManyField(_l("缺哪些材料"), validators=[Optional()])
    note = TextAreaField(_l("缺什么、怎么补"), validators=[required(_l("请一次写清缺什么、怎么补")), at_most(500)])

    def offer(self, papers: Iterable[ApplicationPaper]) -> None:
        self.papers.choices = [(str(paper.id), paper.name) for paper in papers if paper.state is not PaperState.KNOWN]

    def chosen(self) -> list[int]:
        return [int(number) for number in self.papers.data or ()]


class NotAcceptForm(Form):
    why = TextAreaField(_l("为什么不受理"), validators=[required(), at_most(300)])
    where_to = TrimmedField(_l("该去哪里办"), validators=[required(_l("请写明去哪里、电话多少")), at_most(150)])


class GrantForm(SeenForm):
    result = TextAreaField(_l("办理结果"), validators=[required(_l("请写明办理结果")), at_most(500)])


class RefuseForm(Form):
    result = TextAreaField(_l("没有通过的原因"), validators=[required(_l("请写明原因")), at_most(500)])
    appeal = TrimmedField(
        _l("不服怎么办"),
        validators=[required(_l("请写明可以找谁、多久之内")), at_most(200)],
        description=_l("例如：六十日内可以向街道办事处申请复核，电话"),
    )


class CloseForm(Form):
    note = TrimmedField(_l("结果怎么送到的"), validators=[required(_l("请写明结果怎么送到本人的")), at_most(200)])


class PassForm(Form):
    worker = SelectField(_l("请谁来办"), validators=[required(_l("请选一位同事"))])
    note = TrimmedField(_l("交代"), validators=[Optional(), at_most(200)])

    def offer(self, colleagues: Iterable[Any], doer: str) -> None:
        known = [(one.public_id, one.name) for one in colleagues if one.public_id != doer]
        self.worker.choices = [("", _("请选")), *known]


class RelativeForm(Form):
    note = TrimmedField(
        _l("是谁的近亲属、什么关系"),
        validators=[required(), at_most(100)],
        description=_l("社会救助等事项，工作人员的近亲属要单独备案"),
    )


def draft_form(application: Application) -> DraftForm:
    return DraftForm(data={"said": application.said or ""})
