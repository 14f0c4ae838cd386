"""Requests of one process compute one after another.

Python runs one thread at a time anyhow, and switching among several that all want to run costs a third of
the throughput. Whoever has waited `PATIENCE` goes ahead regardless, so that a slow request holds nobody up.
"""

import threading
from collections.abc import Callable, Iterable
from typing import Any

PATIENCE = 0.05  # seconds
LARGE = 65_536  # bytes: a body that takes its time to arrive keeps no turn

Application = Callable[[Any, Any], Iterable[bytes]]


def in_turn(application: Application) -> Application:
    """`application`, asked by one thread of this process at a time as far as patience allows."""
    turn = threading.Lock()

    def answer(environ: Any, start_response: Any) -> Iterable[bytes]:
        length = environ.get("CONTENT_LENGTH") or "0"
        if len(length) > 5 or int(length) > LARGE or not turn.acquire(timeout=PATIENCE):
            return application(environ, start_response)
        try:
            return application(environ, start_response)
        finally:
            turn.release()

    return answer
