"""Sealing of fields: AES-256-GCM columns that know their table, and keyed blind indexes for exact look-ups.

A sealed value is 0x01 | key id (2 bytes) | nonce (12) | ciphertext and tag; the associated data is "table|column".
A blind index is 0x01 | HMAC-SHA-256 truncated to 128 bits, under a key of its own that never touches the database.
"""

import hashlib
import hmac
import json
import os
import secrets
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy.types import TypeDecorator

from portal.config import BadConfig

VERSION = b"\x01"


@dataclass(frozen=True)
class Keys:
    """The site's keys: sealing keys by id, the id that seals now, and the blind-index key."""

    sealing: dict[int, bytes]
    current: int
    index: bytes

    def seal(self, text: str, context: str) -> bytes:
        return self.seal_bytes(text.encode(), context)

    def open(self, sealed: bytes, context: str) -> str:
        """Raise cryptography's InvalidTag when the bytes, the key or the column are not the ones that sealed."""
        return self.open_bytes(sealed, context).decode()

    def seal_bytes(self, data: bytes, context: str) -> bytes:
        nonce = os.urandom(12)
        body = AESGCM(self.sealing[self.current]).encrypt(nonce, data, context.encode())
        return VERSION + self.current.to_bytes(2, "big") + nonce + body

    def open_bytes(self, sealed: bytes, context: str) -> bytes:
        key = self.sealing[int.from_bytes(sealed[1:3], "big")]
        return AESGCM(key).decrypt(sealed[3:15], sealed[15:], context.encode())

    def blind(self, kind: str, value: str) -> bytes:
        text = unicodedata.normalize("NFKC", value).strip().upper()
        digest = hmac.new(self.index, f"{kind}|{text}".encode(), hashlib.sha256).digest()
        return VERSION + digest[:16]


class _Holder:
    keys: Keys | None = None
    path: Path | None = None
    seen: tuple[int, int] = (0, 0)


def use(keys: Keys, path: Path | None = None) -> None:
    """Work with these keys; with a `path`, read it again whenever it changes, as a rotation makes it do."""
    _Holder.keys, _Holder.path = keys, path
    _Holder.seen = _version(path) if path else (0, 0)


def keys() -> Keys:
    if _Holder.keys is None:
        raise RuntimeError("no keys loaded: create_app() loads them")
    if _Holder.path is not None and (version := _version(_Holder.path)) != _Holder.seen:
        _Holder.keys, _Holder.seen = load(_Holder.path, create=False), version
    return _Holder.keys


def _version(path: Path) -> tuple[int, int]:
    facts = path.stat()
    return facts.st_ino, facts.st_mtime_ns


def blind(kind: str, value: str) -> bytes:
    return keys().blind(kind, value)


def load(path: Path, *, create: bool) -> Keys:
    """Read the key file; make it (mode 0400) where `create` allows, which production's serve does not."""
    if not path.exists():
        if not create:
            raise BadConfig(f"no key file at {path.name}: run `portal migrate` once to make it, then keep a copy apart")
        first = {"current": 1, "sealing": {"1": secrets.token_hex(32)}, "index": secrets.token_hex(32)}
        write(path, first, over=False)
    data = json.loads(path.read_text())
    return Keys(
        sealing={int(key): bytes.fromhex(value) for key, value in data["sealing"].items()},
        current=int(data["current"]),
        index=bytes.fromhex(data["index"]),
    )


def write(path: Path, data: dict[str, Any], *, over: bool = True) -> None:
    """Whole or not at all; without `over`, of several that make the first file one wins and the others keep it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    with os.fdopen(descriptor, "w") as file:
        json.dump(data, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    if over:
        fresh.replace(path)
        return
    with suppress(FileExistsError):
        path.hardlink_to(fresh)
    fresh.unlink()


def add_key(path: Path) -> int:
    """Add a sealing key and make it the current one; return its id. Older keys stay until nothing uses them."""
    data = json.loads(path.read_text())
    fresh = max(int(key) for key in data["sealing"]) + 1
    data["sealing"][str(fresh)] = secrets.token_hex(32)
    data["current"] = fresh
    write(path, data)
    return fresh


def drop_keys(path: Path, keep: int) -> None:
    data = json.loads(path.read_text())
    data["sealing"] = {str(keep): data["sealing"][str(keep)]}
    write(path, data)


class Sealed(TypeDecorator[str]):
    """Text sealed at rest. `context` is "table|column", so that a value cannot be moved to another column."""

    impl = sa.LargeBinary
    cache_ok = True

    def __init__(self, context: str) -> None:
        super().__init__()
        self.context = context

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> bytes | None:
        return None if value is None else keys().seal(value, self.context)

    def process_result_value(self, value: bytes | None, dialect: sa.Dialect) -> str | None:
        return None if value is None else keys().open(bytes(value), self.context)
