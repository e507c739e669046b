"""A tiny application behind the portal's own server: each request waits until a file exists. Arguments: port, gate."""

import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from portal.core import serving

PORT, GATE = int(sys.argv[1]), Path(sys.argv[2])


def say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    if environ["PATH_INFO"] == "/held":
        say("held")
        while not GATE.exists():
            time.sleep(0.01)
    body = b"answered whole " + environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


web = serving.server(application, host="127.0.0.1", port=PORT, threads=4)
serving.stop_when_asked(web)
say("serving")
sys.exit(0 if web.run_and_drain() else 1)
