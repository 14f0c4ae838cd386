"""Statements that are prepared once."""

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import BigInteger, Column, MetaData, Table, Text, bindparam, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from formloop.core import clock
from formloop.db import Exact, JsonText, Prepared, UtcTime, adding, among, connection, handed, transactional
from formloop.settings import Settings

MOMENT = clock.now()
THING = Table(
    "thing",
    MetaData(),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("name", Text, unique=True),
    Column("price", Exact(4)),
    Column("parts", JsonText),
    Column("made_at", UtcTime),
    Column("kind", Text, default="plain"),
)
ROWS: list[dict[str, Any]] = [
    {"id": 1, "name": "100 %", "price": Decimal("2.5"), "parts": [Decimal("1.10")], "made_at": MOMENT},
    {"id": 2, "name": "螺栓", "price": None, "parts": None, "made_at": None},
]
KEYS = ("id", "name", "price", "parts", "made_at", "kind")


@transactional
def _made() -> None:
    THING.create(connection())
    adding(THING, KEYS).run(connection(), [{**row, "kind": "own"} for row in ROWS])


@transactional
def test_rows_are_what_the_library_would_give(database: Settings) -> None:
    _made()
    query = select(THING, func.length(THING.c.name).label("long")).where(among(THING.c.id, "id", 2))
    asked = handed("id", [1, 2])
    expected = [dict(row) for row in connection().execute(query, asked).mappings()]
    assert Prepared(query).dicts(connection(), asked) == expected
    assert [row.parts for row in Prepared(query).rows(connection(), asked)] == [[Decimal("1.10")], None]
    assert expected[0]["price"] == Decimal("2.5") and expected[0]["made_at"] == MOMENT


@transactional
def test_changes_are_counted_and_can_answer(database: Settings) -> None:
    _made()
    change = update(THING).where(THING.c.id == bindparam("of"), THING.c.kind == "own").values(name="x")
    answering = Prepared(change.returning(THING.c.price))
    assert answering.rows(connection(), {"of": 1}).scalar_one() == Decimal("2.5")
    assert Prepared(change).run(connection(), {"of": 1}) == 1
    assert Prepared(change).run(connection(), {"of": 9}) == 0


@transactional
def test_what_hangs_on_its_values_goes_through_the_library(database: Settings) -> None:
    _made()
    listed = Prepared(select(THING.c.name).where(among(THING.c.id, "id", 0)).order_by(THING.c.id))
    assert [row["name"] for row in listed.dicts(connection(), {"id": list(range(20))})] == ["100 %", "螺栓"]
    adding(THING, ("id", "name")).run(connection(), {"id": 3, "name": "nut"})
    assert connection().execute(select(THING.c.kind).where(THING.c.id == 3)).scalar() == "plain"


def test_a_refusal_is_the_librarys_and_undoes_the_transaction(database: Settings) -> None:
    @transactional
    def twice() -> None:
        _made()
        adding(THING, ("id", "kind")).run(connection(), {"id": 1, "kind": "own"})

    with pytest.raises(IntegrityError):
        twice()
    transactional(_made)()  # the table is not there either


@transactional
def test_who_listens_to_statements_hears_of_them(database: Settings, statements: list[str]) -> None:
    _made()
    Prepared(insert(THING), ("id",)).run(connection(), [{"id": 5}, {"id": 6}])
    assert [each.split("(")[0].strip() for each in statements if "INSERT" in each] == [
        "INSERT INTO thing"
    ] * 2
