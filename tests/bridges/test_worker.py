"""A real worker process beside a real queue server."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from bridges.trade import Trade, bridge
from events.test_queue import wait_until
from formloop.events import outbox, queue, queue_server
from formloop.settings import Settings


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
def worker(site: Settings) -> Iterator["subprocess.Popen[bytes]"]:
    """`formloop worker` of the site, ready to work."""
    started = start(site)
    yield started
    started.kill()
    started.wait()


def start(site: Settings) -> "subprocess.Popen[bytes]":
    own = {"FORMLOOP_INSTANCE": str(site.instance), "FORMLOOP_DATABASE_URL": site.database_url}
    process = subprocess.Popen([sys.executable, "-m", "formloop.cli", "worker"], env={**os.environ, **own})
    wait_until(lambda: b"rq:workers" in queue.connect(site).keys("rq:workers"))
    return process


def test_a_message_reaches_an_idle_worker_and_a_told_one_ends(worker: Any, site: Settings) -> None:
    trade = Trade(bridge(run="after"))
    trade.confirm(trade.order((trade.bolt, "10")))
    wait_until(lambda: [d["quantity"] for d in trade.demand()] == [10])
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=25) == 0


def test_what_a_killed_worker_left_is_done_by_the_next(worker: Any, site: Settings) -> None:
    trade = Trade(bridge(run="after"))
    worker.kill()
    worker.wait()
    trade.confirm(trade.order((trade.bolt, "10")))
    queue.connect(site).flushall()
    again = start(site)
    wait_until(lambda: len(trade.demand()) == 1)
    again.send_signal(signal.SIGTERM)
    assert again.wait(timeout=25) == 0


def test_without_a_queue_server_the_worker_still_works(database: Settings) -> None:
    trade = Trade(bridge(run="after"))
    trade.confirm(trade.order((trade.bolt, "10")))
    own = {"FORMLOOP_INSTANCE": str(database.instance), "FORMLOOP_DATABASE_URL": database.database_url}
    process = subprocess.Popen([sys.executable, "-m", "formloop.cli", "worker"], env={**os.environ, **own})
    wait_until(lambda: len(trade.demand()) == 1)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=25) == 0
