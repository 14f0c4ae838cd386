"""Two at the same moment: what one does begins while what the other did is not yet committed."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from sqlalchemy import text

from formloop import db

T = TypeVar("T")
WAITING = text(
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
)


def _waits() -> bool:
    """Whether another connection waits for a lock; on SQLite nobody writes beside another anyway."""
    if db.is_sqlite():
        return True
    with db.engine().connect() as conn:
        return bool(conn.execute(WAITING).scalar_one())


def begun_while(first: Callable[[], Any], second: Callable[[], T]) -> T:
    """What `second` comes to, begun when `first` is done but not committed: that happens once it ends or waits."""
    with ThreadPoolExecutor(1) as pool:

        @db.transactional
        def done() -> Any:
            first()
            found, paused = pool.submit(second), threading.Event()
            while not found.done() and not _waits():
                paused.wait(0.01)
            return found

        result: T = done().result(30)
        return result
