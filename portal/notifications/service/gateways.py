"""SMS gateways: what carries words to a telephone, and the four ways that can end."""

import sys
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import requests
from urllib3.exceptions import MaxRetryError, NewConnectionError

from portal.config import Config
from portal.core.masking import mask_phone

# Seconds to connect, and to wait for the answer.
TIMEOUTS = (3.05, 10)
NOT_NOW = frozenset({429, 503})


class Outcome(StrEnum):
    """UNKNOWN: the message left and the answer was lost, so it may or may not have arrived."""

    SENT = "sent"
    TRY_LATER = "try_later"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Message:
    """`key` is the same for every try of one message, so that a gateway can drop a second copy."""

    key: str
    phone: str
    text: str


@dataclass(frozen=True)
class Answer:
    outcome: Outcome
    error: str = ""


class Gateway(Protocol):
    def send(self, message: Message) -> Answer: ...


class ConsoleGateway:
    """Prints the message: for a demonstration at one's own terminal, and nowhere else."""

    def send(self, message: Message) -> Answer:
        rule = "─" * 60
        sys.stdout.write(f"┌{rule}\n│ 短信 {mask_phone(message.phone)}  {message.text}\n└{rule}\n")
        sys.stdout.flush()
        return Answer(Outcome.SENT)


class NoGateway:
    """A production without SMS_URL: nothing is sent and nothing secret is printed."""

    def send(self, message: Message) -> Answer:
        return Answer(Outcome.REFUSED, "SMS_URL is not set")


class HttpGateway:
    """A provider that takes JSON: {"to", "text"}, a bearer token, and an Idempotency-Key."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self.token = token

    def send(self, message: Message) -> Answer:
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": message.key}
        try:
            answer = requests.post(
                self.url,
                json={"to": message.phone, "text": message.text},
                headers=headers,
                timeout=TIMEOUTS,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            # The exception's words hold the address and perhaps the token: only its kind is kept.
            name = type(error).__name__
            return Answer(Outcome.TRY_LATER if _never_left(error) else Outcome.UNKNOWN, name)
        return _read(answer.status_code)


def _never_left(error: requests.RequestException) -> bool:
    if isinstance(error, requests.ConnectTimeout):
        return True
    cause = error.args[0] if error.args else None
    return isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError)


def _read(status: int) -> Answer:
    error = f"HTTP {status}"
    if 200 <= status < 300:
        return Answer(Outcome.SENT)
    if status in NOT_NOW:
        return Answer(Outcome.TRY_LATER, error)
    # A server's own failure may come after it took the message.
    return Answer(Outcome.REFUSED if status < 500 else Outcome.UNKNOWN, error)


def gateway_for(config: Config) -> Gateway:
    if config.sms_url:
        return HttpGateway(config.sms_url, config.sms_token)
    return NoGateway() if config.production else ConsoleGateway()
