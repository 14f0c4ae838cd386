"""What a play came to: collected from what its transaction has written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.engine import Row

from formloop.access.actor import Actor
from formloop.bridges.notices.tables import notice
from formloop.core import clock
from formloop.core.text import Message
from formloop.db import Mark, connection
from formloop.events import reasons
from formloop.events.tables import outbox
from formloop.forms.tables import change
from formloop.ledgers.kind import list_ledgers
from formloop.ledgers.spec import LedgerSpec
from formloop.workflows import publisher_rights, watching
from formloop.workflows.kind import get_version
from formloop.workflows.spec import Step
from formloop.workflows.state import Rule
from formloop.workflows.tables import case, case_log, task

KEPT_BACK = "…"  # what is told says what whoever looks at the play may not see


@dataclass(frozen=True, slots=True)
class Asked:
    """Who would be asked or told at which step, by which rule, with which field rights."""

    step: str
    person: int
    kind: str
    why: Rule
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Entered:
    """An entry that a ledger would get."""

    ledger: str
    dims: Mapping[str, Any]
    amounts: Mapping[str, Any]


@dataclass(slots=True)
class Played:
    """How a play went: its history, who was asked, which records changed, what ledgers and messages would say.

    `waiting` are those whose decision it waits for at the end, `stays` the steps without people where it does;
    `told` who would read which notice, but for what the player may not see. Steps of the workflow that is played go
    by their id, those of sub-flows by workflow and id, `order_approval/head`; `steps` knows them all.
    """

    status: str = "new"
    path: list[tuple[str, str, int | None]] = field(default_factory=list)  # step, action, person
    asked: list[Asked] = field(default_factory=list)
    waiting: list[tuple[str, int]] = field(default_factory=list)  # step, person
    stays: list[tuple[str, Message]] = field(default_factory=list)  # step, what for
    changes: list[tuple[str, int, str]] = field(default_factory=list)  # form, record, action
    entries: list[Entered] = field(default_factory=list)
    told: list[tuple[int, str]] = field(default_factory=list)  # person, what a notice keeps of it
    messages: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)  # topic, payload
    problems: list[Message] = field(default_factory=list)
    steps: dict[str, Step] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Begun(Mark):
    """Where a play began: its own are what was made since, and the messages of the outbox after that one."""

    message: int


def begin() -> Begun:
    """A play begins now, in the open transaction."""
    last = connection().execute(select(func.coalesce(func.max(outbox.c.id), 0))).scalar_one()
    return Begun(clock.new_id(), int(last))


def name_of(root: str, workflow: str, step: str) -> str:
    """What a step is called in a play of the workflow `root`."""
    return step if workflow == root else f"{workflow}/{step}"


def collect(actor: Actor, played: Played, root: str, begun: Begun) -> None:
    """Write down what was made, as far as the actor may see it."""
    conn, kept_back = connection(), set[str]()
    of_case = (case.c.workflow, case.c.version)
    notes = select(case_log, *of_case).join(case, case.c.id == case_log.c.case)
    for row in conn.execute(notes.where(begun.made(case_log.c.id)).order_by(case_log.c.id)):
        played.path.append((_know(played, root, row), row.action, row.person))
        if row.action == "message" and _is_hidden(actor, row):
            kept_back.add(reasons.written(row.comment))
    tasks = select(task, *of_case).join(case, case.c.id == task.c.case)
    for row in conn.execute(tasks.where(begun.made(task.c.id)).order_by(task.c.id)):
        step = played.steps.get(name := _know(played, root, row))
        played.asked.append(Asked(name, row.person, row.kind, row.why, step.fields if step else {}))
    changes = select(change.c.form, change.c.record, change.c.action).where(begun.made(change.c.id))
    played.changes = [(c.form, c.record, c.action) for c in conn.execute(changes.order_by(change.c.id))]
    sent = select(outbox.c.topic, outbox.c.payload).where(
        outbox.c.id > begun.message, outbox.c.topic != watching.TOPIC
    )
    played.messages = [(m.topic, m.payload) for m in conn.execute(sent.order_by(outbox.c.id))]
    read = select(notice.c.person, notice.c.said).where(begun.made(notice.c.id))
    played.told = [
        (n.person, KEPT_BACK if n.said in kept_back else n.said)
        for n in conn.execute(read.order_by(notice.c.id))
    ]
    played.entries = [entry for ledger in list_ledgers() for entry in _entries(ledger, begun)]


def _is_hidden(actor: Actor, note: Row[Any]) -> bool:
    workflow = get_version(note.workflow, note.version)
    step = workflow.steps.get(note.step)
    return step is None or publisher_rights.tells_hidden(actor, workflow, step)


def _know(played: Played, root: str, row: Row[Any]) -> str:
    name = name_of(root, row.workflow, row.step)
    step = get_version(row.workflow, row.version).steps.get(row.step)
    if step is not None:
        played.steps[name] = step
    return name


def _entries(ledger: LedgerSpec, begun: Begun) -> list[Entered]:
    table = ledger.tables.entry
    found = (
        connection().execute(select(table).where(begun.made(table.c.posted)).order_by(table.c.id)).mappings()
    )
    return [
        Entered(
            ledger.key,
            {each.key: row[each.column] for each in ledger.dimensions.values()},
            {each.key: row[each.column] for each in ledger.measures.values()},
        )
        for row in found
    ]
