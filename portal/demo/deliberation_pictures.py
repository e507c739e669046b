"""Drawn pictures of what was carried out: a door with steps and with a ramp, a canteen before and after."""

import io
from collections.abc import Callable

from PIL import Image, ImageDraw

WIDTH, HEIGHT = 480, 320
Pen = ImageDraw.ImageDraw


def _saved(draw: Callable[[Pen], None], sky: tuple[int, int, int]) -> bytes:
    image = Image.new("RGB", (WIDTH, HEIGHT), sky)
    draw(ImageDraw.Draw(image))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=80)
    return out.getvalue()


def _door(pen: Pen, wall: tuple[int, int, int]) -> None:
    """The front of a house with its door, above four steps."""
    pen.rectangle((0, 0, WIDTH, 250), fill=wall)
    for row in range(0, 250, 25):
        pen.line((0, row, WIDTH, row), fill=tuple(max(part - 12, 0) for part in wall), width=1)
    pen.rectangle((60, 40, 180, 120), fill=(150, 178, 196), outline=(90, 90, 90), width=4)
    pen.line((120, 40, 120, 120), fill=(90, 90, 90), width=4)
    pen.rectangle((240, 50, 350, 210), fill=(70, 92, 84), outline=(50, 50, 50), width=5)
    pen.rectangle((262, 72, 328, 130), fill=(170, 196, 205))
    pen.ellipse((330, 138, 340, 148), fill=(220, 200, 120))
    pen.rectangle((0, 250, WIDTH, HEIGHT), fill=(128, 128, 124))


def steps() -> bytes:
    """As it was: four worn steps, no rail."""

    def draw(pen: Pen) -> None:
        _door(pen, (176, 160, 142))
        for turn in range(4):
            pen.rectangle(
                (226 - turn * 10, 210 + turn * 16, 366 + turn * 10, 226 + turn * 16),
                fill=(150 - turn * 8, 148 - turn * 8, 142 - turn * 8),
                outline=(90, 88, 84),
            )
        pen.line((250, 236, 276, 262), fill=(70, 68, 66), width=3)
        pen.line((330, 216, 350, 240), fill=(70, 68, 66), width=3)

    return _saved(draw, (150, 150, 150))


def ramp() -> bytes:
    """As it is: a long ramp with rails on both sides, the steps mended beside it."""

    def draw(pen: Pen) -> None:
        _door(pen, (214, 196, 172))
        pen.polygon(((236, 210), (352, 210), (352, 232), (96, 290), (20, 290), (20, 278)), fill=(196, 196, 190))
        for turn in range(4):
            pen.rectangle(
                (352, 210 + turn * 18, 400 + turn * 12, 228 + turn * 18), fill=(206, 204, 198), outline=(140, 138, 134)
            )
        for high in (26, 44):
            pen.line((24, 278 - high, 236, 210 - high), fill=(196, 150, 40), width=5)
        for x, y in ((24, 278), (94, 256), (166, 233), (236, 210)):
            pen.line((x, y, x, y - 46), fill=(196, 150, 40), width=5)
        for x, y in ((70, 284), (150, 266), (230, 248)):
            pen.line((x, y, x + 36, y - 9), fill=(240, 240, 236), width=4)

    return _saved(draw, (188, 214, 232))


def _hall(pen: Pen, wall: tuple[int, int, int], floor: tuple[int, int, int]) -> None:
    pen.rectangle((0, 0, WIDTH, 190), fill=wall)
    pen.rectangle((0, 190, WIDTH, HEIGHT), fill=floor)
    pen.rectangle((40, 40, 160, 130), fill=(176, 206, 224), outline=(110, 110, 110), width=4)


def _table(pen: Pen, x: int, y: int, wood: tuple[int, int, int]) -> None:
    pen.polygon(((x, y), (x + 110, y), (x + 130, y + 26), (x - 20, y + 26)), fill=wood)
    for foot in (x - 8, x + 112):
        pen.rectangle((foot, y + 26, foot + 8, y + 70), fill=(90, 84, 78))


def canteen_before() -> bytes:
    """A dim room with one long table and no list on the wall."""

    def draw(pen: Pen) -> None:
        _hall(pen, (150, 144, 132), (104, 98, 92))
        _table(pen, 180, 200, (120, 96, 74))

    return _saved(draw, (140, 140, 140))


def canteen_after() -> bytes:
    """Light, with tables, plates and the hours on the wall."""

    def draw(pen: Pen) -> None:
        _hall(pen, (240, 232, 212), (198, 180, 150))
        pen.rectangle((220, 30, 420, 140), fill=(10, 127, 69))
        for line in range(4):
            pen.rectangle((240, 48 + line * 22, 400 - line * 24, 56 + line * 22), fill=(240, 248, 242))
        for x, y in ((60, 170), (280, 170), (40, 230), (300, 230)):
            _table(pen, x, y, (206, 160, 104))
            pen.ellipse((x + 24, y + 4, x + 56, y + 18), fill=(255, 255, 255))
            pen.ellipse((x + 70, y + 4, x + 102, y + 18), fill=(255, 255, 255))

    return _saved(draw, (220, 232, 240))
