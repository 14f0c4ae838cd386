"""Fixtures of the room's tests."""

from typing import Any

import pytest

from ledgers.store import Store


@pytest.fixture
def store(database: Any) -> Store:
    return Store()
