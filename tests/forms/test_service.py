"""Saving records: what is calculated, what is refused, and what is kept of every change."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import event

from formloop import db
from formloop.access.actor import SYSTEM
from formloop.core import clock
from formloop.core.errors import Conflict, Forbidden, Invalid, NotFound
from formloop.events import Cause, Event, subscribe
from formloop.forms import drafts, history, reads, service
from formloop.forms.kind import get_form
from formloop.forms.service import Draft, How

from .conftest import Shop, form, publish, relation, text


def problems_of(error: pytest.ExceptionInfo[Invalid]) -> dict[str, str]:
    return {problem.at: problem.code for problem in error.value.problems}


def test_a_new_order_is_numbered_priced_and_summed(shop: Shop) -> None:
    order = shop.order((shop.bolt, "10"), (shop.nut, "3"))
    assert order["number"] == f"SO{clock.today('Asia/Shanghai').year}-0001"
    assert [line["price"] for line in order["lines"]] == [Decimal("1.5"), Decimal("0.25")]
    assert order["total"] == Decimal("15.75")
    assert order["day"] == clock.today("Asia/Shanghai")
    assert shop.order()["number"].endswith("0002")


def test_what_was_saved_is_what_is_read_to_the_last_digit(shop: Shop) -> None:
    saved = shop.order((shop.bolt, "0.000001"), (shop.nut, "3456.654321"))
    read = reads.get_record(SYSTEM, "order", saved["id"])
    assert [line["quantity"] for line in read["lines"]] == [Decimal("0.000001"), Decimal("3456.654321")]
    assert read["total"] == saved["total"]


def test_every_problem_is_told_at_once(shop: Shop) -> None:
    with pytest.raises(Invalid) as error:
        service.create(
            SYSTEM, "order", {"customer": "x", "day": "tomorrow", "lines": [{"quantity": "-1"}], "zz": 1}
        )
    assert problems_of(error) == {
        "customer": "unreadable",
        "day": "unreadable",
        "lines.0.item": "required",
        "lines.0.quantity": "invalid",
        "zz": "unknown_field",
    }


def test_a_rule_over_the_record_speaks_both_languages(shop: Shop) -> None:
    with pytest.raises(Invalid) as error:
        shop.order((shop.bolt, "4000"), reason="big")
    message = error.value.problems[0].message
    assert (message.render("en"), message.render("zh-CN")) == ("Over the limit.", "超过额度。")


def test_a_hidden_field_is_not_required_and_a_shown_one_is(shop: Shop) -> None:
    assert shop.order((shop.bolt, "2"))["reason"] is None
    with pytest.raises(Invalid) as error:
        shop.order((shop.bolt, "1000"))
    assert problems_of(error) == {"reason": "required"}


def test_two_people_editing_the_second_is_told(shop: Shop) -> None:
    order = shop.order()
    service.change_record(SYSTEM, "order", order["id"], {"note": "mine"}, revision=1)
    with pytest.raises(Conflict):
        service.change_record(SYSTEM, "order", order["id"], {"note": "theirs"}, revision=1)
    assert reads.get_record(SYSTEM, "order", order["id"])["note"] == "mine"


def test_lines_are_changed_added_and_removed_by_their_ids(shop: Shop) -> None:
    order = shop.order((shop.bolt, "1"), (shop.nut, "2"))
    first = order["lines"][0]["id"]
    changed = service.change_record(
        SYSTEM,
        "order",
        order["id"],
        {"lines": [{"id": first, "quantity": "7"}, {"item": shop.nut, "quantity": "4"}]},
    )
    read = reads.get_record(SYSTEM, "order", order["id"])
    assert [(line["quantity"], line["item"]) for line in read["lines"]] == [(7, shop.bolt), (4, shop.nut)]
    assert read["lines"][0]["id"] == first and read["lines"][0]["price"] == Decimal("1.5")
    assert changed["total"] == read["total"] == Decimal("11.5")


def test_another_record_chosen_in_a_line_that_is_there_brings_its_values_along(shop: Shop) -> None:
    order = shop.order((shop.bolt, "2"))
    (line,) = order["lines"]

    def change(**values: Any) -> Any:
        raw = {"lines": [{"id": line["id"], **values}]}
        return service.change_record(SYSTEM, "order", order["id"], raw)["lines"][0]

    assert change(item=shop.nut)["price"] == Decimal("0.25")
    service.change_record(SYSTEM, "item", shop.nut, {"price": "9"})
    assert change(quantity="3", item=shop.nut)["price"] == Decimal("0.25"), "it was chosen at that price"
    assert change(item=shop.bolt, price="1")["price"] == Decimal(1), "what somebody gives counts more"


def test_saving_the_same_again_changes_nothing(shop: Shop) -> None:
    order = shop.order()
    again = service.save_many(SYSTEM, "order", [Draft({"note": None, "customer": shop.acme}, order["id"])])[0]
    assert (again.action, again.values["revision"]) == ("unchanged", 1)
    assert len(history.describe_changes(SYSTEM, get_form("order"), order["id"], frozenset(), "en")) == 1


def test_the_history_says_who_changed_what_and_can_be_undone(shop: Shop) -> None:
    order = shop.order(note="first")
    line = order["lines"][0]["id"]
    service.change_record(
        SYSTEM, "order", order["id"], {"note": "second", "lines": [{"id": line, "quantity": "9"}]}
    )
    newest = history.describe_changes(
        SYSTEM, get_form("order"), order["id"], frozenset({"note", "lines.quantity"}), "en"
    )[0]
    assert [(d.label, d.old, d.new) for d in newest.differences] == [
        ("Note", "first", "second"),
        ("Lines · Quantity", "2", "9"),
    ]
    service.undo_change(SYSTEM, "order", order["id"], newest.id)
    read = reads.get_record(SYSTEM, "order", order["id"])
    assert (read["note"], read["lines"][0]["quantity"]) == ("first", Decimal("2"))


def test_undoing_a_change_of_lines_leaves_the_others_and_brings_back_what_went(shop: Shop) -> None:
    def line(quantity: str) -> dict[str, object]:
        return {"item": shop.bolt, "quantity": quantity}

    order = service.create(
        SYSTEM, "order", {"customer": shop.acme, "lines": [line("1"), line("2"), line("3")]}
    )
    first, second, _ = (each["id"] for each in order["lines"])
    service.change_record(
        SYSTEM, "order", order["id"], {"lines": [{"id": first}, {"id": second, "quantity": "9"}]}
    )
    newest = history.describe_changes(SYSTEM, get_form("order"), order["id"], frozenset(), "en")[0]
    service.undo_change(SYSTEM, "order", order["id"], newest.id)
    found = reads.get_record(SYSTEM, "order", order["id"])
    assert [each["quantity"] for each in found["lines"]] == [Decimal(1), Decimal(2), Decimal(3)]


def test_the_recycle_bin_gives_back_what_it_took(shop: Shop) -> None:
    order = shop.order()
    service.delete_record(SYSTEM, "order", order["id"])
    with pytest.raises(NotFound):
        reads.get_record(SYSTEM, "order", order["id"])
    service.restore_record(SYSTEM, "order", order["id"])
    assert reads.get_record(SYSTEM, "order", order["id"])["total"] == Decimal("3")


def test_a_unique_value_is_taken_once_also_within_one_batch(shop: Shop) -> None:
    shop.customer("One", tax_number="T1")
    drafts = [Draft({"name": "Two", "tax_number": t}) for t in ("T1", "T2", "T2")]
    outcomes = service.save_many(SYSTEM, "customer", drafts, all_or_nothing=False)
    assert [each.action for each in outcomes] == ["failed", "created", "failed"]
    assert outcomes[0].problems[0].code == "taken"


def test_a_deleted_record_frees_its_unique_value(shop: Shop) -> None:
    one = shop.customer("One", tax_number="T1")
    service.delete_record(SYSTEM, "customer", one)
    assert shop.customer("Two", tax_number="T1")


def test_only_fitting_records_can_be_chosen(shop: Shop) -> None:
    asleep = shop.customer("Asleep", active=False)
    with pytest.raises(Invalid) as error:
        service.create(SYSTEM, "order", {"customer": asleep, "lines": [{"item": shop.bolt, "quantity": 1}]})
    assert problems_of(error) == {"customer": "unfit_record"}
    with pytest.raises(Invalid) as error:
        service.create(SYSTEM, "order", {"customer": 12345, "lines": [{"item": shop.bolt, "quantity": 1}]})
    assert problems_of(error) == {"customer": "unknown_record"}


def test_chosen_records_that_nothing_reads_are_asked_after_once_for_all_rows(shop: Shop) -> None:
    buyers = [shop.customer(name) for name in ("One", "Two", "Three")]
    publish(form("visit", {"customer": relation("Customer", "customer")}))
    statements: list[str] = []
    event.listen(db.engine(), "before_cursor_execute", lambda *a: statements.append(a[2]))
    drafts = [Draft({"customer": each}) for each in (*buyers, 12345, *buyers)]
    saved = service.save_many(SYSTEM, "visit", drafts, all_or_nothing=False)
    assert [each.action for each in saved] == [*["created"] * 3, "failed", *["created"] * 3]
    assert len([each for each in statements if "FROM customer" in each]) == 1


def test_what_a_rule_tells_of_a_line_is_in_the_readers_language(shop: Shop) -> None:
    rule = {
        "id": "few", "each": "parts", "holds": "count <= 3", "at": "parts.count",
        "tells": {"count": "count", "spare": "spare"},
        "says": "Line {line}: {count}, spare: {spare}.", "x-says": {"zh-CN": "第 {line} 行：{count}，备用：{spare}。"},
    }  # fmt: skip
    fields = {"count": {"type": "number", "title": "Count"}, "spare": {"type": "boolean", "title": "Spare"}}
    lines = {"type": "array", "title": "Parts", "items": {"type": "object", "properties": fields}}
    publish(form("kit", {"parts": lines}, **{"x-checks": [rule]}))
    with pytest.raises(Invalid) as refused:
        service.create(SYSTEM, "kit", {"parts": [{"count": 2}, {"count": "4.50", "spare": True}]})
    (problem,) = refused.value.problems
    assert (problem.at, problem.message.render("en")) == ("parts.1.count", "Line 2: 4.5, spare: Yes.")
    assert problem.message.render("zh-CN") == "第 2 行：4.5，备用：是。"


def test_one_key_saves_one_record(shop: Shop) -> None:
    raw = {"name": "Once"}
    first = service.create_once(SYSTEM, "item", raw, "key-1")
    assert service.create_once(SYSTEM, "item", raw, "key-1")["id"] == first["id"]
    assert service.create_once(SYSTEM, "item", raw, "key-2")["id"] != first["id"]
    with pytest.raises(Invalid) as error:
        service.create_once(SYSTEM, "item", {"name": "Twice"}, "key-1")
    assert problems_of(error) == {"": "key_reused"}


def test_a_subscriber_that_fails_undoes_the_whole_save(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(event: Event) -> None:
        raise Invalid([])

    monkeypatch.setattr("formloop.events._subscribers", [])
    subscribe(refuse)
    with pytest.raises(Invalid):
        shop.item("Never")
    monkeypatch.setattr("formloop.events._subscribers", [])
    assert service.create(SYSTEM, "item", {"name": "Ever"})["name"] == "Ever"
    with db.reading() as conn:
        names = conn.exec_driver_sql("SELECT name FROM item").scalars().all()
    assert "Never" not in names


def test_rules_that_call_each_other_without_end_are_stopped(shop: Shop) -> None:
    with pytest.raises(Invalid) as error:
        service.create(SYSTEM, "item", {"name": "x"}, Cause(("ui",) * 20))
    assert error.value.problems[0].code == "loop"


def test_a_locked_record_is_not_changed_by_hand(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafts, "_guards", [lambda spec, record: record["state"] == "confirmed"])
    order = shop.order()
    service.set_state(SYSTEM, "order", order["id"], "confirmed")
    with pytest.raises(Forbidden):
        service.change_record(SYSTEM, "order", order["id"], {"note": "late"})
    with pytest.raises(Forbidden):
        service.delete_record(SYSTEM, "order", order["id"])


def test_saving_an_order_of_ten_lines_takes_at_most_fifteen_statements(shop: Shop) -> None:
    counted: list[str] = []

    def count(conn: object, cursor: object, statement: str, *rest: object) -> None:
        counted.append(statement)

    shop.order()
    event.listen(db.engine(), "before_cursor_execute", count)
    shop.order(*[(shop.bolt, "1")] * 10)
    event.remove(db.engine(), "before_cursor_execute", count)
    assert len(counted) <= 15, counted


def test_a_batch_needs_no_more_queries_than_one_record(shop: Shop) -> None:
    counted: list[str] = []

    def count(conn: object, cursor: object, statement: str, *rest: object) -> None:
        counted.append(statement)

    draft = Draft({"customer": shop.acme, "lines": [{"item": shop.bolt, "quantity": "1"}]})
    service.save_many(SYSTEM, "order", [draft])
    event.listen(db.engine(), "before_cursor_execute", count)
    service.save_many(SYSTEM, "order", [draft] * 50)
    event.remove(db.engine(), "before_cursor_execute", count)
    assert len(counted) <= 15, counted


@pytest.mark.parametrize("given", ["2026-03-01", "2026/3/1", date(2026, 3, 1), "2026年3月1日", 46082.0])
def test_dates_are_read_as_people_write_them(shop: Shop, given: object) -> None:
    assert shop.order(day=given)["day"] == date(2026, 3, 1)


def test_a_number_that_a_record_brought_is_not_given_out_again(shop: Shop) -> None:
    year = clock.today("Asia/Shanghai").year
    brought = {
        "number": f"SO{year}-0007",
        "customer": shop.acme,
        "lines": [{"item": shop.bolt, "quantity": 1}],
    }
    service.create(SYSTEM, "order", brought, how=How(trusted=True))
    service.create(SYSTEM, "order", {**brought, "number": "OLD-99"}, how=How(trusted=True))
    assert shop.order()["number"] == f"SO{year}-0008"


def test_undoing_brings_read_only_values_back_too(shop: Shop) -> None:
    publish(form("sheet", {"name": text("Name"), "stamp": text("Stamp", readOnly=True)}))
    made = service.create(SYSTEM, "sheet", {"name": "a", "stamp": "old"}, how=How(trusted=True))
    service.change_record(SYSTEM, "sheet", made["id"], {"stamp": "new"}, how=How(trusted=True))
    newest = history.describe_changes(SYSTEM, get_form("sheet"), made["id"], frozenset({"stamp"}), "en")[0]
    service.undo_change(SYSTEM, "sheet", made["id"], newest.id)
    assert reads.get_record(SYSTEM, "sheet", made["id"])["stamp"] == "old"


@pytest.mark.parametrize("given", ["1e25", "1e30", "-1e29", "9" * 30, "0.0000001"])
def test_a_number_too_long_is_told_in_words(shop: Shop, given: str) -> None:
    with pytest.raises(Invalid) as error:
        shop.item("Long", price=given)
    assert problems_of(error) == {"price": "invalid"}


def test_a_formula_whose_result_is_too_long_is_told_in_words(shop: Shop) -> None:
    with pytest.raises(Invalid) as error:
        shop.order((shop.item("Dear", price="90000000000000"), "999999999999"))
    assert error.value.problems
