"""What would make a form unusable is told before it is published; what is typed too long is told, too."""

from typing import Any

import pytest

from formloop.access.actor import SYSTEM
from formloop.core.errors import Invalid
from formloop.forms import live
from formloop.forms.kind import get_form
from formloop.settings import Settings

from .conftest import form, number, publish, relation, text

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
DAY = {"type": "string", "format": "date", "title": "Day"}


def lines(**columns: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "title": "Lines", "items": {"type": "object", "properties": columns}}


@pytest.mark.parametrize(
    ("fields", "at"),
    [
        ({"day": {**DAY, "default": "tomorrow"}}, "properties.day.default"),
        ({"count": number("Count", default=True)}, "properties.count.default"),
        ({"count": number("Count", default="many")}, "properties.count.default"),
        ({"parts": lines(day={**DAY, "default": "never"})}, "properties.parts.items.properties.day.default"),
    ],
)
def test_a_default_that_its_field_cannot_hold_is_not_published(
    database: Settings, fields: dict[str, Any], at: str
) -> None:
    with pytest.raises(Invalid) as refused:
        publish(form("kit", {"name": text("Name"), **fields}))
    assert [(each.code, each.at) for each in refused.value.problems] == [("default", at)]


def test_a_default_that_is_calculated_and_cannot_be_held_is_told_where_it_stands(database: Settings) -> None:
    publish(
        form("kit", {"name": text("Name"), "count": number("Count", **{"x-scale": 0, "x-default": "10 / 4"})})
    )
    answer = live.answer(SYSTEM, get_form("kit"), {"name": "x"}, None, ["name"], "en")
    assert answer["problems"] == {"count": "At most 0 digits after the point."}


@pytest.mark.parametrize("typed", ["9" * 30, "-" + "9" * 30, "1e30", "9" * 400, "1e-500", "0." + "1" * 60])
def test_a_number_of_any_length_is_told_to_be_too_long(database: Settings, typed: str) -> None:
    publish(
        form(
            "kit",
            {"count": number("Count"), "price": {"type": "number", "x-type": "amount", "title": "Price"}},
        )
    )
    for key in ("count", "price"):
        answer = live.answer(SYSTEM, get_form("kit"), {key: typed}, None, [key], "en")
        assert list(answer["problems"]) == [key]


@pytest.mark.parametrize("word", ["x-linkage", "x-query"])
@pytest.mark.parametrize("where", ["'a' IN tags", "this.name IN tags", "COUNT(tags) > 0"])
def test_several_choices_in_one_field_are_no_condition_of_a_query(
    database: Settings, word: str, where: str
) -> None:
    tags = {"type": "array", "title": "Tags", "items": {"type": "string", "enum": ["a", "b"]}}
    publish(form("rate", {"name": text("Name"), "tags": tags}))
    wanted = {"value": "name"} if word == "x-linkage" else {"columns": ["name"]}
    kind = {} if word == "x-linkage" else {"x-type": "query"}
    looks = text("Looks", **kind, **{word: {"form": "rate", "where": where, **wanted}})
    with pytest.raises(Invalid) as refused:
        publish(form("kit", {"name": text("Name"), "looks": looks}))
    assert [each.at for each in refused.value.problems] == [f"properties.looks.{word}.where"]
    publish(form("kit", {"name": text("Name"), "to": relation("To", "rate")}))


@pytest.mark.parametrize(
    ("own", "theirs", "fits"), [("price", "name", False), ("price", "cost", True), ("note", "cost", True)]
)
def test_what_a_chosen_record_brings_along_must_fit(
    database: Settings, own: str, theirs: str, fits: bool
) -> None:
    publish(form("part", {"name": text("Name"), "cost": number("Cost")}))
    lines_of = lines(
        part=relation("Part", "part", fill={own: theirs}), price=number("Price"), note=text("Note")
    )
    kit = form("kit", {"name": text("Name"), "lines": lines_of})
    if fits:
        publish(kit)
        return
    with pytest.raises(Invalid) as refused:
        publish(kit)
    assert [(each.code, each.at) for each in refused.value.problems] == [
        ("no_fit", "properties.lines.items.properties.part.x-relation.fill.price")
    ]


@pytest.mark.parametrize(
    ("theirs", "own", "code"),
    [
        ("cost", "price", None),
        ("none", "price", "no_field"),
        ("cost", "none", "no_field"),
        ("cost", "note", "no_fit"),
    ],
)
def test_what_a_record_made_from_here_gets_must_fit(
    database: Settings, theirs: str, own: str, code: str | None
) -> None:
    publish(form("part", {"name": text("Name"), "cost": number("Cost")}))
    lines_of = lines(
        part=relation("Part", "part", new={theirs: own}), price=number("Price"), note=text("Note")
    )
    kit = form("kit", {"name": text("Name"), "lines": lines_of})
    if code is None:
        publish(kit)
        return
    with pytest.raises(Invalid) as refused:
        publish(kit)
    assert [(each.code, each.at) for each in refused.value.problems] == [
        (code, f"properties.lines.items.properties.part.x-relation.new.{theirs}")
    ]


def test_what_is_brought_along_keeps_its_type(database: Settings) -> None:
    publish(form("part", {"name": text("Name"), "cost": number("Cost")}))
    publish(form("kit", {"part": relation("Part", "part", fill={"price": "cost"}), "price": number("Price")}))
    with pytest.raises(Invalid) as refused:
        publish(form("part", {"name": text("Name"), "cost": text("Cost")}))
    assert "“price” cannot hold what “cost” is." in refused.value.problems[0].message.render("en")
