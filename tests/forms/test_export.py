"""Exports: what the list shows, as text that no spreadsheet runs, and importable again."""

import csv
from decimal import Decimal
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from formloop.access.actor import SYSTEM, Actor
from formloop.core.errors import Forbidden
from formloop.forms import exporting, files, importing, jobs, listing, service
from formloop.forms.filters import Filter
from formloop.forms.kind import get_form
from formloop.settings import Settings
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
