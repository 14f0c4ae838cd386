"""Fixtures of the room's tests."""

import pytest

from databases import Begun
from formloop.ledgers import service
from ledgers.store import Store


@pytest.fixture
def store(begun: Begun) -> Store:
    service.start()
    return begun(Store)
