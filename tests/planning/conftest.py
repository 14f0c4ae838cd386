"""Fixtures of the room's tests."""

import pytest

from databases import Begun
from forms.conftest import client
from planning.works import Works

__all__ = ["client", "works"]


@pytest.fixture
def works(begun: Begun) -> Works:
    return begun(Works)
