"""What the environment may say, and what it may not."""

import pytest

from portal import config
from portal.config import BadConfig

PRODUCTION = {"SECRET_KEY": "s" * 32, "PUBLIC_URL": "https://portal.example", "TRUSTED_HOSTS": "portal.example"}


def test_workers_need_an_authenticator_in_production_unless_it_is_said_otherwise():
    assert config.load(PRODUCTION).worker_totp
    assert not config.load({**PRODUCTION, "WORKER_TOTP": "offered"}).worker_totp


@pytest.mark.parametrize("name", ["WORKER_TOTP", "LOG_FORMAT", "PROXIES", "THREADS"])
def test_a_slip_of_the_pen_stops_the_start_with_a_sentence(name):
    with pytest.raises(BadConfig, match=name):
        config.load({**PRODUCTION, name: "requierd"})


@pytest.mark.parametrize("missing", PRODUCTION)
def test_production_has_no_default_for_what_must_be_its_own(missing):
    with pytest.raises(BadConfig, match=missing):
        config.load({name: value for name, value in PRODUCTION.items() if name != missing})
