"""Static files under hashed names, compressed ahead of time, so that browsers may keep them for ever."""

import gzip
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import brotli
from whitenoise import WhiteNoise

TEXT = {".css", ".js", ".svg", ".json", ".webmanifest", ".html"}
SKIP = {"vendor.json"}


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
    return {path.relative_to(source).as_posix(): path for path in sorted(files)}


def build(source: Path, target: Path) -> Statics:
    """Copy `source` into a folder of `target` named by the content, hashed and compressed; reuse it if it stands.

    Hashed names inside style sheets are not rewritten: style sheets of ours refer to no other file.
    """
    contents = {name: path.read_bytes() for name, path in _sources(source).items()}
    digests = {name: hashlib.sha256(body).hexdigest()[:12] for name, body in contents.items()}
    root = target / hashlib.sha256(json.dumps(digests, sort_keys=True).encode()).hexdigest()[:16]
    names = {name: _hashed(name, digest) for name, digest in digests.items()}
    if not root.is_dir():
        _write(root, {names[name]: body for name, body in contents.items()})
    return Statics(root, names)


def _hashed(name: str, digest: str) -> str:
    stem, dot, ending = name.rpartition(".")
    return f"{stem}.{digest}{dot}{ending}" if dot else f"{name}.{digest}"


def _write(root: Path, files: dict[str, bytes]) -> None:
    fresh = root.with_name(f"{root.name}.{os.getpid()}.new")
    for name, body in files.items():
        path = fresh / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        if path.suffix in TEXT:
            path.with_name(path.name + ".gz").write_bytes(gzip.compress(body, 9, mtime=0))
            path.with_name(path.name + ".br").write_bytes(brotli.compress(body, quality=11))
    fresh.mkdir(parents=True, exist_ok=True)
    try:
        fresh.rename(root)
    except OSError:
        # Another process starting at the same moment was first; its files are the same.
        shutil.rmtree(fresh)


def served(application: Callable[..., Any], statics: Statics) -> WhiteNoise:
    """Put the built files in front of a WSGI application."""
    front = WhiteNoise(application, immutable_file_test=lambda _path, _url: True, charset="utf-8")
    front.add_files(str(statics.root), prefix="static/")
    return front
