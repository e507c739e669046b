"""Who can be the responsible party of what is off the committee's list: never a committee, however it is written."""

import re
import unicodedata

from flask_babel import gettext as _

from portal.areas.models import Area
from portal.core.errors import Refused

_COMMITTEE = re.compile(r"居委|居民委员会|村委|村民委员会|社区委员会|两委")
_AROUND = re.compile(r"本|我们|社区|村|居民|委员会|工作站")


def is_committee(name: str, community: Area | None = None) -> bool:
    """Whether a name is that of a committee, or the community's own, with or without the words around it."""
    plain = re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", name))
    if _COMMITTEE.search(plain):
        return True
    left = _AROUND.sub("", plain)
    return bool(plain) and left in {"", _AROUND.sub("", community.name) if community else ""}


def check(name: str, community: Area | None = None) -> None:
    """Refuse a committee as the responsible party."""
    if is_committee(name, community):
        words = _("居委会不能当承办单位。请填写真正负责的部门或单位，例如街道办事处、执法队、供水公司。")
        raise Refused(words, field="party")
