"""Photographs of a request: at most three by the reporter, three before and three after by workers."""

import base64

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.casework.models.cases import Case, CasePhoto
from portal.casework.models.codes import PhotoStage
from portal.core import audit
from portal.core.clock import now
from portal.core.db import db
from portal.core.errors import Missing, Refused

MOST = 3


def add(case: Case, data: bytes, stage: PhotoStage, *, by_name: str) -> CasePhoto:
    """Keep a picture that files.clean_image() made anew."""
    held = (CasePhoto.case_id == case.id, CasePhoto.stage == stage)
    count = db.session.scalar(sa.select(sa.func.count()).select_from(CasePhoto).where(*held)) or 0
    if count >= MOST:
        raise Refused(_("最多放 %(count)d 张照片。要换一张，请先删掉一张。", count=MOST), field="photo")
    photo = CasePhoto(case_id=case.id, stage=stage, picture=base64.b64encode(data).decode(), at=now(), by_name=by_name)
    db.session.add(photo)
    db.session.flush()
    db.session.expire(case, ["photos"])
    audit.record("cases.photo_added", case, stage=stage.value)
    return photo


def drop(case: Case, public_id: str) -> None:
    """Take a photograph back out; what was released leaves the board with it."""
    photo = _photo(case, public_id)
    db.session.delete(photo)
    db.session.flush()
    db.session.expire(case, ["photos"])
    audit.record("cases.photo_dropped", case, stage=photo.stage.value)


def picture(case: Case, public_id: str) -> bytes:
    return base64.b64decode(_photo(case, public_id).picture)


def public_picture(case: Case, public_id: str) -> bytes:
    """A released photograph of a released case; Missing for any other."""
    photo = _photo(case, public_id)
    if case.public_at is None or not photo.is_public:
        raise Missing
    return base64.b64decode(photo.picture)


def _photo(case: Case, public_id: str) -> CasePhoto:
    query = sa.select(CasePhoto).where(CasePhoto.case_id == case.id, CasePhoto.public_id == public_id)
    photo = db.session.scalar(query)
    if photo is None:
        raise Missing
    return photo
