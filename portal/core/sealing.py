"""Sealing of fields: AES-256-GCM columns that know their table, and keyed blind indexes for exact look-ups.

A sealed value is 0x01 | key id (2 bytes) | nonce (12) | ciphertext and tag; the associated data is "table|column".
A blind index is its key's version (1 byte) | HMAC-SHA-256 truncated to 128 bits, under a key of its own that never
touches the database. While that key is rotated, the indexes of older versions are asked for too.
"""

import hashlib
import hmac
import json
import os
import secrets
import unicodedata
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy.sql import operators
from sqlalchemy.types import TypeDecorator

from portal.config import BadConfig

VERSION = b"\x01"


class BlindIndex(bytes):
    """A blind index as it is stored now; `older` are the same value's under keys that are being rotated away."""

    older: tuple[bytes, ...] = ()

    def fits(self, stored: bytes | None) -> bool:
        """Whether a stored index is of this value, under whichever key."""
        return stored is not None and (stored == self or stored in self.older)


@dataclass(frozen=True)
class Keys:
    """The site's keys: sealing keys by id, the id that seals now, and the blind-index key with its version.

    `older_indexes` are blind-index keys by version, until a rotation has recomputed what stands under them.
    """

    sealing: dict[int, bytes]
    current: int
    index: bytes
    index_version: int = 1
    older_indexes: dict[int, bytes] = field(default_factory=dict)

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

    def blind(self, kind: str, value: str) -> BlindIndex:
        text = f"{kind}|{unicodedata.normalize('NFKC', value).strip().upper()}".encode()
        index = BlindIndex(_blinded(self.index_version, self.index, text))
        if self.older_indexes:
            index.older = tuple(_blinded(version, key, text) for version, key in self.older_indexes.items())
        return index


def _blinded(version: int, key: bytes, text: bytes) -> bytes:
    return version.to_bytes(1, "big") + hmac.new(key, text, hashlib.sha256).digest()[:16]


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


def blind(kind: str, value: str) -> BlindIndex:
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
        index_version=int(data.get("index_version", 1)),
        older_indexes={int(key): bytes.fromhex(value) for key, value in data.get("older_indexes", {}).items()},
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


def add_index_key(path: Path) -> int:
    """Add a blind-index key and make it the current one; return its version. The older stays until nothing uses it."""
    data = json.loads(path.read_text())
    version = int(data.get("index_version", 1))
    data["older_indexes"] = {**data.get("older_indexes", {}), str(version): data["index"]}
    data["index"], data["index_version"] = secrets.token_hex(32), version % 255 + 1
    write(path, data)
    return int(data["index_version"])


def drop_index_keys(path: Path) -> None:
    data = json.loads(path.read_text())
    data["older_indexes"] = {}
    write(path, data)


class Blind(sa.LargeBinary):
    """A blind index: of which kind, and of which sealed column of its table (or of that column's last signs).

    Compared with what blind() gave, it is asked for under every key there is. So declared, it is found by a rotation.
    """

    def __init__(self, kind: str, of: str, last: int = 0) -> None:
        super().__init__(17)
        self.kind, self.of, self.last = kind, of, last

    def index(self, keys: Keys, value: str) -> BlindIndex:
        return keys.blind(self.kind, value[-self.last :] if self.last else value)

    class Comparator(sa.LargeBinary.Comparator[bytes]):
        def operate(self, op: Any, *other: Any, **more: Any) -> Any:
            if op is operators.eq and isinstance(other[0], BlindIndex) and other[0].older:
                op, other = operators.in_op, ([other[0], *other[0].older],)
            elif op is operators.in_op and isinstance(other[0], list | tuple | set | frozenset):
                other = ([one for index in other[0] for one in (index, *getattr(index, "older", ()))],)
            return super().operate(op, *other, **more)

    comparator_factory = Comparator


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
