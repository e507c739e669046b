"""Passwords: Argon2id, with a bound on how many are hashed at once, and a list of what everybody guesses."""

import secrets
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type, hash_secret_raw
from flask_babel import gettext as _

from portal.core.access import Platform
from portal.core.errors import Refused, TooMany
from portal.core.ids import CODE_ALPHABET

# OWASP's floor for residents, more for the desk: memory in KiB, passes, lanes.
HASHERS = {
    Platform.RESIDENT: PasswordHasher(memory_cost=19456, time_cost=2, parallelism=1),
    Platform.DESK: PasswordHasher(memory_cost=65536, time_cost=3, parallelism=4),
}
LEAST = {Platform.RESIDENT: 8, Platform.DESK: 15}
MOST = 128
AT_ONCE = 4
WAIT_SECONDS = 5.0
GUESSED = frozenset(
    [
        "12345678",
        "123456789",
        "1234567890",
        "0123456789",
        "87654321",
        "11111111",
        "00000000",
        "88888888",
        "66666666",
        "password",
        "password1",
        "passw0rd",
        "qwertyui",
        "qwerty123",
        "1qaz2wsx",
        "iloveyou",
        "woaini1314",
        "woaini520",
        "5201314520",
        "a1234567",
        "a12345678",
        "abc12345",
        "abcd1234",
        "aa123456",
        "asdfghjk",
        "zxcvbnm1",
        "12341234",
        "11223344",
        "12344321",
        "147258369",
        "159357159",
        "admin123",
        "admin888",
        "123456789012345",
        "111111111111111",
        "administrator1",
        "passwordpassword",
        "qwertyuiopasdfg",
    ]
)
_slots = threading.BoundedSemaphore(AT_ONCE)
_DUMMY: dict[Platform, str] = {}


@contextmanager
def _slot() -> Iterator[None]:
    """One of the few places to hash; without the bound, signing in would itself be the denial of service."""
    if not _slots.acquire(timeout=WAIT_SECONDS):
        raise TooMany(int(WAIT_SECONDS))
    try:
        yield
    finally:
        _slots.release()


def check_new(password: str, platform: Platform) -> None:
    """Refuse a password that is too short, too long, or on everybody's list. No classes of characters are asked."""
    least = LEAST[platform]
    if len(password) < least:
        raise Refused(_("密码至少 %(least)d 个字符", least=least), field="password")
    if len(password) > MOST:
        raise Refused(_("密码最多 %(most)d 个字符", most=MOST), field="password")
    if password.lower() in GUESSED or len(set(password)) < 4:
        raise Refused(_("这个密码太容易被猜到，请换一个"), field="password")


def generated() -> str:
    """A first password to be read out or copied by hand: 79 random bits in four groups of four."""
    return "-".join("".join(secrets.choice(CODE_ALPHABET) for _sign in range(4)) for _group in range(4))


def hashed(password: str, platform: Platform) -> str:
    with _slot():
        return HASHERS[platform].hash(password)


def matches(password: str, stored: str | None, platform: Platform) -> bool:
    """Whether the password is the stored one. Without a stored hash a dummy is verified, so the time is the same."""
    with _slot():
        # Asked for every time, so that the first unknown name of a process is not the slow one.
        dummy = _dummy(platform)
        try:
            return HASHERS[platform].verify(stored or dummy, password) and stored is not None
        except (VerificationError, InvalidHashError):
            return False


def derived(words: Sequence[str], salt: str) -> list[str]:
    """Random words hashed under one salt, slowly but so that they can be looked up."""
    with _slot():
        return [
            hash_secret_raw(
                word.encode(),
                bytes.fromhex(salt),
                time_cost=2,
                memory_cost=19456,
                parallelism=1,
                hash_len=32,
                type=Type.ID,
            ).hex()
            for word in words
        ]


def _dummy(platform: Platform) -> str:
    if platform not in _DUMMY:
        _DUMMY[platform] = HASHERS[platform].hash("nobody has this password")
    return _DUMMY[platform]


def is_outdated(stored: str, platform: Platform) -> bool:
    return HASHERS[platform].check_needs_rehash(stored)
