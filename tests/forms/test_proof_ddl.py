"""A small version of the proof that a killed publication leaves exactly the old or the new form."""

from formloop.app import create_app
from formloop.forms import proof_ddl


def test_a_killed_publication_leaves_old_or_new() -> None:
    found = proof_ddl.prove(7, create_app, changes=2, every=9)
    assert found["ok"], found
