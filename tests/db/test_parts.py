"""Parts of a transaction that are undone by themselves."""

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from formloop.db import Part, connection, counter, raise_counter, transactional
from formloop.db.migrations import counters
from formloop.settings import Settings


def _value() -> int:
    return int(connection().execute(select(counter("mine"))).scalar_one())


@transactional
def test_the_innermost_part_is_undone_or_kept_first(database: Settings) -> None:
    raise_counter("mine")
    outer = Part()
    raise_counter("mine")
    inner = Part()
    raise_counter("mine")
    inner.undo()
    assert _value() == 2
    inner = Part()
    raise_counter("mine")
    inner.keep()
    assert _value() == 3
    outer.undo()
    assert _value() == 1


@transactional
def test_after_what_the_database_refused_the_rest_goes_on(database: Settings) -> None:
    raise_counter("mine")
    part = Part()
    with pytest.raises(IntegrityError):
        connection().execute(counters.insert(), {"name": "mine", "value": 7})
    part.undo()
    assert _value() == 1
