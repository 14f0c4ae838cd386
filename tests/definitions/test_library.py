"""The library: what is published, from memory, never stale and never early."""

import pytest
from sqlalchemy import event

from definitions.cards import card
from formloop import db
from formloop.core.errors import NotFound
from formloop.definitions import library, service


def test_a_definition_is_prepared_once_per_version(stock):
    assert library.published("card", "stock") is library.published("card", "stock")


def test_looking_up_asks_the_database_nothing(stock):
    library.published("card", "stock")
    statements = []
    event.listen(db.engine(), "before_cursor_execute", lambda *asked: statements.append(asked[2]))
    library.published("card", "stock")
    library.find_document("card", "stock")
    library.refresh(library._shelf.epoch)
    assert statements == []


def test_other_processes_see_a_version_after_they_read_the_epoch(stock, builder):
    mine = library._shelf
    service.save_draft(builder, "card", card(columns=["other"]))
    service.publish(builder, stock.id)
    library._shelf = mine  # as another process still has it
    assert library.published("card", "stock")["version"] == 1
    library.refresh(library.epoch())
    assert library.published("card", "stock")["version"] == 2


def test_publishing_prepares_again_what_refers_to_the_new_version_and_nothing_else(stock, builder):
    service.publish_many(builder, [card("order", uses="stock"), card("plan")])
    order, plan = library.published("card", "order"), library.published("card", "plan")
    service.publish_many(builder, [card(columns=["name", "size"])])
    assert library.published("card", "order") is not order
    assert library.published("card", "plan") is plan


def test_what_a_transaction_prepared_is_prepared_still_after_others_publish(stock, builder):
    service.publish_many(builder, [card("plan")])
    prepared = db.transactional(lambda: library.published("card", "plan"))()
    service.publish_many(builder, [card(columns=["name", "size"])])
    assert library.published("card", "plan") is prepared


def test_a_transaction_sees_what_it_publishes_and_others_do_not(stock, builder):
    seen = []

    @db.transactional
    def work():
        service.publish_many(builder, [card(columns=["name", "size"])])
        seen.append(library.published("card", "stock")["version"])
        assert library.find_document("card", "stock")["columns"] == ["name", "size"]
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    assert seen == [2]
    assert library.published("card", "stock")["version"] == 1
    assert library.find_document("card", "stock")["columns"] == ["name"]


def test_what_is_not_there_is_not_found(stock):
    assert library.find_published("card", "nothing") is None
    for look in (
        lambda: library.published("card", "nothing"),
        lambda: library.at_version("card", "nothing", 1),
    ):
        with pytest.raises(NotFound):
            look()
