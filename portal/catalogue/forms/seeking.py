"""The form with which a worker finds the resident she acts for."""

from flask_babel import lazy_gettext as _l
from wtforms import SearchField
from wtforms.validators import Length

from portal.core.forms import Form, required


class SeekForm(Form):
    q = SearchField(
        _l("找人"),
        validators=[required(_l("请填姓名、拼音首字母、手机号后四位或身份证号")), Length(max=40)],
        filters=[lambda text: (text or "").strip()],
    )

    def words(self) -> str:
        return self.q.data or ""

    def forget(self, kind: str) -> None:
        """Do not show a full number again that was typed to find somebody."""
        if kind in {"id_number", "phone"}:
            self.q.data = ""
