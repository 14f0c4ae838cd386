"""The proof `fields` holds, and notices a guard that is taken out."""

import pytest

from formloop.access.gate import Grant
from formloop.app import create_app
from formloop.forms import proof
from formloop.forms.permits import Permit


def test_hidden_values_change_no_answer() -> None:
    found = proof.prove(1, create_app)
    assert found["ok"], found


def test_the_proof_notices_fields_that_are_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Grant, "covers", lambda *_: True)
    found = proof.prove(1, create_app)
    assert not found["ok"] and len(found["leaks"]) == 20


def test_the_proof_notices_filters_that_ask_hidden_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Permit, "seen", lambda _self, column, *_: column)
    found = proof.prove(1, create_app)
    assert any("f.bonus" in leak or "sort" in leak for leak in found["leaks"]), found
