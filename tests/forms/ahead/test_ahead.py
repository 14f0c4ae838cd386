"""A form with many records is published without keeping anybody waiting, and nothing that is saved meanwhile is lost."""

import copy
from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import inspect

from formloop import db
from formloop.access.actor import SYSTEM
from formloop.core.errors import Invalid
from formloop.definitions import publications
from formloop.definitions import service as definitions
from formloop.events import jobs, outbox
from formloop.forms import behind, reads, service
from formloop.forms.kind import get_form
from forms.ahead.preparing import (
    ID,
    LIST,
    NUMBERS,
    SIZES,
    WORDS,
    begin,
    changed,
    go_on,
    sizes,
)
from forms.conftest import ORDER, Shop, number, publish, text


def test_what_people_save_while_values_are_brought_over_is_brought_over_too(items: list[int]) -> None:
    new: list[int] = []

    def save(stage: str) -> None:
        service.change_record(SYSTEM, "item", items[0], {"size": str(10 + len(new))})
        new.append(int(service.create(SYSTEM, "item", {"name": f"at {stage}", "size": "7"})["id"]))
        assert get_form("item").fields["size"].type.name == "text"

    job = go_on(begin(NUMBERS), save)
    assert job.state == "done" and len(new) > len(SIZES) / 2
    assert job.done >= len(SIZES) and job.result["ahead"]["lost"] == {
        "size": {"count": 1, "samples": ["large"]}
    }
    assert sizes(items) == [9 + len(new), Decimal("2.5"), None, 4, None, 6]
    assert set(sizes(new)) == {7}
    assert definitions.get_definition(ID).publishing is None


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_worker_carries_it_out(items: list[int]) -> None:
    run = begin(NUMBERS)
    outbox.drain()
    assert jobs.get_job(run).state == "done" and get_form("item").fields["size"].type.name == "number"


def test_going_back_loses_nothing_that_could_not_be_converted(items: list[int]) -> None:
    go_on(begin(NUMBERS), lambda stage: None)
    service.change_record(SYSTEM, "item", items[2], {"name": "another name"})
    service.change_record(SYSTEM, "item", items[3], {"size": "5"})
    run = definitions.begin(SYSTEM, ID, version=2)
    assert isinstance(run, int)
    go_on(run, lambda stage: service.change_record(SYSTEM, "item", items[5], {"size": "66"}) and None)
    assert sizes(items) == ["1", "2.5", "large", "5", None, "66"]


def test_a_step_that_is_done_twice_does_no_harm(items: list[int]) -> None:
    """As when a worker is killed after its transaction and before it has noted how far it is."""
    run = begin(NUMBERS)
    go_on(run, lambda stage: _do_without_noting(run))
    assert sizes(items) == [1, Decimal("2.5"), None, 4, None, 6]
    assert get_form("item").version == 3


def _do_without_noting(run: int) -> None:
    job = jobs.get_job(run)
    publications._step(job)


def test_a_second_publication_waits_for_the_first_and_is_told_so(items: list[int]) -> None:
    run = begin(NUMBERS)
    jobs.step(jobs.get_job(run))
    definitions.save_draft(SYSTEM, "form", changed(size=text("Size"), colour=text("Colour")))
    for again in (
        lambda: definitions.begin(SYSTEM, ID),
        lambda: definitions.roll_back(SYSTEM, ID, 1),
        lambda: publish(WORDS),
        lambda: definitions.archive(SYSTEM, ID),
    ):
        with pytest.raises(Invalid):
            again()
    go_on(run, lambda stage: None)
    assert get_form("item").fields["size"].type.name == "number"
    assert definitions.get_definition(ID).has_draft  # it was changed since


def test_a_cancelled_publication_changes_nothing_and_can_be_begun_again(items: list[int]) -> None:
    doc = changed(size=number("Size", **{"x-unique": True}), colour=text("Colour", default="50% grey"))
    doc["x-list"] = {**LIST, "filters": ["colour"]}
    before = _columns()
    run = begin(doc)

    def cancel(stage: str) -> None:
        if stage == "settle":
            definitions.cancel(SYSTEM, ID, run)

    job = go_on(run, cancel)
    assert job.state == "failed" and "cancelled" in job.reason("en") and "取消" in job.reason("zh-CN")
    assert get_form("item").version == 2 and definitions.get_definition(ID).publishing is None
    assert _columns() == before
    service.create(SYSTEM, "item", {"name": "twice", "size": "1"})
    with db.reading() as conn:
        assert behind.count(conn, ["item"]) == 0
    with pytest.raises(Invalid):
        go_on(begin(doc), lambda stage: None).require_done()  # two have the size 1 now
    service.change_record(SYSTEM, "item", items[0], {"size": "1000"})
    go_on(begin(doc), lambda stage: None).require_done()
    assert reads.get_record(SYSTEM, "item", items[0])["colour"] == "50% grey"
    with pytest.raises(Invalid):
        service.create(SYSTEM, "item", {"name": "thrice", "size": "1"})


