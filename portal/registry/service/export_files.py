"""The files of exports: written by a job, sealed as imports are, watermarked, and deleted when their time is over."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.areas.models import Building, Dwelling
from portal.core import audit, sheets
from portal.core.access import Scope
from portal.core.clock import local, now
from portal.core.db import db, guarded, transaction
from portal.core.errors import Refused
from portal.core.sealing import keys
from portal.registry.models import Export, ExportPerson, ExportState, Household, Person
from portal.registry.service import export_columns, exports, household_exports
from portal.registry.service.export_columns import Column
from portal.registry.service.finding import inside
from portal.registry.service.resources import plain

CHUNK = 500
SEALED = "export|file"
SILENT = timedelta(minutes=3)
TRIES = 3
WIDTHS = {Column.ID_NUMBER: 22.0, Column.ADDRESS: 30.0, Column.TAGS: 24.0}


def write(export_id: int, *, folder: Path) -> None:
    """Write one queued export, a chunk of people at a time. Commits by itself; what began twice is written once."""
    export = _begin(export_id)
    if export is None:
        return
    body, count = _list_body(export) if export.resource else _people_body(export)
    _keep(folder, export.public_id, body)
    _end(export_id, count)


def _list_body(export: Export) -> tuple[bytes, int]:
    written = household_exports.written if export.resource == household_exports.RESOURCE else plain.written
    with transaction():
        return written(export, _stamp(export))


def _people_body(export: Export) -> tuple[bytes, int]:
    people, rows = _people(export), list[list[str]]()
    stamp = _stamp(export)
    for start in range(0, len(people), CHUNK):
        rows += _rows(export, people[start : start + CHUNK], stamp)
    columns = [Column(name) for name in export.fields]
    headers = [*(export_columns.label(column) for column in columns), _("水印")]
    widths = [*(WIDTHS.get(column, 14.0) for column in columns), 48.0]
    return sheets.write_workbook(headers, rows, sheet=export.number, widths=widths, stamp=stamp), len(rows)


def _begin(export_id: int) -> Export | None:
    take = sa.update(Export).where(Export.id == export_id, Export.state == ExportState.QUEUED)
    with transaction() as session:
        begun = {"state": ExportState.WRITING, "beat_at": now(), "done": 0, "tries": Export.tries + 1}
        if not guarded(take.values(**begun)):
            return None
        return session.get_one(Export, export_id, populate_existing=True)


def _people(export: Export) -> list[int]:
    """Who is to stand in it, by the sound of names. Who left the asker's area meanwhile does not, nor reads so."""
    with transaction() as session:
        area = inside([Scope(kind, ref) for kind, ref in export.scopes])
        hers = sa.select(Person.id).where(area.holds())
        gone = sa.delete(ExportPerson).where(ExportPerson.export_id == export.id, ExportPerson.person_id.not_in(hers))
        session.execute(gone, execution_options={"synchronize_session": False})
        held = sa.select(Person.id).join(ExportPerson, ExportPerson.person_id == Person.id)
        held = held.where(ExportPerson.export_id == export.id).order_by(Person.pinyin, Person.id)
        return list(session.scalars(held))


def _rows(export: Export, people: Sequence[int], stamp: str) -> list[list[str]]:
    home = sa.orm.joinedload(Person.household).joinedload(Household.dwelling).joinedload(Dwelling.building)
    loaded = (
        home.joinedload(Building.estate),
        sa.orm.joinedload(Person.grid),
        sa.orm.joinedload(Person.community),
        sa.orm.selectinload(Person.tags),
    )
    columns = [Column(name) for name in export.fields]
    query = sa.select(Person).where(Person.id.in_(people)).options(*loaded).order_by(Person.id)
    found = {one.id: one for one in db.session.scalars(query)}
    known = [found[one] for one in people if one in found]
    rows = [[*(export_columns.cell(one, column, plain=export.plain) for column in columns), stamp] for one in known]
    with transaction() as session:
        beat = sa.update(Export).where(Export.id == export.id)
        session.execute(beat.values(done=Export.done + len(rows), beat_at=now()))
    return rows


def _stamp(export: Export) -> str:
    """Who, when, which request, who let it go."""
    said = _("%(who)s %(when)s 导出，申请号 %(number)s", who=export.owner_name, when=_time(now()), number=export.number)
    if not export.plain:
        return said
    return said + _("，%(who)s %(when)s 批准", who=export.decided_name, when=_time(export.decided_at or now()))


def _time(moment: datetime) -> str:
    return f"{local(moment):%Y-%m-%d %H:%M}"


def _keep(folder: Path, public_id: str, body: bytes) -> None:
    """Sealed, readable by us alone; written beside and moved, so that there is a whole file or none."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = folder / f".{public_id}"
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    fresh.write_bytes(keys().seal_bytes(body, SEALED))
    fresh.replace(folder / public_id)


def _end(export_id: int, count: int) -> None:
    with transaction() as session:
        export = session.get_one(Export, export_id, populate_existing=True)
        moment = now()
        export.state, export.total, export.done = ExportState.READY, count, count
        export.ready_at, export.ends_at = moment, moment + exports.kept_for()
        audit.record("registry.export_written", export, count=count, plain=export.plain, number=export.number)


def read(export: Export, *, folder: Path) -> bytes:
    """The workbook's bytes; a refusal once it is gone, or its key is."""
    try:
        return keys().open_bytes((folder / export.public_id).read_bytes(), SEALED)
    except (FileNotFoundError, KeyError):
        raise Refused(_("这份文件已经删除。还需要的话，请重新申请。")) from None


def unfinished() -> list[int]:
    """Exports that wait to be written, or fell silent while they were; who fell silent too often has failed."""
    silent = sa.and_(Export.state == ExportState.WRITING, Export.beat_at < now() - SILENT)
    values = {"state": sa.case((Export.tries >= TRIES, ExportState.FAILED.value), else_=ExportState.QUEUED.value)}
    with transaction() as session:
        session.execute(
            sa.update(Export).where(silent).values(**values), execution_options={"synchronize_session": False}
        )
        query = sa.select(Export.id).where(Export.state == ExportState.QUEUED).order_by(Export.asked_at, Export.id)
        return list(session.scalars(query.limit(20)))


def purge(*, folder: Path) -> int:
    """Delete the files whose time is over, and those that no export has; returns how many exports ended."""
    over = sa.select(Export.id).where(Export.state == ExportState.READY, Export.ends_at <= now()).order_by(Export.id)
    with transaction() as session:
        due = list(session.scalars(over))
    for export_id in due:
        with transaction() as session:
            export = session.get_one(Export, export_id)
            (folder / export.public_id).unlink(missing_ok=True)
            export.state = ExportState.GONE
            audit.record("registry.export_deleted", export, number=export.number)
    _drop_orphans(folder)
    return len(due)


def _drop_orphans(folder: Path) -> None:
    kept = (ExportState.READY, ExportState.WRITING)
    with transaction() as session:
        known = set(session.scalars(sa.select(Export.public_id).where(Export.state.in_(kept))))
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name.lstrip(".") not in known:
            path.unlink(missing_ok=True)
