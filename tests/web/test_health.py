"""Balancers learn whether a process lives and can work, whoever they say they are."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from formloop.core.errors import Unavailable
from formloop.web import health, start


@contextmanager
def _gone() -> Iterator[Any]:
    raise Unavailable
    yield


def test_a_process_lives_without_a_database_and_is_not_ready(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "reading", _gone)
    alive, ready = client.get("/livez"), client.get("/readyz")
    assert (alive.status_code, alive.text) == (200, "alive\n")
    assert (ready.status_code, ready.text) == (503, "not ready\n")


def test_readiness_is_asked_once_a_second_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    moments = iter([0.0, 0.0, 0.5, 1.5, 1.5])
    monkeypatch.setattr(health.time, "monotonic", lambda: next(moments) + 100)
    monkeypatch.setattr(health, "_database_answers", lambda: not asked.append(1))
    ready = health.Readiness()
    assert [ready(), ready(), ready()] == [True, True, True]
    assert len(asked) == 2


def test_any_host_name_may_ask(client: FlaskClient) -> None:
    assert client.get("/livez", headers={"Host": "10.0.0.7"}).status_code == 200


def test_a_full_disk_is_said_in_words(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    app.config["WTF_CSRF_ENABLED"] = False
    monkeypatch.setattr(start, "_keepers", [full])
    answer = client.post("/preferences", data={"locale": "en"}, headers={"Origin": "http://localhost"})
    assert answer.status_code == 507
    assert "disk" in answer.text
