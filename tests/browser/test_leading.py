"""The leader's own roster in a browser: it fits every screen, and is arranged by hand and without JavaScript."""

from datetime import time, timedelta

import pytest
from flask import Flask

from portal.core.clock import at, today
from portal.registry.models import TeamMember, VolunteerTeam
from tests.browser.conftest import Open
from tests.browser.test_roster import Stand, _drag, _take_back
from tests.helping import Helping
from tests.make import Make

pytestmark = [pytest.mark.browser, pytest.mark.both_databases]


class Led(Stand):
    """The same week, led by 周队长, of whose team the three are."""

    def __init__(self, make: Make, app: Flask) -> None:
        head = make.person("周队长")
        community = make.community().id
        self.team = make.add(VolunteerTeam(community_id=community, name="红马甲", leader_id=head.id))
        super().__init__(make, app)
        for one in self.volunteers:
            make.add(TeamMember(team_id=self.team.id, person_id=one.person_id, since=today() - timedelta(days=9)))
        self.client = app.test_client().sign_in(make.resident(head))
        self.path = f"/volunteers/lead/roster?week={(today() + timedelta(days=7)).isoformat()}"

    def _post(self, day: int, hour: int):
        monday = today() - timedelta(days=today().weekday()) + timedelta(days=7)
        positions = [self.helping.position("送餐员", needs=1)]
        activity = self.helping.activity(f"送餐{day}{hour}", positions=positions, team_id=self.team.id)
        return self.helping.shift(activity, at(monday + timedelta(days=day), time(hour))).posts[0]


@pytest.mark.parametrize(("desk", "scale"), [(True, "1"), (False, "1"), (True, "1.3"), (False, "1.3")])
def test_the_pages_of_a_leaders_roster_fit_their_screens_and_read_well(make, app: Flask, reader: Open, desk, scale):
    stand = Led(make, app)
    signup = Helping(make).signup(stand.posts[2], stand.volunteers[2])
    leader = reader(desk=desk, scale=scale).carry(stand.client).go(stand.path)
    leader.go(f"/volunteers/lead/roster/places/{signup.public_id}")
    leader.go(f"/volunteers/lead/roster/posts/{stand.posts[2].id}")


def test_a_leader_arranges_her_week_with_the_mouse_and_takes_it_back(make: Make, app: Flask, reader: Open):
    stand = Led(make, app)
    leader = reader(desk=True).carry(stand.client).go(stand.path)
    _drag(leader, stand.name(leader, "王芳"), stand.post(leader, 2))
    assert stand.on() == ["", "李强", "王芳"]
    _take_back(leader)
    assert leader.reads("改到")
    assert stand.on() == ["王芳", "李强", ""]


def test_a_leader_arranges_her_week_without_javascript(make: Make, app: Flask, reader: Open):
    stand = Led(make, app)
    leader = reader(scripts=False).carry(stand.client).go(stand.path)
    leader.page.get_by_role("link", name="给送餐员找人").first.click()
    leader.page.get_by_role("button", name="安排周明").click()
    assert stand.on() == ["王芳", "李强", "周明"]
    stand.name(leader, "王芳").click()
    leader.press("对调")
    assert stand.on() == ["李强", "王芳", "周明"]
    stand.name(leader, "周明").click()
    leader.fill("原因", "改期了").press("调出")
    assert stand.on() == ["李强", "王芳", ""]
