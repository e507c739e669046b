"""What a worker says of an export: which columns, masked or in the clear, and why; and what the second person says."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectMultipleField
from wtforms.validators import Length
from wtforms.widgets import CheckboxInput, ListWidget

from portal.core.forms import Form, OnceForm, TrimmedField, required
from portal.registry.service import export_columns
from portal.registry.service.export_columns import USUAL, Column

SENTENCE = Length(min=4, max=200, message=_l("请写 4 至 200 个字"))


class ExportForm(OnceForm):
    columns = SelectMultipleField(
        _l("导出哪些栏"),
        [required(_l("请至少选一栏"))],
        choices=[],
        default=[column.value for column in USUAL],
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    way = RadioField(
        _l("内容"),
        choices=[],
        default="masked",
    )
    reason = TrimmedField(_l("用途"), [required(_l("请写明用途，居民本人会看到")), SENTENCE])

    @classmethod
    def fresh(cls) -> "ExportForm":
        form = cls()
        form.columns.choices = [(column.value, export_columns.label(column)) for column in Column]
        form.way.choices = [("masked", _("遮挡（马上生成）")), ("plain", _("明文（要另一位同事批准）"))]
        return form

    def chosen(self) -> list[Column]:
        """In the order of the columns, however they were ticked."""
        return [column for column in Column if column.value in (self.columns.data or ())]


class RefusalForm(Form):
    reason = TrimmedField(_l("不批准的原因"), [required(_l("请写明不批准的原因，申请人会看到")), SENTENCE])


class ListExportForm(OnceForm):
    """Why a list of resources is taken out; where it names people, masked or in the clear."""

    way = RadioField(_l("内容"), choices=[], default="masked")
    reason = TrimmedField(_l("用途"), [required(_l("请写明用途，会记录下来")), SENTENCE])

    @classmethod
    def fresh(cls, *, plain: bool) -> "ListExportForm":
        """`plain`: whether the list may be asked for in the clear at all."""
        form = cls()
        masked = ("masked", _("姓名和电话遮挡（马上下载）") if plain else _("马上下载"))
        form.way.choices = [masked, ("plain", _("明文（要另一位同事批准）"))] if plain else [masked]
        return form


class HouseholdExportForm(OnceForm):
    """Why a list of households is taken out, masked or in the clear."""

    way = RadioField(_l("内容"), choices=[], default="masked")
    reason = TrimmedField(_l("用途"), [required(_l("请写明用途，居民本人会看到")), SENTENCE])

    @classmethod
    def fresh(cls) -> "HouseholdExportForm":
        form = cls()
        form.way.choices = [
            ("masked", _("户号、住址和户主遮挡（马上生成）")),
            ("plain", _("明文（要另一位同事批准）")),
        ]
        return form
