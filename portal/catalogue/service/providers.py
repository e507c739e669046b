"""Keeping providers: who serves, with telephone and hours."""

from collections.abc import Collection
from dataclasses import dataclass, fields

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.areas.models import Area
from portal.catalogue.models.codes import ItemState, ProviderKind
from portal.catalogue.models.items import Item, Provider
from portal.catalogue.service import grounds
from portal.core import audit
from portal.core.access import Scope
from portal.core.clock import now, today
from portal.core.db import db, unique_or
from portal.core.errors import Missing, Refused
from portal.registry.models import Organisation


@dataclass(frozen=True)
class ProviderFacts:
    """What the form of a provider says."""

    kind: ProviderKind
    name: str
    phone: str
    address: str
    hours: str
    note: str
    organisation_id: int | None


def providers(within: Collection[Scope]) -> list[tuple[Provider, int]]:
    """The providers a worker keeps and those of the street above, each with how many published items it has."""
    held = (
        sa.select(Item.provider_id, sa.func.count(Item.id).label("count"))
        .where(Item.state == ItemState.PUBLISHED)
        .group_by(Item.provider_id)
        .subquery()
    )
    query = (
        sa.select(Provider, sa.func.coalesce(held.c.count, 0))
        .outerjoin(held, held.c.provider_id == Provider.id)
        .where(Provider.area_id.in_(grounds.served(within)))
        .options(joinedload(Provider.area))
        .order_by(Provider.closed_on.is_not(None), Provider.area_id, Provider.name, Provider.id)
    )
    return [(row[0], row[1]) for row in db.session.execute(query)]


def provider_in(within: Collection[Scope], provider_id: int) -> Provider:
    query = sa.select(Provider).where(Provider.id == provider_id, Provider.area_id.in_(grounds.kept(within)))
    found = db.session.scalar(query.options(joinedload(Provider.area)))
    if found is None:
        raise Missing
    return found


def add(area: Area, facts: ProviderFacts) -> Provider:
    provider = Provider(area=area)
    with unique_or(_named_already()):
        _put(provider, facts)
        db.session.add(provider)
    audit.record("catalogue.provider_added", provider, kind=provider.kind.value)
    return provider


def save(provider: Provider, facts: ProviderFacts, *, version: int) -> None:
    """Change it; refused when somebody else changed it since the page was opened."""
    query = sa.select(Provider).where(Provider.id == provider.id).with_for_update(of=Provider)
    db.session.scalars(query.execution_options(populate_existing=True)).one()
    if provider.version != version:
        now_said = _("；").join(
            text for text in (provider.name, provider.phone, provider.address, provider.hours) if text
        )
        words = _(
            "您打开这一页以后，别人改过这个提供方（现在是：%(said)s）。您填的内容还在，请核对后再保存一次。",
            said=now_said,
        )
        raise Refused(words)
    with unique_or(_named_already()):
        _put(provider, facts)
        provider.version += 1
        provider.updated_at = now()
    audit.record("catalogue.provider_edited", provider)


def close(provider: Provider, *, reason: str) -> None:
    """It serves no more. Refused while residents still see items of it."""
    if len(reason.strip()) < 2:
        raise Refused(_("请写明原因，至少两个字。"), field="reason")
    shown = sa.select(sa.func.count(Item.id)).where(Item.provider_id == provider.id, Item.state == ItemState.PUBLISHED)
    count = db.session.scalar(shown) or 0
    if count:
        words = _("还有 %(count)d 个已发布的事项由它提供，请先换提供方或撤下事项。", count=count)
        raise Refused(words)
    provider.closed_on = today()
    audit.record("catalogue.provider_closed", provider, reason=reason.strip())


def _put(provider: Provider, facts: ProviderFacts) -> None:
    for field in fields(ProviderFacts):
        setattr(provider, field.name, getattr(facts, field.name))


def _named_already() -> Refused:
    return Refused(_("这里已经有同名的提供方，请改原来的那一个，或换个名字。"), field="name")


def organisations(within: Collection[Scope]) -> list[tuple[str, str]]:
    """The organisations of the register that a provider may be, by name."""
    query = (
        sa.select(Organisation.id, Organisation.name)
        .where(Organisation.community_id.in_(grounds.kept(within)), Organisation.closed_on.is_(None))
        .order_by(Organisation.name, Organisation.id)
    )
    return [(str(number), name) for number, name in db.session.execute(query)]
