import pytest

from formloop.workflows import playing
from workflows.stage import stage

__all__ = ["stage"]


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A play may take its time where the machine is busy; the tests of its limit set one of their own."""
    monkeypatch.setattr(playing, "SECONDS", 60.0)
