"""What the home page shows of meals."""

from datetime import timedelta

from portal.core.clock import now, today
from portal.meals.service.glance import served_soon
from tests.make import Make


def test_what_can_still_be_ordered_comes_before_what_is_only_still_served(make: Make) -> None:
    day = today() + timedelta(days=1)
    ended = make.menu(day=day, cutoff=now() - timedelta(minutes=1))
    later = make.menu(day=day + timedelta(days=1), canteen=ended.canteen)

    assert served_soon() == [later, ended]


def test_on_one_day_the_communitys_own_canteen_comes_first(make: Make) -> None:
    other = make.menu()
    own = make.menu(canteen=make.canteen("夏荷食堂", make.community("夏荷社区")))

    assert served_soon(own.canteen.community_id)[0] == own
    assert served_soon(other.canteen.community_id)[0] == other
