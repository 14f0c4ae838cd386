"""Wake-ups by a real queue server: they make things quick, and nothing depends on them."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from events.mail import Mail
from formloop.events import outbox, queue, queue_server
from formloop.settings import Settings, read_settings


@pytest.fixture
def site(tmp_path: Path) -> Settings:
    """A site without a database, whose folder is too deep for a socket."""
    deep = tmp_path / ("deep" * 30)
    deep.mkdir()
    return read_settings({"FORMLOOP_INSTANCE": str(deep)})


@pytest.fixture
def server(site: Settings) -> Iterator[Redis]:
    running = queue_server.start_server(site)
    assert running is not None
    yield queue.connect(site)
    running.stop()


def jobs(server: Redis) -> list[str]:
    return sorted(Queue(queue.QUEUE, connection=server, serializer=JSONSerializer).job_ids)


def wait_until(holds: Callable[[], bool], seconds: float = 20) -> None:
    pause = threading.Event()
    for _ in range(int(seconds / 0.02)):
        if holds():
            return
        pause.wait(0.02)
    raise AssertionError("it did not happen")


def test_a_site_in_a_deep_folder_gets_a_short_socket_of_its_own(site: Settings, tmp_path: Path) -> None:
    path = queue_server.socket_path(site)
    assert len(str(path)) < 100
    assert path == queue_server.socket_path(site)
    assert path != queue_server.socket_path(replace(site, instance=tmp_path / ("other" * 30)))
    assert path.parent.stat().st_mode & 0o077 == 0


def test_the_server_listens_on_its_socket_only(site: Settings, server: Redis) -> None:
    assert server.ping()
    assert server.config_get("port") == {"port": "0"}


def test_many_messages_of_a_topic_wake_at_most_twice(site: Settings, server: Redis) -> None:
    wake = queue.Waker(site)
    for _ in range(10):
        wake("mail")
    wake("other")
    assert jobs(server) == ["drain-mail-a", "drain-mail-b", "drain-other-a"]


def test_a_topic_may_have_any_name(site: Settings, server: Redis) -> None:
    queue.Waker(site)("due.remind: 到期")
    assert jobs(server) == ["drain-due-remind-----a"]


def test_a_waker_without_a_server_says_so_once_and_does_no_harm(
    site: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    wake = queue.Waker(site)
    for _ in range(5):
        wake("mail")
    assert len(caplog.records) == 1


def test_a_server_that_a_killed_process_left_is_swept_away(site: Settings) -> None:
    first = queue_server.start_server(site)
    assert first is not None
    second = queue_server.start_server(site)
    assert second is not None
    assert queue.connect(site).ping()
    second.stop()


def test_wake_ups_of_a_killed_worker_are_forgotten(mail: Mail, site: Settings, server: Redis) -> None:
    wake = queue.Waker(site)
    wake("mail")
    wake("mail")
    Queue(queue.QUEUE, connection=server, serializer=JSONSerializer).empty()
    queue._forget_jobs(server)
    wake("mail")
    assert jobs(server) == ["drain-mail-a"]


def test_an_emptied_queue_loses_nothing(mail: Mail, site: Settings, server: Redis) -> None:
    before = list(outbox._wake)
    outbox.on_put(queue.Waker(site))
    mail.put(1, 2, 3)
    assert jobs(server) != []
    server.flushall()
    queue.work(site, burst=True)
    assert mail.delivered == [1, 2, 3]
    outbox._wake[:] = before
