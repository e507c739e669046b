"""One-time codes to telephones: sent, sent again, checked once. Nobody can tell from them whose phone it is."""

import base64
import hmac
import json
import secrets
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from flask_babel import gettext as _

from portal.core import ids, tokens
from portal.core.clock import now, today
from portal.core.db import aside, db, guarded
from portal.core.errors import Refused
from portal.core.outbox import Recipient, enqueue
from portal.core.sealing import keys
from portal.identity import sessions
from portal.identity.models import Account, CodePurpose, OneTimeCode
from portal.identity.service import account_of_phone

LIVES = timedelta(minutes=5)
TRIES = 5
# How long after its code ran out a flow may have another one sent, without typing everything again.
FLOW_LIVES = timedelta(hours=1)


def start(purpose: CodePurpose, phone: str, *, address: str, payload: dict[str, Any] | None = None) -> str:
    """Send a code to a telephone and return its flow. What the phone belongs to changes nothing that can be seen."""
    throttle(phone, address=address)
    return send(purpose, phone, payload=payload)


def throttle(phone: str, *, address: str) -> None:
    tokens.throttle("code.phone.minute", phone, limit=1, per=timedelta(minutes=1))
    tokens.throttle("code.phone.hour", phone, limit=5, per=timedelta(hours=1))
    tokens.throttle("code.phone.day", phone, limit=10, per=timedelta(days=1))
    tokens.throttle("code.address", address, limit=30, per=timedelta(hours=1))
    tokens.throttle("code.everyone", "", limit=2000, per=timedelta(days=1))


def send(purpose: CodePurpose, phone: str, *, payload: dict[str, Any] | None = None) -> str:
    """The sending itself, for who has throttled already. A telephone that the flow cannot serve gets words, no code."""
    held = account_of_phone(phone)
    serves = held is None if purpose is CodePurpose.REGISTER else held is not None and held.is_open(today())
    flow, code = ids.new_public_id(), tokens.digits()
    db.session.add(
        OneTimeCode(
            flow=flow,
            purpose=purpose,
            phone=phone,
            code_hash=tokens.hashed_code(code if serves else secrets.token_urlsafe(32), f"{purpose}|{flow}"),
            payload=json.dumps(payload, ensure_ascii=False) if payload is not None else None,
            expires_at=now() + LIVES,
        )
    )
    topic = "identity.code" if serves else _words_without_code(purpose)
    enqueue(topic, to=Recipient("code", flow), sealed=_seal_code(code if serves else "", flow))
    return flow


def send_again(purpose: CodePurpose, flow: str, *, address: str) -> str:
    """Another code to the telephone of a flow, with all that the flow was told; return the new flow, the old one ends.

    What the phone belongs to changes nothing: the throttle, the work and the words are those of the first sending.
    """
    row = db.session.scalar(sa.select(OneTimeCode).where(OneTimeCode.flow == flow, OneTimeCode.purpose == purpose))
    if row is None or row.used_at is not None or row.expires_at <= now() - FLOW_LIVES:
        raise Refused(_("这次填写已经过期，请返回上一步重新填写"))
    phone, payload = row.phone, json.loads(row.payload) if row.payload else None
    throttle(phone, address=address)
    once = sa.update(OneTimeCode).where(OneTimeCode.flow == flow, OneTimeCode.used_at.is_(None)).values(used_at=now())
    if not guarded(once):
        raise stale()
    return send(purpose, phone, payload=payload)


def _words_without_code(purpose: CodePurpose) -> str:
    return "identity.phone_taken" if purpose is CodePurpose.REGISTER else "identity.phone_unknown"


def _seal_code(code: str, flow: str) -> str:
    """The code on its way through the outbox, readable only with the site's keys."""
    return base64.b64encode(keys().seal(code, f"outbox|code.{flow}")).decode()


def _opened_code(sealed: str, flow: str) -> str | None:
    """None for what was not sealed for this flow, or under a key that was rotated away."""
    try:
        return keys().open(base64.b64decode(sealed), f"outbox|code.{flow}")
    except (InvalidTag, KeyError, ValueError):
        return None


def message(flow: str, sealed: str) -> tuple[str, str] | None:
    """The telephone and the code to send to it ("" where the words bring none); None once the flow has ended."""
    row = db.session.scalar(sa.select(OneTimeCode).where(OneTimeCode.flow == flow))
    if row is None or row.used_at is not None or row.expires_at <= now():
        return None
    code = _opened_code(sealed, flow)
    return None if code is None else (row.phone, code)


def finish(flow: str, code: str, purpose: CodePurpose) -> tuple[str, dict[str, Any]]:
    """Check a code, once. Return the proven telephone and the flow's payload; every failure reads the same.

    A try is counted in an aside before the code is looked at, so that a refusal does not undo the count.
    """
    refusal = stale()
    with aside() as session:
        counted = session.execute(
            sa.update(OneTimeCode)
            .where(OneTimeCode.flow == flow, OneTimeCode.tries < TRIES)
            .values(tries=OneTimeCode.tries + 1)
        )
    row = db.session.scalar(sa.select(OneTimeCode).where(OneTimeCode.flow == flow, OneTimeCode.purpose == purpose))
    if row is None or getattr(counted, "rowcount", 0) != 1 or row.expires_at <= now():
        raise refusal
    good = hmac.compare_digest(row.code_hash, tokens.hashed_code(code.strip(), f"{purpose}|{flow}"))
    once = sa.update(OneTimeCode).where(OneTimeCode.id == row.id, OneTimeCode.used_at.is_(None)).values(used_at=now())
    if not good or not guarded(once):
        raise refusal
    return row.phone, json.loads(row.payload) if row.payload else {}


def stale() -> Refused:
    return Refused(_("验证码不对或已过期，请核对短信，或点“重新发送”"), field="code")


def of_proven_phone(flow: str, code: str, purpose: CodePurpose) -> Account:
    """The account of the telephone that a code has proven, once."""
    phone, _payload = finish(flow, code, purpose)
    signed = account_of_phone(phone)
    if signed is None or not signed.is_open(today()):
        raise stale()
    return signed


def sign_in(flow: str, code: str) -> Account:
    signed = of_proven_phone(flow, code, CodePurpose.SIGN_IN)
    sessions.open_session(signed)
    return signed
