"""Exports: what the list shows, as text that no spreadsheet runs, and importable again."""

import csv
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import func, select

from formloop.access import people
from formloop.access.actor import SYSTEM, Actor, get_actor
from formloop.core import clock
from formloop.core.errors import Forbidden
from formloop.db import reading
from formloop.events import jobs, outbox
from formloop.forms import exporting, files, importing, listing, service
from formloop.forms.filters import Filter
from formloop.forms.kind import get_form
from formloop.forms.tables import stored_file
from formloop.settings import Settings
from forms.conftest import form, publish, role, text
from forms.specimens import publish_all


@pytest.fixture
def site(database: Settings, tmp_path: Path) -> Settings:
    publish_all()
    files.use_folder(tmp_path / "kept")
    service.create(SYSTEM, "partner", {"name": "=cmd()", "code": "A1"})
    service.create(SYSTEM, "partner", {"name": "Bolt", "code": "B1"})
    return database


def test_text_that_looks_like_a_formula_stays_text(site: Settings, tmp_path: Path) -> None:
    exporting.export_file("partner", tmp_path / "a.xlsx")
    exporting.export_file("partner", tmp_path / "a.csv")
    sheet = CalamineWorkbook.from_path(str(tmp_path / "a.xlsx")).get_sheet_by_index(0).to_python()
    assert sheet[0][:2] == ["Name", "Code"] and sheet[1][0] == "=cmd()"
    with (tmp_path / "a.csv").open(encoding="utf-8-sig") as file:
        assert list(csv.reader(file))[1][0] == "'=cmd()"


def test_the_filter_of_the_list_decides_what_is_exported(site: Settings, tmp_path: Path) -> None:
    query = listing.Query(filters=(Filter("code", "is", "B1"),))
    count = exporting.write(SYSTEM, get_form("partner"), query, tmp_path / "a.csv", "zh-CN", lambda _: None)
    with (tmp_path / "a.csv").open(encoding="utf-8-sig") as file:
        rows = list(csv.reader(file))
    assert count == 1 and rows[0][0] == "名称" and rows[1][0] == "Bolt"


def test_an_exported_form_with_lines_can_be_imported_again(site: Settings, tmp_path: Path) -> None:
    lines = [{"text": "a", "number": "1.5"}, {"text": "b", "switch": True}]
    service.create(
        SYSTEM, "everything", {"number": "2", "dropdown": "red", "multi_select": ["red"], "subform": lines}
    )
    exporting.export_file("everything", tmp_path / "all.xlsx")
    result = importing.import_file("everything", tmp_path / "all.xlsx", update_by="serial")
    assert (result.counts, result.problems) == ({"unchanged": 1}, [])


def test_a_job_makes_the_file_for_its_person_only(site: Settings) -> None:
    job = jobs.run(exporting.start(SYSTEM, "partner", {}, "xlsx", "en"))
    assert job.state == "done" and job.result["rows"] == 2
    assert files.get_file(job.result["file"]).path.stat().st_size == job.result["size"]


def test_without_the_right_nothing_leaves(site: Settings) -> None:
    with pytest.raises(Forbidden):
        exporting.start(Actor(1, "Nobody"), "partner", {}, "csv", "en")


def test_numbers_stay_numbers(site: Settings, tmp_path: Path) -> None:
    service.create(SYSTEM, "everything", {"number": "1234.5"})
    exporting.export_file("everything", tmp_path / "n.xlsx")
    sheet = CalamineWorkbook.from_path(str(tmp_path / "n.xlsx")).get_sheet_by_index(0).to_python()
    assert Decimal(repr(sheet[1][sheet[0].index("Number")])) == Decimal("1234.5")


def person(*grants: dict[str, Any]) -> Actor:
    """Somebody with a role of these grants."""
    publish(role("exporter", *grants))
    return get_actor(people.add_person(SYSTEM, "exporter", "Exporter", roles=["exporter"]))


def written(actor: Actor, form_key: str, path: Path, **query: Any) -> list[list[str]]:
    """The rows of an exported CSV file."""
    said = listing.Query(**{"sort": ("id",), **query})
    exporting.write(actor, get_form(form_key), said, path, "en", lambda _: None)
    with path.open(encoding="utf-8-sig") as file:
        return list(csv.reader(file))


