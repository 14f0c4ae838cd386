"""One change of an earlier publishing is taken back, and the later ones stay."""

from copy import deepcopy
from typing import Any

import pytest
from flask.testing import FlaskClient

from formloop.access.actor import SYSTEM
from formloop.core.definitions import diff
from formloop.definitions import service as definitions
from formloop.studio import drafting, restoring
from formloop.workflows.kind import WORKFLOW
from studio.conftest import PAPER


@pytest.fixture
def client(studio: Any) -> FlaskClient:
    """Three versions: the second renames, adds, removes and requires; the third adds one more field."""
    studio.app.config["WTF_CSRF_ENABLED"] = False
    second = deepcopy(PAPER)
    second["properties"]["item"]["title"] = "Article"
    second["properties"]["colour"] = {"type": "string", "title": "Colour"}
    del second["properties"]["wanted"]
    second["required"] = ["item", "quantity"]
    second["x-layout"] = [["item", "quantity"], ["colour"]]
    third = deepcopy(second)
    third["properties"]["note"] = {"type": "string", "title": "Note"}
    definitions.publish_many(SYSTEM, [second], "second")
    definitions.publish_many(SYSTEM, [third], "third")
    return studio.client(studio.mei)


def place_of(studio: Any, words: str) -> int:
    """The number of the change from version 1 to 2 whose sentence begins so."""
    changes = definitions.compare(studio.id, 1, 2)
    return next(n for n, change in enumerate(changes) if change.describe().startswith(words))


def take_back(client: FlaskClient, studio: Any, words: str) -> Any:
    with studio.app.app_context():
        given = {"old": 1, "new": 2, "place": place_of(studio, words)}
    return client.post(f"/studio/{studio.id}/restore", data=given)


def test_a_changed_an_added_and_a_removed_thing_come_back_one_by_one(
    studio: Any, client: FlaskClient
) -> None:
    page = client.get(f"/definitions/{studio.id}?old=1&new=2").text
    assert page.count(f'action="/studio/{studio.id}/restore"') >= 4
    for words in (
        "Fields › Article › ",
        "Fields › Wanted by was removed",
        "Fields › Colour was added",
        "Required",
    ):
        assert take_back(client, studio, words).status_code == 303
    with studio.app.app_context():
        doc = studio.desk().doc
        assert doc["properties"]["item"]["title"] == "Item" and doc["required"] == ["item"]
        assert set(doc["properties"]) == {"item", "quantity", "wanted", "lines", "note"}
        assert studio.desk().can_undo


def test_a_field_comes_back_where_it_stood(studio: Any, client: FlaskClient) -> None:
    take_back(client, studio, "Fields › Wanted by was removed")
    with studio.app.app_context():
        doc = studio.desk().doc
        assert list(doc["properties"]) == ["item", "quantity", "wanted", "lines", "colour", "note"]
        assert doc["x-layout"][:2] == [["item", "quantity"], ["wanted"]]


@pytest.mark.parametrize(
    ("gone", "order"),
    [("first", ["first", "second", "new", "done"]), ("second", ["first", "new", "second", "done"])],
)
def test_a_step_comes_back_in_front_of_what_stood_behind_it(studio: Any, gone: str, order: list[str]) -> None:
    steps = [
        {"id": name, "node": "approval", "title": name, "people": ["administrator"]}
        for name in ("first", "second")
    ]
    new, done = {**steps[0], "id": "new", "title": "new"}, {"id": "done", "node": "end", "state": "confirmed"}
    old = {"x-key": "flow", "steps": [*steps, done]}
    kept = {"x-key": "flow", "steps": [each for each in (*steps, new, done) if each["id"] != gone]}
    (change,) = [each for each in diff(old, kept, WORKFLOW) if each.kind_of_change == "removed"]
    assert [each["id"] for each in restoring._without(kept, change, old, WORKFLOW)["steps"]] == order


def test_what_is_back_already_is_left_and_a_number_that_is_none_is_not_found(
    studio: Any, client: FlaskClient
) -> None:
    take_back(client, studio, "Fields › Colour was added")
    assert take_back(client, studio, "Fields › Colour was added").status_code == 303
    for given in ({"old": 1, "new": 2, "place": 99}, {"old": 1}, {"old": 1, "new": 9, "place": 0}):
        assert client.post(f"/studio/{studio.id}/restore", data=given).status_code == 404


def test_nothing_is_taken_back_under_somebodys_hands(studio: Any, client: FlaskClient) -> None:
    with studio.app.app_context():
        studio.edit(studio.lin, title="Lin's")
    answer = take_back(client, studio, "Fields › Colour was added")
    assert answer.status_code == 303
    with studio.app.app_context():
        assert "colour" in studio.desk(studio.lin).doc["properties"]
        with pytest.raises(Exception, match="Lin is editing this"):
            restoring.take_back(studio.mei, studio.id, 1, 2, place_of(studio, "Fields › Colour was added"))
        assert drafting.open_desk(studio.mei, studio.id).editor == "Lin"


def test_a_field_that_moved_and_a_section_that_came_or_went_are_taken_back(studio: Any) -> None:
    studio.app.config["WTF_CSRF_ENABLED"] = False
    client = studio.client(studio.mei)
    head, money = ({"id": each, "is": "section", "title": each.title()} for each in ("head", "money"))
    first = {**PAPER, "x-layout": [head, ["item"], ["quantity"], ["wanted"], ["lines"]]}
    second = {**PAPER, "x-layout": [["quantity"], ["item"], money, ["wanted"], ["lines"]]}
    definitions.publish_many(SYSTEM, [first], "first layout")
    definitions.publish_many(SYSTEM, [second], "second layout")
    with studio.app.app_context():
        said = [each.describe() for each in definitions.compare(studio.id, 2, 3)]
    assert "Section “Money” was added, with “Wanted by”, “Lines”." in said
    assert "Section “Head” was removed; “Item”, “Quantity” now in the beginning of the form." in said
    for words in ("Section “Money” was added", "Section “Head” was removed", "“"):
        with studio.app.app_context():
            changes = definitions.compare(studio.id, 2, 3)
            place = next(
                n
                for n, each in enumerate(changes)
                if each.describe().startswith(words) and restoring.can_take_back(each)
            )
        given = {"old": 2, "new": 3, "place": place}
        assert client.post(f"/studio/{studio.id}/restore", data=given).status_code == 303
    with studio.app.app_context():
        layout = studio.desk().doc["x-layout"]
    assert layout == [head, ["item"], ["quantity"], ["wanted"], ["lines"]]
