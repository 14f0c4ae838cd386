"""Rows handed to a statement."""

from decimal import Decimal as D

from sqlalchemy import BigInteger, Text, func, select

from formloop.db import Exact, given, reading
from formloop.settings import Settings

COLUMNS = {"id": BigInteger(), "amount": Exact(3), "note": Text()}


def test_a_statement_reads_the_rows_it_is_given_with_all_their_digits(database: Settings) -> None:
    rows = [(2**52, D("-0.125"), None), (7, D("1000000000000.5"), 'a "quoted" [text]'), (8, None, "")]
    with reading() as conn:
        assert [tuple(each) for each in conn.execute(select(given(COLUMNS, rows)))] == rows


def test_sums_of_given_rows_are_exact(database: Settings) -> None:
    table = given(COLUMNS, [(each, D("0.1"), None) for each in range(1_000)])
    with reading() as conn:
        assert conn.execute(select(func.sum(table.c.amount, type_=Exact(3)))).scalar_one() == 100


def test_no_rows_are_an_empty_table(database: Settings) -> None:
    with reading() as conn:
        assert conn.execute(select(given(COLUMNS, []))).all() == []
