"""Files people send: pictures are made anew, QR codes read and drawn, what is unfit refused in words."""

import io
from enum import StrEnum

import segno
import zxingcpp
from flask_babel import gettext as _
from markupsafe import Markup
from PIL import Image, ImageOps, UnidentifiedImageError

MAX_FILE_BYTES = 20 * 1024 * 1024
# A telephone's 50-megapixel photograph is let in; beyond it a small file may unpack to gigabytes.
MAX_PIXELS = 52_000_000
QR_SIDES = (1600, 800)
QUIET_ZONE = 4
# What makes a file a picture to one program and an archive, a document or a page to another. A film that a telephone
# hangs on its photograph is none of these.
ARCHIVE_ENDS, ARCHIVE_END_SOUGHT = b"PK\x05\x06", 65_557
DOCUMENT_BEGINS, DOCUMENT_BEGIN_SOUGHT = b"%pdf-", 1024
PAGE_SAYS = (b"<script", b"<html", b"<!doctype", b"<?php", b"<svg")
QR_ONLY = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode])
MEDIA_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}


class FileFault(StrEnum):
    TOO_LARGE = "too_large"
    EMPTY = "empty"
    DAMAGED = "damaged"
    UNSAFE = "unsafe"
    DECLARES_A_TYPE = "declares_a_type"
    NOT_COMPUTED = "not_computed"
    POINTS_ELSEWHERE = "points_elsewhere"
    ENCRYPTED = "encrypted"
    OLD_FORMAT = "old_format"
    NOT_A_WORKBOOK = "not_a_workbook"
    NO_SUCH_SHEET = "no_such_sheet"
    NO_HEADER = "no_header"
    TOO_MANY_PARTS = "too_many_parts"
    TOO_MANY_ROWS = "too_many_rows"
    TOO_MANY_COLUMNS = "too_many_columns"
    TOO_MANY_CELLS = "too_many_cells"
    NOT_AN_IMAGE = "not_an_image"
    TOO_MANY_PIXELS = "too_many_pixels"


class BadFile(ValueError):
    """A file that is not taken; `str()` is the sentence a person reads, `reason` is for programs."""

    def __init__(self, reason: FileFault, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.sentence = sentence


def clean_image(data: bytes, *, max_side: int = 2000) -> bytes:
    """The picture anew in its own format, upright, at most `max_side` pixels long, without EXIF."""
    picture = _decode(data, max_side)
    kind = "PNG" if data.startswith(b"\x89PNG") else "WEBP" if data.startswith(b"RIFF") else "JPEG"
    clean = picture.convert("RGBA" if picture.has_transparency_data and kind != "JPEG" else "RGB")
    clean.info.clear()
    out = io.BytesIO()
    clean.save(out, kind, **({"optimize": True} if kind == "PNG" else {"quality": 85}))
    return out.getvalue()


def image_type(data: bytes) -> str:
    """The media type of a picture that clean_image() made."""
    try:
        with Image.open(io.BytesIO(data), formats=list(MEDIA_TYPES)) as picture:
            return MEDIA_TYPES[str(picture.format)]
    except (UnidentifiedImageError, OSError):
        raise _not_an_image() from None


def read_qr(data: bytes) -> str | None:
    """What the first legible QR code in a photograph says; raises BadFile for what is no picture."""
    photograph = _decode(data, max(QR_SIDES)).convert("L")
    for side in QR_SIDES:
        photograph.thumbnail((side, side))
        for code in zxingcpp.read_barcodes(photograph, formats=QR_ONLY):
            if code.text:
                return code.text
    return None


def qr_svg(text: str, *, title: str) -> Markup:
    """A QR code to stand inside a page, sized by its class `qr`; `title` names it to who cannot see it."""
    matrix = segno.make(text, error="m", micro=False).matrix
    side = len(matrix) + 2 * QUIET_ZONE
    path = "".join(
        f"M{x} {y}h1v1h-1z"
        for y, line in enumerate(matrix, start=QUIET_ZONE)
        for x, dark in enumerate(line, start=QUIET_ZONE)
        if dark
    )
    return Markup(
        '<svg class="qr" role="img" viewBox="0 0 {side} {side}" shape-rendering="crispEdges">'
        "<title>{title}</title>"
        '<path fill="#fff" d="M0 0h{side}v{side}H0z"/><path fill="#000" d="{path}"/></svg>'
    ).format(side=side, title=title, path=path)


def _decode(data: bytes, side: int) -> Image.Image:
    """The first frame, upright, at most `side` pixels long; the size is checked before a pixel is decoded."""
    if len(data) > MAX_FILE_BYTES:
        raise BadFile(FileFault.TOO_LARGE, _("文件太大，最多 20 MB。"))
    try:
        with Image.open(io.BytesIO(data), formats=list(MEDIA_TYPES)) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise _too_many_pixels()
            picture.draft("RGB", (side, side))
            picture.load()
            upright = ImageOps.exif_transpose(picture)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_many_pixels() from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError) as fault:
        raise fault if isinstance(fault, BadFile) else _not_an_image() from None
    if _is_two_files(data):
        raise BadFile(FileFault.UNSAFE, _("这张图片里夹着别的文件，没有接收。请重新拍一张，或者截图以后再传。"))
    upright.thumbnail((side, side))
    return upright


def _is_two_files(data: bytes) -> bool:
    said = data.lower()
    return (
        ARCHIVE_ENDS in data[-ARCHIVE_END_SOUGHT:]
        or DOCUMENT_BEGINS in said[:DOCUMENT_BEGIN_SOUGHT]
        or any(word in said for word in PAGE_SAYS)
    )


def _not_an_image() -> BadFile:
    return BadFile(FileFault.NOT_AN_IMAGE, _("这不是能打开的图片，请换一张 JPG、PNG 或 WebP 图片。"))


def _too_many_pixels() -> BadFile:
    return BadFile(FileFault.TOO_MANY_PIXELS, _("图片的尺寸太大，请缩小后再上传。"))
