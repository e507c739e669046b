"""Forms of items, their conditions and their providers."""

from collections.abc import Collection, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, RadioField, SelectField, TextAreaField
from wtforms.validators import NumberRange, Optional

from portal.areas.models import Area
from portal.catalogue.forms.seen import SeenForm, snapshot
from portal.catalogue.models.codes import ConditionKind, ItemKind, ProviderKind, Situation
from portal.catalogue.models.items import Condition, Item, Provider
from portal.catalogue.service import item_words, keeping
from portal.catalogue.service.deciding import ConditionFacts
from portal.catalogue.service.keeping import ItemFacts, Paper
from portal.catalogue.service.providers import ProviderFacts
from portal.core import money
from portal.core.clock import today
from portal.core.forms import (
    CountField,
    DayField,
    Form,
    ManyField,
    OnceForm,
    TrimmedField,
    YuanField,
    at_most,
    required,
)
from portal.registry.models import TagKind
from portal.registry.service import words as registry

OPTIONAL, FETCHED = "选交：", "免带："
MOST_PAPERS = 20


class SectionText(TextAreaField):
    """A text of several lines, its ends trimmed."""

    def process_formdata(self, valuelist: Sequence[Any]) -> None:
        super().process_formdata([str(value).replace("\r\n", "\n").strip() for value in valuelist])


def papers_of(text: str) -> list[Paper]:
    """One paper a line: `选交：` before one that may be left out, `免带：` before one that the community looks up, and
    after ｜ what to mind.
    """
    papers: dict[str, Paper] = {}
    for line in text.splitlines():
        said = line.strip().replace("|", "｜").replace("选交:", OPTIONAL).replace("免带:", FETCHED)
        optional, fetched = said.startswith(OPTIONAL), said.startswith(FETCHED)
        name, _sign, note = said.removeprefix(OPTIONAL).removeprefix(FETCHED).partition("｜")
        if name.strip():
            papers[name.strip()[:80]] = Paper(name.strip()[:80], note.strip()[:200], not (optional or fetched), fetched)
    return list(papers.values())


def papers_text(item: Item) -> str:
    lines = []
    for row in item.materials:
        before = FETCHED if row.fetched else "" if row.is_required else OPTIONAL
        lines.append(before + row.name + (f"｜{row.note}" if row.note else ""))
    return "\n".join(lines)


