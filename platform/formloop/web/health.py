"""Whether this process lives (`/livez`) and can work (`/readyz`), for balancers and service managers.

Answered before anything else is looked at: who asks has no account, and often no name that this site answers to.
"""

import threading
import time

import structlog
from flask import Flask, Response, request
from sqlalchemy import text

from formloop.db import reading

KEPT = 1.0  # seconds for which an answer about the database holds
_log = structlog.get_logger("formloop.web")


class Readiness:
    """Whether the database answers, asked at most once a second however many ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until = 0.0
        self._ready = False

    def __call__(self) -> bool:
        with self._lock:
            if time.monotonic() >= self._until:
                self._ready = _database_answers()
                self._until = time.monotonic() + KEPT
            return self._ready


def _database_answers() -> bool:
    try:
        with reading() as conn:
            conn.execute(text("SELECT 1"))
    except Exception as error:  # whatever it is, this process cannot work now
        _log.warning("not ready", error=str(error))
        return False
    return True


def init_app(app: Flask) -> None:
    """Answer both addresses."""
    ready = Readiness()

    @app.before_request
    def answer() -> Response | None:
        if request.path == "/livez":
            return _plain("alive", 200)
        if request.path == "/readyz":
            return _plain("ready", 200) if ready() else _plain("not ready", 503)
        return None


def _plain(word: str, status: int) -> Response:
    return Response(f"{word}\n", status, mimetype="text/plain", headers={"Cache-Control": "no-store"})
