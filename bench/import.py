"""How fast a register is imported, and in how much memory: upload, check and confirm, on SQLite in a temporary folder.

python bench/import.py [REGISTER.xlsx]: a register of 3,200 rows (the given file, else generated) and one of 50,000
generated with a fixed seed. As on a site, one process takes the file in and confirms, another checks it: each has a
peak of its own, and the higher counts.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from portal import config as configuration  # noqa: E402
from portal.app import create_app  # noqa: E402
from portal.areas.models import Area, AreaKind, Settlement  # noqa: E402
from portal.core import jobs, migrating, search  # noqa: E402
from portal.core.db import db, transaction  # noqa: E402
from portal.core.ids import check_digit  # noqa: E402
from portal.core.sheets import write_workbook  # noqa: E402
from portal.registry.models import BatchState, ImportBatch, Person  # noqa: E402
from portal.registry.service import imports, twins  # noqa: E402

TARGET_RATE, TARGET_MB = 2_500, 300
HEADERS = (
    "姓名", "性别", "身份证号", "出生日期", "联系电话", "户号", "与户主关系", "小区", "楼栋", "单元", "房号", "网格",
    "户籍", "人员标签", "饮食要求", "备注",
)  # fmt: skip
SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹"
GIVEN = "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂文辉力建国玉梅红志华"
TAGS = ("独居", "空巢", "低保", "失能", "独居、失能", "重残")
DIETS = ("低糖", "低盐", "软食", "素食", "低糖 软食", "清真")


def generated(rows: int) -> bytes:
    """A register of the region that does not exist; the same bytes of content in every run."""
    chance = random.Random(20261101)
    return write_workbook(HEADERS, (_person(chance, order) for order in range(rows)))


def _person(chance: random.Random, order: int) -> list[str]:
    household, place = order // 3, order % 3
    born = date(1930, 1, 1) + timedelta(days=chance.randrange(29_000))
    man = chance.random() < 0.5
    first = f"999901{born:%Y%m%d}{chance.randrange(500) * 2 + man:03d}"
    name = chance.choice(SURNAMES) + "".join(chance.choice(GIVEN) for _sign in range(chance.choice((1, 2, 2))))
    return [
        name,
        "男" if man else "女",
        first + check_digit(first),
        chance.choice((f"{born}", f"{born:%Y/%m/%d}", f"{born.year}年{born.month}月{born.day}日")),
        f"13{chance.randrange(10**9):09d}",
        f"H{household:07d}",
        ("户主", "配偶", "子女")[place],
        f"第{household // 2000 + 1}小区",
        f"{household // 60 % 33 + 1}号楼",
        f"{household // 20 % 3 + 1}单元",
        f"{household % 20 // 2 + 1}0{household % 2 + 1}",
        f"第{household // 60 % 6 + 1}网格",
        chance.choice(("本地户籍", "本地户籍", "外地户籍")),
        chance.choice(TAGS) if chance.random() < 0.07 else "",
        chance.choice(DIETS) if chance.random() < 0.1 else "",
        "",
    ]


def measure(path: Path, instance: Path) -> dict[str, Any]:
    """One import, from the bytes of the file to the confirmed batch."""
    config = _config(instance)
    app = create_app(config)
    migrating.upgrade(config)
    with app.app_context():
        # In production another process looks for twins; here it is timed by itself.
        jobs.of(app).works["registry.find_twins"] = lambda **_community: None
        held, place, idle = _watch_locks(), _place(), _memory()
        cpu, times = time.process_time(), [time.perf_counter()]
        batch = _upload(path, instance / "uploads", place)
        times.append(time.perf_counter())
        checked = _asked("--check", str(batch.id), "--measure", str(instance))
        times.append(time.perf_counter())
        held.clear()
        _confirm(batch)
        times.append(time.perf_counter())
        steps = {"upload": times[1] - times[0], "check": checked["seconds"], "confirm": times[3] - times[2]}
        locks = {"chunk_lock": checked["lock"], "confirm_lock": max(held)}
        public_id = batch.public_id
        memory = {"idle": idle, "peak": _memory(), "checking": checked["peak"]}
        memory["cpu"] = time.process_time() - cpu + checked["cpu"]
        twins.seek(place)
        memory["twins"] = time.perf_counter() - times[-1]
        found = {"rows": batch.total, "people": _people(), **steps, **locks, **memory}
        return {**found, "undo_lock": _undo(public_id, held)}


def check(batch_id: int, instance: Path) -> dict[str, float]:
    """What the process of the jobs does, which has worked before: mappers made, the dictionary of pinyin loaded."""
    with create_app(_config(instance)).app_context():
        search.pinyin("王秀英")
        sa.orm.configure_mappers()
        held, cpu, begun = _watch_locks(), time.process_time(), time.perf_counter()
        imports.check_batch(batch_id, folder=instance / "uploads", allow_test_region=True)
        seconds, used = time.perf_counter() - begun, time.process_time() - cpu
        return {"seconds": seconds, "cpu": used, "lock": max(held), "peak": _memory()}


def _config(instance: Path) -> configuration.Config:
    return configuration.load({"PORTAL_MODE": "test", "PORTAL_INSTANCE": str(instance)})


def _asked(*arguments: str) -> dict[str, Any]:
    """What a process of its own finds."""
    done = subprocess.run([sys.executable, __file__, *arguments], check=True, capture_output=True, text=True, cwd=ROOT)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _people() -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(Person)) or 0


def _undo(public_id: str, held: list[float]) -> float:
    """How long taking the batch back held the lock: what is opened beforehand is opened before, as the page does."""
    db.session.rollback()
    opened = imports.ready(_found(public_id))
    db.session.rollback()
    held.clear()
    with transaction():
        imports.undo(_found(public_id), reason="bench", opened=opened)
    return max(held)


def _found(public_id: str) -> ImportBatch:
    return db.session.scalars(sa.select(ImportBatch).where(ImportBatch.public_id == public_id)).one()


def _confirm(batch: ImportBatch) -> None:
    with transaction() as session:
        session.refresh(batch)
        imports.confirm(batch, by="bench")


def _upload(path: Path, folder: Path, place: int) -> ImportBatch:
    """Read, keep, and set going, as the two pages do."""
    data = path.read_bytes()
    table = imports.read_table(data, path.name)
    kept = imports.keep(table, filename=path.name, data=data, folder=folder)
    with transaction() as session:
        area = session.get_one(Area, place)
        batch = imports.upload(area, kept, by="bench")
        begin = sa.update(ImportBatch).where(ImportBatch.id == batch.id)
        session.execute(begin.values(state=BatchState.CHECKING))
    return batch


def _place() -> int:
    with transaction() as session:
        street = Area(kind=AreaKind.STREET, code="999901001", name="春晖街道")
        place = Area(
            kind=AreaKind.COMMUNITY, code="999901001001", name="春风里社区", settlement=Settlement.TOWN, parent=street
        )
        session.add(place)
    return place.id


def _watch_locks() -> list[float]:
    """How long each transaction lasted, from BEGIN until after COMMIT reached the disk."""
    held: list[float] = []
    begun: list[float] = []
    sa.event.listen(db.engine, "begin", lambda _connection: begun.append(time.perf_counter()))
    commit = db.engine.dialect.do_commit

    def watched(connection: Any) -> None:
        commit(connection)
        held.append(time.perf_counter() - begun[-1])

    db.engine.dialect.do_commit = watched  # type: ignore[method-assign]
    return held


def _memory() -> float:
    """The peak of this process alone: what getrusage() says begins with the peak of the process that started it."""
    return next(int(line.split()[1]) / 1024 for line in Path("/proc/self/status").open() if line.startswith("VmHWM"))


def _report(found: dict[str, Any]) -> bool:
    whole = found["upload"] + found["check"] + found["confirm"]
    peak = max(found["peak"], found["checking"])
    rate, share = found["rows"] / whole, peak / TARGET_MB
    print(
        f"{found['rows']:>6} rows, {found['people']} people stored: {whole:.2f} s ({found['cpu']:.2f} s of processor)"
    )
    print(f"       upload {found['upload']:.2f} s, check {found['check']:.2f} s, confirm {found['confirm']:.2f} s")
    print(f"       twins looked for in {found['twins']:.2f} s, by another process")
    print(
        f"       lock held: longest chunk {found['chunk_lock'] * 1000:.0f} ms, confirm {found['confirm_lock']:.2f} s, ",
        end="",
    )
    print(f"undo {found['undo_lock']:.2f} s")
    print(f"       speed: {rate:.0f} rows/s, {rate / TARGET_RATE:.2f} of the target of {TARGET_RATE}")
    print(
        f"       memory: {found['peak']:.0f} MB at its peak taking in and confirming, {found['checking']:.0f} MB ",
        end="",
    )
    print(f"checking, {share:.2f} of the limit of {TARGET_MB} MB; {found['idle']:.0f} MB before")
    return rate >= TARGET_RATE and peak <= TARGET_MB


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("register", nargs="?", type=Path, help="a register to import instead of a generated one")
    asked.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    asked.add_argument("--check", type=int, help=argparse.SUPPRESS)
    given = asked.parse_args()
    if given.measure:
        found = check(given.check, given.measure) if given.check else measure(given.register, given.measure)
        print(json.dumps(found))
        return 0
    known = ROOT / "tests" / "data" / "居民登记表-春风里社区.xlsx"
    met = True
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as folder:
        small = given.register or (known if known.exists() else Path(folder) / "small.xlsx")
        large = Path(folder) / "large.xlsx"
        if not small.exists():
            small.write_bytes(generated(3_200))
        large.write_bytes(generated(50_000))
        for order, register in enumerate((small, large)):
            met = _report(_asked(str(register), "--measure", f"{folder}/instance{order}")) and met
    print("target met" if met else "target missed")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
