"""Proof `outage`: a worker is killed again and again while cases wait for days that have passed and for answers.

Every case ends in the right state, every message, notice and step of its history is there once, reminders and what
happens when nobody answers too, and every address was called under one key a case, however often.
"""

import http.server
import json
import multiprocessing
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import func, select

from formloop import db
from formloop.access import people
from formloop.access.actor import SYSTEM, get_actor
from formloop.access.role_kind import ROLE
from formloop.bridges import outbound
from formloop.bridges.notices.tables import notice
from formloop.core import clock
from formloop.core.definitions import Doc
from formloop.db.throwaway import DATABASES, throwaway
from formloop.definitions import service as definitions
from formloop.events import outbox
from formloop.forms import service as records
from formloop.forms.kind import FORM, get_form
from formloop.settings import Settings, read_settings
from formloop.workflows import hearing, service, watching
from formloop.workflows.kind import WORKFLOW
from formloop.workflows.tables import case, case_log, task

KINDS = (ROLE, FORM, WORKFLOW)  # a worker process has them once this module is imported
CASES = 500
NOTICES = ("overdue", "message", "outcome")
LONGEST = 120  # seconds until it counts as hanging
FORM_KEY, SILENT = "outage", "outage_silent"


def documents(port: int) -> list[Doc]:
    """A form, and a workflow that waits a day beside somebody who never answers, asks an address and writes a message."""
    due = {"after": "P1D", "then": [{"do": "remind"}, {"do": "approve", "after": "PT6H"}]}
    silent = {
        "id": "decide", "node": "approval", "due": due, "who": [{"rule": "people", "people": [SILENT]}],
    }  # fmt: skip
    steps: list[Doc] = [
        {
            "id": "both", "node": "parallel",
            "branches": [
                {"id": "days", "steps": [{"id": "rest", "node": "wait", "after": "P1D"}]},
                {"id": "people", "steps": [silent]},
            ],
        },
        {
            "id": "ask", "node": "http", "url": f"http://127.0.0.1:{port}/", "values": {"subject": "subject"},
            "answer": {"word": "answer.word"}, "idempotent": True,
        },
        {
            "id": "tell", "node": "message", "who": [{"rule": "initiator"}],
            "text": "flow.ask.word",
        },
        {"id": "done", "node": "end", "state": "confirmed"},
    ]  # fmt: skip
    form: Doc = {
        "x-kind": "form", "x-id": "0ace0011", "x-key": FORM_KEY, "title": "Outage", "type": "object",
        "properties": {"subject": {"type": "string", "title": "Subject"}},
    }  # fmt: skip
    workflow: Doc = {
        "x-kind": "workflow", "x-id": "0ace0012", "x-key": FORM_KEY, "title": "Outage", "form": FORM_KEY,
        "steps": steps,
    }  # fmt: skip
    return [form, workflow]


def prove(
    seed: int,
    create_app: Callable[[Settings], Flask],
    cases: int = CASES,
    databases: tuple[str, ...] = DATABASES,
) -> dict[str, Any]:
    """Start cases, let their day pass without a worker, and kill the workers that then carry on."""
    found: dict[str, Any] = {"seed": seed, "cases": cases, "ok": True}
    for database in databases:
        with throwaway(database) as environment:
            kills, calls, faults = _outage(read_settings(environment), create_app, random.Random(seed), cases)
        found |= {
            f"{database} killed workers": kills,
            f"{database} calls": calls,
            f"{database} wrong": faults,
        }
        found["ok"] = found["ok"] and not faults
    return found


def _outage(
    settings: Settings, create_app: Callable[[Settings], Flask], chance: random.Random, cases: int
) -> tuple[int, int, list[str]]:
    server, calls = _start_server()
    with create_app(settings).app_context():
        _begin(cases, server.server_port)
        kills = _work_and_kill(settings, server.server_port, chance, cases)
        faults = _faults(cases, calls)
        db.engine().dispose()
    server.shutdown()
    return kills, sum(calls.values()), faults


def _start_server() -> tuple[http.server.ThreadingHTTPServer, Counter[str]]:
    calls: Counter[str] = Counter()

    class Answering(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            calls[self.headers["Idempotency-Key"]] += 1
            text = json.dumps({"word": "yes"}).encode()
            with suppress(OSError):  # whoever asked was killed meanwhile
                self.send_response(200)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

        def log_message(self, *args: Any) -> None:
            """Nobody reads it."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, calls


def _begin(count: int, port: int) -> None:
    people.add_person(SYSTEM, SILENT, "Silent")
    definitions.publish_many(SYSTEM, documents(port), "proof")
    starter = get_actor(people.add_person(SYSTEM, "outage", "Outage", administrator=True))
    drafts = [records.Draft({"subject": f"Case {n}"}) for n in range(count)]
    for saved in records.save_many(starter, FORM_KEY, drafts):
        service.submit(starter, FORM_KEY, saved.id or 0)


def _work_and_kill(settings: Settings, port: int, chance: random.Random, count: int) -> int:
    spawn, kills, until = multiprocessing.get_context("spawn"), 0, time.monotonic() + LONGEST
    while _open() and time.monotonic() < until:
        worker = spawn.Process(target=_work, args=(settings, port), daemon=True)
        worker.start()
        before = _open()
        while worker.is_alive() and _open() == before and time.monotonic() < until:
            worker.join(timeout=0.05)  # it is up once the first case moves
        worker.join(timeout=chance.uniform(0.02, 0.3))
        if worker.is_alive():
            worker.kill()
            kills += 1
        worker.join()
    return kills


def _open() -> int:
    """How many cases have not ended; while they wait for their day the messages under way count too."""
    with db.reading() as conn:
        return int(conn.execute(select(func.count()).where(case.c.ended_at.is_(None))).scalar_one())


def _work(settings: Settings, port: int) -> None:
    """A worker two days later."""
    db.start(Flask("proof"), settings)
    hearing.start()
    outbound.ALLOWED.add(("127.0.0.1", port))
    with clock.stopped_at(clock.now() + timedelta(days=2)):
        outbox.release_dead()
        while _open():
            watching.run_due()
            outbox.drain(most=50)
            outbox.release_dead()


def _faults(count: int, calls: Counter[str]) -> list[str]:
    words = ("submit", "due_remind", "due_approve", "called", "message", "finished")
    expected = Counter(dict.fromkeys(words, count))
    spec = get_form(FORM_KEY)
    with db.reading() as conn:
        notes = Counter(conn.execute(select(case_log.c.action)).scalars())
        status = Counter(conn.execute(select(case.c.status)).scalars())
        states = Counter(conn.execute(select(spec.table.c.state)).scalars())
        tasks = Counter(conn.execute(select(task.c.kind)).scalars())
        told = Counter((row.kind, row.link) for row in conn.execute(select(notice.c.kind, notice.c.link)))
    faults = [] if notes == expected else [f"history {dict(notes)}"]
    faults += [] if status == Counter({"approved": count}) else [f"cases {dict(status)}"]
    faults += [] if states == Counter({"confirmed": count}) else [f"records {dict(states)}"]
    faults += [] if tasks == Counter({"todo": count, "message": count}) else [f"tasks {dict(tasks)}"]
    kinds, twice = Counter(kind for kind, _ in told), [each for each, often in told.items() if often > 1]
    faults += [] if kinds == Counter(dict.fromkeys(NOTICES, count)) else [f"notices {dict(kinds)}"]
    faults += [f"notice {kind} of {link} twice" for kind, link in twice[:5]]
    return faults + ([] if len(calls) == count else [f"{len(calls)} keys of calls"])
