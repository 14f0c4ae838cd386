"""One writer at a time on SQLite, which by itself only polls: at first each millisecond, soon every 25 or 100.

Threads of one process wait for a lock, processes for a locked file beside the database. It is a record
lock: the system frees it when its process ends in whatever way, and no child inherits it.
"""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path
from typing import IO

from sqlalchemy import Engine

from formloop.core.errors import Unavailable
from formloop.core.text import M

LONGEST, PAUSE = 20.0, 0.00015  # seconds
_threads = threading.Lock()
_patience: ContextVar[float | None] = ContextVar("patience", default=None)


@contextmanager
def patience(seconds: float) -> Iterator[None]:
    """Inside the block a turn that does not come within `seconds` is Unavailable: for writes that can be left out."""
    token = _patience.set(seconds)
    try:
        yield
    finally:
        _patience.reset(token)


@contextmanager
def taken(target: Engine) -> Iterator[None]:
    """Hold the turn to write to `target`; Unavailable when it does not come within 20 s, or the present patience."""
    if target.dialect.name != "sqlite":
        yield
        return
    said = _patience.get()
    longest = LONGEST if said is None else said
    until = time.monotonic() + longest
    if not _threads.acquire(timeout=longest):
        raise _busy()
    try:
        with _among_processes(target.url.database, until):
            yield
    finally:
        _threads.release()


def _busy() -> Unavailable:
    return Unavailable(M("The database is busy. Try again in a moment."))


if sys.platform == "win32":

    @contextmanager
    def _among_processes(database: str | None, until: float) -> Iterator[None]:
        yield  # one web process there; SQLite's own polling keeps the worker apart

else:
    import fcntl

    @contextmanager
    def _among_processes(database: str | None, until: float) -> Iterator[None]:
        if not database or database == ":memory:":
            yield
            return
        file = _file(f"{database}-turn")
        while not _locked(file):
            if time.monotonic() > until:
                raise _busy()
            time.sleep(PAUSE)
        try:
            yield
        finally:
            fcntl.lockf(file, fcntl.LOCK_UN)

    @lru_cache(maxsize=8)
    def _file(name: str) -> IO[bytes]:
        return Path(name).open("ab")  # kept open: closing it would free the lock of the whole process

    def _locked(file: IO[bytes]) -> bool:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
