"""Long work of one person with progress: imports and exports, carried out by workers through the outbox.

A kind of job does one step at a time; each step remembers in its own transaction what it has done, so a worker
that dies leaves a job which the next one continues.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text, insert, select, update

from formloop.access.actor import SYSTEM, Actor, get_actor
from formloop.core import clock
from formloop.core.errors import FormloopError, Invalid, NotFound
from formloop.core.registry import Registry
from formloop.core.text import Message
from formloop.db import JsonText, UtcTime, connection, metadata, reading, transactional
from formloop.events import outbox
from formloop.events.outbox import Delivery, Topic
from formloop.forms.fields.datetime import site_zone

job_table = Table(
    "fl_job",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("person", BigInteger),
    Column("payload", JsonText, nullable=False),
    Column("state", Text, nullable=False),
    Column("done", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("message", JsonText),
    Column("result", JsonText),
    Column("at", UtcTime, nullable=False),
    Index("fl_job_person", "person", "id"),
)


@dataclass(slots=True)
class Job:
    """One job under way. A step may change `done`, `total` and `result`, and calls `alive` when it takes long."""

    id: int
    kind: str
    person: int | None
    payload: Mapping[str, Any]
    state: str
    done: int
    total: int
    message: Message | None
    result: dict[str, Any]
    alive: Callable[[], None] = lambda: None

    @property
    def over(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in ("done", "failed")


Step = Callable[[Job, Actor], bool]
kinds: Registry[Step] = Registry("kind of job")


@transactional
def start(actor: Actor, kind: str, payload: Mapping[str, Any], now: bool = False) -> int:
    """Begin a job; a worker carries it out, or with `now` whoever calls `run` does."""
    job = clock.new_id()
    connection().execute(
        insert(job_table).values(
            id=job,
            kind=kind,
            person=actor.person_id,
            payload=dict(payload),
            state="waiting",
            done=0,
            total=0,
            result={},
            at=clock.now(),
        )
    )
    if not now:
        outbox.put("job", str(job), {"job": job})
    return job


def run(job: int) -> Job:
    """Carry out a job here and now, to its end."""
    while True:
        found = get_job(job)
        if found.over:
            return found
        _step(found)


def get_job(job: int, actor: Actor | None = None) -> Job:
    """A job, of `actor` if one is given; NotFound for everybody else."""
    with reading() as conn:
        row = conn.execute(select(job_table).where(job_table.c.id == job)).one_or_none()
    if row is None or (actor is not None and row.person != actor.person_id):
        raise NotFound
    said = Message(row.message["msgid"], row.message["params"]) if row.message else None
    return Job(
        row.id,
        row.kind,
        row.person,
        row.payload,
        row.state,
        row.done,
        row.total,
        said,
        dict(row.result or {}),
    )


def _deliver(delivery: Delivery) -> None:
    try:
        job = get_job(int(delivery.payload["job"]))
    except NotFound:
        return
    if job.over:
        return

    def alive() -> None:
        outbox.keep_lease(delivery)
        _note(job)

    job.alive = alive
    if not _step(job):
        _again(job)


def _step(job: Job) -> bool:
    """One step; whether the job is over."""
    try:
        finished = kinds.get(job.kind)(job, _actor(job.person))
        job.state = "done" if finished else "running"
    except FormloopError as error:  # the reason is for the person who started it, not for the repair desk
        first = error.problems[0].message if isinstance(error, Invalid) and error.problems else error.message
        job.state, job.message = "failed", first
    _note(job)
    return job.over


def _actor(person: int | None) -> Actor:
    return SYSTEM if person is None else replace(get_actor(person), zone=site_zone())


@transactional
def _note(job: Job) -> None:
    said = {"msgid": job.message.msgid, "params": _plain(job.message.params)} if job.message else None
    connection().execute(
        update(job_table)
        .where(job_table.c.id == job.id)
        .values(state=job.state, done=job.done, total=job.total, message=said, result=job.result)
    )


def _plain(params: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v if isinstance(v, int) else str(v) for k, v in params.items()}


@transactional
def _again(job: Job) -> None:
    outbox.put("job", str(job.id), {"job": job.id})


if outbox.topics.find("job") is None:
    outbox.topics.add("job", Topic(_deliver))
