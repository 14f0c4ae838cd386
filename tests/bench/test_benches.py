"""Each benchmark runs, on a thousandth of its rows and of its time; what it measures is nobody's business here."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from databases import States
from formloop.measuring import BENCHES


@pytest.mark.postgres
@pytest.mark.parametrize("name", BENCHES)
def test_a_benchmark_runs(name: str, tmp_path: Path, on_sqlite: States, on_postgresql: States) -> None:
    on_sqlite.lay_demo(tmp_path)
    beside = on_postgresql.lay_demo(tmp_path / "beside").database_url
    command = [sys.executable, "-m", "formloop.cli", "bench", name, "--json"]
    environment = {**os.environ, "FORMLOOP_INSTANCE": str(tmp_path), "FORMLOOP_BENCH_SCALE": "0.001"}
    environment |= {
        "FORMLOOP_BENCH_SQLITE": str(tmp_path / "formloop.db"),
        "FORMLOOP_BENCH_POSTGRESQL": beside,
    }
    environment.pop("FORMLOOP_TEST_DATABASE_URL", None)  # one that others use is not empty
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2_000:]
    figures = json.loads(done.stdout[done.stdout.index("{") :])
    assert all(value in ([200], [303]) for key, value in figures.items() if key.endswith("statuses"))
    assert any(isinstance(value, float) for value in figures.values())
