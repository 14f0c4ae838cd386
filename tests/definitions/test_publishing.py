"""Publishing: all or nothing, checked, numbered, and seen by everybody afterwards."""

import threading

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

from definitions.cards import CARD, card
from formloop import db
from formloop.access.actor import Actor
from formloop.core.definitions import write
from formloop.core.errors import Conflict, Forbidden, Invalid, NotFound
from formloop.definitions import library, service


def _columns(table):
    with db.reading() as conn:
        return {column["name"] for column in inspect(conn).get_columns(table)}


def test_a_draft_becomes_a_version_that_runs(database, builder):
    draft = service.save_draft(builder, "card", card())
    with pytest.raises(NotFound):
        library.published("card", "stock")
    published = service.publish(builder, draft.id, "our first")
    assert (published.version, published.new) == (1, True)
    assert library.published("card", "stock") == {"key": "stock", "version": 1, "columns": ["name"]}
    assert _columns("card_stock") == {"id", "name"}
    assert service.find_draft(draft.id) is None
    (version,) = service.list_history(draft.id)
    assert (version.version, version.note, version.current, len(version.sha256)) == (1, "our first", True, 64)


def test_a_second_version_leaves_the_first_readable(stock, builder):
    service.save_draft(builder, "card", card(columns=["name", "size"]))
    service.publish(builder, stock.id)
    assert library.published("card", "stock")["version"] == 2
    assert library.at_version("card", "stock", 1)["columns"] == ["name"]
    assert library.at_version("card", "stock", 2)["columns"] == ["name", "size"]
    assert [change.describe() for change in service.compare(stock.id, 1, 2)] == ["Columns: “size” was added."]
    with pytest.raises(NotFound):
        library.at_version("card", "stock", 3)


def test_versions_cannot_be_changed_even_in_the_database(stock):
    for statement in ("UPDATE fl_definition_version SET note = 'x'", "DELETE FROM fl_definition_version"):
        with (
            pytest.raises(DBAPIError, match="append-only"),
            db.begin_writing(db.engine()) as conn,
        ):
            conn.execute(text(statement))


def test_a_wrong_draft_is_kept_but_not_published(database, builder):
    draft = service.save_draft(builder, "card", card(colums=["name"]))
    (problem,) = service.check_draft(builder, draft.id)
    assert (problem.code, problem.at, problem.line) == ("unknown_key", "colums", 8)
    with pytest.raises(Invalid) as refused:
        service.publish(builder, draft.id)
    assert refused.value.problems == [problem]
    assert service.get_definition(draft.id).version is None


def test_a_failure_while_tables_change_undoes_everything(stock, builder):
    service.save_draft(builder, "card", card(columns=["name", "size"]))
    with pytest.raises(ZeroDivisionError):
        service.publish_many(builder, [card(columns=["name", "size"]), card("order", crash=True)])
    assert library.published("card", "stock")["version"] == 1
    assert _columns("card_stock") == {"id", "name"}
    with db.reading() as conn:
        assert not inspect(conn).has_table("card_order")
    assert service.find_draft(stock.id) is not None


def test_a_pack_is_published_at_once_in_the_order_it_needs(database, builder):
    docs = [card("plan", uses="order"), card("order", uses="stock", reads="name"), card()]
    published = service.publish_many(builder, docs, "installed", app="little")
    assert [each.key for each in published] == ["plan", "order", "stock"]
    assert {entry.app for entry in library.list_entries("card")} == {"little"}
    assert [found["key"] for found in library.all_published("card")] == ["order", "plan", "stock"]


def test_a_pack_leaves_the_drafts_of_people_alone(stock, builder):
    service.save_draft(builder, "card", card(columns=["name", "size"]))
    service.publish_many(builder, [card(columns=["name", "place"])], "installed", app="little")
    assert library.published("card", "stock")["columns"] == ["name", "place"]
    assert service.find_draft(stock.id).doc["columns"] == ["name", "size"]


