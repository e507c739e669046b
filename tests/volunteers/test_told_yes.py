"""What the migration keeps of those who had been told yes before that was written down."""

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory

from portal.core import migrating
from portal.core.db import db
from portal.volunteers.models.codes import Joining, SignupState, Way
from portal.volunteers.models.signups import Signup
from tests.helping import Helping
from tests.make import Make


@pytest.fixture
def helping(make: Make) -> Helping:
    return Helping(make)


@pytest.mark.parametrize(
    ("joining", "state", "before", "after"),
    [
        (Joining.APPROVED, SignupState.JOINED, Way.SELF, Way.APPROVED),
        (Joining.APPROVED, SignupState.DONE, Way.FAMILY, Way.APPROVED),
        (Joining.APPROVED, SignupState.REQUESTED, Way.SELF, Way.SELF),
        (Joining.APPROVED, SignupState.JOINED, Way.INVITED, Way.INVITED),
        (Joining.OPEN, SignupState.JOINED, Way.SELF, Way.SELF),
    ],
)
def test_who_stood_on_a_shift_that_asked_for_a_yes_had_been_told_yes(
    helping: Helping, joining: Joining, state: SignupState, before: Way, after: Way
) -> None:
    signup = helping.signup(helping.post(helping.shift(helping.activity(joining=joining))), state=state, way=before)
    step = ScriptDirectory.from_config(migrating.scripts()).get_revision("0006")

    db.session.execute(sa.text(step.module.TOLD_YES))

    assert db.session.scalar(sa.select(Signup.way).where(Signup.id == signup.id)) is after
