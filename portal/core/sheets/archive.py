"""Workbooks as archives: every byte the spreadsheet reader will see is inflated, checked and repacked first.

The copy, not the original, goes to the reader. So it does not matter how two zip libraries differ over a
crafted directory, and a part that nobody checked (a macro, a picture, a lying size) is simply not there.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from xml.parsers import expat

from flask_babel import gettext as _

from portal.core.files import BadFile, FileFault
from portal.core.sheets.limits import DEFAULT, Limits, damaged, encrypted, not_a_workbook, too_large, unsafe
from portal.core.sheets.parts import PartCheck

CHUNK = 256 * 1024
# End of the central directory: signature, disks and counts, size, offset, length of the comment.
END = struct.Struct("<4s8sLLH")
ZIP64_LOCATOR = b"PK\x06\x07"
DIRECTORY_BYTES_PER_MEMBER = 512
WORKBOOK, DOCUMENT = "xl/workbook.xml", "word/document.xml"
READ = (".xml", ".rels")
STRINGS = "xl/sharedstrings.xml"
# What zipfile and expat raise over an archive that is broken or was made to break them.
CRAFTED = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    expat.ExpatError,
    EOFError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
)


def checked_copy(data: bytes, limits: Limits = DEFAULT) -> io.BytesIO:
    """The XML parts of a workbook in a new archive; raises BadFile before the limits are passed."""
    try:
        return _repack(_opened(data, limits, WORKBOOK), limits)
    except BadFile:
        raise
    except CRAFTED:
        raise damaged() from None


def checked_document(data: bytes, limits: Limits) -> io.BytesIO:
    """The parts of a text document (.docx) in a new archive, its pictures too; what holds a program is refused."""
    try:
        return _copied(_opened(data, limits, DOCUMENT), limits)
    except BadFile:
        raise
    except CRAFTED:
        raise damaged() from None


def _copied(archive: zipfile.ZipFile, limits: Limits) -> io.BytesIO:
    allowance, copy = limits.unpacked_bytes, io.BytesIO()
    with zipfile.ZipFile(copy, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as clean:
        for part in archive.infolist():
            if _folded(part.filename).endswith(".bin"):
                raise unsafe()
            check = PartCheck(limits, [], tabular=False) if _folded(part.filename).endswith(READ) else None
            with clean.open(part.filename, "w") as out:
                for chunk in _inflated(archive, part, allowance):
                    allowance -= len(chunk)
                    if check:
                        check.feed(chunk)
                    out.write(chunk)
            if check:
                check.close()
    copy.seek(0)
    return copy


def _opened(data: bytes, limits: Limits, main: str) -> zipfile.ZipFile:
    """The archive, its directory checked for size before Python builds an object for each entry."""
    if len(data) < END.size:
        raise damaged()
    signature, _counts, directory_bytes, _offset, _comment = END.unpack(data[-END.size :])
    if signature != b"PK\x05\x06" or data[-42:-38] == ZIP64_LOCATOR:
        raise damaged()
    if directory_bytes > limits.members * DIRECTORY_BYTES_PER_MEMBER:
        raise _too_many_parts()
    archive = zipfile.ZipFile(io.BytesIO(data))
    members = archive.infolist()
    if len(members) > limits.members:
        raise _too_many_parts()
    _check_names([member.filename for member in members], main)
    if any(member.flag_bits & 1 for member in members):
        raise encrypted()
    if sum(member.file_size for member in members) > limits.unpacked_bytes:
        raise too_large()
    return archive


def _check_names(names: list[str], main: str) -> None:
    folded = [_folded(name) for name in names]
    if any(".." in name.split("/") or name.startswith("/") or ":" in name for name in folded):
        raise unsafe()
    if len(set(folded)) < len(folded):
        raise damaged()
    if main not in folded:
        raise not_a_workbook()


def _folded(name: str) -> str:
    """A member's name as the reader looks it up: it minds neither case nor the direction of a slash."""
    return name.replace("\\", "/").casefold()


def _repack(archive: zipfile.ZipFile, limits: Limits) -> io.BytesIO:
    parts = [part for part in archive.infolist() if _folded(part.filename).endswith(READ)]
    # The shared strings come first: whether a cell's text fits the limits depends on the string it points to.
    parts.sort(key=lambda part: _folded(part.filename) != STRINGS)
    strings: list[int] = []
    allowance = limits.unpacked_bytes
    copy = io.BytesIO()
    with zipfile.ZipFile(copy, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as clean:
        for part in parts:
            check = PartCheck(limits, strings, defines_strings=_folded(part.filename) == STRINGS)
            with clean.open(part.filename, "w") as out:
                for chunk in _inflated(archive, part, allowance):
                    allowance -= len(chunk)
                    check.feed(chunk)
                    out.write(chunk)
            check.close()
    copy.seek(0)
    return copy


def _inflated(archive: zipfile.ZipFile, part: zipfile.ZipInfo, allowance: int) -> Iterator[bytes]:
    if part.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise damaged()
    declared, read = part.file_size, 0
    # zipfile stops at the declared size, and so would hide what a lying directory leaves behind it.
    part.file_size = allowance + 2 * CHUNK
    with archive.open(part) as stream:
        while chunk := stream.read(CHUNK):
            read += len(chunk)
            if read > allowance:
                raise too_large()
            yield chunk
    if read != declared:
        raise damaged()


def _too_many_parts() -> BadFile:
    return BadFile(FileFault.TOO_MANY_PARTS, _("文件里的部件太多，不像普通的表格，没有接收。"))