def test_installing_again_makes_no_new_version(database, builder):
    docs = [card(), card("order", uses="stock")]
    service.publish_many(builder, docs)
    assert [each.new for each in service.publish_many(builder, docs)] == [False, False]
    assert [len(service.list_history(doc["x-id"])) for doc in docs] == [1, 1]


def test_every_document_of_a_pack_is_judged(database, builder):
    docs = [card(colums=1), card("order", columns=["Bad Name"]), card("plan")]
    with pytest.raises(Invalid) as refused:
        service.publish_many(builder, docs)
    assert [problem.code for problem in refused.value.problems] == ["unknown_key", "pattern"]
    assert "Stock: “colums” is not known here." in refused.value.problems[0].message.render()
    assert service.list_definitions() == []


def test_what_is_needed_must_be_there(database, builder):
    with pytest.raises(Invalid) as refused:
        service.publish_many(builder, [card("order", uses="stock")])
    assert refused.value.problems[0].code == "missing_definition"


def test_definitions_that_need_each_other_are_published_together(database, builder):
    service.publish_many(builder, [card("order", uses="stock"), card(uses="order")])
    assert library.list_keys("card") == ["order", "stock"]


def test_what_would_break_another_definition_is_refused_unless_both_change(stock, builder):
    service.publish_many(builder, [card("order", uses="stock", reads="name")])
    without = card(columns=["label"])
    with pytest.raises(Invalid) as refused:
        service.publish_many(builder, [without])
    (problem,) = refused.value.problems
    assert problem.code == "breaks"
    assert problem.message.render() == "Order would no longer work: There is no field “name”."
    service.publish_many(builder, [without, card("order", uses="stock", reads="label")])
    assert library.published("card", "stock")["version"] == 2


def test_a_key_belongs_to_one_definition_and_is_fixed_once_published(stock, builder):
    with pytest.raises(Invalid) as taken:
        service.save_draft(builder, "card", {**card(), "x-id": "0000000f"})
    assert taken.value.problems[0].code == "key_taken"
    with pytest.raises(Invalid) as fixed:
        service.save_draft(builder, "card", {**card(), "x-key": "store"})
    assert fixed.value.problems[0].code == "key_fixed"
    with pytest.raises(Invalid) as twice:
        service.publish_many(builder, [card("order"), card("order")])
    assert twice.value.problems[0].code == "id_twice"


def test_a_key_may_change_until_it_is_published(database, builder):
    draft = service.save_draft(builder, "card", card())
    assert service.save_draft(builder, "card", {**card(), "x-key": "store"}).key == "store"
    assert service.publish(builder, draft.id).key == "store"


@pytest.mark.parametrize(
    "wrong", [{"x-key": "Stock!"}, {"x-id": "7"}, {"title": 3}, {"columns": float("nan")}]
)
def test_a_draft_must_say_which_definition_it_is(database, builder, wrong):
    with pytest.raises(Invalid):
        service.save_draft(builder, "card", {**card(), **wrong})


def test_a_new_draft_gets_its_stable_id(database, builder):
    without = {key: value for key, value in card().items() if key != "x-id"}
    draft = service.save_draft(builder, "card", without)
    assert service.find_draft(draft.id).doc["x-id"] == draft.id


def test_an_editor_who_is_late_gets_a_conflict(database, builder):
    first = service.save_draft(builder, "card", card())
    service.save_draft(builder, "card", card(columns=["a"]), first.draft_revision)
    with pytest.raises(Conflict):
        service.save_draft(builder, "card", card(columns=["b"]), first.draft_revision)
    with pytest.raises(Conflict):
        service.publish(builder, first.id, revision=first.draft_revision)
    assert service.find_draft(first.id).doc["columns"] == ["a"]


