"""Forms of the import: the file, the columns, and the reason for taking a batch back."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField, FileRequired
from wtforms import SelectField
from wtforms.validators import Length

from portal.areas import service as areas
from portal.areas.models import Area
from portal.core.access import Scope
from portal.core.errors import Refused
from portal.core.forms import Form, OnceForm, TrimmedField, required
from portal.registry.models import ImportBatch, ImportKind
from portal.registry.service import imports
from portal.registry.service.imports import wording

NONE = -1


class RegisterField(FileField):
    """A register, read while the form is made: before the request's transaction opens. `table` is what was read."""

    table: imports.Table | None = None
    raw: bytes = b""

    def process_formdata(self, valuelist: Sequence[Any]) -> None:
        super().process_formdata(valuelist)
        if self.data:
            self.raw = self.data.read()
            # BadFile is a ValueError: its sentence becomes the field's error.
            self.table = imports.read_table(self.raw, self.data.filename or "")


class ImportForm(Form):
    file = RegisterField(_l("登记表文件"), validators=[FileRequired(_l("请选择要导入的文件"))])
    kind = SelectField(_l("登记表的内容"), choices=[], default=ImportKind.PERSONS.value)
    community = SelectField(_l("社区"), choices=[])

    def kind_of(self) -> ImportKind:
        return ImportKind(self.text("kind"))

    def place(self, within: Collection[Scope]) -> Area:
        """The community that was chosen, as this transaction knows it."""
        return next(area for area in areas.whole_communities(within) if area.code == self.community.data)

    def offer(self, communities: Collection[Area], asked: str = "") -> None:
        """The communities to choose from; the only one is chosen already, and so is the kind that a link asked for."""
        self.kind.choices = [(kind.value, wording.kind(kind)) for kind in imports.KINDS]
        if not self.is_submitted() and asked in {kind.value for kind in imports.KINDS}:
            self.kind.data = asked
        self.kind.data = self.kind.data or ImportKind.PERSONS.value
        self.community.choices = [(area.code, area.name) for area in communities]
        if len(communities) == 1 and not self.community.data:
            self.community.data = next(area.code for area in communities)


class ConfirmForm(OnceForm):
    pass


class UndoForm(Form):
    reason = TrimmedField(
        _l("撤销原因"), validators=[required(), Length(min=2, max=200, message=_l("请写 2 至 200 个字"))]
    )
    # Who holds the batch, once that refused it.
    held: Sequence[imports.Holder] = ()
    # What of it was edited since, where the batch is of staff, teams, stock, facilities or organisations.
    edited: Sequence[imports.Held] = ()

    def refuse(self, refused: Refused) -> None:
        super().refuse(refused)
        self.held = refused.people if isinstance(refused, imports.InUse) else ()
        self.edited = refused.held if isinstance(refused, imports.Edited) else ()


class ColumnsForm(Form):
    """One select for each field that a register of its kind may hold, made by columns_form()."""

    names: Sequence[str] = ()

    def chosen(self) -> dict[str, int]:
        return {name: self[name].data for name in self.names if self[name].data != NONE}

    def selects(self) -> list[SelectField]:
        return [self[name] for name in self.names]


def columns_form(batch: ImportBatch) -> ColumnsForm:
    """A form for this file: its columns as choices, what was guessed or remembered chosen, masked samples as hints."""
    samples = imports.samples(batch)
    choices = [(NONE, _("不导入")), *((place, _header(place, word)) for place, word in enumerate(batch.headers))]
    fields: Mapping[str, Any] = {
        kind.value: SelectField(
            wording.field(kind),
            coerce=int,
            choices=[],
            default=batch.columns.get(kind.value, NONE),
            description=_hint(batch, samples, kind.value),
        )
        for kind in imports.fields_of(batch.kind)
    }
    made: type[ColumnsForm] = type("ColumnsForm", (ColumnsForm,), {**fields, "names": tuple(fields)})
    form = made()
    for select in form.selects():
        select.choices = choices
    return form


def _header(place: int, word: str) -> str:
    letters = chr(ord("A") + place) if place < 26 else "A" + chr(ord("A") + place - 26)
    return letters + "　" + (word or _("（空表头）"))


def _hint(batch: ImportBatch, samples: list[list[str]], name: str) -> str:
    place = batch.columns.get(name, NONE)
    if place == NONE:
        return ""
    return _("例：%(values)s", values="、".join(samples[place])) if samples[place] else _("这一列是空的")
