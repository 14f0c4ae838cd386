"""What is only tried leaves nothing, and is never mixed with what is meant."""

import pytest
from sqlalchemy import insert, select

from formloop import db
from formloop.access.tables import department
from formloop.core import clock
from formloop.settings import Settings


def _add() -> list[str]:
    row = {"id": clock.new_id(), "key": "tried", "name": "Tried"}
    db.connection().execute(insert(department).values(**row))
    return _keys()


def _keys() -> list[str]:
    with db.reading() as conn:
        return list(conn.execute(select(department.c.key)).scalars())


def test_what_is_tried_sees_itself_and_leaves_nothing(database: Settings) -> None:
    after: list[str] = []

    def tried() -> list[str]:
        db.after_commit(lambda: after.append("followed"))
        return _add()

    assert db.undone(tried) == ["tried"]
    assert (_keys(), after) == ([], [])


def test_nothing_is_tried_within_what_is_meant(database: Settings) -> None:
    @db.transactional
    def meant() -> None:
        db.undone(_add)

    with pytest.raises(RuntimeError):
        meant()
