"""Keeping the processes of a site running: one that ends is started again, and all end together.

A process of its own does this, because a web server takes the end of any child for that of its own workers.
"""

import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

LOOK = 0.25
FIRM = 10.0  # seconds after which a process counts as well begun
LONGEST_PAUSE = 30.0
LONGEST_END = 30.0
_log = logging.getLogger("formloop.supervising")


@dataclass(slots=True)
class Part:
    """One process of the site. `leads`: when its very first start fails, the site does not start at all.

    `after`: seconds to leave the machine to the others first.
    """

    name: str
    command: Sequence[str]
    leads: bool = False
    after: float = 0.0
    process: "subprocess.Popen[bytes] | None" = None
    begun: float = 0.0
    short_lives: int = 0
    starts: int = 0
    due: float = 0.0

    def start(self) -> None:
        """Start it, in a group of its own: Ctrl+C reaches it only through whoever keeps it running."""
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, start_new_session=True)
        self.begun = time.monotonic()
        self.starts += 1

    def look(self) -> int | None:
        """Start it again when it has ended and its pause is over; the exit code if the site must end with it."""
        if self.process is None:
            if time.monotonic() >= self.due:
                self.start()
            return None
        code = self.process.poll()
        if code is None:
            return None
        lived = time.monotonic() - self.begun
        if self.leads and self.starts == 1 and lived < FIRM and code > 0:  # below 0 somebody killed it
            return code
        self.process = None
        self.short_lives = self.short_lives + 1 if lived < FIRM else 0
        pause = pause_after(self.short_lives)
        self.due = time.monotonic() + pause
        _log.error("%s ended with %s and is started again in %.1f s", self.name, code, pause)
        return None


def pause_after(short_lives: int) -> float:
    """Seconds before the next start: none after a good life, then twice as long after each short one."""
    return min(LONGEST_PAUSE, 0.5 * 2 ** (short_lives - 1)) if short_lives else 0.0


def keep_running(parts: Sequence[Part]) -> int:
    """Run all parts until told to stop; returns the exit code of the site."""
    told = threading.Event()
    for name in ("SIGTERM", "SIGINT", "SIGHUP"):
        if number := getattr(signal, name, None):  # Windows has no SIGHUP
            signal.signal(number, lambda *_: told.set())
    try:
        for part in parts:
            part.due = time.monotonic() + part.after
            part.look()
        while not told.wait(LOOK):
            for part in parts:
                if code := part.look():
                    return code
        return 0
    finally:
        _end([part.process for part in parts if part.process])


def _end(processes: Sequence["subprocess.Popen[bytes]"]) -> None:
    for process in processes:
        process.terminate()
    until = time.monotonic() + LONGEST_END
    for process in processes:
        try:
            process.wait(timeout=max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def end_with_parent() -> None:
    """Let this process stop when whoever keeps it running is gone, however that came to its end."""

    def wait_for_end() -> None:
        with suppress(OSError):
            os.read(0, 1)  # answers once nobody holds the other end
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait_for_end, name="end_with_parent", daemon=True).start()
