"""A hidden cell answers no question: with another value in it, every answer stays the same."""

from itertools import product

import pytest
from sqlalchemy import update

from datasets.conftest import dataset
from formloop.access.actor import Actor
from formloop.core.definitions import Doc
from formloop.core.expression import NUMBER
from formloop.datasets import service
from formloop.datasets.kind import get_dataset
from formloop.db import connection, transactional
from formloop.forms.filters import Filter, operators
from formloop.forms.kind import get_form
from formloop.forms.listing import Query
from forms.conftest import Shop, publish

GRANTS = (
    {"form": "order", "may": ["view"], "where": 'note = "open"'},
    {"form": "order", "may": ["view"], "except": ["total", "lines.price", "lines.amount", "customer"]},
    {"form": "customer", "may": ["view"], "where": "active", "except": ["limit"]},
    {"form": "item", "may": ["view"]},
)
SECRETS = ["total", "customer", "customer.name", "customer.limit", "SUM(lines.amount)", "total * 2"]
OF_LINES = ["line.price", "line.amount", "line.price * line.quantity"]


def _docs() -> list[Doc]:
    found = []
    for secret in SECRETS:
        columns = {"number": "number", "secret": secret}
        found += _ways("order", columns)
    for secret in OF_LINES:
        found += _ways({"form": "order", "each": "lines"}, {"number": "number", "secret": secret})
    return found


def _ways(source: object, columns: dict[str, str]) -> list[Doc]:
    own = columns["secret"]
    join = {
        "other": {"from": "order", "on": {"number": "number"}},
        "by": {"from": "order", "on": {"total": "total"}},
    }
    return [
        dataset("made", source, columns, sort=["-secret"]),
        dataset("made", source, columns, having='secret <> "x"' if own.endswith("name") else "secret > 3"),
        dataset("made", source, columns, where=f'{own} <> "x"' if own.endswith("name") else f"{own} > 3"),
        dataset("made", source, columns, group=["secret"], measures={"count": "COUNT(rows)"}),
        dataset("made", source, columns, measures={"count": "COUNT(secret)", "least": "MIN(secret)"}),
        dataset("made", source, {**columns, "joined": "other.total", "twin": "by.number"}, join=join),
    ]


def _answers(actor: Actor, docs: list[Doc]) -> list[object]:
    found: list[object] = []
    for doc in docs:
        publish(doc)
        columns = get_dataset("made").fields
        filters = [
            Filter(key, name, "4", "9")
            for key, field in columns.items()
            for name in field.type.operators
            if name in operators and (key == "secret" or name == "filled")
        ]
        for query in (Query(limit=1), Query(search="e"), *(Query(filters=(each,)) for each in filters)):
            page = service.list_rows(actor, "made", query)
            found.append((page.rows, page.next))
        reading = service.Reading(actor, get_dataset("made"))
        found.append(reading.sums(Query(), [k for k, t in get_dataset("made").types.items() if t == NUMBER]))
        for key, way in product(columns, ("", "-")):
            if columns[key].type.sortable:
                page = service.list_rows(actor, "made", Query(limit=1, sort=(f"{way}{key}",)))
                found.append((page.rows, page.next))
    return found


@transactional
def _set_secrets(record: int, customer: int, other: int, value: str) -> None:
    """Another value in every hidden cell of one order and of its customer."""
    order, customers = get_form("order"), get_form("customer")
    lines = order.line_tables["lines"]
    connection().execute(
        update(order.table).where(order.table.c.id == record).values(total=value, customer=other)
    )
    connection().execute(update(lines).where(lines.c.record == record).values(price=value, amount=value))
    connection().execute(update(customers.table).where(customers.table.c.id == customer).values(limit=value))


def test_every_answer_is_the_same_whatever_a_hidden_cell_holds(shop: Shop) -> None:
    reader = shop.person("reader", *GRANTS)
    hidden_customer = shop.customer("Nobody", active=False)
    closed = shop.order((shop.bolt, "2"), note="closed")
    shop.order((shop.nut, "8"), note="open")
    shop.order((shop.bolt, "6"), note="open", customer=shop.customer("Omega"))
    docs = _docs()
    _set_secrets(closed["id"], shop.acme, shop.acme, "4")
    before = _answers(reader, docs)
    _set_secrets(closed["id"], shop.acme, hidden_customer, "1234")
    assert _answers(reader, docs) == before
    assert len(before) > 500


@pytest.mark.parametrize("secret", ["total", "customer.limit"])
def test_who_may_see_it_gets_other_answers(shop: Shop, secret: str) -> None:
    boss = shop.person("boss", {"form": "order", "may": ["view"]}, {"form": "customer", "may": ["view"]})
    order = shop.order()
    publish(dataset("made", "order", {"secret": secret}))
    _set_secrets(order["id"], shop.acme, shop.acme, "4")
    before = service.list_rows(boss, "made").rows
    _set_secrets(order["id"], shop.acme, shop.acme, "1234")
    assert service.list_rows(boss, "made").rows != before
