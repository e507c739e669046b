"""Forms of paper votes and proxies: papers of a box, differences settled, papers handed out, documents."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField
from wtforms import HiddenField, RadioField, TextAreaField
from wtforms.validators import InputRequired, NumberRange, Optional

from portal.core import files
from portal.core.errors import Refused
from portal.core.forms import CountField, Form, OnceForm, TrimmedField, at_most, required
from portal.deliberation.models.votes import INVALID, Vote
from portal.deliberation.service import casting, vote_words
from portal.deliberation.service.papers import Difference

PARTED = re.compile(r"[\s、,;。.号第]+")
RUN = re.compile(r"\s*号?\s*[-—–~至到]\s*第?\s*")
NUMBERS = re.compile(r"([0-9]{1,6})(?:-([0-9]{1,6}))?")
LONGEST_RUN = 500
PDF = b"%PDF-"
MOST_PDF = 8 * 1024 * 1024


class BatchForm(OnceForm):
    name = TrimmedField(
        _l("哪一箱、哪一叠"),
        [required(_l("请写明是哪一箱票")), at_most(40)],
        description=_l("例如：居委会票箱、6 号楼第一叠"),
    )


class BoxForm(Form):
    """An unnamed vote: how many papers of the box say what; a field for each option."""

    def tallies(self) -> dict[int, int]:
        found = {name: field.data for name, field in self._fields.items() if name.startswith("option-")}
        return {int(name.split("-")[1]): int(number or 0) for name, number in found.items()}

    def counted(self) -> list[Any]:
        return [field for name, field in self._fields.items() if name.startswith("option-")]


def box_form(vote: Vote) -> BoxForm:
    fields = {
        f"option-{number}": CountField(
            label, [InputRequired(_("请填几张，没有就填 0")), NumberRange(0, 100000, _("请填 0 或更大的整数"))]
        )
        for number, label in vote_words.paper_choices(vote)
    }
    made: BoxForm = type("BoxForm", (BoxForm,), fields)()
    return made


class SheetForm(Form):
    """A named vote: roll numbers by choice, as the papers are sorted into piles."""

    def lines(self) -> dict[int, int]:
        """Choice by roll number; refused at the pile whose numbers cannot be read or stand elsewhere too."""
        found: dict[int, int] = {}
        for name, field in self._fields.items():
            if not name.startswith("pile-"):
                continue
            for number in _numbers(str(field.data or ""), name):
                if number in found:
                    raise Refused(_("第 %(number)d 号写了两次，一号只有一张票。", number=number), field=name)
                found[number] = int(name.split("-")[1])
        return found

    def piles(self) -> list[Any]:
        return [field for name, field in self._fields.items() if name.startswith("pile-")]


def _numbers(text: str, field: str) -> Iterable[int]:
    """Roll numbers as people write them: 3、8 号 12-15. What is no number is refused, never passed over."""
    for part in PARTED.split(RUN.sub("-", unicodedata.normalize("NFKC", text))):
        if part:
            yield from _run(part, field)


def _run(part: str, field: str) -> Iterable[int]:
    read = NUMBERS.fullmatch(part)
    first, last = (int(read[1]), int(read[2] or read[1])) if read else (1, 0)
    if last < first or last - first > LONGEST_RUN:
        raise Refused(_("看不懂“%(text)s”，请写编号，例如：3、8、12-15", text=part[:20]), field=field)
    return range(first, last + 1)


def _pile(number: int, label: str) -> str:
    return _("无效票，名册编号") if number == INVALID else _("“%(label)s”的票，名册编号", label=label)


def sheet_form(vote: Vote) -> SheetForm:
    fields = {
        f"pile-{number}": TextAreaField(_pile(number, label), [Optional(), at_most(4000)])
        for number, label in vote_words.paper_choices(vote)
    }
    made: SheetForm = type("SheetForm", (SheetForm,), fields)()
    return made


class SettleForm(Form):
    """For each line on which two differ: what the paper says."""

    def chosen(self, found: Sequence[Difference]) -> dict[int, int | None]:
        return {one.number: _chosen(self._fields[f"line-{one.number}"].data) for one in found}

    def field_of(self, number: int) -> Any:
        return self._fields[f"line-{number}"]


def _chosen(data: Any) -> int | None:
    return None if data in (None, "", "none") else int(data)


def settle_form(vote: Vote, found: Sequence[Difference]) -> SettleForm:
    """A field for each difference: what the paper is, or how many there are."""
    fields: dict[str, Any] = {}
    for one in found:
        if vote.is_named:
            fields[f"line-{one.number}"] = RadioField(one.words, [required(_("请再看一遍这张票"))])
        else:
            fields[f"line-{one.number}"] = CountField(
                one.words, [InputRequired(_("请再数一遍")), NumberRange(0, 100000, _("请填 0 或更大的整数"))]
            )
    made: SettleForm = type("SettleForm", (SettleForm,), fields)()
    if vote.is_named:
        choices = [(str(number), label) for number, label in vote_words.paper_choices(vote)]
        for one in found:
            made.field_of(one.number).choices = [*choices, ("none", _("没有这张票"))]
    return made


class HandForm(Form):
    number = CountField(_l("名册编号"), [InputRequired(_l("请填编号")), NumberRange(1, 10**6, _l("请填名册上的编号"))])


class ReturnForm(HandForm):
    reason = TrimmedField(_l("为什么退回"), [required(_l("请写明原因")), at_most(200)])


class ProxyForm(OnceForm):
    number = CountField(
        _l("谁委托（名册编号）"), [InputRequired(_l("请填编号")), NumberRange(1, 10**6, _l("请填名册上的编号"))]
    )
    holder = TrimmedField(_l("委托给谁（姓名）"), [required(_l("请写受托人的姓名")), at_most(40)])
    account = TrimmedField(
        _l("受托人的手机号"),
        [Optional(), at_most(20)],
        description=_l("受托人有居民账号、要自己在手机上投才填；由社区代录就不用填"),
    )
    document = FileField(_l("委托书"), description=_l("照片或 PDF，要看得清签名和日期。只有办这件事的人看得到"))

    def paper(self) -> tuple[bytes, str]:
        """The document made anew (a picture) or as it is (a PDF), and its media type; Refused where it is neither."""
        data = self.document.data.read() if self.document.data else b""
        if not data:
            raise Refused(_("请上传书面委托书的照片或 PDF。没有委托书不能代投。"), field="document")
        if data.startswith(PDF):
            if len(data) > MOST_PDF:
                raise Refused(_("PDF 太大，最多 8 MB。"), field="document")
            return data, "application/pdf"
        try:
            clean = files.clean_image(data, max_side=2400)
        except files.BadFile as bad:
            raise Refused(bad.sentence, field="document") from None
        return clean, files.image_type(clean)


class ProxyVoteForm(Form):
    choice = RadioField(_l("受托人要投什么"), [required(_l("请选一项"))])
    slip = HiddenField(default=casting.new_slip)

    def offer(self, vote: Vote) -> None:
        self.choice.choices = [(str(one.number), one.label) for one in vote.options]
