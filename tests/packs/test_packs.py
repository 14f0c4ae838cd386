"""Packs: shipped ones are sound, install whole or not at all, come out as they went in, and play their story."""

import io
import json
import zipfile
from pathlib import Path

import pytest
from flask import Flask

from formloop.access import people
from formloop.access.actor import SYSTEM, get_actor
from formloop.core.errors import Forbidden, Invalid
from formloop.core.json_text import loads
from formloop.definitions import library
from formloop.forms import listing
from formloop.forms.kind import get_form
from formloop.forms.listing import Query
from formloop.packs import reading, samples, scenario, service

ON_POSTGRESQL = pytest.param("postgresql", marks=pytest.mark.postgres)
SHIPPED = sorted(path.parent.name for path in Path("templates_library").glob("*/pack.json"))


def zipped(files: dict[str, bytes]) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return body.getvalue()


MANIFEST = json.dumps({"key": "p", "title": "P", "version": "1.0.0", "summary": ""}).encode()


def test_every_icon_of_a_shipped_pack_is_drawn() -> None:
    drawn = set(Path("static/icons.txt").read_text("utf-8").split())
    files = [json.loads(path.read_text("utf-8")) for path in Path("templates_library").glob("*/*.json")]
    assert {each["icon"] for each in files if "icon" in each} - drawn == set()


def test_a_number_tells_which_form_it_belongs_to() -> None:
    forms = [json.loads(path.read_text("utf-8")) for path in Path("templates_library").glob("*/*.form.json")]
    numbers = [
        field["x-serial"] for form in forms for field in form["properties"].values() if "x-serial" in field
    ]
    starts = [number.partition("{")[0] for number in numbers]
    assert sorted(starts) == sorted(set(starts))


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # a check reads no table
@pytest.mark.parametrize("key", SHIPPED)
def test_a_shipped_pack_is_sound_and_canonical(app: Flask, key: str) -> None:
    pack = service.get_pack(key)
    assert service.check(SYSTEM, pack) == []
    folder = service.library_folder() / key
    for name, doc in pack.documents.items():
        assert (folder / name).read_text("utf-8") == service.write(doc, service.kinds.get(doc["x-kind"])), (
            name
        )


@pytest.mark.parametrize("key", SHIPPED)
def test_installed_and_exported_a_pack_is_the_same_bytes(app: Flask, key: str) -> None:
    service.install(SYSTEM, service.get_pack(key))
    files = service.export(SYSTEM, key)
    folder = service.library_folder() / key
    for name, text in files.items():
        if name != "pack.json":
            assert text == (folder / name).read_text("utf-8"), name
    again = reading.read_zip(service.zipped(files))
    assert [each.new for each in service.install(SYSTEM, again)] == [False] * len(again.documents)
    assert service.export(SYSTEM, key) == files


@pytest.mark.parametrize("key", SHIPPED)
def test_a_pack_plays_its_story(demo: Flask, key: str) -> None:
    play(key)


@pytest.mark.parametrize("database", [ON_POSTGRESQL], indirect=True)
@pytest.mark.parametrize("key", SHIPPED)
def test_a_pack_plays_its_story_on_postgresql(filled: Flask, key: str) -> None:
    play(key)


def play(key: str) -> None:
    """A shipped story, which must go as it says."""
    story = loads((service.library_folder() / key / "scenario.json").read_text("utf-8"))
    told: list[str] = []
    problems = scenario.play(story, told.append)
    assert problems == [], [str(p.message) for p in problems]
    assert len(told) == len(story["steps"])


def test_a_story_that_goes_otherwise_says_where(demo: Flask) -> None:
    story = {"steps": [{"id": "one", "as": "builder", "create": "unit", "values": {"code": "X", "name": "X"}},
                       {"id": "two", "expect": "one", "values": {"name": "Y"}}]}  # fmt: skip
    assert [p.at for p in scenario.play(story)] == ["two: name"]


def test_what_a_pack_needs_is_installed_before_it(app: Flask) -> None:
    service.install(SYSTEM, service.get_pack("sales_order"), with_samples=False)
    assert {card.pack.key for card in service.list_cards() if card.installed} == {
        "master_data",
        "sales_order",
    }


def test_a_pack_with_one_bad_file_installs_nothing(app: Flask) -> None:
    good = (service.library_folder() / "master_data" / "unit.form.json").read_bytes()
    pack = reading.read_zip(
        zipped({"pack.json": MANIFEST, "unit.form.json": good, "bad.form.json": b'{"x-kind": "form"}'})
    )
    with pytest.raises(Invalid):
        service.install(SYSTEM, pack)
    assert library.list_entries() == []


@pytest.mark.parametrize(
    "files",
    [
        {"../pack.json": MANIFEST},
        {"/etc/x.json": b"{}", "pack.json": MANIFEST},
        {"a\\..\\b.json": b"{}", "pack.json": MANIFEST},
        {"x.json": b"{}"},
        {"pack.json": MANIFEST, "big.json": b"0" * 60_000_000},
        {"pack.json": MANIFEST, **{f"f{n}.json": b"{}" for n in range(501)}},
    ],
)
def test_a_hostile_archive_is_refused(files: dict[str, bytes]) -> None:
    with pytest.raises(Invalid):
        reading.read_zip(zipped(files))


@pytest.mark.parametrize("body", [b"", b"PK", b"not a zip at all"])
def test_what_is_no_archive_is_refused(body: bytes) -> None:
    with pytest.raises(Invalid):
        reading.read_zip(body)


def test_sample_data_goes_and_what_people_changed_stays(app: Flask) -> None:
    from formloop.forms import service as records

    service.install(SYSTEM, service.get_pack("master_data"))
    first = listing.list_records(SYSTEM, get_form("item"), Query()).rows[0]
    records.change_record(SYSTEM, "item", first["id"], {"note": "ours now"})
    count = samples.count("master_data")
    gone, kept = samples.remove(SYSTEM, "master_data")
    assert (gone, kept) == (count - 1, 1)
    assert [row["id"] for row in listing.list_records(SYSTEM, get_form("item"), Query()).rows] == [
        first["id"]
    ]


def test_installing_twice_changes_nothing(app: Flask) -> None:
    service.install(SYSTEM, service.get_pack("sales_order"))
    before = samples.count("sales_order")
    assert not any(each.new for each in service.install(SYSTEM, service.get_pack("sales_order")))
    assert samples.count("sales_order") == before


def test_only_who_may_install_installs(app: Flask) -> None:
    seller = get_actor(people.add_person(SYSTEM, "seller", "Seller"))
    with pytest.raises(Forbidden):
        service.install(seller, service.get_pack("master_data"))
