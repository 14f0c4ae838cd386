"""A small run of the proof `outage`: workers die while cases wait for a time and for an answer."""

from formloop.app import create_app
from formloop.workflows.proof_outage import prove


def test_cases_end_as_they_should_though_workers_die() -> None:
    found = prove(1, create_app, cases=6)
    assert found["wrong"] == []
    assert found["ok"]
