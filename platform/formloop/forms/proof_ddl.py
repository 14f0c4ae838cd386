"""Proof `ddl-kill`: a process killed at any statement of a definition change leaves exactly old or exactly new.

A child process publishes a change of a form with rows in it and is killed with SIGKILL before its n-th
statement, for every n until it lives to the end; then the parent looks at tables, rows and versions. The same
with publications that are prepared ahead, whose next worker goes on: `proof_ahead.py`.
"""

import os
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from flask import Flask
from sqlalchemy import create_engine, inspect

from formloop.access.actor import SYSTEM
from formloop.db.children import KILLED, in_child
from formloop.db.throwaway import DATABASES, throwaway
from formloop.definitions import service as definitions
from formloop.forms import proof_ahead, service


def _document(properties: dict[str, Any]) -> dict[str, Any]:
    lines: dict[str, Any] = {
        "type": "array",
        "title": "Lines",
        "items": {"type": "object", "properties": {"a": {"type": "number", "title": "A"}}},
    }
    base = {
        "name": {"type": "string", "title": "Name"},
        "size": {"type": "string", "title": "Size"},
        "lines": lines,
    }
    own = {key: schema for key, schema in {**base, **properties}.items() if schema is not None}
    head: dict[str, Any] = {
        "x-kind": "form",
        "x-id": "0badcafe",
        "x-key": "killed",
        "title": "Killed",
        "type": "object",
    }
    return {**head, "properties": own}


def _changes(random: Random) -> Iterator[dict[str, Any]]:
    """Definition changes of every kind: added, removed, converted, made unique, more line columns."""
    text: dict[str, Any] = {"type": "string", "title": "T"}
    number: dict[str, Any] = {"type": "number", "title": "N"}
    yield {"size": {"type": "number", "title": "Size"}}
    yield {"size": None}
    yield {"name": {"type": "string", "title": "Name", "x-unique": True}}
    while True:
        extra: dict[str, dict[str, Any]] = {
            f"f{n}": random.choice((text, number)) for n in range(random.randint(1, 4))
        }
        if random.random() < 0.4:
            extra["size"] = {"type": "number", "title": "Size", "x-scale": random.randint(0, 4)}
        yield extra


def prove(seed: int, create_app: Callable[[], Flask], changes: int = 30, every: int = 6) -> dict[str, Any]:
    """Kill each of `changes` definition changes at every statement (or every `every`-th), on both databases."""
    found: dict[str, Any] = {"changes": 0, "kills": 0, "old": 0, "new": 0, "neither": 0}
    for database in DATABASES:
        random = Random(seed)
        with throwaway(database) as place:
            environment = {**os.environ, **place}
            _publish(create_app, environment, 0, _document({}), rows=20)
            for change, _ in zip(_changes(random), range(changes // 2), strict=False):
                _kill_everywhere(create_app, environment, _document(change), found, every)
            for key, count in proof_ahead.prove(random, create_app, environment, every).items():
                found[key] += count
    return {**found, "ok": found["neither"] == 0 and found["kills"] > 0}


def _kill_everywhere(
    create_app: Callable[[], Flask],
    environment: dict[str, str],
    doc: dict[str, Any],
    found: dict[str, Any],
    every: int,
) -> None:
    found["changes"] += 1
    at = 1
    while True:
        before = _state(environment)
        died = _publish(create_app, environment, at, doc)
        after = _state(environment)
        found["kills"] += died
        if after == before and died:
            found["old"] += 1
            at += every
            continue
        # killed after the commit, or not at all: publishing once more must find nothing left to do
        _publish(create_app, environment, 0, doc)
        found["new" if _state(environment) == after else "neither"] += 1
        return


def _publish(
    create_app: Callable[[], Flask], environment: dict[str, str], at: int, doc: dict[str, Any], rows: int = 0
) -> bool:
    """Publish in a child that is killed before its `at`-th statement (0: never); whether it was killed."""

    def work() -> None:
        definitions.publish_many(SYSTEM, [doc], "change")
        for n in range(rows):
            service.create(SYSTEM, doc["x-key"], {"name": f"n{n}", "size": str(n), "lines": [{"a": n}]})

    return in_child(create_app, environment, work, at) == KILLED


def _state(environment: dict[str, str]) -> tuple[Any, ...]:
    """Tables with their columns and indexes, rows, and versions: what must be old or new as a whole."""
    url = (
        environment.get("FORMLOOP_DATABASE_URL")
        or f"sqlite:///{environment['FORMLOOP_INSTANCE']}/formloop.db"
    )
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as conn:
        seen = inspect(conn)
        tables = tuple(
            (
                name,
                tuple(c["name"] for c in seen.get_columns(name)),
                tuple(sorted(str(i["name"]) for i in seen.get_indexes(name))),
            )
            for name in ("killed", "killed__lines")
        )
        rows = tuple(map(str, conn.exec_driver_sql("SELECT * FROM killed ORDER BY id").all()))
        versions = tuple(
            map(
                str,
                conn.exec_driver_sql(
                    "SELECT version, sha256 FROM fl_definition_version ORDER BY version"
                ).all(),
            )
        )
        noted = tuple(
            map(
                str,
                conn.exec_driver_sql(
                    'SELECT "table", "column", signature, parked_at FROM fl_column ORDER BY 1, 2'
                ).all(),
            )
        )
    engine.dispose()
    return tables, rows, versions, noted
