"""What the environment fixes at start, checked: a wrong or missing value stops the start with a sentence."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def _resource(name: str) -> Path:
    """A top-level folder of the checkout, or the same folder inside an installed wheel."""
    inside = PACKAGE / name
    return inside if inside.is_dir() else PACKAGE.parent / name


class BadConfig(Exception):
    """The environment asks for something that cannot be, or leaves out what production needs."""


class Mode(StrEnum):
    DEMO = "demo"
    PRODUCTION = "production"
    TEST = "test"


@dataclass(frozen=True)
class Config:
    mode: Mode
    instance: Path
    database_url: str
    jobs_url: str
    secret_key: str
    secret_key_fallbacks: tuple[str, ...]
    public_url: str
    trusted_hosts: tuple[str, ...]
    proxies: int
    site_name: str
    worker_totp: bool
    allow_test_region: bool
    sms_url: str
    sms_token: str
    notify_allow: tuple[str, ...]
    threads: int
    log_format: str
    templates: Path = field(default_factory=lambda: _resource("templates"))
    static: Path = field(default_factory=lambda: _resource("static"))
    translations: Path = field(default_factory=lambda: _resource("translations"))

    @property
    def production(self) -> bool:
        return self.mode is Mode.PRODUCTION

    @property
    def sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")

    @property
    def keys_file(self) -> Path:
        return self.instance / "keys.json"


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _database_url(env: Mapping[str, str], instance: Path) -> str:
    url = env.get("DATABASE_URL", "") or f"sqlite:///{instance / 'portal.db'}"
    for short in ("postgres://", "postgresql://"):
        if url.startswith(short):
            return "postgresql+psycopg://" + url.removeprefix(short)
    if not url.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise BadConfig("DATABASE_URL must begin with sqlite:/// or postgresql://")
    return url


def _secret(env: Mapping[str, str], mode: Mode) -> str:
    secret = env.get("SECRET_KEY", "")
    if mode is Mode.PRODUCTION and len(secret) < 32:
        raise BadConfig("production needs SECRET_KEY with at least 32 characters")
    return secret or "demonstration-only-" + "x" * 32


def _choice(env: Mapping[str, str], name: str, words: tuple[str, str], mode: Mode) -> str:
    """One of two words: left out, the first in production and the second elsewhere. A slip of the pen is refused."""
    word = env.get(name, "") or words[mode is not Mode.PRODUCTION]
    if word not in words:
        raise BadConfig(f"{name} is {' or '.join(words)}")
    return word


def _count(env: Mapping[str, str], name: str, default: int) -> int:
    word = env.get(name, "") or str(default)
    if not (word.isascii() and word.isdigit()):
        raise BadConfig(f"{name} is a whole number")
    return int(word)


def load(env: Mapping[str, str] | None = None) -> Config:
    """Read the environment (or a mapping standing in for it); raise BadConfig in words an operator can act on."""
    env = os.environ if env is None else env
    try:
        mode = Mode(env.get("PORTAL_MODE", "production"))
    except ValueError:
        raise BadConfig("PORTAL_MODE is production, demo or test") from None
    instance = Path(env.get("PORTAL_INSTANCE", "instance")).resolve()
    public_url = env.get("PUBLIC_URL", "").rstrip("/")
    if mode is Mode.PRODUCTION and not public_url.startswith("https://"):
        raise BadConfig("production needs PUBLIC_URL, beginning with https://")
    trusted = _words(env.get("TRUSTED_HOSTS", ""))
    if mode is Mode.PRODUCTION and not trusted:
        raise BadConfig("production needs TRUSTED_HOSTS, the host names this portal answers to")
    return Config(
        mode=mode,
        instance=instance,
        database_url=_database_url(env, instance),
        jobs_url=env.get("JOBS_URL", "") or f"sqlite:///{instance / 'jobs.db'}",
        secret_key=_secret(env, mode),
        secret_key_fallbacks=_words(env.get("SECRET_KEY_FALLBACKS", "")),
        public_url=public_url or f"http://127.0.0.1:{env.get('PORT') or 8000}",
        trusted_hosts=trusted,
        proxies=_count(env, "PROXIES", 0),
        site_name=env.get("SITE_NAME", "社区服务"),
        worker_totp=_choice(env, "WORKER_TOTP", ("required", "offered"), mode) == "required",
        allow_test_region=mode is not Mode.PRODUCTION,
        sms_url=env.get("SMS_URL", ""),
        sms_token=env.get("SMS_TOKEN", ""),
        notify_allow=_words(env.get("NOTIFY_ALLOW", "")),
        threads=_count(env, "THREADS", 8),
        log_format=_choice(env, "LOG_FORMAT", ("json", "plain"), mode),
    )