class ItemForm(OnceForm):
    """A service as it is kept; opened on a version of it."""

    version = HiddenField()
    area = SelectField(_l("服务范围"))
    provider = SelectField(_l("服务提供方"), validators=[required(_l("请选服务提供方，没有就先登记一个"))])
    kind = RadioField(_l("办理方式"), validators=[required(_l("请选一项"))])
    title = TrimmedField(_l("名称"), validators=[required(), at_most(60)])
    summary = TrimmedField(_l("一句话说明"), validators=[required(), at_most(200)])
    keywords = TrimmedField(_l("居民会怎么说"), validators=[Optional(), at_most(200)])
    situations = ManyField(_l("情形"), validators=[required(_l("请至少选一种情形"))])
    who = SectionText(_l("谁能办"), validators=[Optional(), at_most(500)])
    how = SectionText(_l("怎么办"), validators=[Optional(), at_most(1000)])
    papers = SectionText(_l("要带的材料"), validators=[Optional(), at_most(2000)])
    cost_fen = YuanField(_l("费用（元）"), validators=[Optional(), NumberRange(0, 100_000_00, _l("请填 0 到 100000"))])
    cost = TrimmedField(_l("费用说明"), validators=[Optional(), at_most(120)])
    place = TrimmedField(_l("在哪办"), validators=[Optional(), at_most(120)])
    times = TrimmedField(_l("什么时候"), validators=[Optional(), at_most(200)])
    takes = TrimmedField(_l("要多久"), validators=[Optional(), at_most(60)])
    basis = SectionText(_l("依据"), validators=[Optional(), at_most(300)])
    phone = TrimmedField(_l("咨询电话"), validators=[Optional(), at_most(30)])
    limit_days = CountField(
        _l("几个工作日办结"), validators=[Optional(), NumberRange(1, 250, _l("请填 1 到 250 之间的整数"))]
    )
    cancel_hours = CountField(
        _l("提前几小时可以取消"),
        default=2,
        validators=[Optional(), NumberRange(0, 720, _l("请填 0 到 720 之间的整数"))],
    )
    ahead_days = CountField(
        _l("可以提前几天约"), default=14, validators=[Optional(), NumberRange(1, 365, _l("请填 1 到 365 之间的整数"))]
    )
    per_day = CountField(
        _l("每人每天最多几次"), default=1, validators=[Optional(), NumberRange(1, 50, _l("请填 1 到 50 之间的整数"))]
    )
    per_week = CountField(
        _l("每人每周最多几次"), validators=[Optional(), NumberRange(1, 50, _l("请填 1 到 50 之间的整数"))]
    )
    valid_from = DayField(_l("开始日期"), validators=[required()], default=today)
    valid_to = DayField(_l("结束日期"), validators=[Optional()])

    def offer(self, areas: Collection[Area]) -> "ItemForm":
        self.area.choices = [(area.code, area.name) for area in areas]
        self.provider.choices = [("", _("请选择")), *keeping.provider_choices(areas)]
        self.kind.choices = item_words.choices(ItemKind)
        self.situations.choices = [(one.value, item_words.situation_words(one)) for one in Situation]
        return self

    @classmethod
    def of(cls, item: Item) -> "ItemForm":
        """Opened on an item as it stands."""
        form = cls(data=cls.filled(item)).offer([item.area, *([item.area.parent] if item.area.parent else [])])
        del form.area
        return form

    @staticmethod
    def filled(item: Item) -> dict[str, Any]:
        facts = {name: getattr(item, name) for name in ItemFacts.__dataclass_fields__}
        provider = str(facts.pop("provider_id"))
        more = {"provider": provider, "papers": papers_text(item), "version": str(item.version)}
        return facts | more | {"kind": item.kind.value}

    @property
    def seen(self) -> int:
        said = self.text("version")
        return int(said) if said.isascii() and said.isdigit() and len(said) < 9 else 0

    def catch_up(self, item: Item) -> None:
        """Onto the newest version: what was typed stays, what was left as it stood shows what stands now."""
        before, fresh = keeping.as_seen(item, self.seen), self.filled(item)
        for name, value in fresh.items():
            if name in before and name in self._fields and self._said(name) == before[name]:
                self._fields[name].data, self._fields[name].raw_data = value, None
        self.version.data = str(item.version)

    def _said(self, name: str) -> str:
        """A field as the history writes it."""
        value = self._fields[name].data
        if name == "cost_fen":
            return "" if value is None else money.yuan(value)
        if name == "situations":
            return _("、").join(item_words.service_word(one) for one in Situation if one.value in (value or ()))
        if name == "kind":
            return item_words.service_word(ItemKind(value))
        if name == "provider":
            named = next((str(row[1]) for row in self.provider.iter_choices() if str(row[0]) == str(value)), "")
            return named.rpartition("（")[0]
        if name == "papers":
            return _("、").join(paper.name for paper in papers_of(value or ""))
        return "" if value is None else str(value)

    def facts(self) -> ItemFacts:
        texts = ("title", "summary", "keywords", "who", "how", "cost", "place", "times", "takes", "basis", "phone")
        said: dict[str, Any] = {name: self.text(name) for name in texts}
        hours, ahead = self.cancel_hours.data, self.ahead_days.data
        cost: Any = self.cost_fen.data
        return ItemFacts(
            provider_id=int(self.provider.data),
            kind=ItemKind(self.kind.data),
            situations=[one.value for one in Situation if one.value in (self.situations.data or ())],
            cancel_hours=2 if hours is None else hours,
            ahead_days=14 if ahead is None else ahead,
            valid_from=self.valid_from.data or today(),
            valid_to=self.valid_to.data,
            cost_fen=cost,
            limit_days=self.limit_days.data,
            per_day=self.per_day.data,
            per_week=self.per_week.data,
            **said,
        )

    def papers_said(self) -> list[Paper]:
        return papers_of(self.text("papers"))[:MOST_PAPERS]


class ReasonForm(Form):
    """A negative act asks why."""

    reason = TrimmedField(_l("原因"), validators=[required(_l("请写明原因")), at_most(200)])


class WithdrawForm(ReasonForm):
    """What becomes of those who have booked is asked only where somebody has."""

    booked = RadioField(_l("已经约好的怎么办"), validators=[required(_l("请选一项"))])

    def offer(self, count: int) -> "WithdrawForm":
        self.booked.choices = [
            ("call_off", _("取消这 %(count)d 个预约，并把原因通知本人", count=count)),
            ("keep", _("保留，请他们照原时间来")),
        ]
        if not count:
            del self.booked
        return self

    @property
    def calls_off(self) -> bool:
        return "booked" in self._fields and self._fields["booked"].data == "call_off"


