"""Files people send: what leaves is a picture and nothing else; a code survives paper, hand and telephone."""

import io
import struct
import zipfile
import zlib
from xml.etree import ElementTree as ET

import pytest
import segno
from markupsafe import Markup
from PIL import ExifTags, Image, ImageDraw, ImageFilter

from portal.core import files
from portal.core.files import BadFile, FileFault

TICKET = "https://portal.example/pickup/7K3M9Q"


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def decoded(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def photograph_with_place() -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Phone of Zhang"
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.IFD.GPSInfo] = {1: "N", 2: (31.0, 18.0, 0.0), 3: "E", 4: (120.0, 35.0, 0.0)}
    return encoded(Image.new("RGB", (400, 200), "green"), "JPEG", exif=exif, comment=b"home of Zhang")


def png_that_claims(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">L", len(body)) + kind + body + struct.pack(">L", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">2L5B", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")


def qr_photograph(text: str, *, turned: float = 0, blur: float = 0) -> Image.Image:
    out = io.BytesIO()
    segno.make(text, error="m").save(out, kind="png", scale=8, border=6)
    return (
        decoded(out.getvalue())
        .convert("L")
        .rotate(turned, expand=True, fillcolor=255)
        .filter(ImageFilter.GaussianBlur(blur))
    )


def fault_of(data: bytes) -> FileFault:
    with pytest.raises(BadFile) as refusal:
        files.clean_image(data)
    return refusal.value.reason


def test_a_photograph_loses_its_place_and_every_other_word() -> None:
    original = photograph_with_place()
    assert decoded(original).getexif().get_ifd(ExifTags.IFD.GPSInfo)
    clean = files.clean_image(original)
    assert not dict(decoded(clean).getexif())
    assert not decoded(clean).getexif().get_ifd(ExifTags.IFD.GPSInfo)
    assert b"Zhang" not in clean
    assert b"Exif" not in clean


def test_a_photograph_taken_sideways_stands_upright() -> None:
    assert decoded(files.clean_image(photograph_with_place())).size == (200, 400)


@pytest.mark.parametrize(("kind", "media_type"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp")])
def test_a_picture_keeps_its_format_and_shrinks_to_the_longest_side(kind: str, media_type: str) -> None:
    clean = files.clean_image(encoded(Image.new("RGB", (600, 300), "red"), kind), max_side=100)
    assert decoded(clean).format == kind
    assert max(decoded(clean).size) == 100
    assert files.image_type(clean) == media_type


@pytest.mark.parametrize(
    ("mode", "kept"), [("RGBA", "RGBA"), ("P", "RGB"), ("L", "RGB"), ("1", "RGB"), ("I;16", "RGB")]
)
def test_a_picture_of_any_mode_is_taken_and_transparency_stays(mode: str, kept: str) -> None:
    clean = files.clean_image(encoded(Image.new(mode, (20, 20)), "PNG"))
    assert decoded(clean).mode == kept


def test_words_hidden_in_a_picture_of_any_kind_are_gone() -> None:
    hidden = b"<x:xmpmeta>Zhang</x:xmpmeta>"
    for kind in ("PNG", "WEBP", "JPEG"):
        original = encoded(Image.new("RGB", (20, 20)), kind, xmp=hidden, icc_profile=b"Zhang" * 40)
        assert b"Zhang" not in files.clean_image(original + b"ftypZhang, a film of two seconds")


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.txt", "hidden")
    return out.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "JPEG"])
@pytest.mark.parametrize(
    "second",
    [zipped(), b"<SCRIPT>alert(1)</SCRIPT>", b"<!DOCTYPE html>", b"<?php phpinfo();", b"%PDF-1.7"],
    ids=["archive", "script", "page", "program", "document"],
)
def test_a_picture_that_is_another_file_too_is_refused(kind: str, second: bytes) -> None:
    assert fault_of(encoded(Image.new("RGB", (20, 20)), kind) + second) is FileFault.UNSAFE


def test_words_of_a_page_among_those_of_a_picture_are_found_too() -> None:
    assert fault_of(encoded(Image.new("RGB", (20, 20)), "JPEG", xmp=b"<script>alert(1)</script>")) is FileFault.UNSAFE


def test_a_picture_too_small_to_matter_is_not_enlarged() -> None:
    assert decoded(files.clean_image(encoded(Image.new("RGB", (3, 2)), "PNG"))).size == (3, 2)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        encoded(Image.new("RGB", (20, 20)), "GIF"),
        encoded(Image.new("RGB", (20, 20)), "BMP"),
        encoded(Image.effect_noise((200, 200), 90), "JPEG")[:300],
        encoded(Image.effect_noise((200, 200), 90), "PNG")[:300],
        b"\x89PNG\r\n\x1a\n" + b"\0" * 50,
    ],
    ids=["nothing", "words", "svg", "gif", "bmp", "half a jpeg", "half a png", "png in name only"],
)
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    assert fault_of(data) is FileFault.NOT_AN_IMAGE


