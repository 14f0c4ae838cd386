"""What leaves the recycle bin for ever leaves a trace, and takes the files along that nothing else names."""

import os
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest

from formloop import db
from formloop.access import audit, people
from formloop.access.actor import SYSTEM, Actor, get_actor
from formloop.core import clock
from formloop.core.errors import Forbidden, NotFound
from formloop.forms import bulk, comments, files, fills, history, purging, reads, service, sweeping
from formloop.forms.convert import field_of
from formloop.forms.kind import get_form
from formloop.forms.uses import InUse
from formloop.settings import Settings
from forms.specimens import schemas

from .conftest import Shop, form, publish, text

FILES = schemas()["attachment"]


def rows_of(table: str) -> int:
    with db.reading() as conn:
        return int(conn.exec_driver_sql(f'SELECT count(*) FROM "{table}"').scalar_one())


@pytest.fixture
def boss(shop: Shop) -> Actor:
    return get_actor(people.add_person(SYSTEM, "boss", "Boss", administrator=True))


def binned_order(shop: Shop) -> int:
    order = int(shop.order()["id"])
    service.delete_record(SYSTEM, "order", order)
    return order


def test_a_purged_record_is_gone_with_its_lines_and_what_was_said(shop: Shop, boss: Actor) -> None:
    order = int(shop.order()["id"])
    comments.add(boss, "order", order, "why")
    service.delete_record(SYSTEM, "order", order)
    number = reads.get_record(SYSTEM, "order", order, deleted=True)["number"]
    purging.purge_record(SYSTEM, "order", order)
    assert [rows_of(name) for name in ("order", "order__lines", "fl_comment")] == [0, 0, 0]
    with pytest.raises(NotFound):
        service.restore_record(SYSTEM, "order", order)
    (entry,) = history.describe_changes(SYSTEM, get_form("order"), order, frozenset(), "en")
    (deed,) = audit.list_rows("form:order")
    assert (entry.action, deed.action) == ("purged", "record.purged")
    assert deed.detail == {"record": order, "title": number, "number": number}


def test_only_what_lies_in_the_bin_is_purged_and_only_by_who_may(shop: Shop) -> None:
    live, binned = int(shop.order()["id"]), binned_order(shop)
    with pytest.raises(NotFound):
        purging.purge_record(SYSTEM, "order", live)
    mei = shop.person("mei", {"form": "order", "may": ["view", "delete"]})
    with pytest.raises(Forbidden):
        purging.purge_record(mei, "order", binned)
    tim = shop.person("tim", {"form": "order", "may": ["view", "purge"]})
    done, failed = bulk.purge_records(tim, "order", dict.fromkeys([live, binned]))
    assert (done, [(p.at, p.code) for p in failed]) == (1, [(str(live), "not_found")])


def test_what_is_pointed_to_even_from_the_bin_stays(shop: Shop) -> None:
    order = binned_order(shop)
    service.delete_record(SYSTEM, "customer", shop.acme)
    with pytest.raises(InUse):
        purging.purge_record(SYSTEM, "customer", shop.acme)
    purging.purge_record(SYSTEM, "order", order)
    purging.purge_record(SYSTEM, "customer", shop.acme)


def test_the_sweep_takes_what_was_deleted_long_ago(shop: Shop) -> None:
    with clock.stopped_at(clock.now() - timedelta(days=31)):
        old = binned_order(shop)
    binned_order(shop)
    assert sweeping.sweep(0) == (0, 0) and rows_of("order") == 2
    assert sweeping.sweep(30) == (1, 0)
    with pytest.raises(NotFound):
        reads.get_record(SYSTEM, "order", old, deleted=True)


@pytest.fixture
def folder(shop: Shop, tmp_path: Path) -> Path:
    files.use_folder(tmp_path / "kept")
    publish(form("paper", {"name": text("Name"), "files": FILES}))
    return tmp_path / "kept"


def upload(content: bytes, days: int = 2) -> str:
    with clock.stopped_at(clock.now() - timedelta(days=days)):
        kept = files.store(SYSTEM, field_of(FILES, "files"), "a.txt", BytesIO(content))
    then = (clock.now() - timedelta(days=days)).timestamp()
    os.utime(kept.path, (then, then))
    return kept.key


def contents(folder: Path) -> set[bytes]:
    return {path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_uploads_that_no_record_took_go_after_a_day(folder: Path, boss: Actor) -> None:
    used, mine = upload(b"used"), upload(b"being filled in")
    upload(b"forgotten")
    upload(b"just now", days=0)
    service.create(SYSTEM, "paper", {"name": "a", "files": [used]})
    fills.keep(boss, "paper", None, {"files": [mine]})
    assert sweeping.sweep_files() == 1
    assert contents(folder) == {b"used", b"being filled in", b"just now"}


def test_a_file_stays_while_a_history_can_bring_it_back_and_goes_with_the_purged_record(folder: Path) -> None:
    made = int(service.create(SYSTEM, "paper", {"name": "a", "files": [upload(b"x")]})["id"])
    service.change_record(SYSTEM, "paper", made, {"files": []})
    assert sweeping.sweep_files() == 0
    service.delete_record(SYSTEM, "paper", made)
    purging.purge_record(SYSTEM, "paper", made)
    assert sweeping.sweep_files() == 1
    assert contents(folder) == set()


def test_a_file_of_a_field_that_was_taken_out_stays(folder: Path) -> None:
    service.create(SYSTEM, "paper", {"name": "a", "files": [upload(b"x")]})
    publish(form("paper", {"name": text("Name")}))
    assert sweeping.sweep_files() == 0


def test_one_content_under_two_keys_stays_while_one_of_them_is_used(folder: Path) -> None:
    used, _ = upload(b"same"), upload(b"same")
    service.create(SYSTEM, "paper", {"name": "a", "files": [used]})
    assert sweeping.sweep_files() == 1
    assert contents(folder) == {b"same"}


def test_sweeping_is_planned_once_for_every_night(database: Settings) -> None:
    for _ in range(2):
        sweeping.plan(database)
    assert rows_of("fl_schedule") == 1
