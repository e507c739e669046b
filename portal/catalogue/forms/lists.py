"""Forms of the words people search with, of the four lists, and of the proofs."""

from collections.abc import Collection
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import SelectField
from wtforms.validators import Optional

from portal.areas.models import Area
from portal.catalogue.forms.items import SectionText
from portal.catalogue.forms.seen import SeenForm, snapshot
from portal.catalogue.models.items import Synonym
from portal.catalogue.models.lists import ListEntry, Proof
from portal.catalogue.service import dictionary
from portal.catalogue.service.lists import EntryFacts, ProofFacts
from portal.core.clock import today
from portal.core.forms import DayField, Form, TrimmedField, at_most, required


class PlacedForm(SeenForm):
    """A row of a list: where it holds. A row that stands keeps its place."""

    area = SelectField(_l("适用范围"))

    def offer(self, areas: Collection[Area]) -> Any:
        self.area.choices = [(area.code, area.name) for area in areas]
        return self


class SynonymForm(PlacedForm):
    words = SectionText(_l("意思一样的词"), validators=[required(), at_most(400)])

    @classmethod
    def of(cls, group: Synonym) -> "SynonymForm":
        said = "、".join(group.words)
        form = cls(data={"words": said, "seen": said})
        del form.area
        return form

    def said(self) -> list[str]:
        return dictionary.words_in(self.text("words"))


class EntryForm(PlacedForm):
    title = TrimmedField(_l("事项"), validators=[required(), at_most(120)])
    detail = SectionText(_l("说明"), validators=[Optional(), at_most(300)])
    basis = TrimmedField(_l("依据"), validators=[required(_l("请写依据：没有依据的事项不能进清单")), at_most(200)])
    funding = TrimmedField(_l("经费从哪里来"), validators=[Optional(), at_most(200)])
    valid_from = DayField(_l("开始日期"), validators=[required()], default=today)
    valid_to = DayField(_l("结束日期"), validators=[Optional()])

    @classmethod
    def of(cls, entry: ListEntry) -> "EntryForm":
        filled = cls.stands(entry)
        form = cls(data=filled | {"seen": snapshot(filled)})
        del form.area
        return form

    @staticmethod
    def stands(entry: ListEntry) -> dict[str, Any]:
        names = ("title", "detail", "basis", "funding", "valid_from", "valid_to")
        return {name: getattr(entry, name) for name in names}

    def facts(self) -> EntryFacts:
        return EntryFacts(
            valid_from=self.valid_from.data or today(),
            valid_to=self.valid_to.data,
            **{name: self.text(name) for name in ("title", "detail", "basis", "funding")},
        )


class ProofForm(PlacedForm):
    name = TrimmedField(_l("证明名称"), validators=[required(), at_most(60)])
    words = TrimmedField(_l("居民会怎么说"), validators=[Optional(), at_most(300)])
    office = TrimmedField(_l("该找哪个部门"), validators=[required(), at_most(80)])
    instead = SectionText(_l("怎么办"), validators=[required(_l("请写明该去哪里、怎么办")), at_most(300)])
    phone = TrimmedField(_l("电话"), validators=[Optional(), at_most(30)])
    basis = TrimmedField(_l("依据"), validators=[Optional(), at_most(200)])
    valid_from = DayField(_l("开始日期"), validators=[required()], default=today)
    valid_to = DayField(_l("结束日期"), validators=[Optional()])

    @classmethod
    def of(cls, proof: Proof) -> "ProofForm":
        filled = cls.stands(proof)
        form = cls(data=filled | {"seen": snapshot(filled)})
        del form.area
        return form

    @staticmethod
    def stands(proof: Proof) -> dict[str, Any]:
        names = ("name", "office", "instead", "phone", "basis", "valid_from", "valid_to")
        return {name: getattr(proof, name) for name in names} | {"words": "、".join(proof.words)}

    def facts(self) -> ProofFacts:
        return ProofFacts(
            words=dictionary.words_in(self.text("words")),
            valid_from=self.valid_from.data or today(),
            valid_to=self.valid_to.data,
            **{name: self.text(name) for name in ("name", "office", "instead", "phone", "basis")},
        )


class LastDayForm(Form):
    last_day = DayField(_l("有效到哪一天"), validators=[required()], default=today, description=_l("含这一天"))
    reason = TrimmedField(_l("原因"), validators=[required(_l("请写明原因")), at_most(200)])


class MissForm(Form):
    """What somebody looked for and did not find."""

    words = TrimmedField(_l("您想找什么"), validators=[required(_l("请写下您想找什么")), at_most(40)])