def _columns() -> Any:
    """Columns that are not parked, and the indexes on them."""
    with db.reading() as conn:
        own = {c["name"] for c in inspect(conn).get_columns("item") if "__v" not in c["name"]}
        return own, {i["name"] for i in inspect(conn).get_indexes("item")}


def test_indexes_follow_the_field_and_not_its_parked_column(items: list[int]) -> None:
    def indexed() -> set[str | None]:
        with db.reading() as conn:
            return {name for index in inspect(conn).get_indexes("item") for name in index["column_names"]}

    go_on(begin(NUMBERS), lambda stage: None)
    assert "size" in indexed() and not any("__v" in str(name) for name in indexed())
    definitions.roll_back(SYSTEM, ID, 2)
    assert "size" in indexed() and not any("__v" in str(name) for name in indexed())


def test_lines_are_brought_over_and_back(shop: Shop) -> None:
    def with_remarks(**kind: Any) -> dict[str, Any]:
        doc = copy.deepcopy(ORDER)
        doc["properties"]["lines"]["items"]["properties"]["remark"] = {"title": "Remark", **kind}
        return doc

    def remarks() -> list[Any]:
        return [
            line["remark"] for each in orders for line in reads.get_record(SYSTEM, "order", each)["lines"]
        ]

    publish(with_remarks(type="string"))
    lines = [{"item": shop.bolt, "quantity": 1, "remark": remark} for remark in ("7", "soon", "8")]
    orders = [shop.order(lines=lines)["id"] for _ in range(3)]
    definitions.save_draft(SYSTEM, "form", with_remarks(type="number"))
    run = definitions.begin(SYSTEM, ORDER["x-id"])
    assert isinstance(run, int)
    go_on(run, lambda stage: None).require_done()
    assert remarks() == [7, None, 8] * 3
    service.change_record(SYSTEM, "order", orders[1], {"note": "another line is not touched"})
    definitions.roll_back(SYSTEM, ORDER["x-id"], 2)
    assert remarks() == ["7", "soon", "8"] * 3


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_page_shows_how_far_it_is_and_what_was_lost(client: FlaskClient, items: list[int]) -> None:
    client.application.config["WTF_CSRF_ENABLED"] = False
    definitions.save_draft(SYSTEM, "form", NUMBERS)
    asked = {"Origin": "http://localhost"}
    assert "this is prepared while everybody goes on working" in client.get(f"/definitions/{ID}/publish").text
    begun = client.post(f"/definitions/{ID}/publish", data={"note": "numbers"}, headers=asked)
    there = begun.headers["Location"]
    run = int(there.rsplit("/", 1)[1])
    assert "Getting ready" in client.get(there).text
    jobs.step(jobs.get_job(run))
    polled = client.get(there, headers={"HX-Request": "true"})
    assert polled.status_code == 202 and "Values are brought over" in polled.text
    assert there in client.get(f"/definitions/{ID}").text and there in client.get(f"/studio/{ID}").text
    jobs.run(run)
    polled = client.get(there, headers={"HX-Request": "true"})
    assert polled.status_code == 286 and "Version 3 is published." in polled.text
    assert "1 values could not be converted" in polled.text
    client.post(f"/definitions/{ID}/back/2", headers=asked)
    run = definitions.get_definition(ID).publishing or 0
    client.post(f"/definitions/{ID}/publishing/{run}", headers=asked)
    assert "It ends in a moment" in client.get(f"/definitions/{ID}/publishing/{run}").text
    assert jobs.run(run).state == "failed"
    assert "was not published" in client.get(f"/definitions/{ID}/publishing/{run}").text


def test_what_needs_no_time_is_published_at_once(items: list[int]) -> None:
    definitions.save_draft(
        SYSTEM, "form", changed(size=text("How large"), colour=text("Colour", default="50% grey"))
    )
    done = definitions.begin(SYSTEM, ID)
    assert not isinstance(done, int) and done.version == 3
    assert reads.get_record(SYSTEM, "item", items[0])["colour"] == "50% grey"
    assert service.create(SYSTEM, "item", {"name": "new", "colour": ""})["colour"] is None


def test_a_connection_that_knew_the_old_column_reads_the_new_one(shop: Shop) -> None:
    """PostgreSQL refuses statements that it prepared before a column got another type."""
    publish(WORDS)
    item = int(service.create(SYSTEM, "item", {"name": "n", "size": "7"})["id"])
    with db.reading(), db.engine().connect() as other:  # both connections of the pool know the statement
        for _ in range(8):
            assert sizes([item]) == ["7"]
            other.execute(get_form("item").table.select()).all()
    publish(NUMBERS)
    for _ in range(3):
        assert sizes([item]) == [Decimal(7)]
