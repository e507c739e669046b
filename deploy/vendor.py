"""Fetch the pinned third-party front-end files, patch them, and write what was done to static/vendor/vendor.json."""

import hashlib
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

STATIC = Path(__file__).resolve().parents[1] / "static"
VENDOR = STATIC / "vendor"

ICONS = [
    "accessible",
    "alert-circle",
    "alert-triangle",
    "arrow-left",
    "award",
    "bell",
    "bowl",
    "bowl-chopsticks",
    "building",
    "building-community",
    "calendar",
    "calendar-event",
    "camera",
    "chart-bar",
    "check",
    "checkbox",
    "chevron-down",
    "chevron-left",
    "chevron-right",
    "circle-check",
    "clipboard-list",
    "clock",
    "coin",
    "copy",
    "dots",
    "download",
    "edit",
    "eye",
    "eye-off",
    "file-spreadsheet",
    "file-text",
    "filter",
    "first-aid-kit",
    "flag",
    "friends",
    "heart-handshake",
    "history",
    "home",
    "home-2",
    "id",
    "info-circle",
    "key",
    "language",
    "leaf",
    "list-check",
    "login",
    "logout",
    "map-pin",
    "menu-2",
    "message",
    "microphone",
    "minus",
    "old",
    "phone",
    "phone-call",
    "player-stop",
    "plus",
    "printer",
    "qrcode",
    "receipt",
    "recycle",
    "refresh",
    "scan",
    "search",
    "send",
    "settings",
    "shield-lock",
    "soup",
    "speakerphone",
    "star",
    "stethoscope",
    "text-size",
    "tool",
    "tools-kitchen-2",
    "trash",
    "truck-delivery",
    "upload",
    "user",
    "user-check",
    "user-plus",
    "users",
    "volume",
    "wallet",
    "x",
]


def scale_fonts(css: str) -> str:
    """Let the page's font step (--fs) reach WeUI's sizes, which its own care mode leaves fixed."""
    return re.sub(r"font-size:(\d+)px", r"font-size:calc(\1px*var(--fs,1))", css)


def unchanged(text: str) -> str:
    return text


@dataclass(frozen=True)
class Package:
    name: str
    version: str
    licence: str
    licence_member: str
    member: str
    file: str
    patch: Callable[[str], str] = unchanged


PACKAGES = (
    Package("weui", "2.6.26", "MIT", "LICENSE.txt", "dist/style/weui.min.css", "weui.css", scale_fonts),
    Package("htmx.org", "2.0.11", "0BSD", "LICENSE", "dist/htmx.min.js", "htmx.min.js"),
    Package("jsqr", "1.4.0", "Apache-2.0", "LICENSE", "dist/jsQR.js", "jsQR.js"),
)
TABLER = Package("@tabler/icons", "3.51.0", "MIT", "LICENSE", "icons.json", "../icons.svg")


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def unpack(package: Package, into: Path) -> Path:
    """Download one package by name and version with npm's own client; answer its folder."""
    # npm reads the registry from its own configuration, so no address has to stand in this repository.
    wanted = f"{package.name}@{package.version}"
    packed = subprocess.run(["npm", "pack", "--json", wanted], cwd=into, check=True, capture_output=True, text=True)
    report = json.loads(packed.stdout)
    entry = report[0] if isinstance(report, list) else next(iter(report.values()))
    folder = into / package.file.replace("/", "_")
    with tarfile.open(into / entry["filename"]) as archive:
        archive.extractall(folder, filter="data")
    return folder / "package"


def sprite(folder: Path) -> tuple[str, str]:
    """One file of symbols, and the joined sources they came from."""
    symbols, sources = [], []
    for name in ICONS:
        source = (folder / "icons" / "outline" / f"{name}.svg").read_text(encoding="utf-8")
        body = source.split(">", 1)[1].rsplit("</svg>", 1)[0]
        shapes = [line.strip().replace(" />", "/>") for line in body.splitlines() if line.strip()]
        # Tabler's first path is an invisible square that only keeps editors' artboards the same size.
        shapes = [shape for shape in shapes if 'stroke="none"' not in shape]
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{"".join(shapes)}</symbol>')
        sources.append(source)
    opening = '<svg xmlns="http://www.w3.org/2000/svg">'
    return "\n".join([opening, *symbols, "</svg>", ""]), "".join(sources)


def record(package: Package, before: str, after: str) -> dict[str, str]:
    return {
        "name": package.name,
        "version": package.version,
        "licence": package.licence,
        "file": (VENDOR / package.file).resolve().relative_to(STATIC).as_posix(),
        "licence_file": f"vendor/licences/{licence_name(package)}",
        "input_sha256": digest(before),
        "sha256": digest(after),
    }


def licence_name(package: Package) -> str:
    return package.name.lstrip("@").replace("/", "-") + ".txt"


def kept_entries(names: set[str]) -> list[dict[str, str]]:
    """What others wrote into the manifest: the font, which deploy/fonts.py makes."""
    manifest = VENDOR / "vendor.json"
    known = json.loads(manifest.read_text(encoding="utf-8")) if manifest.exists() else []
    return [entry for entry in known if entry["name"] not in names]


def refuse_surprises(entries: list[dict[str, str]]) -> None:
    """A version that we already pinned must have the bytes that it had when we pinned it."""
    manifest = VENDOR / "vendor.json"
    if not manifest.exists():
        return
    pinned = {(old["name"], old["version"]): old for old in json.loads(manifest.read_text(encoding="utf-8"))}
    for entry in entries:
        old = pinned.get((entry["name"], entry["version"]))
        # The sprite's input grows with the list of icons, so only whole files can be compared.
        if old and entry["name"] != TABLER.name and old["input_sha256"] != entry["input_sha256"]:
            sys.exit(f"{entry['name']} {entry['version']} is not the file that was pinned; nothing was written.")


def main() -> None:
    entries: list[dict[str, str]] = []
    writes: dict[Path, str] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for package in (*PACKAGES, TABLER):
            folder = unpack(package, Path(scratch))
            if package is TABLER:
                after, before = sprite(folder)
            else:
                before = (folder / package.member).read_bytes().decode()
                after = package.patch(before)
            entries.append(record(package, before, after))
            writes[VENDOR / package.file] = after
            licence = (folder / package.licence_member).read_bytes().decode()
            writes[VENDOR / "licences" / licence_name(package)] = licence
    refuse_surprises(entries)
    everything = entries + kept_entries({entry["name"] for entry in entries})
    writes[VENDOR / "vendor.json"] = json.dumps(everything, indent=2) + "\n"
    (VENDOR / "licences").mkdir(parents=True, exist_ok=True)
    for path, text in writes.items():
        path.write_text(text, encoding="utf-8", newline="")
    print(f"{len(entries)} packages, {len(ICONS)} icons written under {STATIC}")


if __name__ == "__main__":
    main()
