"""Sample data of an uploaded pack go into its own forms, in their first state, and find what may be seen."""

from typing import Any

import pytest
from flask import Flask

from formloop.access import people
from formloop.access.actor import SYSTEM, Actor, get_actor
from formloop.core.errors import Invalid
from formloop.definitions import service as definitions
from formloop.packs import samples, service
from formloop.packs.reading import read_zip
from packs.archives import MANIFEST, note_form, zipped

STATES = {"draft": {"title": "Draft"}, "agreed": {"title": "Agreed"}}
FORM = note_form(
    **{
        "x-states": STATES,
        "properties": {
            "code": {"type": "string", "title": "Code"},
            "currency": {"type": "integer", "x-type": "relation", "title": "Currency", "x-relation": {"form": "currency"}},
        },
    }
)  # fmt: skip


@pytest.fixture
def importer(app: Flask) -> Actor:
    """Somebody who may install packs and publish what they bring, and do nothing else."""
    service.install(SYSTEM, service.get_pack("master_data"))
    grants = [
        {"id": "packs", "on": "pack", "may": ["install"]},
        {"id": "definitions", "on": "definition", "may": ["design"]},
    ]
    role = {"x-kind": "role", "x-id": "0000bbbb", "x-key": "importer", "title": "Importer", "grants": grants}
    definitions.publish_many(SYSTEM, [role], "importer")
    return get_actor(people.add_person(SYSTEM, "imp", "Imp", roles=["importer"]))


def told(actor: Actor, part: dict[str, Any], **more: Any) -> list[tuple[str, str, int | None]]:
    pack = read_zip(
        zipped(**{"pack": {**MANIFEST, "needs": ["master_data"]}, "note.form": FORM, "sample_a": part})
    )
    return [(p.code, p.at, p.line) for p in service.check(actor, pack)]


def notes(**record: Any) -> dict[str, Any]:
    return {"form": "note", "by": "code", "records": [{"code": "A"}, {"code": "B", **record}]}


def test_into_its_own_form_in_the_first_state_all_is_well(importer: Actor) -> None:
    assert told(importer, notes()) == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # a check reads no table
@pytest.mark.parametrize(
    ("part", "code", "at"),
    [
        (notes(**{"$state": "agreed"}), "state", "records.1.$state"),
        (notes(**{"$state": "nothing"}), "state", "records.1.$state"),
        (notes(**{"$owner": "seller"}), "owner", "records.1.$owner"),
        (notes(colour="red"), "no_field", "records.1.colour"),
        (notes(currency={"$find": "currency"}), "find", "records.1.currency"),
        (notes(currency={"$find": "currency", "nothing": "1"}), "no_field", "records.1.currency"),
        (notes(currency={"$find": "nothing", "code": "1"}), "no_form", "records.1.currency"),
        (notes(currency={"$find": ["x"], "code": "1"}), "no_form", "records.1.currency"),
        ({"form": "unit", "by": "code", "records": [{"code": "zz", "name": "x"}]}, "forbidden", "form"),
        ({"form": "nothing", "by": "code", "records": [{"code": "zz"}]}, "no_form", "form"),
        ({"form": "note", "by": "code", "records": [{"code": ["a"]}]}, "unreadable", "records.0.code"),
    ],
)
def test_what_may_not_be_is_told_with_file_and_line(
    importer: Actor, part: dict[str, Any], code: str, at: str
) -> None:
    assert told(importer, part) == [(code, f"sample/a.json: {at}", 1)]


def test_what_the_importer_may_not_see_is_not_found_whether_it_is_there_or_not(importer: Actor) -> None:
    answers = [told(importer, notes(currency={"$find": "currency", "code": code})) for code in ("CNY", "XXX")]
    assert answers[0] == answers[1] == [("not_found", "sample/a.json: records.1.currency", 1)]
    assert told(SYSTEM, notes(currency={"$find": "currency", "code": "CNY"})) == []


def test_an_administrator_may_bring_any_state(importer: Actor) -> None:
    assert told(SYSTEM, notes(**{"$state": "agreed"})) == []
    assert samples.count("little") == 0


def test_into_the_form_of_a_pack_that_is_not_needed_nothing_goes(importer: Actor) -> None:
    part = {"form": "unit", "by": "code", "records": [{"code": "zz", "name": "x"}]}
    pack = read_zip(zipped(**{"note.form": note_form(), "sample_a": part}))
    for actor in (importer, SYSTEM):
        assert [(p.code, p.at) for p in service.check(actor, pack)] == [("other_form", "sample/a.json: form")]


def refused(actor: Actor, **files: Any) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as error:
        service.install(actor, read_zip(zipped(**files)))
    return [(p.code, p.at) for p in error.value.problems]


@pytest.mark.parametrize("key", ["master_data", "sales_order"])
def test_nobody_takes_the_key_of_another_pack(importer: Actor, key: str) -> None:
    files = {"pack": {**MANIFEST, "key": key, "version": "9.0.0"}, "note.form": note_form()}
    assert refused(importer, **files) == [("other_pack", "pack.json: key")]


def test_a_newer_version_that_shares_definitions_keeps_its_key(importer: Actor) -> None:
    two = {"note.form": note_form(), "memo.form": note_form(**{"x-key": "memo", "x-id": "0000aaac"})}
    service.install(importer, read_zip(zipped(**two)))
    assert refused(importer, **{"note.form": note_form()}) == [("other_pack", "pack.json: key")]
    newer = {"pack": {**MANIFEST, "version": "1.0.1"}, "note.form": note_form()}
    assert service.install(importer, read_zip(zipped(**newer)))


def test_a_pack_that_brings_nothing_is_refused(importer: Actor) -> None:
    assert refused(importer) == [("empty", "pack.json")]
