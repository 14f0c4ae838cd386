"""Fixtures of the room's tests."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import event

from bridges.trade import trade
from formloop import db

__all__ = ["trade"]


@pytest.fixture
def statements(database: Any) -> Iterator[list[str]]:
    """The SQL statements that are sent from now on."""
    sent: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    event.listen(db.engine(), "before_cursor_execute", note)
    yield sent
    event.remove(db.engine(), "before_cursor_execute", note)
