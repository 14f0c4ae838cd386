"""Queue entries of the room."""

import time

from formloop.events import outbox

TURN = 20.0  # seconds after which a job makes room for those of other topics


def drain(topic: str) -> int:
    """Deliver what is due on `topic`; what is left when the time is up is announced again."""
    started = time.monotonic()
    done = outbox.drain(topic, seconds=TURN)
    if time.monotonic() - started >= TURN:
        outbox.announce(topic)
    return done
