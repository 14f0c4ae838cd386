"""`formloop serve` as people run it: its worker is killed, and everything ends when it is told to stop."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from events.test_queue import wait_until
from formloop.app import create_app
from formloop.db import reading
from formloop.events.tables import worker
from formloop.settings import read_settings

SERVE = [sys.executable, "-m", "formloop.cli", "serve", "--port", "0"]


@pytest.fixture
def surroundings(tmp_path: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FORMLOOP_")}
    return {**kept, "FORMLOOP_INSTANCE": str(tmp_path), "PYTHONUNBUFFERED": "1"}


@pytest.fixture
def served(surroundings: dict[str, str]) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(SERVE, env=surroundings, stdout=subprocess.PIPE, text=True)
    yield process
    process.kill()
    process.wait()


def children(pid: int) -> list[int]:
    """The processes below one, whatever they are."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = [tuple(map(int, line.split())) for line in listed.splitlines()]
    own = [child for child, parent in pairs if parent == pid]
    return own + [each for child in own for each in children(child)]


def test_a_killed_worker_is_replaced_and_sigterm_ends_everything(
    served: "subprocess.Popen[str]", surroundings: dict[str, str]
) -> None:
    assert served.stdout is not None
    assert any("Formloop is ready" in line for line in served.stdout)
    with create_app(read_settings(surroundings)).app_context():

        def workers() -> set[int]:
            with reading() as conn:
                owners = conn.execute(select(worker.c.owner)).scalars().all()
            return {int(owner.rpartition(":")[2]) for owner in owners}

        wait_until(lambda: len(workers()) == 1)
        (first,) = workers()
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: bool(workers() - {first}))
    family = children(served.pid)
    assert len(family) >= 4  # the queue server, web with its own process, and the second worker
    served.send_signal(signal.SIGTERM)
    assert served.wait(timeout=60) == 0
    assert [pid for pid in family if Path(f"/proc/{pid}").exists()] == []


def test_a_site_that_cannot_begin_says_so_by_its_exit_code(surroundings: dict[str, str]) -> None:
    broken = {**surroundings, "FORMLOOP_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
    done = subprocess.run(SERVE, env=broken, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert re.search("connection|Connection", done.stderr)


def test_a_port_that_is_used_is_told_before_anything_starts(surroundings: dict[str, str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        command = [*SERVE[:-1], str(other.getsockname()[1])]
        done = subprocess.run(command, env=surroundings, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Choose another with --port" in done.stderr
    assert "ready" not in done.stdout
    assert not list(Path(surroundings["FORMLOOP_INSTANCE"]).glob("*.db"))
