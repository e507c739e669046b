"""Registers to import, and the steps a worker takes with one."""

import io
from pathlib import Path

import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from portal.areas.models import Area, AreaKind
from portal.core.db import db
from portal.core.ids import check_digit
from portal.core.sheets import write_workbook
from portal.registry.models import ImportBatch, ImportRow, Person
from portal.registry.service import imports
from tests.client import Client

REGISTER = Path(__file__).parent.parent / "data" / "居民登记表-春风里社区.xlsx"
HEADERS = [
    "姓名", "性别", "身份证号", "出生日期", "联系电话", "户号", "与户主关系", "小区", "楼栋", "单元", "房号", "网格",
    "户籍", "人员标签", "饮食要求", "备注",
]  # fmt: skip
WANG = {
    "姓名": "王秀英", "性别": "女", "身份证号": "", "出生日期": "1950-05-05", "联系电话": "13800000001",
    "户号": "H1", "与户主关系": "户主", "小区": "梧桐苑", "楼栋": "6号楼", "单元": "2单元", "房号": "301",
    "网格": "第一网格", "户籍": "本地户籍", "人员标签": "独居", "饮食要求": "低糖", "备注": "",
}  # fmt: skip
ADDRESS = "/desk/people/imports"
ONLY_COMMUNITY = sa.select(sa.func.min(Area.code)).where(Area.kind == AreaKind.COMMUNITY)


def number(order: int, born: str = "19500505", *, man: bool = False) -> str:
    first = f"999901{born}{order * 2 + man:03d}"
    return first + check_digit(first)


def row(**said: str) -> dict[str, str]:
    """王秀英, told otherwise by the words of the columns."""
    return {**WANG, "身份证号": number(1), **said}


def register(*rows: dict[str, str]) -> bytes:
    return write_workbook(HEADERS, [[each[header] for header in HEADERS] for each in rows])


def upload(client: Client, data: bytes, name: str = "登记表.xlsx", **fields: str) -> TestResponse:
    place = fields.pop("community", "") or str(db.session.scalar(ONLY_COMMUNITY) or "")
    return client.post(ADDRESS, data={"file": (io.BytesIO(data), name), "community": place, **fields})


def latest() -> ImportBatch:
    """The batch uploaded last, as the database has it now."""
    db.session.rollback()
    query = sa.select(ImportBatch).order_by(ImportBatch.id.desc()).limit(1)
    return db.session.scalars(query, execution_options={"populate_existing": True}).one()


def choices(of: ImportBatch, **changed: int) -> dict[str, str]:
    """The form of the columns page, as it comes up, some fields changed."""
    return {kind.value: str({**of.columns, **changed}.get(kind.value, -1)) for kind in imports.Field}


def check(client: Client, data: bytes, name: str = "登记表.xlsx", **changed: int) -> ImportBatch:
    """Upload, accept the columns, and wait until it is checked."""
    answer = upload(client, data, name)
    assert answer.status_code == 303, answer.text
    answer = client.post(f"{ADDRESS}/{latest().public_id}/columns", data=choices(latest(), **changed))
    assert answer.status_code == 303, answer.text
    return latest()


def confirm(client: Client, of: ImportBatch) -> TestResponse:
    return client.post(f"{ADDRESS}/{of.public_id}/confirm", data={"idem": f"key-{of.public_id}"})


def take_in(client: Client, data: bytes, name: str = "登记表.xlsx") -> ImportBatch:
    """Check and confirm."""
    checked = check(client, data, name)
    answer = confirm(client, checked)
    assert answer.status_code == 303, answer.text
    return latest()


def undo(client: Client, of: ImportBatch, reason: str = "传错了文件") -> TestResponse:
    return client.post(f"{ADDRESS}/{of.public_id}/undo", data={"reason": reason})


def staged(of: ImportBatch) -> list[ImportRow]:
    return list(
        db.session.scalars(sa.select(ImportRow).where(ImportRow.batch_id == of.id).order_by(ImportRow.row_number))
    )


def people() -> list[Person]:
    return list(db.session.scalars(sa.select(Person).order_by(Person.id)))


def count(model: type) -> int:
    return int(db.session.scalar(sa.select(sa.func.count()).select_from(model)) or 0)


def files(app: Flask) -> set[str]:
    """The names of the kept files."""
    folder: Path = app.extensions["portal.config"].instance / "uploads"
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()
