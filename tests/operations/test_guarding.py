"""What a start refuses, and what the queue does not run."""

import pickle

import pytest
from click.testing import CliRunner

from portal.cli import main
from portal.core import jobs


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"HOST": "0.0.0.0"}, "loopback"),
        ({"PORT": "eighty"}, "PORT"),
    ],
)
def test_a_demonstration_listens_where_it_may_only(make, config, env, words):
    settings = {"PORTAL_MODE": "demo", "PORTAL_INSTANCE": str(config.instance), "DATABASE_URL": config.database_url}
    done = CliRunner().invoke(main, ["serve"], env=settings | env)
    assert done.exit_code == 2
    assert words in done.output


def test_a_message_that_nobody_signed_is_not_opened(app):
    queue = jobs.of(app).huey
    with pytest.raises(ValueError, match="Separator"):
        queue.serializer.deserialize(pickle.dumps("anything"))
