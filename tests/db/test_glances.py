"""What a write transaction sees at its beginning, and what is remembered for as long as that stays the same."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import event, literal, select

from formloop import db
from formloop.core.errors import Unavailable
from formloop.db import glances
from formloop.settings import Settings


@pytest.fixture(autouse=True)
def own_glances(database: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(glances, "_glances", {})
    monkeypatch.setattr(glances, "_binding", set())
    db.glance("rules", db.counter("rules"))
    yield
    for made in (glances._together, glances._at_the_end):
        made.cache_clear()


@db.transactional
def change_rules(fail: bool = False) -> None:
    db.raise_counter("rules")
    assert ask(1) == db.read_counter("rules")
    if fail:
        raise ZeroDivisionError


@db.remembered_by("rules")
def ask(number: int) -> int:
    asked.append(number)
    return db.read_counter("rules")


asked: list[int] = []


@db.transactional
def ask_twice() -> list[int]:
    asked.clear()
    ask(1)
    ask(1)
    return list(asked)


def test_a_transaction_asks_all_glances_by_one_statement_and_tells_what_they_show() -> None:
    heard: list[int] = []
    db.glance("seven", select(literal(7)).scalar_subquery(), heard.append)
    sent: list[str] = []
    event.listen(db.engine(), "before_cursor_execute", lambda conn, cursor, text, *_: sent.append(text))

    @db.transactional
    def look() -> tuple[int, int]:
        return db.glanced("seven"), db.read_counter("rules")

    assert look() == (7, 0)
    assert heard == [7]
    assert len([text for text in sent if text.startswith("SELECT")]) == 1


def test_what_a_transaction_changed_it_sees_at_once_and_others_when_it_is_committed() -> None:
    @db.transactional
    def change() -> int:
        db.raise_counter("rules")
        return db.read_counter("rules")

    assert change() == 1
    assert db.read_counter("rules") == 1


def test_answers_are_remembered_until_the_rules_change() -> None:
    assert ask_twice() == [1]
    assert ask_twice() == []
    change_rules()
    assert ask_twice() == [1]


def test_nothing_is_remembered_of_a_transaction_that_was_rolled_back() -> None:
    with pytest.raises(ZeroDivisionError):
        change_rules(fail=True)
    change_rules()  # reaches the same number by another way
    assert ask_twice() == [1]


@pytest.mark.parametrize(
    "database", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)  # on SQLite one writes at a time
@pytest.mark.parametrize(("binds", "most"), [(False, 9), (True, 1), (True, 9)])
def test_a_transaction_that_worked_by_what_bound_it_no_longer_begins_anew(binds: bool, most: int) -> None:
    db.glance("rules", db.counter("rules"), binds=binds)
    seen = list[int]()

    @db.transactional
    def work() -> None:
        seen.append(db.read_counter("rules"))
        if len(seen) <= most:
            with ThreadPoolExecutor(1) as others:
                others.submit(change_rules).result()
        db.raise_counter("done")

    if binds and most > 1:
        with pytest.raises(Unavailable):
            work()
    else:
        work()
    assert seen == ([0] if not binds else list(range(min(most, 4) + 1)))
    assert db.read_counter("rules") == len(seen) - (most == 1)
    with db.reading() as conn:
        assert conn.execute(select(db.counter("done"))).scalar() == (0 if binds and most > 1 else 1)


def test_no_more_is_remembered_than_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(glances, "MOST_REMEMBERED", 10)

    @db.transactional
    def ask_many() -> None:
        asked.clear()
        for number in [*range(100, 120), 100]:
            ask(number)

    ask_many()
    assert asked[-1] == 100
