"""Three approvals behind a condition, each step its own transaction, beside the same rows written by hand."""

import statistics
import time
from collections.abc import Iterator
from typing import Any

from flask import Flask
from sqlalchemy import event, insert, update

from bench.shop import per_second, scaled, site
from formloop import db
from formloop.access import people, sessions
from formloop.access.signing import COOKIE
from formloop.core import clock
from formloop.forms import service as records
from formloop.workflows import service
from formloop.workflows.state import State
from formloop.workflows.tables import case, case_log, task
from workflows.stage import END, Stage, approval, set_stage

CHUNK = 200


def run() -> dict[str, Any]:
    """Completed cases a second (submitted and approved three times), statements a case, and those by hand."""
    found: dict[str, Any] = {}
    for database in ("sqlite", "postgresql"):
        with site(database) as app:
            figures = measure()
            figures |= {"inbox of 100,000 ms": inbox_milliseconds(app)}
            found |= {f"{database} {key}": value for key, value in figures.items()}
    return found


def inbox_milliseconds(app: Flask, tasks: int = scaled(100_000, 100)) -> float:
    """How long the server works on the first page of an inbox with so many tasks: the median of 21."""
    approver = people.find_person("bob").id
    _fill_inbox(approver, people.find_person("ann").id, tasks)
    client = app.test_client()
    client.set_cookie(COOKIE, sessions.open_session(approver))
    taken = []
    for _ in range(21):
        begin = time.perf_counter()
        assert client.get("/inbox").status_code == 200
        taken.append((time.perf_counter() - begin) * 1000)
    return statistics.median(taken)


def _fill_inbox(approver: int, initiator: int, tasks: int) -> None:
    """Cases that wait at the first step, as if they had been submitted."""
    moment, state = clock.now(), State(initiator, "open", 1).as_json()
    summary = [{"path": "amount", "en": "100.00", "zh-CN": "100.00"}]
    for begin in range(0, tasks, 5_000):
        ids = clock.new_ids(5_000)
        cases = [
            {**_case(i, initiator, moment), "form": "request", "workflow": "request_approval", "state": state,
             "title": f"Desk {begin + n}", "summary": summary} for n, i in enumerate(ids)
        ]  # fmt: skip
        waiting = [{**_task(clock.new_id(), i, 1, approver, moment), "step": "one"} for i in ids]
        with db.begin_writing(db.engine()) as conn:
            conn.execute(insert(case), cases)
            conn.execute(insert(task), waiting)


def measure() -> dict[str, Any]:
    """The figures of the database that is started."""
    stage = set_stage()
    boss = {"id": "large", "when": "amount >= 50", "steps": [approval("two", "cho")]}
    fork = {"id": "size", "node": "condition", "branches": [boss]}
    stage.publish(approval("one", "bob"), fork, approval("three", who=[{"rule": "head", "level": 1}]), END)
    ready = _records(stage)
    complete(stage, next(ready))  # definitions are read once a process
    statements = count_statements(lambda: complete(stage, next(ready)))
    prepared = [next(ready) for _ in range(scaled(3_000, 60))]
    ours = per_second(lambda: complete(stage, prepared.pop()))
    hand = per_second(lambda: _by_hand(stage))
    return {
        "cases a second": ours,
        "by hand a second": hand,
        "times the cost": hand / ours,
        "statements a case": statements,
    }


def complete(stage: Stage, record: int) -> None:
    """One case from its submission to its end: four transactions."""
    found = service.submit(stage.actors["ann"], "request", record)
    for who in ("bob", "cho", "dee"):
        actor = stage.actors[who]
        found = service.decide(actor, found.asked[actor.person_id or 0], "approve")
    assert found.status == "approved"


def _records(stage: Stage) -> Iterator[int]:
    while True:
        drafts = [records.Draft({"subject": f"Desk {n}", "amount": "100"}) for n in range(CHUNK)]
        for saved in records.save_many(stage.actors["ann"], "request", drafts):
            yield saved.id or 0


def _by_hand(stage: Stage) -> None:
    """The same rows of case, task and history in four transactions, without rules, rights and records."""
    people = [stage.actors[who].person_id for who in ("ann", "bob", "cho", "dee")]
    case_id, before = clock.new_id(), None
    for number, person in enumerate(people):
        moment = clock.now()
        with db.begin_writing(db.engine()) as conn:
            if number == 0:
                conn.execute(insert(case).values(_case(case_id, person, moment)))
            else:
                changed = update(task).where(task.c.id == before, task.c.state == "open")
                conn.execute(changed.values(state="done", done_at=moment))
                moved = update(case).where(case.c.id == case_id, case.c.revision == number)
                conn.execute(moved.values(revision=number + 1, ended_at=moment if number == 3 else None))
            if number < 3:
                before = clock.new_id()
                conn.execute(insert(task).values(_task(before, case_id, number, people[number + 1], moment)))
            conn.execute(insert(case_log).values(_note(case_id, number, person, moment)))


def _case(case_id: int, person: Any, moment: Any) -> dict[str, Any]:
    return {
        "id": case_id, "form": "hand", "record": case_id, "workflow": "hand", "version": 1, "status": "open",
        "step": "one", "state": {"at": "one"}, "revision": 1, "initiator": person, "title": "Hand",
        "summary": [], "started_at": moment, "changed_at": moment,
    }  # fmt: skip


def _task(task_id: int, case_id: int, number: int, person: Any, moment: Any) -> dict[str, Any]:
    return {
        "id": task_id, "case": case_id, "step": str(number), "round": number, "person": person,
        "kind": "todo", "state": "open", "why": {}, "made_at": moment,
    }  # fmt: skip


def _note(case_id: int, number: int, person: Any, moment: Any) -> dict[str, Any]:
    return {
        "id": clock.new_id(), "case": case_id, "step": str(number), "round": number, "person": person,
        "action": "approve", "comment": "", "detail": {}, "at": moment,
    }  # fmt: skip


def count_statements(work: Any) -> int:
    """How many SQL statements `work` sends."""
    counted: list[str] = []

    def note(conn: object, cursor: object, statement: str, *rest: object) -> None:
        counted.append(statement)

    event.listen(db.engine(), "before_cursor_execute", note)
    work()
    event.remove(db.engine(), "before_cursor_execute", note)
    return len(counted)


if __name__ == "__main__":
    print(run())
