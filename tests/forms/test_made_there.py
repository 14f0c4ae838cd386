"""Making the record that a field is to point to from where it is chosen."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from forms.conftest import form, publish, relation, text
from ledgers.test_pages import sign_in


@pytest.fixture
def ann(app: Flask) -> FlaskClient:
    app.config["WTF_CSRF_ENABLED"] = False
    # a tag may have no name where it is entered by itself
    publish(form("tag", {"name": text("Name")}), form("note", {"tag": relation("Tag", "tag", new={})}))
    return sign_in(app, "ann", administrator=True)


# what a page answers needs no database of its own
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("asked", [{"q": ""}, {"q": "  "}, {}])
def test_without_a_name_nothing_is_made(ann: FlaskClient, asked: dict[str, str]) -> None:
    at = "/f/note/choices/tag"
    answer = ann.post(at, data=asked)
    assert answer.status_code == 422
    assert answer.get_json() == {"message": "Name: This must be filled in."}
    assert ann.get(at).get_json() == []
    assert ann.post(at, data={"q": " red "}).get_json()["text"] == "red"
