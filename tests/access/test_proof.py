"""The proof `authz` holds, and notices a gate that lets everybody through."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.routing import Rule

from databases import States
from formloop.access import gate, proof
from formloop.app import create_app


@pytest.fixture
def copied(monkeypatch: pytest.MonkeyPatch, on_sqlite: States, tmp_path: Path) -> None:
    """The proof begins with a copy of the demo, which `formloop demo` makes for the other one."""
    on_sqlite.lay_demo(tmp_path, story=True)  # made while the gate is as it is

    def copy(folder: Path) -> None:
        shutil.copytree(tmp_path, folder, dirs_exist_ok=True)

    monkeypatch.setattr(proof, "make_demo", copy)


def test_every_route_answers_everybody_as_declared() -> None:
    found = proof.prove(1, create_app, forms=1)
    assert found["ok"], found["wrong"]
    assert found["requests"] > 1_000


def test_the_proof_notices_a_gate_that_is_open(copied: None, monkeypatch: pytest.MonkeyPatch) -> None:
    every = proof.Matrix._cases

    def some(own: proof.Matrix, rule: Rule) -> Iterator[tuple[Rule, dict[str, Any], str]]:
        return (case for case in every(own, rule) if "form" in rule.arguments and case[2] == "GET")

    monkeypatch.setattr(proof.Matrix, "_cases", some)  # pages of one form are enough to notice it
    monkeypatch.setattr(gate, "require", lambda *_: ())
    found = proof.prove(1, create_app, forms=1)
    assert not found["ok"]
    assert any("declared as refused" in each for each in found["wrong"])
