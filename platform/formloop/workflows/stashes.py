"""What people have written at their tasks and put by, or too late to be sent: a comment and the fields they filled in."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.engine import Row

from formloop.core import clock
from formloop.db import connection, reading
from formloop.workflows.tables import stash, task

_DROP = delete(stash).where(stash.c.task == bindparam("wanted"))


UNSENT = timedelta(days=7)  # so long it can be read what came too late


def keep(wanted: int, comment: str, raw: Mapping[str, Any], files: Sequence[str] = ()) -> None:
    """Keep it in place of what was put by before."""
    drop(wanted)
    row = {"task": wanted, "comment": comment, "raw": dict(raw), "at": clock.now(), "files": list(files)}
    connection().execute(insert(stash).values(row))


def drop(wanted: int) -> None:
    """It is decided, or not wanted any more."""
    connection().execute(_DROP, {"wanted": wanted})


def sweep() -> None:
    """Forget what was put by at tasks that are done, and what is at those taken away a week after both."""
    week_ago = clock.now() - UNSENT
    unread = (task.c.state != "open") & (task.c.done_at < week_ago) & (stash.c.at < week_ago)
    over = (task.c.state == "done") | unread
    gone = select(task.c.id).where(task.c.id == stash.c.task, over).exists()
    connection().execute(delete(stash).where(gone))


def find(wanted: int) -> Row[Any] | None:
    """What was put by at a task that is open still."""
    return _find(wanted, "open")


def find_unsent(wanted: int) -> Row[Any] | None:
    """What was written at a task that was taken away before it was sent."""
    return _find(wanted, "cancelled")


def _find(wanted: int, state: str) -> Row[Any] | None:
    query = select(stash).join(task, task.c.id == stash.c.task)
    with reading() as conn:
        return conn.execute(query.where(stash.c.task == wanted, task.c.state == state)).one_or_none()
