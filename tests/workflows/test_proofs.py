"""Small runs of the proofs `outage` (workers die while cases wait) and `versions` (a workflow changes under its cases)."""

from formloop.app import create_app
from formloop.workflows import proof_outage, proof_versions


def test_cases_end_as_they_should_though_workers_die() -> None:
    found = proof_outage.prove(1, create_app, cases=6)
    assert (found["sqlite wrong"], found["postgresql wrong"]) == ([], [])
    assert found["ok"]


def test_cases_keep_to_the_version_they_began_with() -> None:
    found = proof_versions.prove(1, create_app, publications=4, running=12)
    assert found["wrong"] == []
    assert found["running at each publication"] == 12
    assert found["versions at once"] > 1
