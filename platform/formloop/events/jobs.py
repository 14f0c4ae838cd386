"""Queue entries of the room."""

from formloop.events import outbox


def drain(topic: str) -> int:
    """Deliver what is due on `topic`."""
    return outbox.drain(topic)
