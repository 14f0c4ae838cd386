"""An import keeps to the rights of its person and to what is locked."""

import pytest

from formloop.access.actor import SYSTEM, Actor
from formloop.core.errors import Forbidden
from formloop.forms import drafts, importing, service, staging
from formloop.settings import Settings
from forms.imports.bringing import Write, brought_in, person, records


def test_without_the_right_nothing_is_imported(site: Settings, write: Write) -> None:
    with pytest.raises(Forbidden):
        importing.begin(
            Actor(1, "Nobody"), "partner", "a.csv", write(["Name"], ["A"]), {"columns": {"Name": "name"}}
        )


def test_a_locked_record_stays_as_it_is(
    site: Settings, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    for code in ("L1", "L2", "O1"):
        service.create(SYSTEM, "partner", {"name": "Old", "code": code})
    monkeypatch.setattr(drafts, "_guards", [lambda spec, record: record["code"].startswith("L")])
    alone = brought_in(SYSTEM, write(["Code", "Name"], ["L1", "New"]), Name="name")
    assert staging.counts(alone) == {"bad": 1}
    batch = brought_in(
        SYSTEM, write(["Code", "Name"], *([c, "New"] for c in ("L1", "L2", "O1"))), Name="name"
    )
    assert staging.counts(batch) == {"bad": 2, "updated": 1}
    assert "approval" in importing.list_reasons(batch)[0]
    assert [r["name"] for r in records("partner")] == ["Old", "Old", "New"]
    same = brought_in(SYSTEM, write(["Code", "Name"], ["L1", "Old"], ["O1", "New"]), Name="name")
    assert staging.counts(same) == {"unchanged": 2}


def test_an_import_keeps_to_the_rows_of_its_person(site: Settings, write: Write) -> None:
    east = {"form": "partner", "may": ["import"], "where": 'region = "East"'}
    path = write(["Code", "Name", "Region"], ["E1", "Acme", "East"], ["W1", "Bolt", "West"])
    batch = brought_in(person(east), path, Name="name", Region="region")
    assert staging.counts(batch) == {"created": 1, "bad": 1}
    assert [r["code"] for r in records("partner")] == ["E1"]


def test_a_field_needs_a_grant_that_gives_its_row_too(site: Settings, write: Write) -> None:
    for code, region in (("E1", "East"), ("W1", "West")):
        service.create(SYSTEM, "partner", {"name": "Old", "code": code, "region": region})
    actor = person(
        {"form": "partner", "may": ["import"], "fields": ["code"]},
        {"form": "partner", "may": ["import"], "where": 'region = "East"', "fields": ["code", "name"]},
    )
    batch = brought_in(actor, write(["Code", "Name"], ["E1", "New"], ["W1", "New"]), Name="name")
    assert staging.counts(batch) == {"updated": 1, "bad": 1}
    assert [r["name"] for r in records("partner")] == ["New", "Old"]
