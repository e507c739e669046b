"""What tests of applications share: an item with papers, an application begun and handed in."""

import io
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from PIL import Image

from portal.catalogue.models.applications import Application, ApplicationChannel
from portal.catalogue.models.codes import ItemKind, ItemState, ProviderKind
from portal.catalogue.models.items import Item, Material, Provider
from portal.catalogue.service.applications import deciding, filing, receiving
from portal.catalogue.service.applications.filing import Begun
from portal.core import clock
from portal.core.db import db, transaction
from portal.identity.models import Account
from portal.registry.models import Person
from tests.acting import actor_of
from tests.make import Make

# A Monday morning without holidays near it.
MONDAY = datetime(2026, 3, 2, 10, 0, tzinfo=clock.SHANGHAI)


def item(make: Make, title: str = "临时困难救助", *, limit_days: int | None = 5, **more: Any) -> Item:
    area = more.pop("area", None) or make.community()
    provider = make.add(Provider(area_id=area.id, name=f"社区{make.number()}", kind=ProviderKind.COMMUNITY))
    made = Item(
        area_id=area.id,
        provider_id=provider.id,
        kind=ItemKind.APPLICATION,
        state=ItemState.PUBLISHED,
        title=title,
        summary="突然遇到困难的家庭可以申请",
        limit_days=limit_days,
        valid_from=date(2020, 1, 1),
        **more,
    )
    made.materials = [
        Material(position=1, name="身份信息", fetched=True),
        Material(position=2, name="困难说明", note="原件"),
        Material(position=3, name="医疗费票据", note="复印件", is_required=False),
    ]
    return make.add(made)


def draft(thing: Item, person: Person, by: Account, *, consent: str = "") -> Application:
    channel = ApplicationChannel.COUNTER if consent else ApplicationChannel.SELF
    with transaction() as session:
        begun = Begun(session.get_one(Person, person.id), channel, consent)
        made = filing.begin(session.get_one(Item, thing.id), begun, by=actor_of(by))
    db.session.rollback()
    return made


def filed(thing: Item, person: Person, by: Account, *, consent: str = "") -> Application:
    made = draft(thing, person, by, consent=consent)
    act(filing.submit, made, "房子漏水，看病花了很多钱", by=actor_of(by))
    return read(made)


def taken(thing: Item, person: Person, by: Account, worker: Account) -> Application:
    made = filed(thing, person, by)
    act(receiving.take, made, by=actor_of(worker))
    return read(made)


def in_hand(thing: Item, person: Person, by: Account, worker: Account) -> Application:
    made = taken(thing, person, by, worker)
    act(deciding.accept, made, by=actor_of(worker))
    act(deciding.begin_work, made, "", by=actor_of(worker))
    return read(made)


def act(call: Any, application: Application, *arguments: Any, **more: Any) -> None:
    """Carry one act out on a fresh copy, as a request does."""
    with transaction() as session:
        call(session.get_one(Application, application.id), *arguments, **more)
    db.session.rollback()


def read(application: Application) -> Application:
    db.session.expire_all()
    return db.session.get_one(Application, application.id)


def everything() -> list[Application]:
    return list(db.session.scalars(sa.select(Application).order_by(Application.id)))


def photograph(colour: str = "red") -> bytes:
    """A small JPEG with a place in it."""
    picture = Image.new("RGB", (64, 48), colour)
    exif = Image.Exif()
    exif[0x8825] = {1: "N", 2: (30.0, 15.0, 0.0)}
    exif[0x010E] = "secret place"
    out = io.BytesIO()
    picture.save(out, "JPEG", exif=exif)
    return out.getvalue()


def later(**more: int) -> datetime:
    return MONDAY + timedelta(**more)
