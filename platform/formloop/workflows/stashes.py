"""What people have written at their tasks and put by: a comment and the fields they filled in."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.engine import Row

from formloop.core import clock
from formloop.db import connection, reading
from formloop.workflows.tables import stash, task

_DROP = delete(stash).where(stash.c.task == bindparam("wanted"))


def keep(wanted: int, comment: str, raw: Mapping[str, Any]) -> None:
    """Keep it in place of what was put by before."""
    drop(wanted)
    row = {"task": wanted, "comment": comment, "raw": dict(raw), "at": clock.now()}
    connection().execute(insert(stash).values(row))


def drop(wanted: int) -> None:
    """It is decided, or not wanted any more."""
    connection().execute(_DROP, {"wanted": wanted})


def sweep() -> None:
    """Forget what was put by at tasks that are open no longer."""
    over = select(task.c.id).where(task.c.id == stash.c.task, task.c.state != "open").exists()
    connection().execute(delete(stash).where(over))


def find(wanted: int) -> Row[Any] | None:
    """What was put by at a task that is open still."""
    query = select(stash).join(task, task.c.id == stash.c.task)
    with reading() as conn:
        return conn.execute(query.where(stash.c.task == wanted, task.c.state == "open")).one_or_none()
