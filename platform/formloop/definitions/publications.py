"""Publications that would keep others waiting: a job prepares them while everybody goes on working, then publishes.

Everything else is published at once. What is published is the document as it was when its publication began;
a draft that somebody goes on editing meanwhile stays.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import update

from formloop.access import gate
from formloop.access.actor import SYSTEM, Actor, get_actor
from formloop.core.definitions import Ahead, Doc, kinds, parse, write
from formloop.core.errors import Conflict, Invalid, NotFound, Problem, Unavailable
from formloop.core.text import M, Message
from formloop.db import connection, reading, transactional
from formloop.definitions.drafts import RESOURCE, find_draft, get_definition, lock
from formloop.definitions.history import any_error, judged, wanted_document
from formloop.definitions.needed import list_needed, told
from formloop.definitions.publishing import (
    Published,
    publish,
    publish_prepared,
    require_at_rest,
    roll_back,
)
from formloop.definitions.tables import definition
from formloop.events import jobs
from formloop.events.jobs import Job, Work

KIND = "publish"
MOST_WAITS = 360  # how often those who read for long are waited for
_NO_DRAFT = -1  # no revision of a draft: going back to a version leaves the draft as it is


def init() -> None:
    """Let long publications be carried out, one after another."""
    jobs.enroll(KIND, Work(_step, alone=True, failed=_take_back))


def begin(
    actor: Actor,
    definition_id: str,
    note: str = "",
    revision: int | None = None,
    version: int | None = None,
    together: Mapping[str, int] | None = None,
) -> Published | int:
    """Publish the draft, or go back to `version`, at once; or promise a job where that takes long: its number.

    `revision` and `together` as in `publish`.
    """
    gate.require(actor, "design", RESOURCE)
    if _is_long(actor, definition_id, version):
        return _promise(actor, definition_id, note, revision, version)
    if version is not None:
        return roll_back(actor, definition_id, version, note)
    return publish(actor, definition_id, note, revision, together)


def _is_long(actor: Actor, definition_id: str, version: int | None) -> bool:
    found = get_definition(definition_id)
    ahead = kinds.get(found.kind).ahead
    if ahead is None or not found.version or (version is None and not found.has_draft):
        return False
    new = wanted_document(found, version)
    with reading() as conn, judged(actor, found, new) as problems:
        return not any_error(problems) and ahead.is_long(conn, new)


@transactional
def _promise(
    actor: Actor,
    definition_id: str,
    note: str,
    revision: int | None,
    version: int | None,
) -> int:
    row = lock(definition_id)
    if row is None:
        raise NotFound
    require_at_rest(row)
    if version is None and (row.draft is None or revision not in (None, row.draft_revision)):
        raise Conflict(M("The draft has been published or changed by somebody else."))
    if version is None:
        _require_nothing_new(definition_id)
    doc = wanted_document(get_definition(definition_id), version)
    said = {"definition": definition_id, "text": write(doc, kinds.get(row.kind)), "note": note}
    draft = row.draft_revision if version is None else _NO_DRAFT
    job = jobs.start(actor, KIND, {**said, "revision": draft})
    connection().execute(update(definition).where(definition.c.id == definition_id).values(publishing=job))
    return job


def _require_nothing_new(definition_id: str) -> None:
    """A job prepares one definition: what it needs must be there when the job begins."""
    draft = find_draft(definition_id)
    needed = list_needed(draft.definition.kind, draft.doc) if draft else []
    if needed:
        text = M(
            "Publish it first: with so many records this publication takes a while, and is prepared alone."
        )
        raise Invalid([told(each, Problem("needed_first", "", text)) for each in needed])


def get_run(definition_id: str, job: int) -> Job:
    """How far a publication of this definition is, for everybody who may design."""
    found = jobs.get_job(job)
    if found.kind != KIND or found.payload["definition"] != definition_id:
        raise NotFound
    return found


def list_losses(job: Job) -> list[Message]:
    """Which values a publication found that did not survive it, in words."""
    ahead, doc = _prepared(job)
    return ahead.list_losses(doc, job.result.get("ahead", {}))


def cancel(actor: Actor, definition_id: str, job: int) -> None:
    """Let a publication end without coming; without effect once it has come."""
    gate.require(actor, "design", RESOURCE)
    jobs.stop(get_run(definition_id, job).id)


def _step(job: Job) -> bool:
    if get_definition(job.payload["definition"]).publishing != job.id:
        return True  # it has come already
    if job.stopping:
        raise Invalid([Problem("cancelled", "", M("It was cancelled. The version that ran before runs on."))])
    job.result["waiting"] = False
    try:
        return _go_on(job)
    except Unavailable:  # others hold the table for long, as a backup does
        waits = job.result.get("waits", 0)
        if waits == MOST_WAITS:
            raise
        job.result |= {"waits": waits + 1, "waiting": True}
        job.pause = jobs.WAIT
        return False


def _go_on(job: Job) -> bool:
    actor = SYSTEM if job.person is None else get_actor(job.person)
    ahead, doc = _prepared(job)
    state: dict[str, Any] = job.result.setdefault("ahead", {})
    ready = ahead.go_on(doc, state)
    job.done, job.total = state.get("done", 0), state.get("total", 0)
    if ready:
        _publish(job, actor, doc)
    return ready


@transactional
def _publish(job: Job, actor: Actor, doc: Doc) -> None:
    """Publish what is ready and note so at once: a worker that is killed afterwards leaves nothing to be repeated."""
    said = job.payload
    done = publish_prepared(actor, said["definition"], doc, said["note"], said["revision"], job.id)
    if done is not None:
        job.result["version"] = done.version
        jobs.finish(job)


def _prepared(job: Job) -> tuple[Ahead, Doc]:
    kind = kinds.get(get_definition(job.payload["definition"]).kind)
    if kind.ahead is None:
        raise NotFound
    return kind.ahead, parse(job.payload["text"]).doc


@transactional
def _take_back(job: Job) -> None:
    row = lock(job.payload["definition"])
    if row is None or row.publishing != job.id:
        return
    ahead, doc = _prepared(job)
    ahead.give_up(doc)
    connection().execute(update(definition).where(definition.c.id == row.id).values(publishing=None))
