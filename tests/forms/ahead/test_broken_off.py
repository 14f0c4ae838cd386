"""A publication that is prepared ahead meets backups, dead workers and values that move, and ends as one that did not."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from formloop import db
from formloop.access.actor import SYSTEM
from formloop.definitions import publications
from formloop.definitions import service as definitions
from formloop.events import jobs, outbox, repair
from formloop.forms import ahead, convert, service
from formloop.forms.kind import get_form
from forms.ahead.preparing import ID, NUMBERS, WORDS, begin, changed, go_on, nothing_is_left, sizes
from forms.conftest import Shop, number, publish, text


@pytest.mark.postgres
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_it_waits_for_whoever_reads_for_long(items: list[int], tries: list[str]) -> None:
    run, held = begin(NUMBERS), list[str]()
    with db.engine().connect() as backup:

        def read(stage: str) -> None:
            backup.rollback()
            if stage in ("", "settle") and stage not in held:
                backup.exec_driver_sql("SELECT count(*) FROM item")  # and so it holds the table
                held.append(stage)

        job = go_on(run, read)
    assert job.state == "done" and job.result["waits"] == len(held) == 2 and get_form("item").version == 3
    assert tries == ["waited", "waited"]  # everybody queues behind each try, so there is one for each wait


@pytest.mark.postgres
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_one_that_is_cancelled_waits_for_whoever_reads_for_long_too(items: list[int]) -> None:
    run = begin(NUMBERS)
    for _ in range(3):
        jobs.step(jobs.get_job(run))
    definitions.cancel(SYSTEM, ID, run)
    with db.engine().connect() as backup:
        backup.exec_driver_sql("SELECT count(*) FROM item")
        jobs.step(job := jobs.get_job(run))
        assert not job.over and job.pause and definitions.get_definition(ID).publishing == run
        backup.rollback()
    assert jobs.run(run).reason("en") == "It was cancelled. The version that ran before runs on."
    assert nothing_is_left()


def test_what_was_begun_is_taken_back_by_the_next_worker_where_one_is_killed(
    items: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(_doc: Any) -> None:
        raise SystemExit

    run = begin(NUMBERS)
    for _ in range(3):
        jobs.step(jobs.get_job(run))
    definitions.cancel(SYSTEM, ID, run)
    with monkeypatch.context() as patched:
        patched.setattr(ahead, "give_up", killed)
        with pytest.raises(SystemExit):
            jobs.step(jobs.get_job(run))
    assert jobs.run(run).state == "failed" and nothing_is_left()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_one_whose_message_was_given_up_can_be_cancelled(client: FlaskClient, items: list[int]) -> None:
    run = begin(NUMBERS)
    there = f"/definitions/{ID}/publishing/{run}"
    jobs.step(jobs.get_job(run))
    for _ in range(2):
        for message in repair.list_waiting(jobs.TOPIC):
            repair.cancel(message.id, "by mistake")
        outbox.drain()
        assert not jobs.get_job(run).over and "Cancel the publication" in client.get(there).text
        definitions.cancel(SYSTEM, ID, run)
        definitions.cancel(SYSTEM, ID, run)
        assert "It ends in a moment" in client.get(there).text
    assert len(repair.list_waiting(jobs.TOPIC)) == 1
    outbox.drain()
    assert jobs.get_job(run).state == "failed" and nothing_is_left()
    publish(WORDS)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_a_killed_worker_has_published_is_not_published_again(items: list[int]) -> None:
    run = begin(NUMBERS)
    slow = jobs.get_job(run)
    while not publications._step(job := jobs.get_job(run)):
        jobs._note(job)
        slow = jobs.get_job(run)  # and another worker, which has lost its lease, has got as far
    done = jobs.get_job(run)
    assert (done.state, done.result["version"]) == (
        "done",
        3,
    )  # though it was killed before it noted its step
    publish(later := {**NUMBERS, "title": "Renamed"})
    jobs.run(run)
    jobs.step(slow)
    found = definitions.get_definition(ID)
    assert (found.version, found.title) == (4, later["title"]) and jobs.get_job(run).result == done.result


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_two_workers_at_the_same_publication_publish_once(
    items: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begin(NUMBERS)
    before = ahead.go_on

    def overtaken(doc: Any, state: dict[str, Any]) -> bool:
        """The other worker publishes just before this one does."""
        ready = before(doc, state)
        if ready:
            monkeypatch.undo()
            jobs.run(run)
            publish({**NUMBERS, "title": "Renamed"})
        return ready

    monkeypatch.setattr(ahead, "go_on", overtaken)
    go_on(run, lambda stage: None)
    assert definitions.get_definition(ID).title == "Renamed" and get_form("item").version == 4


@pytest.mark.postgres
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize("late", ["index", "settle"])
def test_unique_values_that_move_from_one_record_to_another_are_not_there_twice(
    shop: Shop, late: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(convert, "AT_ONCE", 2)
    monkeypatch.setattr(ahead, "SOME", 2)
    publish(changed(size=text("Size", **{"x-unique": True})))
    items = [int(service.create(SYSTEM, "item", {"name": f"n{n}", "size": str(n)})["id"]) for n in range(6)]

    def move(stage: str) -> None:
        if stage == late and sizes(items)[0] == "0":
            service.change_record(SYSTEM, "item", items[0], {"size": "99"})
            for n in (1, 2, 3, 4, 5):
                service.change_record(SYSTEM, "item", items[n], {"size": str(n - 1)})
            service.change_record(SYSTEM, "item", items[0], {"size": "5"})

    go_on(begin(changed(size=number("Size", **{"x-unique": True}))), move).require_done()
    assert sizes(items) == [5, 0, 1, 2, 3, 4]


@pytest.mark.postgres
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize("late", [False, True], ids=["settle", "publication"])
def test_what_becomes_the_same_meanwhile_is_told_in_words(
    items: list[int], late: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = ahead.go_on

    def save(doc: Any, state: dict[str, Any]) -> bool:
        ready = before(doc, state)
        if ready if late else state["stage"] == "settle":
            service.change_record(SYSTEM, "item", items[0], {"size": "4.0"})
        return ready

    monkeypatch.setattr(ahead, "go_on", save)
    job = jobs.run(begin(changed(size=number("Size", **{"x-unique": True}))))
    assert job.reason("en") == "A value that is to occur only once was saved a second time meanwhile."
    assert nothing_is_left()
