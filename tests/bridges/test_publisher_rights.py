"""A bridge tells and does nothing that its publisher may not see or do."""

from collections.abc import Iterator
from typing import Any

import pytest

from bridges.trade import Trade, bridge
from formloop.access import people, role_kind
from formloop.access.actor import SYSTEM, Actor, get_actor
from formloop.bridges import publisher_rights
from formloop.core.definitions import kinds
from formloop.core.errors import Invalid
from formloop.definitions import editor
from formloop.definitions import service as definitions
from formloop.forms.kind import get_form
from formloop.forms.publisher_rights import read_elsewhere

assert role_kind.ROLE.name == "role"  # importing it makes the kind known
READS = {"form": "sales_order", "may": ["view"]}
ITEMS = {"form": "item", "may": ["view"]}
CHANGES = {
    "from": {"form": "sales_order", "on": ["updated"]},
    "to": {"form": "demand", "by": ["source"], "every": True},
    "when": "there.quantity > 0",
    "map": {"source": "id", "need_date": "order_date"},
}
WRITES = {"form": "demand", "may": ["view", "create", "edit"]}


@pytest.fixture
def trade(database: Any) -> Iterator[Trade]:
    publisher_rights.enroll()
    yield Trade()
    definitions.judges._things.pop("bridge")


def builder(*grants: dict[str, Any]) -> Actor:
    """Somebody who may publish definitions, and what else is said."""
    given = [
        {"id": f"g{number}", **grant}
        for number, grant in enumerate([{"on": "definition", "may": ["design"]}, *grants])
    ]
    role = {"x-kind": "role", "x-id": "0000e001", "x-key": "building", "title": "Building", "grants": given}
    definitions.publish_many(SYSTEM, [role], "test")
    return get_actor(people.add_person(SYSTEM, "builder", "Builder", roles=["building"]))


def codes(actor: Actor, **changes: Any) -> set[tuple[str, str]]:
    """Code and place of what stands against publishing the bridge."""
    made = definitions.save_draft(actor, "bridge", bridge(**changes))
    told = {(each.code, each.at) for each in definitions.check_draft(actor, made.id)}
    try:
        definitions.publish(actor, made.id)
    except Invalid as error:
        assert told == {(problem.code, problem.at) for problem in error.problems}  # before it is refused
        return told
    return set()


def test_who_sees_the_source_and_fills_in_the_target_publishes(trade: Trade) -> None:
    assert codes(builder(READS, ITEMS, WRITES)) == set()


def test_what_a_builder_may_not_see_is_not_read_for_them(trade: Trade) -> None:
    assert codes(builder(READS, WRITES)) == {("reads_hidden", "map")}  # whether an item is planned


def test_a_check_tells_it_with_the_titles_of_field_and_form(trade: Trade) -> None:
    actor = builder(READS, WRITES)
    made = definitions.save_draft(actor, "bridge", bridge())
    (told,) = editor.check(actor, kinds.get("bridge"), editor.text_of(made)[0], made.id)
    assert str(told.message) == "This bridge reads Planned of Item, which you may not see yourself."


def test_what_stands_two_relations_away_is_not_read_for_a_builder_either(trade: Trade) -> None:
    def relation(form: str) -> dict[str, Any]:
        return {"type": "integer", "x-type": "relation", "title": form, "x-relation": {"form": form}}

    texts = {"name": {"type": "string", "title": "Name"}, "secret": {"type": "string", "title": "Secret"}}
    group = {"x-kind": "form", "x-id": "0000b001", "x-key": "grp", "title": "Group", "type": "object"}
    firm = {**group, "x-id": "0000b002", "x-key": "firm", "title": "Firm"}
    visit = {**group, "x-id": "0000b003", "x-key": "visit", "title": "Visit"}
    docs = [
        {**group, "properties": texts},
        {**firm, "properties": {"grp": relation("grp")}},
        {**visit, "properties": {"firm": relation("firm")}},
        {**group, "x-id": "0000b004", "x-key": "card", "title": "Card", "properties": texts},
    ]
    definitions.publish_many(SYSTEM, docs, "test")
    sees = [{"form": form, "may": ["view", "create", "edit"]} for form in ("firm", "visit")]
    cards = {"form": "card", "may": ["view", "create", "edit"]}
    actor = builder(*sees, {"form": "grp", "may": ["view"], "except": ["secret"]}, cards)
    moved = {"from": {"form": "visit", "on": ["created"]}, "to": {"form": "card"}, "when": "TRUE"}
    assert codes(actor, **moved, map={"name": "firm.grp.secret"}) == {("reads_hidden", "map")}
    assert codes(actor, **moved, map={"name": "firm.grp.name"}) == set()
    spec = get_form("visit")
    read = list(read_elsewhere(spec, [("firm", "grp", "secret")]))
    assert [(form, key) for _, form, key in read] == [("firm", "grp"), ("grp", "secret")]


def test_what_a_builder_may_not_fill_in_is_not_written_for_them(trade: Trade) -> None:
    found = codes(builder(READS, ITEMS, {**WRITES, "except": ["quantity"]}))
    assert found == {("writes_forbidden", "map.quantity")}


def test_what_a_builder_may_not_delete_is_not_deleted_for_them(trade: Trade) -> None:
    assert codes(builder(READS, ITEMS, WRITES), removed="delete") == {("writes_forbidden", "removed")}


def test_an_administrator_publishes_everything(trade: Trade) -> None:
    made = definitions.save_draft(SYSTEM, "bridge", bridge(removed="delete"))
    assert definitions.publish(SYSTEM, made.id)


def test_what_only_changes_reads_what_is_there_and_makes_nothing(trade: Trade) -> None:
    edits = {"form": "demand", "may": ["view", "edit"]}
    assert codes(builder(READS, edits), **CHANGES) == set()


def test_what_is_there_is_not_read_for_who_may_not_see_it(trade: Trade) -> None:
    edits = {"form": "demand", "may": ["view", "edit"], "except": ["quantity"]}
    assert codes(builder(READS, edits), **CHANGES) == {("reads_hidden", "map")}
