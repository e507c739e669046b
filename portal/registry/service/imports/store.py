"""The uploaded files: sealed, readable by us alone, in one folder of the instance.

Beside each file stand its rows as they were read, in sealed chunks: reading a workbook safely is slow, and the check,
which may begin several times, needs no more than a chunk of them in memory.
"""

import json
import os
import zlib
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from portal.core.sealing import keys
from portal.registry.service.imports.columns import Table

CHUNK = 500
FILE, ROWS = "import_batch|file", "import_batch|rows"
LENGTH_BYTES = 4
Chunk = tuple[list[int], list[list[str]]]


def keep(folder: Path, public_id: str, data: bytes, table: Table) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(folder / public_id, [keys().seal_bytes(data, FILE)])
    _write(_rows_of(folder, public_id), _packed(table))


def _rows_of(folder: Path, public_id: str) -> Path:
    return folder / f"{public_id}.rows"


def _packed(table: Table) -> Iterator[bytes]:
    for start in range(0, len(table.rows), CHUNK):
        chunk = [table.numbers[start : start + CHUNK], table.rows[start : start + CHUNK]]
        sealed = keys().seal_bytes(zlib.compress(json.dumps(chunk, ensure_ascii=False).encode(), 1), ROWS)
        yield len(sealed).to_bytes(LENGTH_BYTES, "big") + sealed


def _write(path: Path, parts: Iterable[bytes]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.writelines(parts)
        file.flush()
        os.fsync(file.fileno())


def chunks(folder: Path, public_id: str) -> Iterator[Chunk]:
    """Numbers and cells of the rows, CHUNK at a time. Raise FileNotFoundError once the file, or its key, is gone."""
    with _rows_of(folder, public_id).open("rb") as file:
        while length := file.read(LENGTH_BYTES):
            numbers, rows = json.loads(zlib.decompress(_opened(file.read(int.from_bytes(length, "big")))))
            yield numbers, rows


def _opened(sealed: bytes) -> bytes:
    try:
        return keys().open_bytes(sealed, ROWS)
    except KeyError:
        raise FileNotFoundError("sealed under a key that was rotated away") from None


def drop(folder: Path, public_id: str) -> None:
    for path in (folder / public_id, _rows_of(folder, public_id)):
        path.unlink(missing_ok=True)


def orphans(folder: Path, known: Collection[str], *, older_than: float) -> list[str]:
    """Public ids that no batch has, their files last written before a POSIX time: uploads that failed."""
    if not folder.is_dir():
        return []
    files = [path for path in folder.iterdir() if path.is_file() and path.stem not in known]
    return sorted({path.stem for path in files if path.stat().st_mtime < older_than})
