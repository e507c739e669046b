"""Static files under hashed names, compressed ahead of time, so that browsers may keep them for ever."""

import gzip
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import brotli
from whitenoise import WhiteNoise

TEXT = {".css", ".js", ".svg", ".json", ".webmanifest", ".html"}
SKIP = {"vendor.json"}
# A package's own files, when the folder stands inside a wheel, and the font of printed papers: nobody's to fetch.
UNSERVED = {".py", ".pyc", ".otf"}


@dataclass(frozen=True)
class Statics:
    """The built files: `names` maps "resident.css" to its hashed name."""

    root: Path
    names: dict[str, str]

    def url(self, name: str) -> str:
        """The address of a file under static/; a KeyError for a file that is not there."""
        return f"/static/{self.names[name]}"


def _sources(source: Path) -> dict[str, Path]:
    files = (path for path in source.rglob("*") if path.is_file() and path.name not in SKIP)
    named = {path.relative_to(source).as_posix(): path for path in sorted(files)}
    return {name: path for name, path in named.items() if path.suffix not in UNSERVED}


def build(source: Path, target: Path) -> Statics:
    """Copy each file of `source` to `target` under a name that holds its content's hash, compressed beside it.

    Files of earlier versions stay, so that a page loaded before an upgrade still finds its own; a proxy may serve
    the folder as it stands. Hashed names inside style sheets are not rewritten: ours refer to no other file.
    """
    names = {}
    for name, path in _sources(source).items():
        body = path.read_bytes()
        names[name] = _hashed(name, hashlib.sha256(body).hexdigest()[:12])
        if not (target / names[name]).exists():
            _write(target / names[name], body)
    return Statics(target, names)


def _hashed(name: str, digest: str) -> str:
    stem, dot, ending = name.rpartition(".")
    return f"{stem}.{digest}{dot}{ending}" if dot else f"{name}.{digest}"


def _write(path: Path, body: bytes) -> None:
    """Write the compressed files first: where the plain one stands, all do."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix in TEXT:
        _put(path.with_name(path.name + ".gz"), gzip.compress(body, 9, mtime=0))
        _put(path.with_name(path.name + ".br"), brotli.compress(body, quality=11))
    _put(path, body)


def _put(path: Path, body: bytes) -> None:
    """Whole or not at all, though two processes start at the same moment."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_bytes(body)
    fresh.replace(path)


def served(application: Callable[..., Any], statics: Statics) -> WhiteNoise:
    """Put the built files in front of a WSGI application."""
    front = WhiteNoise(application, immutable_file_test=lambda _path, _url: True, charset="utf-8")
    front.add_files(str(statics.root), prefix="static/")
    return front
