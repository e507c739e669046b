"""The check as a job: progress, cancelling, taking up what fell silent, and forgetting in time."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.core import jobs, rotation
from portal.core.clock import now
from portal.core.db import db, transaction
from portal.registry.models import BatchState, ImportBatch, ImportRow, Person
from portal.registry.service import imports
from portal.registry.service.imports import staging, store
from tests.client import Client
from tests.make import Make
from tests.registry.registers import (
    ADDRESS,
    check,
    choices,
    confirm,
    count,
    files,
    latest,
    number,
    people,
    register,
    row,
    take_in,
    undo,
    upload,
)


@pytest.fixture
def worker(client: Client, make: Make) -> Client:
    make.community()
    return client.sign_in(make.worker())


def _many(count_of: int) -> bytes:
    return register(
        *(
            row(
                姓名=f"王{'秀' * (order % 3 + 1)}",
                身份证号=number(order % 400, f"19{50 + order // 400}0505"),
                户号=f"H{order}",
            )
            for order in range(count_of)
        )
    )


def _start(worker: Client, data: bytes, monkeypatch: pytest.MonkeyPatch) -> ImportBatch:
    """A batch whose job has not begun."""
    monkeypatch.setattr(jobs, "enqueue", lambda *_name, **_arguments: None)
    upload(worker, data)
    worker.post(f"{ADDRESS}/{latest().public_id}/columns", data=choices(latest()))
    assert latest().state is BatchState.CHECKING
    return latest()


def _run(app: Flask, name: str) -> None:
    jobs.of(app).works[name]()


def _folder(app: Flask):
    return app.extensions["portal.config"].instance / "uploads"


def _later(**values: object) -> None:
    with transaction() as session:
        session.execute(sa.update(ImportBatch).values(**values))


def test_the_file_is_kept_sealed_and_for_us_alone(worker, app):
    before = files(app)
    upload(worker, register(row(姓名="欧阳秀英")))
    kept = files(app) - before
    assert kept == {latest().public_id, f"{latest().public_id}.rows"}
    for name in kept:
        path = _folder(app) / name
        assert path.stat().st_mode & 0o777 == 0o600
        assert "欧阳秀英".encode() not in path.read_bytes()
        assert not path.read_bytes().startswith(b"PK")


def test_progress_is_shown_and_ends_at_the_preview(worker, app, monkeypatch):
    batch = _start(worker, _many(3), monkeypatch)
    page = worker.get(f"{ADDRESS}/{batch.public_id}/progress").text
    assert "0 / 3" in page
    assert 'hx-trigger="every 2s"' in page
    assert "刷新" in page
    part = worker.get(
        f"{ADDRESS}/{batch.public_id}/progress", headers={"HX-Request": "true", "HX-Target": "import-progress"}
    )
    assert "<html" not in part.text
    assert "0 / 3" in part.text
    imports.check_batch(batch.id, folder=_folder(app), allow_test_region=True)
    over = worker.get(
        f"{ADDRESS}/{batch.public_id}/progress", headers={"HX-Request": "true", "HX-Target": "import-progress"}
    )
    assert over.headers["HX-Redirect"].endswith(batch.public_id)


def test_a_check_stops_between_chunks_once_it_is_cancelled(worker, app, monkeypatch):
    batch = _start(worker, _many(1200), monkeypatch)
    real = staging._write

    def cancelling(run, staged, *, done, held):
        went_on = real(run, staged, done=done, held=held)
        if done == store.CHUNK:
            worker.post(f"{ADDRESS}/{batch.public_id}/cancel")
        return went_on

    monkeypatch.setattr(staging, "_write", cancelling)
    imports.check_batch(batch.id, folder=_folder(app), allow_test_region=True)
    assert latest().state is BatchState.CANCELLED
    assert latest().done == store.CHUNK
    assert count(ImportRow) == 0
    assert batch.public_id not in files(app)


def test_a_cancelled_batch_leaves_no_rows_and_no_file_and_cannot_be_confirmed(worker, app):
    batch = check(worker, register(row()))
    worker.post(f"{ADDRESS}/{batch.public_id}/cancel")
    assert (count(ImportRow), count(Person)) == (0, 0)
    assert not {name for name in files(app) if name.startswith(batch.public_id)}
    assert confirm(worker, batch).status_code == 422
    assert worker.get(f"{ADDRESS}/{batch.public_id}").status_code == 200


def test_a_check_that_breaks_leaves_no_row_and_says_so(worker, app, monkeypatch):
    batch = _start(worker, _many(600), monkeypatch)
    real = staging.check_row

    def breaking(number, cells, rules):
        if number > 550:
            raise RuntimeError("a bug")
        return real(number, cells, rules)

    monkeypatch.setattr(staging, "check_row", breaking)
    with pytest.raises(RuntimeError):
        imports.check_batch(batch.id, folder=_folder(app), allow_test_region=True)
    assert latest().state is BatchState.FAILED
    assert (count(ImportRow), count(Person)) == (0, 0)
    assert "检查中途出错" in worker.get(f"{ADDRESS}/{batch.public_id}").text
    monkeypatch.undo()
    worker.post(f"{ADDRESS}/{batch.public_id}/columns", data=choices(latest()))
    assert latest().state is BatchState.CHECKED


def test_a_silent_check_is_taken_up_again_from_the_beginning(worker, app, monkeypatch):
    batch = _start(worker, _many(3), monkeypatch)
    _run(app, "registry.resume_imports")
    assert latest().state is BatchState.CHECKING
    _later(beat_at=now() - timedelta(minutes=3), done=2)
    _run(app, "registry.resume_imports")
    assert (latest().state, latest().done) == (BatchState.CHECKED, 3)
    assert count(ImportRow) == 3
    assert batch.run == 1


def test_a_check_that_was_taken_over_writes_nothing_more(worker, app, monkeypatch):
    batch = _start(worker, _many(600), monkeypatch)
    real, runs = staging._write, []

    def overtaken(run, staged, *, done, held):
        if not runs:
            runs.append(run.number)
            imports.check_batch(batch.id, folder=_folder(app), allow_test_region=True)
        return real(run, staged, done=done, held=held)

    monkeypatch.setattr(staging, "_write", overtaken)
    imports.check_batch(batch.id, folder=_folder(app), allow_test_region=True)
    assert (latest().state, latest().run) == (BatchState.CHECKED, 2)
    assert count(ImportRow) == 600


def test_a_check_whose_file_is_gone_asks_for_it_again(worker, app, monkeypatch):
    batch = _start(worker, _many(1), monkeypatch)
    store.drop(_folder(app), batch.public_id)
    imports.check_batch(batch.id, folder=_folder(app), allow_test_region=True)
    assert latest().state is BatchState.FAILED
    assert "请重新上传" in latest().error


def test_a_week_after_confirming_rows_and_file_are_gone_and_the_people_stay(worker, app):
    batch = take_in(worker, register(row()))
    _run(app, "registry.purge_imports")
    assert count(ImportRow) == 1
    _later(ended_at=now() - timedelta(days=8))
    _run(app, "registry.purge_imports")
    assert (count(ImportRow), len(people())) == (0, 1)
    assert not {name for name in files(app) if name.startswith(batch.public_id)}
    answer = undo(worker, batch)
    assert answer.status_code == 422
    assert "已超过 7 天" in answer.text


def test_a_batch_that_nobody_confirmed_within_a_week_is_given_up(worker, app):
    check(worker, register(row()))
    _later(uploaded_at=now() - timedelta(days=8))
    _run(app, "registry.purge_imports")
    assert latest().state is BatchState.CANCELLED
    assert count(ImportRow) == 0


def test_a_file_that_no_batch_speaks_of_is_swept(worker, app):
    upload(worker, register(row()))
    lost = _folder(app) / "lost"
    lost.write_bytes(b"x")
    imports.purge(now() + timedelta(minutes=1), folder=_folder(app))
    assert not lost.exists()
    fresh = _folder(app) / "fresh"
    fresh.write_bytes(b"x")
    imports.purge(now() - timedelta(days=7), folder=_folder(app))
    assert fresh.exists()
    fresh.unlink()


def test_a_batch_can_be_undone_after_the_keys_were_rotated(worker, app):
    take_in(worker, register(row()))
    batch = take_in(worker, register(row(联系电话="13900000009")))
    rotation.rotate(app.extensions["portal.config"].keys_file)
    assert undo(worker, batch).status_code == 303
    db.session.expire_all()
    assert people()[0].phone == "13800000001"


def test_a_check_across_a_rotation_of_keys_stages_nothing_that_nobody_can_open(worker, app, monkeypatch):
    batch = _start(worker, _many(3), monkeypatch)
    real = staging._write

    def rotated(run, staged, *, done, held):
        return real(run, staged, done=done, held=held | {99})

    monkeypatch.setattr(staging, "_write", rotated)
    with pytest.raises(RuntimeError, match="rotated"):
        imports.check_batch(batch.id, folder=_folder(app), allow_test_region=True)
    assert latest().state is BatchState.FAILED
    assert count(ImportRow) == 0


def test_a_file_whose_key_was_rotated_away_is_asked_for_again(worker, app, monkeypatch):
    batch = _start(worker, _many(1), monkeypatch)
    rotation.rotate(app.extensions["portal.config"].keys_file)
    imports.check_batch(batch.id, folder=_folder(app), allow_test_region=True)
    assert "请重新上传" in latest().error
