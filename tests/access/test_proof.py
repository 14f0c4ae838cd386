"""The proof `authz` holds, and notices a gate that lets everybody through."""

import pytest

from formloop.access import gate, proof
from formloop.app import create_app


def test_every_route_answers_everybody_as_declared() -> None:
    found = proof.prove(1, create_app, forms=1)
    assert found["ok"], found["wrong"]
    assert found["requests"] > 1_000


def test_the_proof_notices_a_gate_that_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "require", lambda *_: ())
    found = proof.prove(1, create_app, forms=1)
    assert not found["ok"]
    assert any("declared as refused" in each for each in found["wrong"])
