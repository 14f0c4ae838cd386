"""What stands against a pack is told before anything is installed: the check is the installation, undone."""

from typing import Any

import pytest
from flask import Flask

from formloop.access.actor import SYSTEM
from formloop.core.errors import Invalid
from formloop.definitions import library
from formloop.packs import samples, service
from formloop.packs.reading import Pack, read_zip
from formloop.packs.scenario_shape import check_scenario
from packs.archives import MANIFEST, note_form, note_pack, zipped


def codes(pack: Pack) -> list[tuple[str, str]]:
    return [(problem.code, problem.at) for problem in service.check(SYSTEM, pack)]


def test_a_pack_that_is_fine_is_tried_out_and_leaves_nothing(app: Flask) -> None:
    assert codes(service.get_pack("sales_order")) == []
    assert library.list_keys("form") == [] and samples.count_all().total() == 0


def test_what_publishing_refuses_the_check_tells_too(app: Flask) -> None:
    broken = note_form(properties={"code": {"type": "string", "title": "Code", "x-formula": "nothing + 1"}})
    found = codes(note_pack(broken))
    assert found != []
    with pytest.raises(Invalid) as error:
        service.install(SYSTEM, note_pack(broken))
    assert found == [(p.code, p.at) for p in error.value.problems]


def test_samples_that_do_not_fit_are_told_too(app: Flask) -> None:
    part = {"form": "note", "by": "colour", "records": [{"colour": "red"}]}
    assert codes(read_zip(zipped(**{"note.form": note_form(), "sample_a": part}))) == [
        ("no_field", "sample/a.json: by")
    ]


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"x-key": "unit2"}, "little/unit2.form.json: x-id"),
        ({"x-id": "0000aaab"}, "little/unit.form.json: x-key"),
    ],
)
def test_packs_that_share_an_id_or_a_key_are_not_installed_together(
    app: Flask, changes: dict[str, Any], place: str
) -> None:
    unit = {**service.get_pack("master_data").documents["unit.form.json"], **changes}
    name = f"{unit['x-key']}.form"
    pack = read_zip(zipped(**{"pack": {**MANIFEST, "needs": ["master_data"]}, name: unit}))
    with pytest.raises(Invalid) as error:
        service.install(SYSTEM, pack)
    assert [(p.code, p.at) for p in error.value.problems] == [("twice", place)]
    assert "master_data/unit.form.json" in str(error.value)


@pytest.mark.parametrize(
    ("step", "code", "at"),
    [
        ({"id": "a", "craete": "note"}, "unknown_key", "steps.0.craete"),
        ({"create": "note"}, "missing", "steps.0"),
        ({"id": "a"}, "verb", "steps.0"),
        ({"id": "a", "create": "note", "deliver": True}, "verb", "steps.0"),
        ({"id": "a", "create": "note", "values": []}, "type", "steps.0.values"),
        ({"id": "a", "change": "b", "values": {}}, "no_step", "steps.0.change"),
        ({"id": "a", "expect_all": "note", "where": "code"}, "missing", "steps.0"),
    ],
)
def test_a_step_of_another_shape_is_told_with_its_place(step: dict[str, Any], code: str, at: str) -> None:
    (problem,) = read_zip(zipped(scenario={"title": "Story", "steps": [step]})).problems
    assert (problem.code, problem.at.startswith(f"scenario.json: {at}")) == (code, True)
    assert problem.line == 1


def test_lines_are_told_where_the_text_has_them() -> None:
    (problem,) = check_scenario('{\n  "title": "x",\n  "steps": [\n    {"id": "a", "expext": "b"}\n  ]\n}')
    assert (problem.line, problem.column) == (4, 17)
