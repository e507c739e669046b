"""The form of the photographs that a worker adds before and after."""

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import MultipleFileField

from portal.casework.forms.fields import PickField
from portal.casework.models.codes import PhotoStage
from portal.casework.service.words import case_word
from portal.core.forms import Form, required


class PhotoForm(Form):
    stage = PickField(_l("办理前还是办理后"), validators=[required(_l("请选一项"))], default=PhotoStage.AFTER.value)
    photos = MultipleFileField(_l("照片"), description=_l("一次最多 3 张，保存时会去掉拍摄地点"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stage.choices = [(stage.value, case_word(stage)) for stage in (PhotoStage.BEFORE, PhotoStage.AFTER)]

    def outcome(self, kept: int) -> tuple[str, str]:
        """What to say afterwards: how many were kept, or what was wrong."""
        wrong = [str(words) for field in self for words in field.errors]
        if wrong:
            return wrong[0], "warn"
        return (_("已放上 %(count)d 张照片。", count=kept), "ok") if kept else (_("请先选照片。"), "warn")
