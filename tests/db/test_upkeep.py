"""A table that has grown much is looked over, on both databases."""

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, insert, text

from formloop import db
from formloop.settings import Settings

_KNOWN = {
    True: "SELECT 4 FROM sqlite_stat1 WHERE tbl = 'order' AND stat = '4 2'",
    False: "SELECT reltuples FROM pg_class WHERE relname = 'order'",
}


def test_after_much_was_written_the_database_knows_how_much_there_is(database: Settings) -> None:
    grown = Table(
        "order", MetaData(), Column("id", Integer, primary_key=True), Column("half", Integer, index=True)
    )
    with db.begin_writing(db.engine()) as conn:
        grown.create(conn)
        conn.execute(insert(grown), [{"id": each, "half": each // 2} for each in range(4)])
    db.look_over(grown)
    with db.engine().connect() as conn:
        assert conn.execute(text(_KNOWN[database.on_sqlite])).scalar() == 4


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_somebody_in_the_way_is_no_failure(database: Settings) -> None:
    grown = Table("order", MetaData(), Column("id", Integer, primary_key=True))
    with db.begin_writing(db.engine()) as conn:
        grown.create(conn)
    with db.begin_writing(db.engine()) as conn:
        conn.exec_driver_sql('LOCK TABLE "order" IN SHARE UPDATE EXCLUSIVE MODE')
        db.look_over(grown)
