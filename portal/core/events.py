"""Named events between siblings: published inside the transaction, wired in app.py, never able to refuse."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from flask import Flask, current_app

Subscriber = Callable[..., None]


def init(app: Flask) -> None:
    app.extensions["portal.events"] = defaultdict(list)


def subscribe(app: Flask, name: str, subscriber: Subscriber) -> None:
    app.extensions["portal.events"][name].append(subscriber)


def publish(name: str, **facts: Any) -> None:
    for subscriber in current_app.extensions["portal.events"][name]:
        subscriber(**facts)
