"""Bridges that somebody asks for: one record with the lines that are open, and none twice."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from bridges.trade import Trade, bridge
from formloop.access import people, role_kind
from formloop.access.actor import SYSTEM, get_actor
from formloop.bridges import asking, trial
from formloop.core.definitions import Doc
from formloop.core.errors import Conflict, Forbidden, Invalid
from formloop.definitions import service as definitions
from formloop.forms import reads, service
from formloop.forms.kind import get_form
from workflows.at_once import begun_while

assert role_kind.ROLE.name == "role"  # importing it makes the kind known
SENDING: Doc = {
    "x-kind": "form", "x-id": "00000005", "x-key": "sending", "title": "Sending", "type": "object",
    "properties": {
        "order": {"type": "integer", "x-type": "relation", "title": "Order", "x-relation": {"form": "sales_order"}},
        "whole": {"type": "number", "title": "In all", "x-scale": 2},
        "lines": {
            "type": "array", "x-type": "subform", "title": "Lines",
            "items": {
                "type": "object",
                "properties": {
                    "wanted": {"type": "integer", "x-type": "relation", "title": "Demand", "x-relation": {"form": "demand"}},
                    "item": {"type": "integer", "x-type": "relation", "title": "Item", "x-relation": {"form": "item"}},
                    "quantity": {"type": "number", "title": "Quantity", "x-scale": 2},
                },
            },
        },
    },
}  # fmt: skip
ASKED: Doc = {
    "x-kind": "bridge", "x-id": "c41e99ac", "x-key": "order_to_sending", "title": "Make a sending",
    "from": {"form": "sales_order", "on": ["asked"]},
    "when": 'state = "confirmed"',
    "find": {"form": "demand", "where": 'customer = this.customer AND state = "open"'},
    "to": {"form": "sending", "open": ["draft", "review"]},
    "map": {"order": "id", "whole": "SUM(found.quantity)"},
    "lines": {"into": "lines", "map": {"wanted": "line", "item": "line.item", "quantity": "line.quantity"}},
}  # fmt: skip


@pytest.fixture
def asked(database: Any) -> Trade:
    return Trade(bridge(), SENDING, ASKED)


def test_one_record_is_made_with_a_line_for_each_that_is_found(asked: Trade) -> None:
    order = asked.confirm(asked.order((asked.bolt, "10"), (asked.bolt, "2.5")))
    made = asking.ask(SYSTEM, "sales_order", order["id"], "order_to_sending")
    sending = reads.get_record(SYSTEM, "sending", made.record)
    assert (made.new, sending["order"], sending["whole"]) == (True, order["id"], Decimal("12.5"))
    assert [(line["item"], line["quantity"]) for line in sending["lines"]] == [
        (asked.bolt, 10),
        (asked.bolt, Decimal("2.5")),
    ]
    chain = reads.list_chain(SYSTEM, "sending", made.record)
    assert [(each.way, each.form, each.record) for each in chain] == [("from", "sales_order", order["id"])]


def test_who_asks_again_gets_what_is_under_way_and_a_new_one_when_that_is_done(asked: Trade) -> None:
    order = asked.confirm(asked.order((asked.bolt, "10")))
    first = asking.ask(SYSTEM, "sales_order", order["id"], "order_to_sending")
    service.set_state(SYSTEM, "sending", first.record, "review")
    again = asking.ask(SYSTEM, "sales_order", order["id"], "order_to_sending")
    assert (again.record, again.new) == (first.record, False)
    service.set_state(SYSTEM, "sending", first.record, "confirmed")
    later = asking.ask(SYSTEM, "sales_order", order["id"], "order_to_sending")
    assert later.new and later.record != first.record


def test_the_page_offers_what_can_be_made_or_names_what_is_under_way(asked: Trade) -> None:
    spec = get_form("sales_order")
    order = asked.order((asked.bolt, "10"))
    assert asking.list_chances(SYSTEM, spec, order["id"]) == []
    asked.confirm(order)
    (chance,) = asking.list_chances(SYSTEM, spec, order["id"])
    assert (chance.bridge.key, chance.under_way) == ("order_to_sending", {})
    made = asking.ask(SYSTEM, "sales_order", order["id"], "order_to_sending")
    (chance,) = asking.list_chances(SYSTEM, spec, order["id"])
    assert list(chance.under_way) == [made.record]


def test_what_somebody_entered_by_hand_counts_as_under_way(asked: Trade) -> None:
    order = asked.confirm(asked.order((asked.bolt, "10")))
    (demand,) = asked.demand()
    own = service.create(SYSTEM, "sending", {"lines": [{"wanted": demand["id"], "quantity": "4"}]})
    got = asking.ask(SYSTEM, "sales_order", order["id"], "order_to_sending")
    assert (got.record, got.new) == (own["id"], False)


def test_of_two_who_ask_at_once_for_the_same_things_of_other_records_the_second_gets_what_the_first_made(
    asked: Trade,
) -> None:
    one, two = (asked.confirm(asked.order((asked.bolt, "10"))) for _ in range(2))
    made: list[asking.Made] = []

    def of(order: Any) -> asking.Made:
        return asking.ask(SYSTEM, "sales_order", order["id"], "order_to_sending")

    later = begun_while(lambda: made.append(of(one)), lambda: of(two))
    assert (later.record, later.new) == (made[0].record, False)


def test_who_may_not_see_what_is_under_way_is_not_told_which_it_is(asked: Trade) -> None:
    order = asked.confirm(asked.order((asked.bolt, "10")))
    asking.ask(SYSTEM, "sales_order", order["id"], "order_to_sending")
    grants = [
        {"id": "o", "form": "sales_order", "may": ["view"]},
        {"id": "s", "form": "sending", "may": ["view", "create"], "where": "owner = USER()"},
    ]
    role = {"x-kind": "role", "x-id": "0000e00a", "x-key": "sender", "title": "Sender", "grants": grants}
    definitions.publish_many(SYSTEM, [role], "test")
    sender = get_actor(people.add_person(SYSTEM, "sam", "Sam", roles=["sender"]))
    with pytest.raises(Conflict, match="somebody else"):
        asking.ask(sender, "sales_order", order["id"], "order_to_sending")


def test_what_others_make_of_a_record_is_told_with_the_roles_that_may(asked: Trade) -> None:
    order = asked.confirm(asked.order((asked.bolt, "10")))
    seen = [{"id": key, "form": key, "may": ["view"]} for key in ("sales_order", "demand", "sending")]
    head = {"x-kind": "role", "title": "Reader", "x-title": {"zh-CN": "查看者"}}
    made = {"id": "s", "form": "sending", "may": ["view", "create"]}
    reader = {**head, "x-id": "0000e00b", "x-key": "reader", "grants": seen}
    sender = {**head, "x-id": "0000e00a", "x-key": "sender", "title": "Sender", "grants": [made]}
    definitions.publish_many(SYSTEM, [reader], "test")
    rita = get_actor(people.add_person(SYSTEM, "rita", "Rita", roles=["reader"]))
    spec = get_form("sales_order")
    assert asking.list_chances(rita, spec, order["id"]) == []
    definitions.publish_many(SYSTEM, [sender], "test")
    (chance,) = asking.list_chances(rita, spec, order["id"])
    assert chance.made_by and chance.made_by.render("en") == "Sender"
    with pytest.raises(Forbidden):
        asking.ask(rita, "sales_order", order["id"], "order_to_sending")
    sending = asking.ask(SYSTEM, "sales_order", order["id"], "order_to_sending")
    (chance,) = asking.list_chances(rita, spec, order["id"])
    assert (list(chance.under_way), chance.made_by) == ([sending.record], None)


@pytest.mark.parametrize("where", ["quantity < 5", None], ids=["some", "none"])
def test_only_what_the_asker_may_see_is_looked_up(asked: Trade, where: str | None) -> None:
    order = asked.confirm(asked.order((asked.bolt, "10"), (asked.bolt, "2.5")))
    grants: list[Doc] = [
        {"id": "o", "form": "sales_order", "may": ["view"]},
        {"id": "s", "form": "sending", "may": ["view", "create"]},
    ]
    if where is not None:
        grants.append({"id": "d", "form": "demand", "may": ["view"], "where": where})
    role = {"x-kind": "role", "x-id": "0000e00a", "x-key": "sender", "title": "Sender", "grants": grants}
    definitions.publish_many(SYSTEM, [role], "test")
    sender = get_actor(people.add_person(SYSTEM, "sam", "Sam", roles=["sender"]))
    chances = asking.list_chances(sender, get_form("sales_order"), order["id"])
    if where is None:
        assert chances == []
        with pytest.raises(Conflict):
            asking.ask(sender, "sales_order", order["id"], "order_to_sending")
    else:
        made = asking.ask(sender, "sales_order", order["id"], "order_to_sending")
        sending = reads.get_record(SYSTEM, "sending", made.record)
        assert (len(chances), sending["whole"], len(sending["lines"])) == (1, Decimal("2.5"), 1)


def test_what_is_too_much_for_one_is_told_and_nothing_is_made_of_a_deleted_record(
    asked: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, order = get_form("sales_order"), asked.confirm(asked.order((asked.bolt, "1"), (asked.bolt, "2")))
    monkeypatch.setattr(asking, "MOST_FOUND", 1)
    (chance,) = asking.list_chances(SYSTEM, spec, order["id"])
    assert chance.refused is not None and "too much for one" in str(chance.refused)
    service.delete_record(SYSTEM, "sales_order", order["id"], even_if_used=True)
    assert asking.list_chances(SYSTEM, spec, order["id"]) == []


def test_where_nothing_is_open_nothing_is_made_or_offered(asked: Trade) -> None:
    order = asked.confirm(asked.order((asked.advice, "1")))
    with pytest.raises(Conflict):
        asking.ask(SYSTEM, "sales_order", order["id"], "order_to_sending")
    assert asking.list_chances(SYSTEM, get_form("sales_order"), order["id"]) == []


def test_the_lines_may_be_those_of_the_source(database: Any) -> None:
    trade = Trade(
        SENDING,
        {key: value for key, value in ASKED.items() if key != "find"}
        | {
            "from": {**ASKED["from"], "each": "lines"},
            "map": {"order": "id"},
            "lines": {"into": "lines", "map": {"item": "line.item", "quantity": "line.quantity * 2"}},
        },
    )
    order = trade.confirm(trade.order((trade.bolt, "3")))
    made = asking.ask(SYSTEM, "sales_order", order["id"], "order_to_sending")
    assert reads.get_record(SYSTEM, "sending", made.record)["lines"][0]["quantity"] == 6


def test_who_may_not_create_the_target_makes_none(asked: Trade) -> None:
    order = asked.confirm(asked.order((asked.bolt, "1")))
    nobody = replace(SYSTEM, administrator=False)
    with pytest.raises(Forbidden):
        asking.ask(nobody, "sales_order", order["id"], "order_to_sending")
    assert asking.list_chances(nobody, get_form("sales_order"), order["id"]) == []


def test_a_draft_of_such_a_bridge_is_tried_and_leaves_nothing(asked: Trade) -> None:
    order = asked.confirm(asked.order((asked.bolt, "10")))
    (found,) = trial.try_out(SYSTEM, ASKED, {order["id"]: "one"}, "en")
    assert [each.action for each in found.targets] == ["created"]
    assert reads.list_chain(SYSTEM, "sales_order", order["id"])[0].form == "demand"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # a check reads no table
@pytest.mark.parametrize(
    ("changes", "at"),
    [
        ({"from": {"form": "sales_order", "on": ["asked", "created"]}}, "from.on"),
        ({"to": {"form": "sending", "by": ["order"]}}, "to.by"),
        ({"to": {"form": "sending", "open": ["drafty"]}}, "to.open.0"),
        ({"from": {"form": "sales_order", "on": ["created"]}}, "find"),
        ({"find": {"form": "demand", "where": "customer = this.customer.priority"}}, "find.where"),
        ({"find": {"form": "demand", "where": "COUNT(this.lines) > 0"}}, "find.where"),
        ({"find": {"form": "demand", "where": 'RMB(quantity) = "x"'}}, "find.where"),
        ({"lines": {**ASKED["lines"], "when": "line.nothing"}}, "lines.when"),
        ({"lines": {"into": "rows", "map": {"item": "line.item"}}}, "lines.into"),
        ({"lines": {"into": "lines", "map": {"item": "line"}}}, "lines.map.item"),
        ({"map": {"order": "line.item"}}, "map.order"),
    ],
)
def test_a_mistake_is_told_with_its_place(database: Any, changes: Doc, at: str) -> None:
    with pytest.raises(Invalid) as refused:
        Trade(SENDING, {**ASKED, **changes})
    assert at in [problem.at.partition(": ")[2] or problem.at for problem in refused.value.problems]


def test_only_what_fits_becomes_a_line_and_without_a_line_nothing_is_made(database: Any) -> None:
    lines = {**ASKED["lines"], "when": "line.quantity > 5"}
    trade = Trade(bridge(), SENDING, {**ASKED, "lines": lines})
    order = trade.confirm(trade.order((trade.bolt, "10"), (trade.bolt, "2.5")))
    made = asking.ask(SYSTEM, "sales_order", order["id"], "order_to_sending")
    sending = reads.get_record(SYSTEM, "sending", made.record)
    assert [line["quantity"] for line in sending["lines"]] == [10] and sending["whole"] == Decimal("12.5")
    small = trade.confirm(trade.order((trade.bolt, "1")))
    service.set_state(SYSTEM, "sending", made.record, "confirmed")
    for demand in trade.demand():
        service.change_record(SYSTEM, "demand", demand["id"], {"quantity": "1"})
    assert asking.list_chances(SYSTEM, get_form("sales_order"), small["id"]) == []
    with pytest.raises(Conflict, match="open any more"):
        asking.ask(SYSTEM, "sales_order", small["id"], "order_to_sending")


SUMMED: Doc = {
    "x-kind": "dataset", "x-id": "c41e99ad", "x-key": "demand_by_item", "title": "Demand by item",
    "parameters": {"whose": {"type": "integer", "x-type": "relation", "title": "Customer",
                             "x-relation": {"form": "customer"}}},
    "from": "demand", "where": "customer = parameters.whose",
    "columns": {"item": "item", "quantity": "quantity"},
    "group": ["item"], "measures": {"quantity": "SUM(quantity)"}, "sort": ["item"],
}  # fmt: skip
BY_ITEM: Doc = ASKED | {
    "find": {"dataset": "demand_by_item", "given": {"whose": "customer"}},
    "lines": {"into": "lines", "map": {"item": "line.item", "quantity": "line.quantity"}},
}


def test_lines_come_from_the_rows_of_a_dataset(database: Any) -> None:
    trade = Trade(bridge(), SENDING, SUMMED, BY_ITEM)
    order = trade.confirm(trade.order((trade.bolt, "10"), (trade.bolt, "2.5")))
    made = asking.ask(SYSTEM, "sales_order", order["id"], "order_to_sending")
    sending = reads.get_record(SYSTEM, "sending", made.record)
    assert [(line["item"], line["quantity"]) for line in sending["lines"]] == [(trade.bolt, Decimal("12.5"))]
    assert (sending["whole"], made.new) == (Decimal("12.5"), True)
    assert not asking.ask(SYSTEM, "sales_order", order["id"], "order_to_sending").new


def test_of_a_dataset_only_what_the_asker_may_see_is_looked_up(database: Any) -> None:
    trade = Trade(bridge(), SENDING, SUMMED, BY_ITEM)
    order = trade.confirm(trade.order((trade.bolt, "10"), (trade.bolt, "2.5")))
    grants: list[Doc] = [
        {"id": "o", "form": "sales_order", "may": ["view"]},
        {"id": "s", "form": "sending", "may": ["view", "create"]},
    ]
    role = {"x-kind": "role", "x-id": "0000e00a", "x-key": "sender", "title": "Sender", "grants": grants}
    definitions.publish_many(SYSTEM, [role], "test")
    sender = get_actor(people.add_person(SYSTEM, "sam", "Sam", roles=["sender"]))
    assert asking.list_chances(sender, get_form("sales_order"), order["id"]) == []


@pytest.mark.parametrize(
    ("find", "code"),
    [
        ({"dataset": "demand_by_item", "form": "demand"}, "find"),
        ({"dataset": "demand_by_item", "where": "TRUE"}, "find"),
        ({"dataset": "nowhere"}, "no_dataset"),
        ({"dataset": "demand_by_item", "given": {"who": "customer"}}, "no_parameter"),
    ],
)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # a check reads no table
def test_a_dataset_is_looked_up_by_its_parameters(database: Any, find: dict[str, Any], code: str) -> None:
    Trade(bridge(), SENDING, SUMMED)
    with pytest.raises(Invalid) as error:
        definitions.publish_many(SYSTEM, [BY_ITEM | {"find": find}], "test")
    assert code in [each.code for each in error.value.problems]
