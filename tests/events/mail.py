"""A topic that notes what was delivered, and fails when it is told to."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from formloop.db import transactional
from formloop.events import outbox
from formloop.events.outbox import Delivery, Topic


class Mail:
    """What was delivered, in order."""

    def __init__(self) -> None:
        self.delivered: list[Any] = []
        self.failing: dict[Any, Exception] = {}

    def deliver(self, delivery: Delivery) -> None:
        said = delivery.payload["say"]
        if said in self.failing:
            raise self.failing[said]
        self.delivered.append(said)

    @transactional
    def put(self, *said: Any, key: str = "a", topic: str = "mail") -> None:
        for each in said:
            outbox.put(topic, key, {"say": each})


@pytest.fixture
def mail(database: Any) -> Iterator[Mail]:
    """A fresh topic "mail", and "loose", whose messages need no order."""
    there = Mail()
    kept: dict[str, Topic] = outbox.topics._things
    before = dict(kept)
    outbox.topics.add("mail", Topic(there.deliver))
    outbox.topics.add("loose", Topic(there.deliver, ordered=False))
    outbox.stopping.clear()
    yield there
    kept.clear()
    kept.update(before)


@pytest.fixture
def woken() -> Iterator[list[str]]:
    """The topics that were announced."""
    before: list[Callable[[str], None]] = list(outbox._wake)
    heard: list[str] = []
    outbox.on_put(heard.append)
    yield heard
    outbox._wake[:] = before
