"""Statements for some keys."""

import pytest
from sqlalchemy import func, literal, select, union_all

from formloop.db import among, handed, places_for, reading
from formloop.settings import Settings

NUMBERS = union_all(*(select(literal(number).label("number")) for number in range(20))).subquery()


@pytest.mark.parametrize("wanted", [[], [3], [3, 4], [1, 5, 9], list(range(8)), list(range(9)), [99]])
def test_rows_are_chosen_whatever_the_number_of_keys(database: Settings, wanted: list[int]) -> None:
    places = places_for(wanted)
    query = select(NUMBERS.c.number).where(among(NUMBERS.c.number, "of", places)).order_by(NUMBERS.c.number)
    with reading() as conn:
        assert list(conn.execute(query, handed("of", wanted)).scalars()) == [n for n in wanted if n < 20]


def test_one_statement_serves_every_number_of_keys_up_to_its_places(database: Settings) -> None:
    assert [places_for(range(number)) for number in range(10)] == [0, 1, 2, 4, 4, 8, 8, 8, 8, 0]
    query = select(func.count()).where(among(NUMBERS.c.number, "of", 4))
    with reading() as conn:
        assert conn.execute(query, handed("of", {1, 2, 3})).scalar_one() == 3
