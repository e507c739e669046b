"""What tests of signing in need: a telephone, and accounts whose password is known."""

import pytest

from portal.core.access import Platform
from portal.identity import passwords
from tests.identity.telephone import Telephone

PASSWORD = "春天的花-2026"
DESK_PASSWORD = "zhe shi yi ju hen chang de hua"


@pytest.fixture
def telephone(app):
    held = app.extensions["portal.sms"]
    yield Telephone(app)
    app.extensions["portal.sms"] = held


@pytest.fixture(scope="session")
def resident_hash():
    return passwords.hashed(PASSWORD, Platform.RESIDENT)


@pytest.fixture(scope="session")
def desk_hash():
    return passwords.hashed(DESK_PASSWORD, Platform.DESK)


@pytest.fixture
def resident(make, resident_hash):
    return make.resident(make.person(), phone="13812345678", password_hash=resident_hash)


@pytest.fixture
def worker(make, desk_hash):
    return make.worker(password_hash=desk_hash)
