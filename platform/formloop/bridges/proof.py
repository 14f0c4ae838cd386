"""Proof that a bridge loses, doubles and reorders nothing while its workers are killed again and again.

Every delivery leaves exactly one revision in its target, because the bridge writes the moment of the delivery;
so the revisions are counted against the messages, and their values must only ever rise.
"""

import itertools
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from formloop import db
from formloop.access.actor import SYSTEM
from formloop.bridges.proof_worker import WARM, start_site
from formloop.core import clock
from formloop.core.definitions import Doc
from formloop.db.throwaway import throwaway
from formloop.definitions import service as definitions
from formloop.events import outbox, repair, tables
from formloop.forms import service
from formloop.forms.kind import get_form
from formloop.forms.tables import change

ROUNDS = {"sqlite": 1_000, "postgresql": 400}
SOURCES = 20
LONGEST_LIFE = {"sqlite": 0.03, "postgresql": 0.1}  # seconds from when a worker begins to work

_COUNT: Doc = {"type": "number", "title": "Count", "x-scale": 0}
_FORMS: tuple[Doc, ...] = (
    {
        "x-kind": "form", "x-id": "0000a001", "x-key": "proof_source", "title": "Source", "type": "object",
        "properties": {"count": _COUNT},
    },
    {
        "x-kind": "form", "x-id": "0000a002", "x-key": "proof_target", "title": "Target", "type": "object",
        "properties": {
            "source": {"type": "number", "title": "Source", "x-scale": 0, "x-unique": True},
            "count": _COUNT,
            "at": {"type": "string", "format": "date-time", "title": "At"},
        },
    },
)  # fmt: skip
_BRIDGE: Doc = {
    "x-kind": "bridge", "x-id": "0000a003", "x-key": "proof_bridge", "title": "Bridge",
    "from": {"form": "proof_source", "on": ["created", "updated"]},
    "to": {"form": "proof_target", "by": ["source"]},
    "map": {"source": "id", "count": "count", "at": "NOW()"},
    "run": "after",
}  # fmt: skip


def prove(seed: int = 1) -> dict[str, Any]:
    """Both databases; `ok` says whether nothing was lost, doubled or out of order on either."""
    found: dict[str, Any] = {"ok": True}
    for database, rounds in ROUNDS.items():
        result = prove_bridge_kill(rounds, database, seed)
        found["ok"] = found["ok"] and result.pop("ok")
        found |= {f"{database} {key}": value for key, value in result.items()}
    return found


def prove_bridge_kill(rounds: int, database: str = "sqlite", seed: int = 1) -> dict[str, Any]:
    """Change records and kill -9 the worker, `rounds` times; then let the rest be delivered, and count."""
    chance, started = random.Random(seed), time.monotonic()
    with throwaway(database) as environment, start_site(environment).app_context():
        definitions.publish_many(SYSTEM, [*_FORMS, _BRIDGE], "proof")
        sources = [service.create(SYSTEM, "proof_source", {"count": 0})["id"] for _ in range(SOURCES)]
        counts = dict.fromkeys(sources, 0)
        kills = _kill_workers(rounds, chance, LONGEST_LIFE[database], environment, counts)
        during = _count(tables.outbox.c.state == "done")
        revived = _deliver_rest()
        found = _judge(counts)
        db.engine().dispose()
    return {
        "rounds": rounds,
        "kills": kills,
        "messages": len(sources) + sum(counts.values()),
        "delivered while being killed": during - WARM if kills else 0,
        "revived at the repair desk": revived,
        **found,
        "seconds": round(time.monotonic() - started, 1),
        "ok": not (found["lost"] or found["doubled"] or found["out of order"])
        and (during > WARM or not kills),
    }


def _kill_workers(
    rounds: int, chance: random.Random, longest: float, environment: dict[str, str], counts: dict[int, int]
) -> int:
    command = [sys.executable, "-m", "formloop.bridges.proof_worker"]
    nursery = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **environment}, text=True
    )
    assert nursery.stdin is not None and nursery.stdout is not None
    kills = 0
    with nursery:
        for _ in range(rounds):
            nursery.stdin.write("\n")
            nursery.stdin.flush()
            worker = int(nursery.stdout.readline())
            born, life = time.monotonic(), chance.uniform(0, longest)
            for source in chance.sample(sorted(counts), 2):
                counts[source] += 1
                service.change_record(SYSTEM, "proof_source", source, {"count": counts[source]})
            time.sleep(max(0.0, life - (time.monotonic() - born)))
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)
                kills += 1
        nursery.stdin.close()
        nursery.wait(timeout=20)
    return kills


def _deliver_rest() -> int:
    """Deliver what is left, as the next worker and a person at the repair desk would; how many they revived."""
    revived = 0
    for days in (1, 2, 3):  # far enough for every wait between two tries
        moment = clock.now() + timedelta(days=days)
        revived += sum(repair.retry(each.id) for each in repair.list_stuck(limit=10_000))
        for turn in itertools.count():
            with clock.stopped_at(moment + timedelta(milliseconds=turn)):
                if not (batch := outbox.claim()):
                    break
                outbox.deliver(batch[0])
    return revived


def _count(condition: Any) -> int:
    with db.reading() as conn:
        return int(conn.execute(select(func.count()).where(condition)).scalar_one())


def _judge(counts: dict[int, int]) -> dict[str, int]:
    target = get_form("proof_target").table
    with db.reading() as conn:
        ends = conn.execute(select(target.c.id, target.c.source, target.c.count, target.c.revision)).all()
        log = conn.execute(
            select(change).where(change.c.form == "proof_target").order_by(change.c.revision)
        ).all()
        done = conn.execute(select(tables.outbox).order_by(tables.outbox.c.id)).all()
    delivered = sum(row.state == "done" for row in done)
    revisions = sum(row.revision for row in ends)
    seen: dict[int, list[Any]] = {}
    for row in log:
        if (row.new or {}).get("count") is not None:
            seen.setdefault(row.record, []).append(row.new["count"])
    finished: dict[str, list[Any]] = {}
    for row in done:
        finished.setdefault(row.key, []).append(row.done_at)
    wrong = sum(counts.get(int(source)) != count for _, source, count, _ in ends)
    return {
        "lost": len(done) - delivered + wrong + max(0, delivered - revisions) + (len(counts) - len(ends)),
        "doubled": max(0, revisions - delivered) + max(0, len(ends) - len(counts)),
        "out of order": sum(values != sorted(values) for values in (*seen.values(), *finished.values())),
    }
