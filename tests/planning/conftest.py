"""Fixtures of the room's tests."""

from typing import Any

import pytest

from forms.conftest import app, client
from planning.works import Works

__all__ = ["app", "client", "works"]


@pytest.fixture
def works(database: Any) -> Works:
    return Works()