class CopyForm(OnceForm):
    area = SelectField(_l("复制到"))

    def offer(self, areas: Collection[Area]) -> "CopyForm":
        self.area.choices = [(area.code, area.name) for area in areas]
        return self


class ConditionForm(SeenForm):
    """One step of 我能办吗."""

    kind = SelectField(_l("条件"), validators=[required(_l("请选一项"))])
    number = CountField(
        _l("年龄（周岁）"), validators=[Optional(), NumberRange(0, 120, _l("请填 0 到 120 之间的整数"))]
    )
    tags = ManyField(_l("人群标签"), validators=[Optional()])
    answer = RadioField(_l("要怎样才算符合"), default="yes")
    question = TrimmedField(_l("要问的问题"), validators=[Optional(), at_most(120)])
    met = TrimmedField(_l("符合时说什么"), validators=[Optional(), at_most(200)])
    unmet = TrimmedField(_l("不符合时说什么"), validators=[required(), at_most(200)])
    remedy = TrimmedField(_l("不符合怎么办"), validators=[Optional(), at_most(200)])
    next_item = SelectField(_l("可以接着看的事项"), validators=[Optional()])

    def offer(self, others: Sequence[tuple[int, str]]) -> "ConditionForm":
        self.kind.choices = item_words.choices(ConditionKind)
        self.answer.choices = [("yes", _("是")), ("no", _("不是"))]
        self.tags.choices = [(kind.value, registry.tag(kind)) for kind in TagKind]
        self.next_item.choices = [("", _("没有")), *((str(number), title) for number, title in others)]
        return self

    @classmethod
    def of(cls, condition: Condition, others: Sequence[tuple[int, str]]) -> "ConditionForm":
        filled = cls.stands(condition)
        return cls(data=filled | {"seen": snapshot(filled)}).offer(others)

    @staticmethod
    def stands(condition: Condition) -> dict[str, Any]:
        names = ("number", "tags", "question", "met", "unmet", "remedy")
        filled = {name: getattr(condition, name) for name in names}
        filled |= {"kind": condition.kind.value, "answer": "yes" if condition.answer else "no"}
        next_item = str(condition.next_item_id) if condition.next_item_id else ""
        return filled | {"next_item": next_item}

    def facts(self) -> ConditionFacts:
        return ConditionFacts(
            kind=ConditionKind(self.kind.data),
            number=self.number.data,
            tags=[kind.value for kind in TagKind if kind.value in (self.tags.data or ())],
            answer=self.answer.data == "yes",
            next_item_id=int(self.next_item.data) if self.next_item.data else None,
            **{name: self.text(name) for name in ("question", "met", "unmet", "remedy")},
        )


class ProviderForm(Form):
    version = HiddenField()
    area = SelectField(_l("在哪里服务"))
    kind = RadioField(_l("类别"), validators=[required(_l("请选一项"))])
    name = TrimmedField(_l("名称"), validators=[required(), at_most(60)])
    organisation = SelectField(_l("登记的组织"), validators=[Optional()])
    phone = TrimmedField(_l("电话"), validators=[Optional(), at_most(30)])
    address = TrimmedField(_l("地址"), validators=[Optional(), at_most(120)])
    hours = TrimmedField(_l("服务时间"), validators=[Optional(), at_most(120)])
    note = SectionText(_l("说明"), validators=[Optional(), at_most(300)])

    def offer(self, areas: Collection[Area], organisations: Sequence[tuple[str, str]]) -> "ProviderForm":
        self.area.choices = [(area.code, area.name) for area in areas]
        self.kind.choices = item_words.choices(ProviderKind)
        self.organisation.choices = [("", _("没有登记")), *organisations]
        return self

    @classmethod
    def of(cls, provider: Provider, organisations: Sequence[tuple[str, str]]) -> "ProviderForm":
        filled = {name: getattr(provider, name) for name in ("name", "phone", "address", "hours", "note")}
        chosen = str(provider.organisation_id) if provider.organisation_id else ""
        more = {"kind": provider.kind.value, "organisation": chosen, "version": str(provider.version)}
        form = cls(data=filled | more).offer([], organisations)
        del form.area
        return form

    @property
    def seen(self) -> int:
        said = self.text("version")
        return int(said) if said.isascii() and said.isdigit() and len(said) < 9 else 0

    def facts(self) -> ProviderFacts:
        return ProviderFacts(
            kind=ProviderKind(self.kind.data),
            organisation_id=int(self.organisation.data) if self.organisation.data else None,
            **{name: self.text(name) for name in ("name", "phone", "address", "hours", "note")},
        )
