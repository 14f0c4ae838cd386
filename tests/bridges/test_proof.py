"""The proof holds, and it fails when what it proves is taken away."""

from typing import Any

import pytest

from formloop.bridges import proof, service
from formloop.core import clock
from formloop.events import outbox
from formloop.events.outbox import Delivery


@pytest.fixture(autouse=True)
def started() -> None:
    outbox.stopping.clear()


def test_killing_workers_loses_doubles_and_reorders_nothing() -> None:
    found = proof.prove_bridge_kill(25)
    assert (found["lost"], found["doubled"], found["out of order"]) == (0, 0, 0)


def test_a_delivery_that_forgets_what_it_did_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def twice(delivery: Delivery) -> None:
        service.deliver(delivery)
        with clock.stopped_at(clock.later(seconds=0.001)):
            service.deliver(delivery)

    kept = dict(outbox.topics._things)
    service.start()
    topic: Any = outbox.topics.get("bridge")
    monkeypatch.setitem(outbox.topics._things, "bridge", outbox.Topic(twice, atomic=topic.atomic))
    found = proof.prove_bridge_kill(0)
    assert found["doubled"] > 0
    outbox.topics._things.clear()
    outbox.topics._things.update(kept)
