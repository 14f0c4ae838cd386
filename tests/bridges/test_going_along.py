"""What a bridge made of a record, and takes back with it, does not keep the record from being deleted."""

import pytest

from bridges.trade import Trade
from databases import Begun
from formloop.access.actor import SYSTEM
from formloop.bridges import service as bridges
from formloop.core.definitions import Doc
from formloop.db import reading
from formloop.forms import service
from formloop.forms.kind import get_form
from formloop.forms.uses import InUse

LABEL: Doc = {
    "x-kind": "form", "x-id": "00000011", "x-key": "label", "title": "Label", "type": "object",
    "properties": {
        "item": {"type": "integer", "x-type": "relation", "title": "Item", "x-relation": {"form": "item"}},
        "name": {"type": "string", "title": "Name"},
    },
    "x-states": {"open": {"title": "Open"}, "cancelled": {"title": "Cancelled"}},
}  # fmt: skip
SHELF: Doc = {
    "x-kind": "form", "x-id": "00000012", "x-key": "shelf", "title": "Shelf", "type": "object",
    "properties": {
        "label": {"type": "integer", "x-type": "relation", "title": "Label", "x-relation": {"form": "label"}},
    },
}  # fmt: skip
ITEM_TO_LABEL: Doc = {
    "x-kind": "bridge", "x-id": "00000013", "x-key": "item_to_label", "title": "Items have a label",
    "from": {"form": "item", "on": ["created", "updated", "deleted", "restored"]},
    "when": "planned", "to": {"form": "label"}, "map": {"item": "id", "name": "name"},
    "removed": "cancel", "run": "together",
}  # fmt: skip


def set_up() -> Trade:
    return Trade(LABEL, SHELF, ITEM_TO_LABEL)


@pytest.fixture
def labelled(begun: Begun) -> Trade:
    """Items with labels; one that is not planned has none."""
    bridges.start()
    return begun(set_up)


def labels() -> list[tuple[int, str]]:
    table = get_form("label").table
    with reading() as conn:
        found = conn.execute(table.select().order_by(table.c.id)).mappings()
        return [(each["id"], each["state"]) for each in found]


def test_what_goes_with_a_record_is_no_use_of_it(labelled: Trade) -> None:
    ((label, _),) = labels()
    service.delete_record(SYSTEM, "item", labelled.bolt)
    assert labels() == [(label, "cancelled")]
    service.restore_record(SYSTEM, "item", labelled.bolt)
    assert labels() == [(label, "open")]


def test_nor_is_what_had_gone_already(labelled: Trade) -> None:
    service.change_record(SYSTEM, "item", labelled.bolt, {"planned": False})
    assert [state for _, state in labels()] == ["cancelled"]
    service.delete_record(SYSTEM, "item", labelled.bolt)


def test_what_others_use_of_it_keeps_it(labelled: Trade) -> None:
    ((label, _),) = labels()
    shelf = int(service.create(SYSTEM, "shelf", {"label": label})["id"])
    with pytest.raises(InUse) as refused:
        service.delete_record(SYSTEM, "item", labelled.bolt)
    assert str(refused.value) == "This is used by others: 1 × Label."
    service.delete_record(SYSTEM, "shelf", shelf)
    service.delete_record(SYSTEM, "item", labelled.bolt)


def test_what_somebody_else_made_is_a_use_like_any_other(labelled: Trade) -> None:
    service.create(SYSTEM, "label", {"item": labelled.bolt})
    with pytest.raises(InUse):
        service.delete_record(SYSTEM, "item", labelled.bolt)
