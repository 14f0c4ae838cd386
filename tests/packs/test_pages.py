"""The template centre and the start page in the browser."""

import io
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from formloop import db
from formloop.access.actor import SYSTEM
from formloop.definitions import library
from formloop.definitions import service as definitions
from formloop.events import heartbeat, outbox
from formloop.forms import service as records
from formloop.packs import demonstration, installing, reading, samples, service
from packs.archives import note_form, zipped

Open = Callable[[str], FlaskClient]


def test_a_zip_whose_manifest_is_no_object_is_told_on_the_page(people_of_demo: Open) -> None:
    file = (io.BytesIO(zipped(pack=[])), "pack.zip")
    browser, here = people_of_demo("administrator"), {"Origin": "http://localhost"}
    looked_at = browser.post("/templates/upload", data={"file": file}, headers=here).location
    shown = browser.get(looked_at).text
    assert "This must be a JSON object" in shown and 'name="samples"' not in shown
    assert browser.post(looked_at, headers=here).status_code == 422


def test_a_pack_from_a_file_is_shown_with_what_it_changes_and_then_installed(people_of_demo: Open) -> None:
    definitions.publish_many(SYSTEM, [note_form(description="older")], "made here", app="little")
    browser, here = people_of_demo("administrator"), {"Origin": "http://localhost"}
    file = (io.BytesIO(zipped(**{"note.form": note_form()})), "pack.zip")
    looked_at = browser.post("/templates/upload", data={"file": file}, headers=here).location
    shown = browser.get(looked_at).text
    assert "What installing changes here" in shown and "older" in shown
    assert "“Note” was changed here; installing would discard these changes." in shown
    assert people_of_demo("builder").get(looked_at).status_code in (403, 404)


def test_a_sound_pack_from_a_file_is_installed_from_its_preview(people_of_demo: Open) -> None:
    browser, here = people_of_demo("administrator"), {"Origin": "http://localhost"}
    file = (io.BytesIO(zipped(**{"note.form": note_form()})), "pack.zip")
    looked_at = browser.post("/templates/upload", data={"file": file}, headers=here).location
    assert 'name="samples"' in browser.get(looked_at).text
    progress = browser.post(looked_at, headers=here).location
    outbox.drain()
    assert "Little is installed" in browser.get(progress).text
    assert library.find_entry("form", "note").app == "little"


def test_whoever_installs_is_led_to_what_must_be_chosen_anew(people_of_demo: Open) -> None:
    owned = {"type": "string", "title": "Code", "x-visible": "owner = 250597840261132"}
    form = note_form(properties={"code": owned})
    browser, here = people_of_demo("administrator"), {"Origin": "http://localhost"}
    file = (io.BytesIO(zipped(**{"note.form": form})), "pack.zip")
    looked_at = browser.post("/templates/upload", data={"file": file}, headers=here).location
    shown, place = browser.get(looked_at).text, f'href="/studio/{form["x-id"]}?at=properties/code"'
    assert "Once it is installed, this page leads to each of them." in shown and place not in shown
    progress = browser.post(looked_at, headers=here).location
    outbox.drain()
    assert place in browser.get(progress).text and place in browser.get(looked_at).text


def test_a_pack_whose_forms_nobody_may_see_says_so_before_and_after(people_of_demo: Open) -> None:
    form, here = note_form(), {"Origin": "http://localhost"}
    browser, file = people_of_demo("administrator"), (io.BytesIO(zipped(**{"note.form": form})), "pack.zip")
    looked_at = browser.post("/templates/upload", data={"file": file}, headers=here).location
    before = browser.get(looked_at).text.partition('id="unseen"')[2]
    assert "Give rights once they are installed" in before and f"<li>{form['title']}</li>" in before
    progress = browser.post(looked_at, headers=here).location
    outbox.drain()
    link = f'<a href="/studio/rights/{form["x-id"]}">{form["title"]}</a>'
    assert link in browser.get(progress).text and link in browser.get(looked_at).text


