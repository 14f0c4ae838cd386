"""A number is put together of parts."""

from datetime import date

import pytest
from werkzeug.datastructures import MultiDict

from formloop.studio import numbering
from formloop.studio.numbering import Part
from studio.conftest import PAPER
from studio.test_pages import HTMX

FIELDS = [("item", "Item")]


@pytest.mark.parametrize("pattern", ["SO{yyyy}{MM}-{0001}", "{=item}/{yy}{dd}-{007}X", "{1}", "plain"])
def test_parts_and_pattern_are_the_same_thing(pattern):
    assert numbering.write(numbering.read(pattern)) == pattern


def test_parts_are_added_moved_changed_and_taken_away():
    sent = MultiDict({"kind.0": "text", "text.0": "PR{", "kind.1": "count", "digits.1": "3", "first.1": "5"})
    assert numbering.write(numbering.posted(sent, FIELDS)) == "PR{005}"
    assert numbering.write(numbering.posted(MultiDict({**sent, "add": "field"}), FIELDS)) == "PR{005}{=item}"
    assert numbering.write(numbering.posted(MultiDict({**sent, "do": "up.1"}), FIELDS)) == "{005}PR"
    assert numbering.posted(MultiDict({**sent, "do": "gone.0"}), FIELDS) == [Part("count", "005")]


@pytest.mark.parametrize(
    "sent", [{"do": "up.9", "kind.0": "x"}, {"kind.0": "count", "digits.0": "a", "first.0": "-4"}]
)
def test_nonsense_is_no_error(sent):
    numbering.write(numbering.posted(MultiDict(sent), []))


@pytest.mark.parametrize(
    ("pattern", "when"), [("{yyyy}{MM}{dd}{1}", "each day"), ("{yy}{MM}{1}", "each month"), ("A{1}", "never")]
)
def test_the_finest_part_of_the_day_says_when_the_count_starts_anew(pattern, when):
    assert numbering.restarts(pattern).render() == when
    assert numbering.restarts(pattern, "year").render() == "each year"


@pytest.mark.parametrize(
    ("restart", "told"),
    [
        ("", ["S2612-01", "S2612-02", "S2701-01", "S2701-01", "S2701-01"]),
        ("year", ["S2612-01", "S2612-02", "S2701-01", "S2701-01", "S2701-01"]),
        ("never", ["S2612-01", "S2612-02", "S2701-03", "S2701-04", "S2701-05"]),
    ],
)
def test_examples_show_how_the_count_goes_on(restart, told):
    found = numbering.examples("S{yy}{MM}-{01}", restart, {}, date(2026, 12, 31))
    assert [number for _, number in found] == told


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_dialog_shows_the_next_number_and_what_is_wrong(studio):
    studio.app.config["WTF_CSRF_ENABLED"] = False
    client = studio.client(studio.mei)
    number = {"type": "string", "x-type": "serial", "title": "No", "x-serial": "A-{0001}"}
    studio.edit(properties={**PAPER["properties"], "no": number})
    at = "properties/no/x-serial"
    assert f'data-numbering="{at}"' in client.get(f"/studio/{studio.id}?at=properties/no").text
    page = client.get(f"/studio/{studio.id}/numbering?at={at}").text
    assert ">A-0001</output>" in page and "never" in page
    sent = {"at": at, "kind.0": "field", "text.0": "item", "kind.1": "count", "digits.1": "2", "first.1": "1"}
    answer = client.post(f"/studio/{studio.id}/numbering", data=sent, headers=HTMX).text
    assert (
        'data-pattern="{=item}{01}"' in answer and ">Item01</output>" in answer and "for each Item" in answer
    )
    answer = client.post(f"/studio/{studio.id}/numbering", data={"at": at, "add": "text"}, headers=HTMX).text
    assert "one place that counts" in answer
    answer = client.post(
        f"/studio/{studio.id}/numbering", data={**sent, "restart": "month"}, headers=HTMX
    ).text
    assert "put the month into the number" in answer and 'data-restart="month"' in answer
    for restart, kept in (("year", {"x-restart": "year"}), ("", {})):
        done = {
            "at": at,
            "pattern": "S{yyyy}{MM}-{01}",
            "restart": restart,
            "revision": studio.desk().revision,
        }
        client.post(f"/studio/{studio.id}/do/numbering", data=done, headers=HTMX)
        assert studio.desk().doc["properties"]["no"] == number | {"x-serial": done["pattern"]} | kept
