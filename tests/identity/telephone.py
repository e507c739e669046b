"""A telephone that remembers what was sent to it."""

import re

from flask import Flask

from portal.notifications.service.gateways import Answer, Message, Outcome


class Telephone:
    """Stands where the SMS gateway stands."""

    def __init__(self, app: Flask) -> None:
        self.messages: list[Message] = []
        app.extensions["portal.sms"] = self

    def send(self, message: Message) -> Answer:
        self.messages.append(message)
        return Answer(Outcome.SENT)

    def last(self, phone: str) -> str:
        return next(message.text for message in reversed(self.messages) if message.phone == phone)

    def code(self, phone: str) -> str:
        found = re.search(r"\d{6}", self.last(phone))
        assert found, f"no code in: {self.last(phone)}"
        return found.group()
