"""Wake-ups: RQ tells a sleeping worker that a topic has messages. It carries nothing else.

When the queue server is gone nothing is lost: the messages stand in the database and every worker looks there
every two seconds anyway.
"""

import logging
import re
import signal
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from typing import Any

from flask import current_app, has_app_context
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue, SimpleWorker
from rq.exceptions import DuplicateJobError
from rq.serializers import JSONSerializer

from formloop.events import heartbeat, outbox, schedule
from formloop.events.queue_server import socket_path
from formloop.settings import Settings

QUEUE = "formloop"
POLL = 2.0
TURN = 20.0  # seconds after which a topic makes room for others
_TURNS = ("a", "b")
_IMPATIENT: Any = {"socket_connect_timeout": 0.5, "retry": Retry(NoBackoff(), 0)}  # a wake-up is only a hint
_log = logging.getLogger(__name__)


def connect(settings: Settings) -> Redis:
    """The queue server of this site: the one named in the settings, else the site's own on a socket."""
    if settings.redis_url:
        return Redis.from_url(settings.redis_url, socket_timeout=None, **_IMPATIENT)
    return Redis(unix_socket_path=str(socket_path(settings)), **_IMPATIENT)


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
            for turn in _TURNS:
                with suppress(DuplicateJobError):
                    self._queue.enqueue_call(
                        "formloop.events.queue.drain",
                        args=(topic,),
                        job_id=_job_id(topic, turn),
                        unique=True,
                        result_ttl=0,
                        failure_ttl=0,
                        timeout=600,
                    )
                    return
        except RedisError as error:
            self._quiet_until = time.monotonic() + POLL
            _log.warning("queue server not reachable, workers poll instead: %s", error)


def drain(topic: str) -> int:
    """What a wake-up does: deliver what is due on `topic`; what is left when its turn is over is announced again."""
    started = time.monotonic()
    done = outbox.drain(topic, seconds=TURN)
    if time.monotonic() - started >= TURN:
        outbox.announce(topic)
    return done


def _job_id(topic: str, turn: str) -> str:
    plain = re.sub(r"[^A-Za-z0-9_-]", "-", topic)  # RQ takes nothing else
    return f"drain-{plain}-{turn}"


class _Worker(SimpleWorker):
    """Runs jobs in this process, and lets a long drain end when the process is told to stop."""

    max_connection_wait_time = POLL

    def request_stop(self, signum: int, frame: Any) -> None:
        outbox.stopping.set()
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]


def work(settings: Settings, burst: bool = False) -> None:
    """Deliver messages until told to stop: on a wake-up at once, and every two seconds whatever happens.

    `burst`: stop when nothing is due.
    """
    outbox.stopping.clear()
    outbox.release_dead()
    if burst:
        schedule.run_due()
        outbox.drain()
        return
    heartbeat.beat()
    helpers = [_in_background(_poll), _in_background(_report)]
    try:
        _work(settings)
    finally:
        outbox.stopping.set()
        for helper in helpers:
            helper.join(timeout=22)
        heartbeat.end()


def _work(settings: Settings) -> None:
    while not outbox.stopping.is_set():
        for number in (signal.SIGTERM, signal.SIGINT):  # RQ puts its own handlers in their place
            signal.signal(number, lambda *_: outbox.stopping.set())
        try:
            server = connect(settings)
            _forget_jobs(server)
            _Worker([QUEUE], connection=server, serializer=JSONSerializer).work(logging_level="WARNING")
        except RedisError as error:
            _log.warning("queue server not reachable, polling: %s", error)
        outbox.stopping.wait(POLL)


def _forget_jobs(server: Redis) -> None:
    """Remove wake-ups that a killed worker left as "running": while they stand there no new ones are taken."""
    queue = Queue(QUEUE, connection=server, serializer=JSONSerializer)
    for topic in outbox.topics.names():
        for turn in _TURNS:
            if job := queue.fetch_job(_job_id(topic, turn)):
                job.delete()


def _in_background(task: Callable[[], None]) -> threading.Thread:
    context = current_app.app_context() if has_app_context() else nullcontext()

    def run() -> None:
        with context:
            task()

    thread = threading.Thread(target=run, name=task.__name__, daemon=True)
    thread.start()
    return thread


def _poll() -> None:
    while not outbox.stopping.wait(POLL):
        try:
            schedule.run_due()
            outbox.release_dead()
            outbox.drain(most=200)
        except Exception:
            _log.exception("polling the outbox failed; it is tried again")


def _report() -> None:
    while not outbox.stopping.wait(outbox.HEARTBEAT):
        try:
            heartbeat.beat()
            outbox.keep_leases()
        except Exception:
            _log.exception("prolonging leases failed; it is tried again")
