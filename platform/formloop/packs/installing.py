"""Installing in the background, so that the page can show how far it is.

The run stands in the outbox and in `fl_pack_run`; a worker that dies leaves it to the next one, and the
installation itself is one transaction.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Column, Table, Text, insert, select, update

from formloop.access.actor import SYSTEM, Actor, get_actor
from formloop.core import clock
from formloop.core.errors import FormloopError, Invalid, NotFound, Problem
from formloop.core.text import LOCALES, M
from formloop.db import JsonText, UtcTime, connection, metadata, reading, transactional
from formloop.events import outbox
from formloop.events.outbox import Delivery, Topic
from formloop.packs import samples, service
from formloop.packs.reading import Pack

TOPIC = "install"
_log = logging.getLogger(__name__)

runs = Table(
    "fl_pack_run",
    metadata,
    Column("id", Text, primary_key=True),
    Column("pack", Text, nullable=False),
    Column("state", JsonText, nullable=False),
    Column("begun_at", UtcTime, nullable=False),
)

STEPS = ("waiting", "definitions", "samples", "done")


def init() -> None:
    """Take part in deliveries."""
    if TOPIC not in outbox.topics:
        outbox.topics.add(TOPIC, Topic(_deliver))


@transactional
def begin(actor: Actor, pack: Pack, with_samples: bool) -> str:
    """Promise an installation; returns the id of the run. Invalid when the pack has problems."""
    *needed, _ = service.require_installable(pack)
    run = clock.new_key() + clock.new_key()
    state = {"step": "waiting", "ended": False, "problems": []}
    connection().execute(insert(runs).values(id=run, pack=pack.key, state=state, begun_at=clock.now()))
    files = {
        "manifest": dict(pack.manifest),
        "documents": dict(pack.documents),
        "samples": list(pack.samples),
    }
    outbox.put(
        TOPIC,
        "all",
        {
            "run": run,
            "person": actor.person_id,
            "with_samples": with_samples,
            "pack": files,
            "needed": [each.key for each in needed],
        },
    )
    return run


def get_state(run: str) -> Mapping[str, Any]:
    """How far a run is: `step`, whether it has `ended`, and its `problems` as sentences in both languages.

    When it failed, `reached` is the step that did.
    """
    with reading() as conn:
        state = conn.execute(select(runs.c.state).where(runs.c.id == run)).scalar()
    if state is None:
        raise NotFound
    found: Mapping[str, Any] = state
    return found


def _deliver(delivery: Delivery) -> None:
    run, said = delivery.payload["run"], delivery.payload["pack"]
    if get_state(run)["ended"]:
        return
    pack = Pack(said["manifest"], said["documents"], tuple(said["samples"]), None, ())
    try:
        person = delivery.payload["person"]
        actor = SYSTEM if person is None else get_actor(person)
        _tell(run, "definitions")
        service.install(actor, pack, with_samples=False)
        if delivery.payload["with_samples"]:
            _tell(run, "samples")
            for each in (*map(service.get_pack, delivery.payload.get("needed", ())), pack):
                samples.add(each)
        _tell(run, "done", ended=True)
    except Exception as error:  # trying again would end the same way; who installs is told and may begin anew
        if not isinstance(error, FormloopError):
            _log.exception("installing %s failed", pack.key)
        _fail(run, [_said(problem) for problem in _problems_of(error)])


def _problems_of(error: Exception) -> Sequence[Problem]:
    if isinstance(error, Invalid):
        return error.problems
    if isinstance(error, FormloopError):
        return [Problem(error.code, "", error.message)]
    text = M("Something unexpected went wrong ({error}). The log says more.", error=type(error).__name__)
    return [Problem("unexpected", "", text)]


def _said(problem: Problem) -> dict[str, str]:
    return {"at": problem.at, **{locale: problem.message.render(locale) for locale in LOCALES}}


@transactional
def _tell(run: str, step: str, ended: bool = False) -> None:
    _write(run, {"step": step, "ended": ended, "problems": []})


@transactional
def _fail(run: str, problems: list[dict[str, str]]) -> None:
    reached = get_state(run)["step"]
    _write(run, {"step": "failed", "reached": reached, "ended": True, "problems": problems})


def _write(run: str, state: Mapping[str, Any]) -> None:
    connection().execute(update(runs).where(runs.c.id == run).values(state=state))
