"""A little trade: items, customers, orders with lines, and the demand that a bridge makes of them."""

from typing import Any

import pytest

from databases import Begun
from formloop.access.actor import SYSTEM
from formloop.bridges import service as bridges
from formloop.bridges.kind import BRIDGE
from formloop.core.definitions import Doc
from formloop.db import reading
from formloop.definitions import service as definitions
from formloop.forms import rows, service
from formloop.forms.kind import get_form
from formloop.forms.spec import Values

assert BRIDGE.name == "bridge"  # importing it makes the kind known

ITEM: Doc = {
    "x-kind": "form", "x-id": "00000001", "x-key": "item", "title": "Item", "type": "object", "required": ["name"],
    "properties": {
        "name": {"type": "string", "title": "Name"},
        "planned": {"type": "boolean", "title": "Planned", "default": True},
    },
}  # fmt: skip
CUSTOMER: Doc = {
    "x-kind": "form", "x-id": "00000002", "x-key": "customer", "title": "Customer", "type": "object",
    "properties": {
        "name": {"type": "string", "title": "Name"},
        "priority": {"type": "integer", "title": "Priority", "x-scale": 0},
    },
}  # fmt: skip
ORDER: Doc = {
    "x-kind": "form", "x-id": "00000003", "x-key": "sales_order", "title": "Sales order",
    "x-title": {"zh-CN": "销售订单"}, "type": "object", "required": ["lines"],
    "properties": {
        "number": {"type": "string", "title": "Number"},
        "customer": {"type": "integer", "x-type": "relation", "title": "Customer", "x-relation": {"form": "customer"}},
        "order_date": {"type": "string", "format": "date", "title": "Order date"},
        "lines": {
            "type": "array", "x-type": "subform", "title": "Lines",
            "items": {
                "type": "object", "required": ["item", "quantity"],
                "properties": {
                    "item": {"type": "integer", "x-type": "relation", "title": "Item", "x-relation": {"form": "item"}},
                    "quantity": {"type": "number", "title": "Quantity", "x-scale": 6},
                    "delivered": {"type": "number", "title": "Delivered", "x-scale": 6, "default": 0},
                    "due_date": {"type": "string", "format": "date", "title": "Due"},
                },
            },
        },
    },
}  # fmt: skip
DEMAND: Doc = {
    "x-kind": "form", "x-id": "00000004", "x-key": "demand", "title": "Demand", "x-title": {"zh-CN": "需求"},
    "type": "object", "required": ["source", "item", "quantity"],
    "properties": {
        "source": {"type": "number", "title": "Source", "x-scale": 0, "readOnly": True, "x-unique": True},
        "item": {"type": "integer", "x-type": "relation", "title": "Item", "x-relation": {"form": "item"}},
        "quantity": {"type": "number", "title": "Quantity", "x-scale": 2, "minimum": 0},
        "need_date": {"type": "string", "format": "date", "title": "Needed"},
        "customer": {"type": "integer", "x-type": "relation", "title": "Customer", "x-relation": {"form": "customer"}},
    },
    "x-states": {
        "open": {"title": "Open"}, "met": {"title": "Met"}, "cancelled": {"title": "Cancelled"},
    },
}  # fmt: skip
BRIDGE_DOC: Doc = {
    "x-kind": "bridge", "x-id": "c41e99ab", "x-key": "order_to_demand",
    "title": "Confirmed order lines become demand", "x-title": {"zh-CN": "订单确认生成需求"},
    "from": {"form": "sales_order", "on": ["state:confirmed", "amended", "cancelled"], "each": "lines"},
    "when": "line.item.planned",
    "to": {"form": "demand", "by": ["source"]},
    "map": {
        "source": "line.id", "item": "line.item", "quantity": "line.quantity - line.delivered",
        "need_date": "line.due_date", "customer": "customer",
    },
    "removed": "cancel",
    "run": "together",
}  # fmt: skip


def bridge(**changes: Any) -> Doc:
    """The bridge from orders to demand, with other properties."""
    return {**BRIDGE_DOC, **changes}


class Trade:
    """The published forms with some records, and what tests do with them."""

    def __init__(self, *docs: Doc) -> None:
        bridges.start()
        definitions.publish_many(SYSTEM, [ITEM, CUSTOMER, ORDER, DEMAND, *docs], "test")
        self.bolt = service.create(SYSTEM, "item", {"name": "Bolt"})["id"]
        self.advice = service.create(SYSTEM, "item", {"name": "Advice", "planned": False})["id"]
        self.customer = service.create(SYSTEM, "customer", {"name": "Acme", "priority": 3})["id"]

    def order(self, *lines: tuple[int, str]) -> Values:
        """A new order with lines of item and quantity."""
        given = [{"item": item, "quantity": quantity} for item, quantity in lines]
        return service.create(SYSTEM, "sales_order", {"customer": self.customer, "lines": given})

    def confirm(self, order: Values) -> Values:
        """Move an order on."""
        return service.set_state(SYSTEM, "sales_order", order["id"], "confirmed")

    def change(self, order: Values, lines: list[dict[str, Any]]) -> Values:
        """Give an order other lines."""
        return service.change_record(SYSTEM, "sales_order", order["id"], {"lines": lines})

    def date(self, order: Values, day: str) -> Values:
        """Give an order another day."""
        return service.change_record(SYSTEM, "sales_order", order["id"], {"order_date": day})

    def demand(self) -> list[Values]:
        """All demand, oldest first."""
        spec = get_form("demand")
        with reading() as conn:
            ids = list(conn.execute(spec.table.select().order_by(spec.table.c.id)).scalars())
            found = rows.load(conn, spec, ids)
        return [found[i] for i in ids if found[i]["deleted_at"] is None]


def set_up() -> Trade:
    """The trade with its bridge."""
    return Trade(BRIDGE_DOC)


@pytest.fixture
def trade(begun: Begun) -> Trade:
    bridges.start()
    return begun(set_up)
