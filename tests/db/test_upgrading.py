"""What a new version of the program adds to tables that are there already."""

from sqlalchemy import Column, Index, Integer, MetaData, Table, Text, insert, inspect, select

from formloop import db
from formloop.db.migrations import bring_up
from formloop.settings import Settings


def test_a_column_that_may_be_empty_is_added_and_nothing_is_lost(database: Settings) -> None:
    first, second = MetaData(), MetaData()
    notes = Table("fl_note", first, Column("id", Integer, primary_key=True))
    bring_up(db.engine(), first)
    with db.begin_writing(db.engine()) as conn:
        conn.execute(insert(notes), [{"id": 1}, {"id": 2}])
    now = Table(
        "fl_note",
        second,
        Column("id", Integer, primary_key=True),
        Column("order", Text),
        Index("fl_note_order", "order"),
    )
    bring_up(db.engine(), second)
    bring_up(db.engine(), second)
    assert [index["name"] for index in inspect(db.engine()).get_indexes("fl_note")] == ["fl_note_order"]
    with db.reading() as conn:
        assert conn.execute(select(now.c.id, now.c.order).order_by(now.c.id)).all() == [(1, None), (2, None)]
