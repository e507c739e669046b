"""Residents who book a slot through HTTP: made many at once with their sessions, each good for a place in each slot."""

import json
import re
import secrets
import sys
from dataclasses import dataclass
from datetime import date, timedelta
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode

from portal.catalogue.models.codes import ItemKind, ItemState, ProviderKind
from portal.catalogue.models.items import Item, Provider
from portal.catalogue.models.schedules import Of, Slot, Timetable
from portal.core.clock import local, now
from portal.core.db import transaction
from portal.identity.models import SignedSession
from portal.identity.sessions import _hash
from portal.places.models import Capacity
from tests.buyers import HIDDEN, Buyer, Many
from tests.sites import Site

FORM = re.compile(r'<form[^>]*id="book-form".*?</form>', re.DOTALL)


def prepare(count: int, places: int, slots: int) -> None:
    """Make people and slots an hour apart, and write out what they need; runs inside the site's application."""
    make = Many()
    with transaction() as session:
        item, made = _slots(make, places, slots)
        sids = [secrets.token_urlsafe(32) for _booker in range(count)]
        for sid in sids:
            account, moment = make.resident(make.person()), now()
            facts = {"account_id": account.id, "platform": account.platform, "epoch": account.epoch}
            times = {"created_at": moment, "seen_at": moment, "authenticated_at": moment}
            session.add(SignedSession(sid_hash=_hash(sid), **facts, **times))
        sys.stdout.write(json.dumps({"item": item.id, "slots": [slot.id for slot in made], "sids": sids}))


def _slots(make: Many, places: int, count: int) -> tuple[Item, list[Slot]]:
    community = make.community()
    provider = make.add(Provider(area_id=community.id, kind=ProviderKind.COMMUNITY, name="春风里社区"))
    kind, state, said = ItemKind.APPOINTMENT, ItemState.PUBLISHED, {"title": "口腔义诊", "summary": "看牙"}
    where: dict[str, Any] = {"area_id": community.id, "provider_id": provider.id, "valid_from": date(2020, 1, 1)}
    item = make.add(Item(kind=kind, state=state, **said, **where))
    timetable = Timetable(community_id=community.id, name="一号窗口", of=Of.DESK, valid_from=date(2020, 1, 1))
    timetable.items = [item]
    make.add(timetable)
    first = (now() + timedelta(days=1)).replace(minute=0, second=0, microsecond=0)
    return item, [make.add(_slot(timetable, first + timedelta(hours=number), places)) for number in range(count)]


def _slot(timetable: Timetable, starts: Any, places: int) -> Slot:
    ends, capacity = starts + timedelta(minutes=30), Capacity(total=places, taken=0)
    day = local(starts).date()
    return Slot(timetable_id=timetable.id, day=day, starts_at=starts, ends_at=ends, capacity=capacity)


@dataclass
class Booker(Buyer):
    """One signed-in resident; `menu` is the item, `dish` the slot. `order()` needs the page of `look()` before it."""

    @property
    def path(self) -> str:
        return f"/services/{self.menu}/slots/{self.dish}"

    def look(self) -> int:
        answer, body = self._ask("GET", self.path)
        cookies = SimpleCookie(answer.headers.get("Set-Cookie", ""))
        if cookies:
            self.cookie = "; ".join([f"sid={self.sid}", *(f"{name}={one.value}" for name, one in cookies.items())])
        form = FORM.search(body.decode())
        self.hidden = urlencode({**dict(HIDDEN.findall(form.group(0))), "note": ""}) if form else "none=1"
        return answer.status


def bookers(site: Site, count: int, *, places: int, slots: int = 1) -> tuple[list[Booker], list[int]]:
    """The bookers, all for the first slot, and the ids of the slots."""
    made = site.python(f"from tests.bookers import prepare\nprepare({count}, {places}, {slots})")
    facts: dict[str, Any] = json.loads(made)
    crowd = [Booker(site.port, facts["item"], facts["slots"][0], sid) for sid in facts["sids"]]
    return crowd, facts["slots"]
