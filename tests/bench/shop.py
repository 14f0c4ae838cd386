"""A site of its own for a benchmark: small forms, people and as many records as are asked for."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask

from formloop import db
from formloop.access import people
from formloop.access.actor import SYSTEM, Actor, get_actor
from formloop.app import create_app
from formloop.db.throwaway import throwaway
from formloop.packs import demonstration
from formloop.settings import read_settings

GIVEN = {"sqlite": "FORMLOOP_BENCH_SQLITE", "postgresql": "FORMLOOP_BENCH_POSTGRESQL"}
SCALE = float(os.environ.get("FORMLOOP_BENCH_SCALE", "1"))


@contextmanager
def site(database: str = "sqlite") -> Iterator[Flask]:
    """The demo on a fresh database; "postgresql" uses FORMLOOP_TEST_DATABASE_URL or a server of its own."""
    with place(database) as environment:
        app = create_app(read_settings({**environment, "FORMLOOP_DEMO": "1"}))
        with app.app_context():
            demonstration.fill(if_needed=True)
            yield app
        db.engine().dispose()


@contextmanager
def place(database: str) -> Iterator[dict[str, str]]:
    """The environment of a site that is gone afterwards. Where FORMLOOP_BENCH_SQLITE names a file, FORMLOOP_BENCH_POSTGRESQL
    a database with the demo, the site begins with it: tests that only see benchmarks run make it once for all of them.
    """
    given = os.environ.get(GIVEN[database])
    with throwaway("sqlite" if given else database) as environment:
        if given and database == "sqlite":
            shutil.copyfile(given, Path(environment["FORMLOOP_INSTANCE"]) / "formloop.db")
        elif given:
            environment["FORMLOOP_DATABASE_URL"] = given
        yield environment


def scaled(number: int, least: int = 1) -> int:
    """How many of something a benchmark takes; a small scale only shows that it runs."""
    return max(least, round(number * SCALE))


def seller() -> Actor:
    """The demo's seller."""
    return get_actor(people.find_person("seller").id)


def per_second(work: Callable[[], Any], seconds: float = 3.0, warm: int = 5) -> float:
    """How often `work` runs in a second, after a few runs to warm up."""
    for _ in range(warm):
        work()
    count, begin = 0, time.perf_counter()
    while (spent := time.perf_counter() - begin) < seconds * SCALE:
        work()
        count += 1
    return count / spent


def median_ms(work: Callable[[], Any], times: int = 101) -> float:
    """The median time of `work` in milliseconds."""
    spent = []
    times = scaled(times, 3)
    for _ in range(times):
        begin = time.perf_counter()
        work()
        spent.append(time.perf_counter() - begin)
    return sorted(spent)[times // 2] * 1000


__all__ = ["SYSTEM", "median_ms", "per_second", "seller", "site"]
