"""Processes of a site are kept running, and end together."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from formloop.supervising import Part, keep_running, pause_after

SLEEPER = "import signal, sys; open(sys.argv[1], 'a').write('x'); signal.sigwait([signal.SIGTERM])"


@pytest.fixture
def diary(tmp_path: Path) -> Path:
    return tmp_path / "diary"


def sleeper(diary: Path, leads: bool = False) -> Part:
    return Part("sleeper", [sys.executable, "-c", SLEEPER, str(diary)], leads)


def written(diary: Path, marks: str) -> None:
    pause = threading.Event()
    for _ in range(1000):
        if diary.exists() and diary.read_text() == marks:
            return
        pause.wait(0.02)
    raise AssertionError(f"{marks} never stood in the diary")


def play(part: Part, diary: Path, story: list[int]) -> None:
    """Send the signals one after another, each when the process has begun once more; 15 goes to ourselves."""
    for starts, number in enumerate(story, 1):
        written(diary, "x" * starts)
        if number == signal.SIGTERM:
            os.kill(os.getpid(), number)
        elif part.process:
            part.process.send_signal(number)


def keep(part: Part, diary: Path, *story: int) -> int:
    teller = threading.Thread(target=play, args=(part, diary, list(story)))
    teller.start()
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    try:
        return keep_running([part])
    finally:
        teller.join()
        for number, there in before.items():
            signal.signal(number, there)


def test_what_is_killed_is_started_again_until_the_site_is_told_to_stop(diary: Path) -> None:
    part = sleeper(diary)
    assert keep(part, diary, signal.SIGKILL, signal.SIGKILL, signal.SIGTERM) == 0
    assert part.process is not None
    assert part.process.returncode == -signal.SIGTERM


def test_a_site_whose_leading_process_fails_at_once_does_not_start() -> None:
    failing = Part("web", [sys.executable, "-c", "raise SystemExit(7)"], leads=True)
    assert keep_running([failing]) == 7


def test_pauses_double_up_to_half_a_minute_and_a_good_life_ends_them() -> None:
    assert [pause_after(lives) for lives in (0, 1, 2, 3, 9)] == [0.0, 0.5, 1.0, 2.0, 30.0]


def test_a_process_ends_with_whoever_keeps_it() -> None:
    code = "from formloop.supervising import end_with_parent; import threading\n"
    code += "end_with_parent(); print('on', flush=True); threading.Event().wait()"
    kept = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert kept.stdin is not None and kept.stdout is not None
    kept.stdout.readline()
    kept.stdin.close()
    assert kept.wait(timeout=30) == -signal.SIGTERM
    kept.stdout.close()
