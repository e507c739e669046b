"""What is larger than is taken: a page in Chinese, from the portal and from the server in front of it."""

import threading
import urllib.error
import urllib.request

import pytest
from flask import Flask

from portal.core import serving
from tests.client import Client
from tests.visitor import words_shown


def test_a_body_that_is_too_large_is_answered_with_the_way_back(
    app: Flask, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "MAX_CONTENT_LENGTH", 1000)
    answer = client.post("/account/sign-in", data={"phone": "1" * 2000})
    assert answer.status_code == 413
    assert "文件太大" in answer.text
    assert 'href="/account/sign-in"' in answer.text


def test_what_the_server_itself_refuses_is_said_in_chinese(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "LARGEST_BODY", 1000)
    web = serving.server(app, host="127.0.0.1", port=0, threads=1)
    thread = threading.Thread(target=web.run_and_drain)
    thread.start()
    try:
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(
                f"http://127.0.0.1:{web.effective_port}/account/sign-in", data=b"x" * 2000, timeout=10
            )
        page = refused.value.read().decode()
    finally:
        web.stop()
        thread.join(timeout=10)
    assert (refused.value.code, refused.value.headers["Content-Type"]) == (413, "text/html; charset=utf-8")
    assert "文件太大，最多20MB。请返回上一页" in words_shown(page)
    assert "Entity" not in words_shown(page)
