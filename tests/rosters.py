"""A week of a roster for the benchmark: shifts of six activities, volunteers of one community, a worker signed in."""

import random
import secrets
import sys
from contextlib import suppress
from dataclasses import dataclass
from datetime import time, timedelta

from portal.core.clock import at, now, today
from portal.core.db import transaction
from portal.core.errors import Refused
from portal.identity.models import SignedSession
from portal.identity.sessions import _hash
from portal.volunteers.models.codes import Way
from portal.volunteers.service import joining
from tests.buyers import Many
from tests.helping import Helping


@dataclass(frozen=True)
class By:
    public_id: str = "worker"
    name: str = "周洁"


HOURS = (7, 8, 9, 10, 11, 13, 14, 15, 16, 18)


def prepare(shifts: int, volunteers: int) -> None:
    """Make them and write out the session's id; runs inside the site's application."""
    make, chance, sid = Many(), random.Random(5), secrets.token_urlsafe(32)
    helping, monday = Helping(make), today() - timedelta(days=today().weekday())
    with transaction() as session:
        account, moment = make.worker(), now()
        people = [helping.volunteer(week_hours=chance.choice((0, 0, 4, 8))) for _one in range(volunteers)]
        activities = [helping.activity(positions=[helping.position(), helping.position(needs=3)]) for _one in range(6)]
        for number in range(shifts):
            start = at(monday + timedelta(days=number % 7), time(HOURS[number // 7 % len(HOURS)]))
            shift = helping.shift(activities[number % 6], start)
            on = iter(chance.sample(people, 5))
            for post in shift.posts:
                for _place in range(chance.randint(1, post.capacity.total)):
                    # Who is on another shift at that time is left out.
                    with suppress(Refused):
                        joining.put_on(post, next(on), way=Way.WORKER, by=By(), checked=False)
        facts = {"account_id": account.id, "platform": account.platform, "epoch": account.epoch}
        times = {"created_at": moment, "seen_at": moment, "authenticated_at": moment}
        session.add(SignedSession(sid_hash=_hash(sid), **facts, **times))
    sys.stdout.write(sid)
