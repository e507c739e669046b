"""How long an answer may take: days that the law and GB/T 35273 give, as parameters."""

from datetime import date, timedelta

from flask_babel import gettext as _

from portal.core import settings
from portal.core.calendar import add_working_days
from portal.registry.models import RightKind

ANSWER, COPY, CLOSING = "rights.answer_days", "rights.copy_days", "rights.closing_days"
SOON = "rights.soon_days"

settings.declare(ANSWER, default=30, label=lambda: _("更正等申请多少天内答复"), unit=lambda: _("天"), least=1, most=30)
settings.declare(COPY, default=30, label=lambda: _("要一份资料多少天内给"), unit=lambda: _("天"), least=1, most=30)
settings.declare(
    CLOSING, default=15, label=lambda: _("注销账号多少个工作日完成"), unit=lambda: _("个工作日"), least=1, most=15
)
settings.declare(SOON, default=7, label=lambda: _("个人信息申请到期前几天提醒"), unit=lambda: _("天"), least=1, most=20)


def due_on(kind: RightKind, asked: date) -> date:
    """The last day on which the answer is in time; the day of asking is not counted."""
    if kind is RightKind.CLOSING:
        return add_working_days(asked, settings.get(CLOSING, asked))
    return asked + timedelta(days=settings.get(COPY if kind is RightKind.COPY else ANSWER, asked))


def answer_days() -> int:
    return settings.get(ANSWER)


def soon_days() -> int:
    return settings.get(SOON)
