"""PostgreSQL after a power failure: its files as they are when its log ends at some byte. For proofs."""

import os
import shutil
import signal
import time
from pathlib import Path

_SEGMENT = 16 * 1024 * 1024  # bytes of a log file
_QUIET = {  # no page reaches the disk but by the log, and the log begins before the first document
    "checkpoint_timeout": "1h",
    "max_wal_size": "4GB",
    "bgwriter_lru_maxpages": "0",
}
_FAILS = 30.0  # seconds in which a server that fails must be gone


def list_quiet() -> list[str]:
    """What to tell a server so that only its log says what was committed; each outside of a transaction."""
    settings = [f"ALTER SYSTEM SET {name} = '{value}'" for name, value in _QUIET.items()]
    return [*settings, "SELECT pg_reload_conf()", "CHECKPOINT"]


def fail(pid: int) -> None:
    """Let a server end at once, without writing what it still has in memory."""
    os.kill(pid, signal.SIGQUIT)
    until = time.monotonic() + _FAILS
    while Path(f"/proc/{pid}").exists() and time.monotonic() < until:
        time.sleep(0.05)


def copy_cut(files: Path, copy: Path, end: int) -> None:
    """Copy the files of a server that failed, its log ending at byte `end` of all that was ever logged."""
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(
        files, copy, ignore=shutil.ignore_patterns("postmaster.*", ".s.PGSQL*", "*.lock", ".pgserver*")
    )
    owner = files.stat()
    for place in (copy, *copy.rglob("*")):
        os.chown(place, owner.st_uid, owner.st_gid)
    copy.chmod(0o700)
    for segment in sorted((copy / "pg_wal").glob("0000000*")):
        start = int(segment.name[8:16], 16) * 2**32 + int(segment.name[16:], 16) * _SEGMENT
        with segment.open("r+b") as log:
            if start + _SEGMENT > end:
                log.seek(max(0, end - start))
                log.write(bytes(_SEGMENT - max(0, end - start)))
