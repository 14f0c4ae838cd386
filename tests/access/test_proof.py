"""The proof `authz` holds, and notices a gate that lets everybody through."""

from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.routing import Rule

from formloop.access import gate, proof
from formloop.app import create_app


def test_every_route_answers_everybody_as_declared() -> None:
    found = proof.prove(1, create_app, forms=1)
    assert found["ok"], found["wrong"]
    assert found["requests"] > 1_000


def test_the_proof_notices_a_gate_that_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    every = proof.Matrix._cases

    def some(own: proof.Matrix, rule: Rule) -> Iterator[tuple[Rule, dict[str, Any], str]]:
        return (case for case in every(own, rule) if "form" in rule.arguments and case[2] == "GET")

    monkeypatch.setattr(proof.Matrix, "_cases", some)  # pages of one form are enough to notice it
    monkeypatch.setattr(gate, "require", lambda *_: ())
    found = proof.prove(1, create_app, forms=1)
    assert not found["ok"]
    assert any("declared as refused" in each for each in found["wrong"])
