"""What differs between a site and a pack is said in sentences."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask

from formloop.access.actor import SYSTEM
from formloop.cli import main
from formloop.core.errors import NotFound
from formloop.definitions import service as definitions
from formloop.packs import service
from formloop.packs.differing import compare
from packs.archives import note_form, note_pack

on_sqlite = pytest.mark.parametrize(
    "database", ["sqlite"], indirect=True
)  # what definitions say is the same on both


@on_sqlite
def test_what_is_the_same_does_not_differ(app: Flask) -> None:
    service.install(SYSTEM, note_pack())
    assert compare(SYSTEM, "little", note_pack()) == []


@on_sqlite
def test_changes_and_what_is_on_one_side_alone_are_said(app: Flask) -> None:
    service.install(SYSTEM, note_pack())
    other = {**note_form(title="Other"), "x-id": "0000beef", "x-key": "other"}
    definitions.publish_many(SYSTEM, [note_form(title="Ours"), other], "ours", app="little")
    found = {each.file: each.sentences("zh-CN") for each in compare(SYSTEM, "little", note_pack())}
    assert found["other.form.json"] == ["仅在本站点"]
    assert len(found["note.form.json"]) == 1 and "Ours" in found["note.form.json"][0]


@on_sqlite
def test_an_application_that_is_not_here_is_told(app: Flask) -> None:
    with pytest.raises(NotFound):
        compare(SYSTEM, "nowhere", note_pack())


def test_the_command_exports_finds_no_difference_and_then_one(tmp_path: Path) -> None:
    environment = {"FORMLOOP_INSTANCE": str(tmp_path / "site")}

    def run(*command: str) -> tuple[int, str]:
        done = CliRunner().invoke(main, ["pack", *command], env=environment)
        return done.exit_code, done.output

    folder = tmp_path / "mine"
    assert run("install", "master_data", "--no-samples")[0] == 0
    assert run("export", "master_data", str(folder))[0] == 0
    code, said = run("diff", "master_data", str(folder))
    assert code == 0 and "There is no difference." in said
    unit = folder / "unit.form.json"
    unit.write_text(json.dumps({**json.loads(unit.read_text("utf-8")), "title": "Measure"}), "utf-8")
    code, said = run("diff", "master_data", str(folder))
    assert code == 1 and "unit.form.json" in said and "Measure" in said
