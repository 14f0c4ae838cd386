"""Long work of one person with progress: imports, exports, installations, carried out by workers.

A kind of job does one step at a time, and each step may be done again without harm: a worker that dies leaves a
job which the next one continues. What went wrong stands in the job, for the person who started it.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, Text, insert, select, update

from formloop.core import clock
from formloop.core.errors import FormloopError, Invalid, NotFound, Problem, Unavailable
from formloop.core.registry import Registry
from formloop.core.text import LOCALES, M, Message
from formloop.db import JsonText, UtcTime, connection, metadata, reading, transactional
from formloop.events import Doer, outbox, repair
from formloop.events.outbox import Delivery, Topic

TOPIC = "job"
TRIES = 4  # of one step, by workers that died or met a database that was not available
WAIT = 5.0  # seconds until what others hold for long is asked for again
_OVER = ("done", "failed")
_log = logging.getLogger(__name__)

table = Table(
    "fl_job",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("person", BigInteger),
    Column("payload", JsonText, nullable=False),
    Column("state", Text, nullable=False),
    Column("done", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("problems", JsonText, nullable=False),
    Column("result", JsonText, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("stop", Boolean),  # somebody wants it to end
    Index("fl_job_person", "person", "id"),
)


class _Kept(Message):
    """A sentence that was kept in every language."""

    __slots__ = ("said",)

    def __init__(self, said: Mapping[str, str]) -> None:
        super().__init__(said["en"])
        object.__setattr__(self, "said", said)

    def render(self, locale: str = "en") -> str:
        """The sentence in `locale`, never treated as a pattern with places."""
        said: Mapping[str, str] = object.__getattribute__(self, "said")
        return said[locale]


@dataclass(slots=True)
class Job:
    """One job: waiting, running, done or failed. A step may change `done`, `total` and `result`, and calls
    `alive` when it takes long."""

    id: int
    kind: str
    person: int | None
    payload: Mapping[str, Any]
    state: str
    done: int
    total: int
    problems: list[dict[str, str]]
    result: dict[str, Any]
    stopping: bool = False  # somebody wants it to end; a step that can end before its time does
    pause: float = 0.0  # seconds until the next step, where one may have to wait for others
    alive: Callable[[], None] = lambda: None

    @property
    def over(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in _OVER

    def require_done(self) -> None:
        """Raise Invalid with what went wrong, if it failed."""
        if self.state == "failed":
            raise Invalid([Problem("job", each["at"], _Kept(each)) for each in self.problems])

    def reason(self, locale: str) -> str:
        """Why it failed, in one sentence; empty when it did not."""
        return self.problems[0][locale] if self.problems else ""


@dataclass(frozen=True, slots=True)
class Work:
    """What a kind of job does: one step at a time, True when it is finished. `alone`: never two at once.

    `failed` takes back what a job that is to fail has begun, in the transaction that notes the failure.
    """

    step: Callable[[Job], bool]
    alone: bool = False
    failed: Callable[[Job], None] | None = None


kinds: Registry[Work] = Registry("kind of job")


def enroll(name: str, work: Work) -> None:
    """Let jobs of this kind be carried out; enrolling twice counts once."""
    if kinds.find(name) is None:
        kinds.add(name, work)


@transactional
def start(actor: Doer, kind: str, payload: Mapping[str, Any], now: bool = False) -> int:
    """Begin a job; a worker carries it out, or with `now` whoever calls `run` does."""
    job = clock.new_id()
    values = {"id": job, "kind": kind, "person": actor.person_id, "payload": dict(payload), "at": clock.now()}
    begun = {"state": "waiting", "done": 0, "total": 0, "problems": [], "result": {}}
    connection().execute(insert(table).values(**values, **begun))
    if not now:
        _promise(job, kind)
    return job


def run(job: int) -> Job:
    """Carry out a job here and now, to its end."""
    while True:
        found = get_job(job)
        if found.over:
            return found
        try:
            step(found)
        except Unavailable as error:
            _fail(found, problems_of(error))
        if found.pause and not found.over:
            time.sleep(found.pause)


def get_job(job: int, actor: Doer | None = None) -> Job:
    """A job, of `actor` if one is given; NotFound for everybody else."""
    with reading() as conn:
        row = conn.execute(select(table).where(table.c.id == job)).one_or_none()
    if row is None or (actor is not None and row.person != actor.person_id):
        raise NotFound
    progress = row.state, row.done, row.total
    told = list(row.problems), dict(row.result), bool(row.stop)
    return Job(row.id, row.kind, row.person, row.payload, *progress, *told)


@transactional
def stop(job: int) -> None:
    """Ask a job to end before its time; whether it can is its own affair.

    One whose message was given up at the repair desk is promised anew, or nobody would hear of it.
    """
    connection().execute(update(table).where(table.c.id == job).values(stop=True))
    found = get_job(job)
    if not found.over and not is_promised(found):
        _promise(found.id, found.kind)


def step(job: Job) -> None:
    """Do one step of a job and note how far it is; raises Unavailable when the step may succeed later."""
    if job.problems:  # it is to fail, but what it has begun could not be taken back yet
        _end(job)
        return
    try:
        finished = kinds.get(job.kind).step(job)
    except Unavailable:
        raise
    except Exception as error:  # whatever it is, the person who started the job must be told
        if not isinstance(error, FormloopError):
            _log.exception("job %s (%s) failed", job.id, job.kind)
        _fail(job, problems_of(error))
        return
    job.state = "done" if finished else "running"
    _note(job)


def _deliver(delivery: Delivery) -> None:
    try:
        job = get_job(int(delivery.payload["job"]))
    except NotFound:
        return
    if job.over:
        return
    if delivery.attempts > TRIES:
        _fail(job, [Problem("worker_lost", "", M("Its worker ended unexpectedly each time."))])
    else:
        _deliver_step(job, delivery)
    if not job.over:
        _promise(job.id, job.kind, job.pause)


def _deliver_step(job: Job, delivery: Delivery) -> None:
    def alive() -> None:
        outbox.keep_lease(delivery)
        _note(job)

    job.alive = alive
    try:
        step(job)
    except Unavailable as error:
        if delivery.attempts < TRIES:
            raise
        _fail(job, problems_of(error))


def _fail(job: Job, problems: Sequence[Problem]) -> None:
    job.problems = [said(problem) for problem in problems]
    _end(job)


def _end(job: Job) -> None:
    """Let a job fail of its problems; as long as others hold what it has begun, it runs on and is ended later."""
    try:
        _end_at_once(job)
    except Unavailable:
        job.state, job.pause = "running", WAIT
        _note(job)
    except Exception:
        _log.exception("what job %s (%s) had begun could not be taken back", job.id, job.kind)
        job.state = "failed"
        _note(job)


@transactional
def _end_at_once(job: Job) -> None:
    job.state = "failed"
    _note(job)
    taken_back = kinds.get(job.kind).failed
    if taken_back is not None and job.state == "failed":
        taken_back(job)


def finish(job: Job) -> None:
    """Note that a job is done, inside the open transaction: what its last step did and this stand together."""
    job.state = "done"
    _note(job)


def problems_of(error: Exception) -> Sequence[Problem]:
    """What is told of an error to whoever started the work."""
    if isinstance(error, Invalid) and error.problems:
        return error.problems
    if isinstance(error, FormloopError):
        return [Problem(error.code, "", error.message)]
    text = M("Something unexpected went wrong ({error}). The log says more.", error=type(error).__name__)
    return [Problem("unexpected", "", text)]


def said(problem: Problem) -> dict[str, str]:
    """A problem in every language, to be kept."""
    return {"at": problem.at, **{locale: problem.message.render(locale) for locale in LOCALES}}


@transactional
def _note(job: Job) -> None:
    """Note how far a job is. What is over stays so, whatever a worker thinks that lost its lease meanwhile."""
    progress = {"state": job.state, "done": job.done, "total": job.total}
    values = {**progress, "problems": job.problems, "result": job.result}
    open_still = table.c.id == job.id, table.c.state.not_in(_OVER)
    if not connection().execute(update(table).where(*open_still).values(**values)).rowcount:
        job.state = get_job(job.id).state


@transactional
def _promise(job: int, kind: str, pause: float = 0.0) -> None:
    not_before = clock.later(seconds=pause) if pause else None
    outbox.put(TOPIC, _key(job, kind), {"job": job}, not_before=not_before)


def is_promised(job: Job) -> bool:
    """Whether somebody will go on with a job: its message was not given up."""
    messages = repair.list_of_keys([f"{TOPIC}:{_key(job.id, job.kind)}"])
    return any(message.payload["job"] == job.id for message in messages)


def _key(job: int, kind: str) -> str:
    return kind if kinds.get(kind).alone else str(job)


if outbox.topics.find(TOPIC) is None:
    outbox.topics.add(TOPIC, Topic(_deliver, title=M("Imports, exports and installations")))
