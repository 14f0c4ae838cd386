"""Proof `versions`: a workflow is published again and again over its running cases; each ends by the version it began with."""

import random
import tempfile
from collections.abc import Callable
from typing import Any

from flask import Flask
from sqlalchemy import select

from formloop import db
from formloop.access import people
from formloop.access.actor import SYSTEM, Actor, get_actor
from formloop.core.definitions import Doc
from formloop.definitions import service as definitions
from formloop.forms import service as records
from formloop.settings import Settings, read_settings
from formloop.workflows import administration, cases, service
from formloop.workflows.tables import case

FORM_KEY = "versions"
FORM: Doc = {
    "x-kind": "form", "x-id": "0ace0021", "x-key": FORM_KEY, "title": "Versions", "type": "object",
    "properties": {"subject": {"type": "string", "title": "Subject"}},
}  # fmt: skip


def prove(
    seed: int, create_app: Callable[[Settings], Flask], publications: int = 20, running: int = 200
) -> dict[str, Any]:
    """Let cases run, publish over them, decide some and begin others in their place; in the end each has passed its
    version's steps.
    """
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        settings = read_settings({"FORMLOOP_INSTANCE": folder})
        with create_app(settings).app_context():
            definitions.publish_many(SYSTEM, [FORM], "proof")
            actor = get_actor(people.add_person(SYSTEM, "versions", "Versions", administrator=True))
            expected: dict[int, list[str]] = {}
            steps, under_way = _publish(0, chance), []
            for number in range(publications):
                while len(_running()) < running:
                    record = records.create(actor, FORM_KEY, {"subject": f"Case {len(expected)}"})
                    expected[service.submit(actor, FORM_KEY, record["id"]).case] = steps
                under_way.append(len(_running()))
                steps = _publish(number + 1, chance)
                _approve(actor, chance, chance.randrange(running // 2, running))
            versions = len(set(_running().values()))
            _approve(actor, chance, publications * running)
            wrong = _faults(expected)
    found = {"seed": seed, "publications": publications, "cases": len(expected), "versions at once": versions}
    found["running at each publication"] = min(under_way)
    return {**found, "wrong": wrong[:20], "ok": not wrong and min(under_way) == running}


def _running() -> dict[int, int]:
    """The cases that have not ended, with their versions."""
    with db.reading() as conn:
        query = select(case.c.id, case.c.version).where(case.c.ended_at.is_(None))
        return {row.id: row.version for row in conn.execute(query)}


def _publish(number: int, chance: random.Random) -> list[str]:
    """The next version: other steps, and other names for them."""
    steps = [f"v{number}_s{place}" for place in range(chance.randint(1, 4))]
    who = [{"rule": "people", "people": ["versions"]}]
    doc: Doc = {
        "x-kind": "workflow", "x-id": "0ace0022", "x-key": FORM_KEY, "title": "Versions", "form": FORM_KEY,
        "steps": [{"id": step, "node": "approval", "who": who} for step in steps],
    }  # fmt: skip
    definitions.publish_many(SYSTEM, [doc], "proof")
    return steps


def _approve(actor: Actor, chance: random.Random, most: int) -> None:
    """Decide some of the open tasks, in any order, or all when `most` allows it."""
    done = 0
    while done < most and (waiting := administration.list_open_tasks(actor.person_id or 0)):
        service.decide(actor, chance.choice(waiting), "approve")
        done += 1


def _faults(expected: dict[int, list[str]]) -> list[str]:
    with db.reading() as conn:
        status = {row.id: row.status for row in conn.execute(select(case.c.id, case.c.status))}
    wrong = []
    for number, steps in expected.items():
        passed = [note.step for note in cases.list_notes(number) if note.action == "approve"]
        if passed != steps or status[number] != "approved":
            wrong.append(f"case {number} is {status[number]} after {passed}, not {steps}")
    return wrong