def test_a_row_condition_may_read_what_is_not_exported(site: Settings, tmp_path: Path) -> None:
    service.create(SYSTEM, "partner", {"name": "Cog", "code": "C1", "region": "East"})
    seller = person(
        {"form": "partner", "may": ["view"], "where": 'region = "East"'},
        {"form": "partner", "may": ["export"], "fields": ["name"]},
    )
    assert written(seller, "partner", tmp_path / "a.csv") == [["Name", "State"], ["Cog", "Draft"]]


def test_a_row_leaves_only_with_both_rights_and_a_field_only_with_its_row(
    site: Settings, tmp_path: Path
) -> None:
    for name, region, level in (("Cog", "East", "A"), ("Dot", "East", "B"), ("Eel", "West", "A")):
        service.create(SYSTEM, "partner", {"name": name, "region": region, "level": level, "code": name})
    seller = person(
        {"form": "partner", "may": ["view"], "where": 'region = "East"'},
        {"form": "partner", "may": ["export"], "where": "NOT(ISBLANK(level))", "fields": ["name"]},
        {"form": "partner", "may": ["export"], "where": 'level = "B"', "fields": ["code"]},
    )
    rows = written(seller, "partner", tmp_path / "a.csv", columns=("name", "code"))
    assert rows == [["Name", "Code"], ["Cog", ""], ["Dot", "Dot"]]


def test_the_columns_chosen_in_the_list_are_exported_in_their_order(site: Settings, tmp_path: Path) -> None:
    rows = written(SYSTEM, "partner", tmp_path / "a.csv", columns=("code", "owner", "name"))
    assert rows == [["Code", "Owner", "Name"], ["A1", "", "'=cmd()"], ["B1", "", "Bolt"]]
    service.create(SYSTEM, "everything", {"number": "2", "subform": [{"text": "a"}, {"text": "b"}]})
    assert written(SYSTEM, "everything", tmp_path / "b.csv", columns=("number",)) == [
        ["Number"],
        ["2"],
    ]


def _lines(title: str) -> dict[str, Any]:
    part = {"type": "object", "properties": {"part": text("Part")}}
    return {"type": "array", "title": title, "items": part}


@pytest.fixture
def kit(site: Settings) -> None:
    publish(
        form(
            "kit",
            {
                "code": text("Code", **{"x-unique": True}),
                "parts": _lines("Parts"),
                "tools": _lines("Tools/Aids"),
                "spares": _lines("Parts"),
            },
        )
    )
    tools = [{"part": "saw"}, {"part": "file"}]
    service.create(SYSTEM, "kit", {"code": "K1", "parts": [{"part": "leg"}], "tools": tools})
    service.create(SYSTEM, "kit", {"code": "K2", "spares": [{"part": "cap"}]})


@pytest.mark.usefixtures("kit")
def test_each_further_subform_has_a_sheet_of_its_own(tmp_path: Path) -> None:
    exporting.export_file("kit", tmp_path / "kit.xlsx")
    book = CalamineWorkbook.from_path(str(tmp_path / "kit.xlsx"))
    assert {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names} == {
        "Kit": [["Code", "State", "Parts · Part"], ["K1", "Draft", "leg"], ["K2", "Draft", ""]],
        "Tools Aids": [["Code", "Part"], ["K1", "saw"], ["K1", "file"]],
        "Parts": [["Code", "Part"], ["K2", "cap"]],
    }


@pytest.mark.usefixtures("kit")
def test_a_csv_file_says_whose_lines_it_has_no_place_for() -> None:
    job = jobs.run(exporting.start(SYSTEM, "kit", {}, "csv", "en"))
    assert job.result["left_out"] == "Tools/Aids, Parts"
    assert jobs.run(exporting.start(SYSTEM, "kit", {}, "xlsx", "en")).result["left_out"] == ""
    assert exporting.not_in_file("kit", Path("kit.csv")) == ["Tools/Aids", "Parts"]


def test_an_export_whose_worker_dies_begins_anew_and_leaves_one_file(
    site: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(*_: object) -> None:
        raise Killed

    job = exporting.start(SYSTEM, "partner", {}, "xlsx", "en")
    with monkeypatch.context() as dying:
        dying.setattr(exporting, "_tell", die)
        with pytest.raises(Killed):
            outbox.drain(jobs.TOPIC)
    with clock.stopped_at(clock.now() + timedelta(seconds=61)):
        outbox.drain(jobs.TOPIC)
    done = jobs.get_job(job)
    assert (done.state, done.done, done.result["rows"]) == ("done", 2, 2)
    with reading() as conn:
        assert conn.execute(select(func.count()).select_from(stored_file)).scalar() == 1
