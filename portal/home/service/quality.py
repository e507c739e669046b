"""Data quality across the register and the capabilities: each question with how many answers, and one page of them."""

from collections.abc import Collection

from flask_babel import gettext as _

from portal.core.access import Scope
from portal.core.errors import Missing
from portal.meals.service import history
from portal.registry.service import quality
from portal.registry.service.quality import PAGE, Check, Counted, Finding, Group


def _page(within: Collection[Scope], after: int) -> list[Finding]:
    return [
        Finding(
            person.name,
            _("已去世，还有没取的订餐"),
            ("home.worker.person", {"public_id": person.public_id}),
            ("meals.worker.person_orders", {"person": person.public_id}),
            person.id,
        )
        for person in history.dead_who_booked(within, after=after, limit=PAGE + 1)
    ]


CHECKS: tuple[Check, ...] = (
    *quality.CHECKS,
    Check(
        "dead_orders",
        Group.CONTRADICTORY,
        lambda: _("已去世的人还有订餐"),
        lambda: _("取消订餐"),
        history.count_dead_who_booked,
        _page,
    ),
)


def counted(within: Collection[Scope]) -> dict[Group, list[Counted]]:
    """How many answers each question has, by group; those with answers first."""
    found = [Counted(check, check.count(within)) for check in CHECKS]
    return {
        group: sorted((one for one in found if one.check.group is group), key=lambda one: one.count == 0)
        for group in Group
    }


def check_named(code: str) -> Check:
    check = next((check for check in CHECKS if check.code == code), None)
    if check is None:
        raise Missing
    return check
