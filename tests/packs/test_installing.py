"""Installing in the background: what a run tells, whatever happens."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from formloop.access import people
from formloop.access.actor import SYSTEM
from formloop.core.errors import Invalid
from formloop.db import connection, reading, transactional
from formloop.events import outbox, repair
from formloop.forms.kind import get_form
from formloop.packs import installing, samples, service
from formloop.packs.reading import read_zip
from formloop.packs.tables import pack as packs
from packs.archives import MANIFEST, note_form, note_pack, zipped


def test_the_samples_of_what_a_pack_needs_come_along(app: Flask) -> None:
    run = installing.begin(SYSTEM, service.get_pack("sales_order"), with_samples=True)
    outbox.drain()
    assert installing.get_run(run).state == "done"
    assert samples.count("master_data") > 0 and samples.count("sales_order") > 0


def test_sample_records_belong_to_the_account_they_name_where_there_is_one(app: Flask) -> None:
    desk = people.add_department(SYSTEM, "desk", "Desk")
    seller = people.add_person(SYSTEM, "seller", "Sally", department_id=desk)
    service.install(SYSTEM, service.get_pack("sales_order"))
    order = get_form("sales_order").table
    with reading() as conn:
        assert set(conn.execute(select(order.c.owner, order.c.department)).all()) == {(seller, desk)}


def test_an_error_nobody_thought_of_ends_the_run_and_is_told(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    run = installing.begin(SYSTEM, note_pack(), with_samples=False)
    monkeypatch.setattr(service, "install", fail)
    assert outbox.drain() == 1
    job = installing.get_run(run)
    assert (job.state, job.done) == ("failed", installing.DEFINITIONS)
    assert job.problems[0]["en"] == "Something unexpected went wrong (ZeroDivisionError). The log says more."
    assert "ZeroDivisionError" in job.reason("zh-CN") and "意外" in job.reason("zh-CN")
    assert repair.count_stuck() == repair.count_waiting() == 0


def test_samples_by_a_field_that_is_not_there_end_the_run(app: Flask) -> None:
    part = {"form": "note", "by": "colour", "records": [{"colour": "red"}]}
    pack = read_zip(zipped(**{"note.form": note_form(), "sample_note": part}))
    run = installing.begin(SYSTEM, pack, with_samples=True)
    outbox.drain()
    (problem,) = installing.get_run(run).problems
    assert problem["at"] == "sample/note.json: by" and "colour" in problem["en"]


@pytest.mark.parametrize("needs", [5, "abc", [1], None])
def test_a_pack_with_problems_is_not_even_begun(app: Flask, needs: object) -> None:
    pack = read_zip(zipped(pack={**MANIFEST, "needs": needs}))
    with pytest.raises(Invalid):
        installing.begin(SYSTEM, pack, with_samples=True)


def test_what_needs_a_newer_version_says_which_pack_to_upgrade_first(app: Flask) -> None:
    other = {**MANIFEST, "key": "other", "title": "Other", "needs": ["little >= 1.10.0"]}
    memo = note_form(**{"x-id": "0000aaab", "x-key": "memo"})
    needing = read_zip(zipped(**{"pack": other, "memo.form": memo}))
    service.install(SYSTEM, note_pack(version="1.9.0"))
    with pytest.raises(Invalid) as error:
        service.install(SYSTEM, needing)
    (problem,) = error.value.problems
    assert (problem.code, problem.at) == ("too_old", "other/pack.json: needs")
    assert str(problem.message) == (
        "“other” 1.0.0 needs “little” 1.10.0 or newer, and 1.9.0 is installed. Upgrade “little” first."
    )
    assert "请先升级" in problem.message.render("zh-CN")
    service.install(SYSTEM, note_pack(version="1.10.0"))
    service.install(SYSTEM, needing)
    with pytest.raises(Invalid) as error:
        service.install(SYSTEM, note_pack(version="1.9.0"))
    (problem,) = error.value.problems
    assert (problem.code, problem.at) == ("too_old", "little/pack.json: version")
    assert str(problem.message) == (
        "“other” 1.0.0 is installed and needs “little” 1.10.0 or newer; this is 1.9.0."
    )
    service.install(SYSTEM, note_pack(version="1.11.0"))


def test_the_template_centre_offers_a_newer_version_and_says_what_it_needs(
    people_of_demo: Callable[[str], FlaskClient],
) -> None:
    browser = people_of_demo("administrator")
    assert "Upgrade" not in browser.get("/templates/purchase").text
    older = update(packs).where(packs.c.key.in_(("purchase", "finance"))).values(version="1.0.0")
    transactional(lambda: connection().execute(older))()
    pack = service.get_pack("purchase")
    assert f"Version {pack.manifest['version']} available" in browser.get("/templates").text
    page = browser.get("/templates/purchase").text
    assert "Upgrade “Finance” first" in page and ">Upgrade<" not in page
    assert "1.0.0 is installed" in page and f"Finance {pack.needs['finance']} or newer" in page
