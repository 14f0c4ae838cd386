"""Grants that a process remembers, while others look at older views of the database."""

import threading

import pytest

from formloop.access import gate, people, sessions
from formloop.access.actor import SYSTEM
from formloop.core import clock
from formloop.core.errors import StorageFull
from formloop.db import read_counter, reading

from .conftest import Office, publish, role

X_ID = "abcdef01"


def publish_grant(*actions: str) -> None:
    publish(role("keeper", {"on": "people", "may": list(actions)}, x_id=X_ID))


def elsewhere(work: threading.Thread) -> None:
    work.start()
    work.join(timeout=20)


def test_who_looks_at_an_older_view_does_not_bring_a_revoked_right_back(office: Office) -> None:
    publish_grant("manage")
    people.add_role(SYSTEM, office.sue.person_id or 0, "keeper")
    sue = office.again(office.sue.person_id)
    assert gate.allows(sue, "manage", "people")
    with reading():
        old = read_counter("access")  # from here on this view of the database is fixed

        def revoke() -> None:
            publish(role("keeper", {"on": "definition", "may": ["design"]}, x_id=X_ID))
            gate.refresh(read_counter("access"))

        elsewhere(threading.Thread(target=revoke))
        assert not gate.allows(sue, "manage", "people")
        gate.refresh(old)
        gate._load()
        assert not gate.allows(sue, "manage", "people")


def test_on_a_full_disk_whoever_is_signed_in_goes_on_reading(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = sessions.open_session(office.sue.person_id or 0, "test")

    def full(*_: object) -> None:
        raise StorageFull

    monkeypatch.setattr(sessions, "_touch", full)
    with clock.stopped_at(clock.later(minutes=10)):
        found = sessions.find_signed_in(secret)
    assert found is not None
    assert found.actor.name == "Sue"
