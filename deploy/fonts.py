"""Make the font that certificates are written with, from the Noto Sans CJK of the Debian package fonts-noto-cjk.

Everything that a name or a sentence may hold and the font covers: Latin, the symbols of GB 2312, all of the unified
ideographs with Extension A, and what the font has of the further extensions. The same source and the same fontTools
make the same bytes; what was made stands in static/vendor/vendor.json.
"""

import hashlib
import json
import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

SOURCE = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
LICENCE = Path("/usr/share/doc/fonts-noto-cjk/copyright")
STATIC = Path(__file__).resolve().parents[1] / "static"
FONT = STATIC / "vendor" / "fonts" / "portal-sans-sc.otf"
NAME, VERSION, FAMILY = "noto-sans-cjk-sc", "2.004", "Portal Sans SC"
# The simplified Chinese face of the collection.
FACE = 2
SPANS = (
    (0x20, 0x24F),
    (0x2000, 0x206F),
    (0x3000, 0x303F),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xFF00, 0xFFEF),
    (0x20000, 0x3FFFF),
)
DROPPED = ["BASE", "GDEF", "GPOS", "GSUB", "VORG", "vhea", "vmtx"]


def gb2312_symbols() -> set[int]:
    """The signs of the first nine rows of GB 2312: punctuation, numbers in circles, letters, lines."""
    found = set()
    for row in range(0xA1, 0xAA):
        for cell in range(0xA1, 0xFF):
            try:
                found.add(ord(bytes([row, cell]).decode("gb2312")))
            except UnicodeDecodeError:
                continue
    return found


def wanted() -> set[int]:
    covered = set(TTFont(SOURCE, fontNumber=FACE, lazy=True).getBestCmap())
    return {sign for sign in covered if any(first <= sign <= last for first, last in SPANS)} | (
        covered & gb2312_symbols()
    )


def make() -> None:
    """Write the subset. Its name is another than the source's, as the licence wants of what was changed."""
    options = subset.Options(
        font_number=FACE,
        layout_features=[],
        hinting=False,
        notdef_outline=True,
        recalc_timestamp=False,
        name_IDs=[0, 1, 2, 3, 4, 5, 6, 13, 14],
    )
    options.drop_tables += DROPPED
    font = subset.load_font(str(SOURCE), options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=wanted())
    subsetter.subset(font)
    for number, words in ((1, FAMILY), (3, f"{FAMILY} {VERSION}"), (4, FAMILY), (6, FAMILY.replace(" ", ""))):
        for record in font["name"].names:
            if record.nameID == number:
                record.string = words
    FONT.parent.mkdir(parents=True, exist_ok=True)
    subset.save_font(font, str(FONT), options)


def licence() -> str:
    """The copyright lines and the licence, as Debian's copyright file has them."""
    text = LICENCE.read_text(encoding="utf-8")
    _before, found, rest = text.partition("License: SIL-1.1\n ---")
    if not found:
        sys.exit(f"{LICENCE} does not hold the licence where it is expected; nothing was written.")
    body = ("---" + rest).split("\nLicense: ")[0]
    lines = ["" if line.strip() == "." else line.removeprefix(" ") for line in body.splitlines()]
    head = ["Noto Sans CJK SC, subset as Portal Sans SC", "Copyright: 2010-2012, Google Corporation"]
    head += ["Copyright: 2014-2021 Adobe (http://www.adobe.com/), with Reserved Font Name 'Source'", ""]
    return "\n".join(head + lines).rstrip() + "\n"


def main() -> None:
    make()
    kept = STATIC / "vendor" / "licences" / f"{NAME}.txt"
    kept.write_text(licence(), encoding="utf-8", newline="")
    manifest = STATIC / "vendor" / "vendor.json"
    entries = [one for one in json.loads(manifest.read_text(encoding="utf-8")) if one["name"] != NAME]
    entries.append(
        {
            "name": NAME,
            "version": VERSION,
            "licence": "OFL-1.1",
            "file": FONT.relative_to(STATIC).as_posix(),
            "licence_file": kept.relative_to(STATIC).as_posix(),
            "input_sha256": hashlib.sha256(SOURCE.read_bytes()).hexdigest(),
            "sha256": hashlib.sha256(FONT.read_bytes()).hexdigest(),
        }
    )
    manifest.write_text(json.dumps(entries, indent=2) + "\n", encoding="utf-8", newline="")
    print(f"{FONT.name}: {FONT.stat().st_size} bytes")


if __name__ == "__main__":
    main()
