"""Installing in the background, so that the page can show how far it is.

The run stands in the outbox and in `fl_pack_run`; a worker that dies leaves it to the next one, and the
installation itself is one transaction.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Column, Table, Text, insert, select, update

from formloop.access.actor import Actor, get_actor
from formloop.core import clock
from formloop.core.errors import FormloopError, Invalid, NotFound
from formloop.db import JsonText, UtcTime, connection, metadata, reading, transactional
from formloop.events import outbox
from formloop.events.outbox import Delivery, Topic
from formloop.packs import samples, service
from formloop.packs.reading import Pack

TOPIC = "install"

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
    wrong = [*pack.problems, *(p for each in service.list_needed(pack) for p in each.problems)]
    if wrong:
        raise Invalid(wrong)
    run = clock.new_key() + clock.new_key()
    state = {"step": "waiting", "ended": False, "problems": []}
    connection().execute(insert(runs).values(id=run, pack=pack.key, state=state, begun_at=clock.now()))
    files = {
        "manifest": dict(pack.manifest),
        "documents": dict(pack.documents),
        "samples": list(pack.samples),
    }
    outbox.put(
        TOPIC, "all", {"run": run, "person": actor.person_id, "with_samples": with_samples, "pack": files}
    )
    return run


def get_state(run: str) -> Mapping[str, Any]:
    """How far a run is: `step`, whether it has `ended`, and its `problems` as sentences in both languages."""
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
    actor = get_actor(delivery.payload["person"])
    try:
        _tell(run, "definitions")
        service.install(actor, pack, with_samples=False)
        if delivery.payload["with_samples"]:
            _tell(run, "samples")
            for each in (*service.list_needed(pack), pack):
                samples.add(each)
        _tell(run, "done", ended=True)
    except Invalid as error:
        _tell(
            run,
            "failed",
            True,
            [
                {"at": p.at, "en": p.message.render("en"), "zh-CN": p.message.render("zh-CN")}
                for p in error.problems
            ],
        )
    except FormloopError as error:
        _tell(
            run,
            "failed",
            True,
            [{"at": "", "en": error.message.render("en"), "zh-CN": error.message.render("zh-CN")}],
        )


@transactional
def _tell(run: str, step: str, ended: bool = False, problems: list[dict[str, str]] | None = None) -> None:
    state = {"step": step, "ended": ended, "problems": problems or []}
    connection().execute(update(runs).where(runs.c.id == run).values(state=state))