def test_a_run_that_failed_says_what_is_installed_all_the_same(people_of_demo: Open) -> None:
    part = {"form": "note", "by": "colour", "records": [{"colour": "red"}]}
    pack = reading.read_zip(zipped(**{"note.form": note_form(), "sample_a": part}))
    browser, run = people_of_demo("administrator"), installing.begin(SYSTEM, pack, with_samples=True)
    outbox.drain()
    page = browser.get(f"/templates/little/progress/{run}").text
    assert "Everything is installed, but not all of the sample data." in page
    assert "Nothing was installed." not in page


def test_own_forms_are_taken_along_from_the_start_page(people_of_demo: Open) -> None:
    definitions.publish_many(SYSTEM, [note_form()], "made here")
    builder = people_of_demo("administrator")
    assert "/apps/own_forms?all=1" in builder.get("/").text
    assert "/apps/own_forms/contents" in builder.get("/apps/own_forms").text
    assert "/apps/own_forms/pack.zip" in builder.get("/apps/own_forms/contents").text
    answer = builder.get("/apps/own_forms/pack.zip")
    assert answer.status_code == 200
    pack = reading.read_zip(answer.data)
    assert service.check(SYSTEM, pack) == []
    assert (list(pack.documents), pack.samples) == (["note.form.json"], ())
    assert (pack.said("title", "en"), pack.said("title", "zh-CN")) == ("Own forms", "自建表单")


def test_own_forms_are_own_forms_where_they_are_installed(people_of_demo: Open) -> None:
    definitions.publish_many(SYSTEM, [note_form()], "made here")
    pack = reading.read_zip(service.zipped(service.export(SYSTEM, service.OWN_FORMS)))
    assert [each.new for each in service.install(SYSTEM, pack)] == [False]
    assert library.find_entry("form", "note").app == ""
    assert "note.form.json" in service.export(SYSTEM, service.OWN_FORMS)


def test_who_may_not_design_is_not_offered_to_take_forms_along(people_of_demo: Open) -> None:
    definitions.publish_many(SYSTEM, [note_form()], "made here")
    seller = people_of_demo("seller")
    assert "own_forms" not in seller.get("/").text
    assert seller.get("/apps/own_forms/pack.zip").status_code == 403


def test_the_start_page_reads_no_pack_again(people_of_demo: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = people_of_demo("administrator")
    browser.get("/")

    def fail(_files: object) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr(reading, "_read", fail)
    assert browser.get("/").status_code == 200


def test_sample_records_in_the_recycle_bin_do_not_count(demo: Flask) -> None:
    service.install(SYSTEM, service.get_pack("master_data"))
    before = samples.count_all()
    gone = next(iter(records_of("currency")))
    records.delete_record(SYSTEM, "currency", gone, even_if_used=True)
    assert samples.count_all()["master_data"] == before["master_data"] - 1


def test_the_cards_of_many_packs_cost_no_more_statements_than_those_of_one(people_of_demo: Open) -> None:
    sent: list[str] = []

    def note(_conn: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    service.list_cards()  # forms are prepared once
    event.listen(db.engine(), "before_cursor_execute", note)
    cards = service.list_cards()
    event.remove(db.engine(), "before_cursor_execute", note)
    assert sum(bool(card.samples) for card in cards) > 1
    assert len([each for each in sent if each.startswith("SELECT")]) == 3  # packs, forms with samples, counts


def records_of(form: str) -> list[int]:
    """The ids of all records of a form."""
    from formloop.forms.kind import get_form
    from formloop.forms.listing import Query, list_records

    return [row["id"] for row in list_records(SYSTEM, get_form(form), Query()).rows]


def test_the_repair_desk_says_when_no_worker_is_alive(people_of_demo: Open) -> None:
    browser = people_of_demo("administrator")
    assert "No worker has reported for a minute" in browser.get("/repair").text
    heartbeat.beat()
    assert "No worker has reported for a minute" not in browser.get("/repair").text


def test_every_statement_of_the_packs_opens_on_a_site_that_has_traded(
    people_of_demo: Open,
) -> None:
    demonstration.play()
    browser = people_of_demo("administrator")
    answers = {
        each.key: browser.get(f"/datasets/{each.key}").status_code for each in library.list_entries("dataset")
    }
    assert len(answers) > 40
    assert {key: status for key, status in answers.items() if status != 200} == {}
