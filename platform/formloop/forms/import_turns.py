"""Whose turn it is with an import: one job at a time checks it, writes it or takes it back, and only in that order.

A button may be pressed twice, on a page that was kept open, or by two people at one moment; a worker that was given
up for lost may still be at work. So every move is made under a lock of the import, and asks again what it was told.
"""

from dataclasses import replace
from typing import Any

from sqlalchemy import func, select

from formloop.access.actor import Actor
from formloop.core.errors import Conflict
from formloop.core.text import M
from formloop.db import connection, is_sqlite, transactional
from formloop.events import jobs
from formloop.events.jobs import Job
from formloop.forms import staging
from formloop.forms.staging import UNDER_WAY, Batch

_FROM = {  # the states in which an import may be worked on; the last of each is that of a job that failed half-way
    "import_check": ("mapping", "mapped", "checked", "undone", "checking"),
    "import_run": ("checked", "running"),
    "import_undo": ("done", "running", "undoing"),
}
_REFUSED = {
    "import_check": M("This import has been written. Take it back first, or begin a new import."),
    "import_run": M(
        "Only rows that were checked and not written yet can be imported. Check them again, or begin a new import."
    ),
    "import_undo": M(
        "There is nothing to take back: this import was not written, or was taken back already."
    ),
}


def may(batch: Batch, what: str) -> bool:
    """Whether a job of this kind may begin: also where the job that did so before failed half-way."""
    return batch.state in _FROM[what] and _job_under_way(batch) is None


def is_under_way(batch: Batch, what: str) -> bool:
    """Whether a job of this kind has begun and not ended."""
    job = _job_under_way(batch)
    return job is not None and job.kind == what


def _job_under_way(batch: Batch) -> Job | None:
    job = jobs.get_job(batch.job) if batch.job else None
    return None if job is None or job.over else job


def take(actor: Actor, batch_id: int, what: str) -> Batch:
    """An import, locked for the open transaction, with which `what` may begin; Conflict says why it may not."""
    _require(staging.get_batch(batch_id, actor), what)  # before the lock, for which a job may let us wait
    batch = staging.get_batch(batch_id, actor, lock=True)
    _require(batch, what)
    return batch


def _require(batch: Batch, what: str) -> None:
    if _job_under_way(batch) is not None:
        raise Conflict(UNDER_WAY)
    if batch.state not in _FROM[what]:
        raise Conflict(_REFUSED[what])


def batch_of(job: Job) -> Batch:
    """The import that a job is at work with; Conflict when another job has it by now."""
    batch = staging.get_batch(int(job.payload["batch"]))
    if batch.job != job.id:
        raise Conflict(UNDER_WAY)
    return batch


@transactional
def move(batch: Batch, state: str, **values: Any) -> Batch:
    """Let an import come to another state; Conflict unless it is where `batch` says."""
    staging.require_held(batch)
    staging.set_batch(batch.id, state=state, **values)
    return replace(batch, state=state, **values)


class FormTaken(Exception):
    """Another import is just writing records of the same form."""


def take_form(form: str) -> None:
    """Have a form alone among all imports until the open transaction ends; FormTaken while another one has it.

    What records are found by need not be unique: only so does one import find what another has just made. On
    SQLite one transaction writes at a time anyway.
    """
    if is_sqlite():
        return
    free = select(func.pg_try_advisory_xact_lock(func.hashtextextended(f"import:{form}", 0)))
    if not connection().execute(free).scalar():
        raise FormTaken


def still_waiting(batch: Batch, rows: list[Any]) -> list[Any]:
    """Those of `rows` that are as they were read, locked for the open transaction: nobody else has done them."""
    if not rows or not staging.is_held(batch):
        return []
    states = staging.states_between(batch.id, rows[0].number, rows[-1].number)
    return [row for row in rows if states.get(row.number) == row.state]
