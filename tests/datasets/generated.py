"""Datasets made at random over the shop, and people with rights made at random."""

from typing import Any

from hypothesis import strategies as st

from datasets.conftest import dataset
from formloop.core.definitions import Doc

NUMBERS = [
    "total",
    "total * 2",
    "total / 3",
    "customer.limit",
    "SUM(lines.quantity)",
    "COUNT(lines)",
    "LEN(note)",
]
TEXTS = [
    "note",
    "customer.name",
    "number",
    'note & "-" & customer.name',
    'IF(total > 4, "much", "little")',
    "state",
]
OTHERS = ["customer", "day", "day + 3", "customer.active", "total > 3"]
OF_LINES = ["line.quantity", "line.price * line.quantity", "line.item", "line.item.name", "line.position"]
CONDITIONS = [
    "total > 3", 'note = "open"', "customer.active", 'customer.name <> "Acme"', "ISBLANK(note)",
    "COUNT(lines) > 1", "SUM(lines.amount) > 4", "day >= TODAY()",
]  # fmt: skip
OF_LINE_CONDITIONS = ["line.quantity > 1", 'line.item.name = "Bolt"', "line.amount < total / 2"]
MEASURES = [
    "SUM({number})", "COUNT({number})", "MIN({number})", "MAX({number})", "AVERAGE({number})", "COUNT(rows)",
    "SUM({number}) / COUNT(rows)", "SUMIF({number}, {number} > 2)", "SUM({number} * {number})",
]  # fmt: skip
JOINS: list[dict[str, Any]] = [
    {"pay": {"from": "payment", "on": {"order": "id"}}},
    {"pay": {"from": "payment", "on": {"order": "id"}, "required": True}},
    {"pay": {"from": "payment", "on": {"amount": "total"}}},
    {"pay": {"from": {"dataset": "paid"}, "on": {"order": "id"}}},
    {"other": {"from": {"form": "order", "each": "lines"}, "on": {"customer": "customer", "note": "note"}}},
]
JOINED = {"pay": ["pay.amount", "pay.amount * 2"], "other": ["other.line.quantity", "other.total"]}


@st.composite
def datasets(draw: st.DrawFn) -> Doc:
    """A dataset that its kind accepts."""
    each = draw(st.booleans())
    join = draw(st.sampled_from([None, None, *JOINS]))
    numbers = NUMBERS + (OF_LINES[:2] if each else []) + [n for k in join or () for n in JOINED[k]]
    columns = {"number": draw(st.sampled_from(numbers)), "text": draw(st.sampled_from(TEXTS))}
    columns["other"] = draw(st.sampled_from(OTHERS + (OF_LINES[2:] if each else [])))
    more: dict[str, Any] = {} if join is None else {"join": join}
    if draw(st.booleans()):
        more["where"] = draw(st.sampled_from(CONDITIONS + (OF_LINE_CONDITIONS if each else [])))
    if draw(st.integers(0, 3)) == 0:
        second = {"number": draw(st.sampled_from(NUMBERS)), "text": draw(st.sampled_from(TEXTS))}
        more["union"] = [{"from": "order", "columns": second, "where": draw(st.sampled_from(CONDITIONS))}]
    names = ["number", "text", "other"]
    if draw(st.booleans()):
        more["group"] = draw(st.lists(st.sampled_from(["text", "other"]), unique=True, max_size=2))
        more["measures"] = {
            f"measure_{i}": said.format(number="number")
            for i, said in enumerate(draw(st.lists(st.sampled_from(MEASURES), min_size=1, max_size=3)))
        }
        names = [*more["group"], *more["measures"]]
    if draw(st.booleans()) and "measures" not in more:
        more["having"] = "number > 2"
    sortable = [n for n in names if n != "other"]
    if sortable:
        more["sort"] = [draw(st.sampled_from(["", "-"])) + draw(st.sampled_from(sortable))]
    if "measures" in more and more["group"] and draw(st.booleans()):
        # only sorted by the group do rows have one order, that a running total can go by
        more["sort"] = [draw(st.sampled_from(["", "-"])) + key for key in more["group"]]
        within = draw(st.sampled_from([[], more["group"][:1]]))
        more["running"] = {
            "so_far": {"value": draw(st.sampled_from(list(more["measures"]))), "within": within}
        }
    return dataset("made", {"form": "order", "each": "lines"} if each else "order", columns, **more)


FIELDS = ["*", "number", "customer", "day", "lines", "lines.quantity", "lines.price", "total", "note"]
ROWS = [None, "total > 3", 'note = "open"', "customer.active", "owner = USER()"]


@st.composite
def rights(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Grants to view the shop's forms."""
    grants: list[dict[str, Any]] = []
    for _ in range(draw(st.integers(1, 3))):
        listed = st.lists(st.sampled_from(FIELDS), min_size=1, max_size=5, unique=True)
        fields = draw(st.one_of(st.just(["*"]), listed))
        hidden = draw(st.lists(st.sampled_from(FIELDS[1:]), max_size=2, unique=True))
        grants.append(_grant("order", draw(st.sampled_from(ROWS)), fields, hidden))
    customers = draw(st.sampled_from([None, "active", 'name <> "Acme"']))
    if draw(st.booleans()):
        grants.append(_grant("customer", customers, ["*"], draw(st.sampled_from([[], ["limit"], ["name"]]))))
    if draw(st.booleans()):
        grants.append(_grant("item", None, ["*"], draw(st.sampled_from([[], ["name"]]))))
    if draw(st.booleans()):
        grants.append(_grant("payment", draw(st.sampled_from([None, "amount > 2"])), ["*"], []))
    return grants


def _grant(form: str, where: str | None, fields: list[str], hidden: list[str]) -> dict[str, Any]:
    said = {"form": form, "may": ["view"], "fields": fields, "except": hidden}
    return said if where is None else {**said, "where": where}
