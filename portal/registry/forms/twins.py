"""Forms of the queue of doubles: what a worker says of a row or a pair, and the reason for merging and undoing."""

from flask_babel import lazy_gettext as _l
from wtforms import StringField
from wtforms.validators import AnyOf, Length, Optional

from portal.core.forms import Form, OnceForm, TrimmedField, at_most, required
from portal.registry.models import Verdict


class VerdictForm(Form):
    """The button that was pressed; the radio buttons of the fields are read as they come."""

    verdict = StringField(validators=[AnyOf([kind.value for kind in Verdict], message=_l("请点下面的一个按钮"))])

    def said(self) -> Verdict:
        return Verdict(self.text("verdict"))


class MergeForm(OnceForm):
    reason = TrimmedField(_l("合并原因"), validators=[Optional(), at_most(200)])


class UndoMergeForm(OnceForm):
    reason = TrimmedField(
        _l("撤销原因"), validators=[required(), Length(min=2, max=200, message=_l("请写 2 至 200 个字"))]
    )
