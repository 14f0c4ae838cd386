import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from formloop.core.errors import Unavailable
from formloop.db import turns

HOLD = """
import sys, time
from sqlalchemy import create_engine
from formloop.db import turns
with turns.taken(create_engine(sys.argv[1])):
    print("mine", flush=True)
    time.sleep(60)
"""


def test_another_process_waits_for_the_turn_and_gets_it_when_its_holder_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "LONGEST", 0.05)
    engine = create_engine(f"sqlite:///{tmp_path}/site.db")
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(engine.url)], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "mine\n"
        with pytest.raises(Unavailable), turns.taken(engine):
            pytest.fail("two writers at once")
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    with turns.taken(engine):
        pass


def test_postgresql_needs_no_turns() -> None:
    engine = create_engine("postgresql+psycopg://nowhere/none")
    with turns.taken(engine), turns.taken(engine):
        pass