@pytest.mark.parametrize("side", [8_000, 12_000, 60_000])
def test_a_pixel_bomb_is_refused_before_it_is_decoded(side: int) -> None:
    assert fault_of(png_that_claims(side, side)) is FileFault.TOO_MANY_PIXELS


def test_a_file_beyond_20_megabytes_is_refused() -> None:
    assert fault_of(b"\xff\xd8" + b"\0" * files.MAX_FILE_BYTES) is FileFault.TOO_LARGE


def test_the_type_of_what_is_no_picture_is_refused() -> None:
    with pytest.raises(BadFile):
        files.image_type(b"hello")


def test_a_qr_code_is_read_from_a_turned_and_blurred_photograph() -> None:
    photograph = encoded(qr_photograph(TICKET, turned=17, blur=2).convert("RGB"), "JPEG", quality=70)
    assert files.read_qr(photograph) == TICKET


def test_a_qr_code_is_read_from_a_large_sideways_photograph() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 8
    scene = Image.new("RGB", (4000, 3000), "white")
    scene.paste(qr_photograph(TICKET).resize((900, 900)), (1800, 1200))
    assert files.read_qr(encoded(scene, "JPEG", exif=exif)) == TICKET


def test_chinese_in_a_qr_code_is_read() -> None:
    assert files.read_qr(encoded(qr_photograph("春风里社区·15号楼"), "PNG")) == "春风里社区·15号楼"


def test_a_picture_without_a_code_says_nothing() -> None:
    assert files.read_qr(encoded(Image.new("RGB", (300, 300), "white"), "PNG")) is None


def test_a_code_in_what_is_no_picture_is_refused() -> None:
    with pytest.raises(BadFile):
        files.read_qr(b"hello")


def drawn(svg: str, scale: int) -> Image.Image:
    """The squares of the path, painted: what a browser shows."""
    root = ET.fromstring(svg)
    side = int(root.attrib["viewBox"].split()[2])
    picture = Image.new("L", (side * scale, side * scale), 255)
    brush = ImageDraw.Draw(picture)
    for square in root.findall("path")[1].attrib["d"].split("M")[1:]:
        x, y = (int(part) * scale for part in square.split("h")[0].split())
        brush.rectangle((x, y, x + scale - 1, y + scale - 1), fill=0)
    return picture


def test_a_drawn_qr_code_says_what_it_was_given() -> None:
    picture = drawn(files.qr_svg(TICKET, title="取餐码"), 4)
    assert files.read_qr(encoded(picture, "PNG")) == TICKET


def test_a_drawn_qr_code_has_a_name_and_carries_no_style() -> None:
    svg = files.qr_svg("7K3M9Q", title="<取餐码> & 'x'")
    root = ET.fromstring(svg)
    assert isinstance(svg, Markup)
    assert (root.attrib["class"], root.attrib["role"]) == ("qr", "img")
    assert root.findtext("title") == "<取餐码> & 'x'"
    assert "style" not in svg
    assert "width" not in svg
