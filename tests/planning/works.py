"""A small works: items with bills, demand, and a plan that writes what is required."""

from typing import Any

from formloop.access.actor import SYSTEM
from formloop.core.definitions import Doc
from formloop.datasets.kind import DATASET
from formloop.forms import service
from formloop.forms.kind import get_form
from formloop.forms.listing import Query, list_records
from formloop.planning.kind import PLAN
from forms.conftest import form, number, publish, relation, text

assert DATASET.name == "dataset" and PLAN.name == "plan"  # importing them makes the kinds known


def flag(title: str) -> dict[str, Any]:
    return {"type": "boolean", "title": title}


def dataset(key: str, source: Any, columns: dict[str, Any], **more: Any) -> Doc:
    number = sum(ord(letter) * 269**place for place, letter in enumerate(key)) % 0xFFFFFFFF
    head = {"x-kind": "dataset", "x-id": f"{number:08x}", "x-key": key, "title": key.capitalize()}
    return {**head, "from": source, "columns": columns, **more}


def plan(**changes: Any) -> Doc:
    return {**EXPLODE, **changes}


FORMS = [
    form("thing", {"name": text("Name")}, required=["name"]),
    form(
        "bill",
        {
            "item": relation("Item", "thing"),
            "batch": number("Batch"),
            "lines": {
                "type": "array",
                "title": "Lines",
                "items": {
                    "type": "object",
                    "properties": {
                        "component": relation("Component", "thing"),
                        "quantity": number("Quantity"),
                    },
                },
            },
        },
    ),
    form("wish", {"item": relation("Item", "thing"), "quantity": number("Quantity"), "open": flag("Open")}),
    form(
        "need",
        {
            "item": relation("Item", "thing"),
            "quantity": number("Quantity", **{"x-scale": 2}),
            "wish": relation("Wish", "wish"),
            "level": number("Level"),
            "note": text("Note"),
            "firm": flag("Firm"),
        },
    ),
]
BILLS = dataset(
    "bill_lines",
    {"form": "bill", "each": "lines"},
    {
        "item": "item",
        "component": "line.component",
        "quantity": "line.quantity",
        "per": "batch",
        "item_name": "item.name",
        "component_name": "line.component.name",
    },
)
WISHES = dataset(
    "open_wishes",
    "wish",
    {"item": "item", "quantity": "quantity", "source": "id"},
    where="open AND (ISBLANK(parameters.wish) OR id = parameters.wish)",
    parameters={
        "wish": {"type": "integer", "title": "Wish", "x-type": "relation", "x-relation": {"form": "wish"}}
    },
)
EXPLODE: Doc = {
    "x-kind": "plan",
    "x-id": "00e3305c",
    "x-key": "needs",
    "title": "What is needed",
    "x-title": {"zh-CN": "需求计算"},
    "operator": "bom.explode",
    "ports": {"demand": "open_wishes", "bills": "bill_lines"},
    "parameters": {"scrap_rule": "divide"},
    "outputs": {
        "requirements": {
            "form": "need",
            "by": ["item", "wish"],
            "keep": "firm",
            "map": {"wish": "source", "note": 'IF(bought, "buy", "make")'},
        }
    },
}


class Works:
    """The published works, with a lamp of a foot and two bulbs, and a foot of half a kilo of brass."""

    def __init__(self) -> None:
        publish(*FORMS, BILLS, WISHES, EXPLODE)
        self.lamp, self.foot, self.bulb, self.brass = (
            self.make("thing", name=name) for name in ("Lamp", "Foot", "Bulb", "Brass")
        )
        self.bill(self.lamp, (self.foot, "1"), (self.bulb, "2"))
        self.bill(self.foot, (self.brass, "5"), batch="10")

    def make(self, key: str, **values: Any) -> int:
        return int(service.create(SYSTEM, key, values)["id"])

    def bill(self, item: int, *lines: tuple[int, str], batch: str | None = None) -> int:
        listed = [{"component": component, "quantity": quantity} for component, quantity in lines]
        return self.make("bill", item=item, batch=batch, lines=listed)

    def wish(self, item: int, quantity: str) -> int:
        return self.make("wish", item=item, quantity=quantity, open=True)

    def needs(self) -> dict[str, dict[str, Any]]:
        """What is written, by the name of the item."""
        found = list_records(
            SYSTEM, get_form("need"), Query(columns=tuple(get_form("need").fields), sort=("id",))
        ).rows
        names = {self.lamp: "Lamp", self.foot: "Foot", self.bulb: "Bulb", self.brass: "Brass"}
        return {names[row["item"]]: row for row in found}
