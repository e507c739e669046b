"""Papers of topics as files: pictures are made anew, PDF files are looked at and handed out as attachments only."""

from dataclasses import dataclass

from flask_babel import gettext as _

from portal.core import files
from portal.core.errors import Refused

PDF = "application/pdf"
MOST_BYTES = 10 * 1024 * 1024
SIDE = 2000
# What a paper to be read needs no more than a drawing does: programs, other files, starting something.
ACTIVE = (b"/JavaScript", b"/JS ", b"/JS(", b"/Launch", b"/EmbeddedFile", b"/RichMedia", b"/XFA")


@dataclass(frozen=True)
class Paper:
    """A file that is fit to be published."""

    media: str
    content: bytes


def checked(data: bytes) -> Paper:
    """A picture without its place and time, or a PDF file; refused in words else. Decode before any query."""
    if not data:
        raise Refused(_("请选一个文件：图片或 PDF。"), field="file")
    if data.startswith(b"%PDF-"):
        return _pdf(data)
    try:
        picture = files.clean_image(data, max_side=SIDE)
    except files.BadFile as bad:
        words = _("这个文件不能用：%(why)s 也可以传 PDF。", why=bad.sentence)
        raise Refused(words, field="file") from None
    return Paper(files.image_type(picture), picture)


def _pdf(data: bytes) -> Paper:
    if len(data) > MOST_BYTES:
        raise Refused(_("PDF 太大，最多 10 MB。请压缩，或者分成几份。"), field="file")
    if b"%%EOF" not in data[-2048:]:
        raise Refused(_("这份 PDF 不完整，请重新导出再传。"), field="file")
    if any(word in data for word in ACTIVE):
        raise Refused(_("这份 PDF 里带有程序或别的文件，请另存为普通 PDF 再传。"), field="file")
    return Paper(PDF, data)
