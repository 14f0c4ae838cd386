"""Pages of the room."""

from flask import Flask

from formloop.ledgers import service


def init_app(app: Flask) -> None:
    """Post what happens to records."""
    service.start()