def test_of_two_who_publish_at_once_one_gets_a_conflict(stock, builder):
    service.save_draft(builder, "card", card(columns=["name", "size"]))
    results, ready = [], threading.Barrier(2)

    def work():
        ready.wait()
        try:
            results.append(service.publish(builder, stock.id).version)
        except Conflict:
            results.append("conflict")

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, results)) == ["2", "conflict"]
    assert len(service.list_history(stock.id)) == 2


def test_of_two_who_install_the_same_new_thing_nobody_makes_it_twice(database, builder):
    results, ready = [], threading.Barrier(2)

    def work():
        ready.wait()
        try:
            results.append(service.publish_many(builder, [card()])[0].version)
        except Conflict:
            results.append("conflict")

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 2 and 1 in results
    assert len(service.list_history("0000000a")) == 1


def test_rolling_back_makes_a_new_version_with_the_old_content(stock, builder):
    service.save_draft(builder, "card", card(columns=["name", "size"]))
    service.publish(builder, stock.id)
    service.save_draft(builder, "card", card(columns=["other"]))
    published = service.roll_back(builder, stock.id, 1, "size was a mistake")
    assert published.version == 3
    assert library.published("card", "stock")["columns"] == ["name"]
    assert _columns("card_stock") == {"id", "name", "size"}, "no column goes away"
    assert service.find_draft(stock.id) is not None, "the draft somebody works on stays"
    assert service.get_text(stock.id, 1) == service.get_text(stock.id, 3)


def test_impact_tells_what_would_happen_and_changes_nothing(stock, builder):
    service.publish_many(builder, [card("order", uses="stock", reads="name")])
    service.save_draft(builder, "card", card(columns=["size"]))
    found = service.impact(builder, stock.id)
    assert [change.describe() for change in found.changes] == [
        "Columns: “name” was removed.",
        "Columns: “size” was added.",
    ]
    assert [entry.key for entry in found.dependents] == ["order"]
    assert [problem.code for problem in found.problems] == ["breaks"]
    assert not found.possible
    assert library.published("card", "stock")["columns"] == ["name"]
    service.save_draft(builder, "card", card(columns=["name", "size"]))
    assert service.impact(builder, stock.id).possible


def test_a_draft_can_be_discarded(stock, builder):
    service.save_draft(builder, "card", card(columns=["size"]))
    service.discard_draft(builder, stock.id)
    assert service.find_draft(stock.id) is None
    with pytest.raises(NotFound):
        service.discard_draft(builder, stock.id)


def test_an_archived_definition_is_out_of_use_and_comes_back(stock, builder):
    service.publish_many(builder, [card("order", uses="stock")])
    with pytest.raises(Invalid):
        service.archive(builder, stock.id)
    service.archive(builder, "0000000b")
    service.archive(builder, stock.id)
    assert library.find_published("card", "stock") is None
    service.take_back(builder, stock.id)
    assert library.published("card", "stock")["version"] == 1
    assert [each.version for each in service.publish_many(builder, [card("order", uses="stock")])] == [1]
    assert library.published("card", "order")["version"] == 1


def test_who_may_not_design_may_not_change_definitions(stock):
    nobody = Actor(None, "Nobody")
    for attempt in (
        lambda: service.save_draft(nobody, "card", card()),
        lambda: service.publish(nobody, stock.id),
        lambda: service.publish_many(nobody, [card()]),
        lambda: service.roll_back(nobody, stock.id, 1),
        lambda: service.discard_draft(nobody, stock.id),
        lambda: service.archive(nobody, stock.id),
        lambda: service.impact(nobody, stock.id),
    ):
        with pytest.raises(Forbidden):
            attempt()


def test_listeners_are_told_of_new_versions_only(database, builder):
    told = []
    service.listeners.add("test", lambda _actor, published: told.append((published.key, published.version)))
    try:
        service.publish_many(builder, [card()])
        service.publish_many(builder, [card()])
    finally:
        service.listeners._things.pop("test")
    assert told == [("stock", 1)]


def test_the_text_that_is_kept_is_canonical(stock):
    assert service.get_text(stock.id, 1) == write(card(), CARD)
