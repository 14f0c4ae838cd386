"""Proof that of two people who decide at the same moment exactly one does: real processes on a real database.

It works on the database that is started and leaves its form, people and cases there: run it on a throw-away one.
"""

import multiprocessing
import random
from collections import Counter
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from typing import Any

from flask import Flask
from sqlalchemy import func, select

from formloop import db
from formloop.access import people
from formloop.access.actor import SYSTEM, Actor, get_actor
from formloop.access.role_kind import ROLE
from formloop.bridges import service as bridges
from formloop.bridges.kind import BRIDGE
from formloop.bridges.notices.tables import notice
from formloop.core.definitions import Doc
from formloop.core.errors import Conflict, FormloopError
from formloop.definitions import service as definitions
from formloop.events.tables import outbox
from formloop.forms import service as records
from formloop.forms.kind import FORM
from formloop.forms.tables import change
from formloop.settings import Settings
from formloop.workflows import service
from formloop.workflows.announcing import link_of
from formloop.workflows.kind import WORKFLOW
from formloop.workflows.tables import case, case_log, task

KINDS = (ROLE, FORM, WORKFLOW, BRIDGE)  # a worker process has them once this module is imported
FORM_KEY = "approval_race"
DOCUMENTS: list[Doc] = [
    {
        "x-kind": "form", "x-id": "0ace0001", "x-key": FORM_KEY, "title": "Approval race", "type": "object",
        "properties": {"subject": {"type": "string", "title": "Subject"}},
    },
    {
        "x-kind": "workflow", "x-id": "0ace0002", "x-key": FORM_KEY, "title": "Approval race", "form": FORM_KEY,
        "steps": [
            {
                "id": "one", "node": "approval", "title": "One",
                "who": [{"rule": "people", "people": ["race_one", "race_two"]}],
            },
            {"id": "done", "node": "end", "state": "confirmed"},
        ],
    },
    {
        "x-kind": "form", "x-id": "0ace0003", "x-key": f"{FORM_KEY}_told", "title": "Told of it", "type": "object",
        "properties": {"subject": {"type": "string", "title": "Subject"}},
    },
    {
        "x-kind": "bridge", "x-id": "0ace0004", "x-key": f"{FORM_KEY}_told", "title": "Each outcome is told",
        "from": {"form": FORM_KEY, "on": ["state:confirmed", "state:rejected"]},
        "to": {"form": f"{FORM_KEY}_told"}, "map": {"subject": "subject"}, "run": "after",
    },
]  # fmt: skip

Order = tuple[int, int, str]  # who, which task, what
KINDS_OF_RACE: tuple[tuple[str, tuple[str, str], bool], ...] = (
    ("two people approve", ("approve", "approve"), False),
    ("one approves, one rejects", ("approve", "reject"), False),
    ("one person clicks twice", ("approve", "approve"), True),
)


def prove_approve(settings: Settings, rounds: int = 1_000, seed: int = 1) -> dict[str, Any]:
    """Run `rounds` races; `ok` says whether each had one decision, one step, one row of history, one notice and one message."""
    chance = random.Random(seed)  # noqa: S311  repeatable, not secret
    starter, approvers = _prepare()
    outcomes: Counter[str] = Counter()
    wrong: list[str] = []
    spawn = multiprocessing.get_context("spawn")
    barrier = spawn.Barrier(2)
    lines = [spawn.Pipe() for _ in range(2)]
    workers = [spawn.Process(target=_work, args=(settings, end, barrier), daemon=True) for _, end in lines]
    for worker, (_, end) in zip(workers, lines, strict=True):
        worker.start()
        end.close()  # so that a worker that dies is noticed
    try:
        for number in range(rounds):
            name, actions, same = chance.choice(KINDS_OF_RACE)
            found = _submit(starter, number)
            who = [approvers[0], approvers[0] if same else approvers[1]]
            for (line, _), person, action in zip(lines, who, actions, strict=True):
                line.send((person, found.asked[person], action))
            answers = sorted(line.recv() for line, _ in lines)
            outcomes[f"{name}: {', '.join(answers)}"] += 1
            wrong += [f"round {number}, {name}: {each}" for each in _faults(found.case, answers, same)]
    finally:
        for line, _ in lines:
            line.send(None)
        for worker in workers:
            worker.join(timeout=10)
    return {"seed": seed, "rounds": rounds, **outcomes, "wrong": wrong[:20], "ok": not wrong}


def _prepare() -> tuple[Actor, list[int]]:
    bridges.start()
    definitions.publish_many(SYSTEM, DOCUMENTS, "proof")
    ids = [_person(account) for account in ("race_start", "race_one", "race_two")]
    if not get_actor(ids[0]).administrator:
        people.change_person(SYSTEM, ids[0], administrator=True)
    return get_actor(ids[0]), ids[1:]


def _person(account: str) -> int:
    found = people.find_person(account)
    return int(found.id) if found is not None else people.add_person(SYSTEM, account, account)


def _submit(starter: Actor, number: int) -> service.Result:
    record = records.create(starter, FORM_KEY, {"subject": f"Race {number}"})
    return service.submit(starter, FORM_KEY, record["id"])


def _work(settings: Settings, line: "Connection[Any, Any]", barrier: Barrier) -> None:
    """One of the two processes: takes an order, waits for the other one, decides, and tells how it went."""
    db.start(Flask("proof"), settings)
    bridges.start()
    while (order := line.recv()) is not None:
        person, which, action = order
        actor = get_actor(person)
        barrier.wait(timeout=60)
        line.send(_decide(actor, which, action))
    db.engine().dispose()


def _decide(actor: Actor, which: int, action: str) -> str:
    try:
        found = service.decide(actor, which, action, "because")
    except Conflict:
        return "conflict"
    except FormloopError as error:
        return f"error {error.code}"
    return "repeated" if found.repeated else "done"


def _faults(case_id: int, answers: list[str], same: bool) -> list[str]:
    """What is not as it must be after a race."""
    with db.reading() as conn:
        row = conn.execute(select(case).where(case.c.id == case_id)).one()
        notes = conn.execute(
            select(func.count()).where(
                case_log.c.case == case_id, case_log.c.action.in_(("approve", "reject"))
            )
        ).scalar_one()
        done = conn.execute(
            select(func.count()).where(task.c.case == case_id, task.c.state == "done")
        ).scalar_one()
        steps = conn.execute(
            select(func.count()).where(
                change.c.form == FORM_KEY,
                change.c.record == row.record,
                change.c.action.in_(("state:confirmed", "state:rejected")),
            )
        ).scalar_one()
        told = conn.execute(
            select(func.count()).where(notice.c.person == row.initiator, notice.c.link == link_of(case_id))
        ).scalar_one()
        sent = conn.execute(
            select(func.count()).where(outbox.c.key == f"bridge:{FORM_KEY}_told:{row.record}")
        ).scalar_one()
    expected = ["done", "repeated"] if same else ["conflict", "done"]
    found = {
        "history rows": notes,
        "done tasks": done,
        "steps of the record": steps,
        "revisions": row.revision - 1,
        "notices of the outcome": told,
        "messages of the outbox": sent,
    }
    faults = [f"{count} {name}" for name, count in found.items() if count != 1]
    return [*faults, *([] if answers == expected else [f"answers {answers}"])]
