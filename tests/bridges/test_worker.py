"""A real worker process beside a real queue server."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bridges.trade import Trade, bridge
from events.test_queue import wait_until
from formloop.events import outbox, queue, queue_server
from formloop.settings import Settings

Process = subprocess.Popen[bytes]


@pytest.fixture
def site(database: Settings) -> Iterator[Settings]:
    """A site with a queue server, whose messages wake workers."""
    before = list(outbox._wake)
    outbox.stopping.clear()
    server = queue_server.start_server(database)
    assert server is not None
    outbox.on_put(queue.Waker(database))
    yield database
    outbox._wake[:] = before
    server.stop()


@pytest.fixture
def launch() -> Iterator[Callable[[Settings], Process]]:
    """Starts `formloop worker` of a site; whatever becomes of the test, none outlives it."""
    started: list[Process] = []

    def start(site: Settings) -> Process:
        own = {"FORMLOOP_INSTANCE": str(site.instance), "FORMLOOP_DATABASE_URL": site.database_url}
        command = [sys.executable, "-m", "formloop.cli", "worker"]
        started.append(subprocess.Popen(command, env={**os.environ, **own}))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def ready(process: Process, site: Settings) -> Process:
    """The worker once the queue server knows it."""
    wait_until(lambda: b"rq:workers" in queue.connect(site).keys("rq:workers"))
    return process


@pytest.fixture
def worker(launch: Callable[[Settings], Process], site: Settings) -> Process:
    """`formloop worker` of the site, ready to work."""
    return ready(launch(site), site)


def test_a_message_reaches_an_idle_worker_and_a_told_one_ends(worker: Process, site: Settings) -> None:
    trade = Trade(bridge(run="after"))
    trade.confirm(trade.order((trade.bolt, "10")))
    wait_until(lambda: [d["quantity"] for d in trade.demand()] == [10])
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=25) == 0


def test_what_a_killed_worker_left_is_done_by_the_next(worker: Process, launch: Any, site: Settings) -> None:
    trade = Trade(bridge(run="after"))
    worker.kill()
    worker.wait()
    trade.confirm(trade.order((trade.bolt, "10")))
    queue.connect(site).flushall()
    again = ready(launch(site), site)
    wait_until(lambda: len(trade.demand()) == 1)
    again.send_signal(signal.SIGTERM)
    assert again.wait(timeout=25) == 0


def test_without_a_queue_server_the_worker_still_works(launch: Any, database: Settings) -> None:
    trade = Trade(bridge(run="after"))
    trade.confirm(trade.order((trade.bolt, "10")))
    process = launch(database)
    wait_until(lambda: len(trade.demand()) == 1)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=25) == 0
