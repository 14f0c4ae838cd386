"""The proof of hostile definitions, small; and that it notices what it is there to notice."""

import urllib.request
from contextlib import suppress

from formloop.definitions import proof


def test_hostile_definitions_are_answered_with_problems():
    result = proof.prove(seed=3, count=150)
    assert (result["crashed"], result["fetched"]) == ([], 0)
    assert result["refused"] > 100
    assert result["accepted"] > 0


def test_the_proof_notices_a_crash(monkeypatch):
    def crash(*_asked):
        raise RecursionError

    monkeypatch.setattr(proof, "read", crash)
    result = proof.prove(seed=7, count=10)
    assert len(result["crashed"]) == 10 and not result["ok"]


def test_the_proof_notices_a_fetch(monkeypatch):
    def fetch(_chance, address):
        with suppress(OSError):
            urllib.request.urlopen(address, timeout=2)
        return "{}"

    monkeypatch.setattr(proof, "_ATTACKS", (fetch,))
    result = proof.prove(seed=7, count=2)
    assert result["fetched"] == 2 and not result["ok"]
