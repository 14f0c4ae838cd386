"""Few records count as many, and some are there."""

from typing import Any

import pytest

from formloop.access.actor import SYSTEM
from formloop.db import units
from formloop.definitions import publications
from formloop.forms import ahead, convert, service
from forms.ahead.preparing import SIZES, WORDS
from forms.conftest import Shop, publish


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five records are many, and two are brought over at a time."""
    monkeypatch.setattr(ahead, "MANY", 5)
    monkeypatch.setattr(ahead, "PARTS", 1)
    monkeypatch.setattr(convert, "BATCH", 2)
    publications.init()


@pytest.fixture
def items(shop: Shop) -> list[int]:
    """Records with sizes in words."""
    publish(WORDS)
    return [int(service.create(SYSTEM, "item", {"name": f"n{size}", "size": size})["id"]) for size in SIZES]


@pytest.fixture
def tries(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Each time the database refused a lock."""
    found: list[str] = []

    def refused(error: Any) -> str | None:
        state: str | None = getattr(error.orig, "sqlstate", None)
        if state == "55P03" and error not in seen:
            seen.append(error)
            found.append("waited")
        return state

    seen: list[Any] = []
    monkeypatch.setattr(units, "_state_of", refused)
    return found
