"""The proof of hostile drafts, small, on one desk; and that it notices what it is there to notice."""

from itertools import count
from random import Random

import pytest

from formloop.access.actor import SYSTEM
from formloop.definitions import service as definitions
from formloop.studio import drafting
from formloop.studio.proof import Storm

FLOW = {
    "x-kind": "workflow", "x-id": "0000003f", "x-key": "request_check", "title": "Check", "form": "request",
    "steps": [{"id": "ask", "node": "approval", "title": "Ask", "who": [{"rule": "people", "people": ["mei"]}]}],
}  # fmt: skip
STATES = {"draft": {"title": "Draft"}, "retired": {"title": "Retired"}}


def _strike(studio, most, until=lambda storm: False):
    studio.app.config |= {"WTF_CSRF_ENABLED": False, "PROPAGATE_EXCEPTIONS": False}
    definitions.publish_many(SYSTEM, [FLOW], "first")
    storm = Storm(studio.client(studio.mei), Random(3))
    for number in range(most):
        if not until(storm):
            storm.strike(number)
    return storm


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_hostile_gestures_and_texts_fail_nothing_and_lose_nothing(studio):
    storm = _strike(studio, 200)
    assert (storm.failed, storm.lost) == ([], [])
    assert storm.changed > 10 and storm.taken_back > 0


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_something_named_is_added_only_where_named_things_are(studio):
    studio.edit(**{"x-states": STATES})
    sent = {"revision": studio.desk().revision, "at": "x-states/retired", "value": "null", "title": "标题"}
    studio.app.config["WTF_CSRF_ENABLED"] = False
    client, here = studio.client(studio.mei), {"Origin": "http://localhost", "HX-Request": "true"}
    for value in ("null", "3", "[]", '"a"'):
        url = f"/studio/{studio.id}/do/add-named"
        assert client.post(url, data={**sent, "value": value}, headers=here).status_code == 422


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_proof_notices_an_error_and_a_draft_that_is_lost(studio, monkeypatch):
    keep, times = drafting._keep, count()

    def forget(actor, row, doc, place):
        if next(times) % 2:
            keep(actor, row, {**doc, "title": "gone"}, place)
        else:
            raise ZeroDivisionError

    monkeypatch.setattr(drafting, "_keep", forget)
    storm = _strike(studio, 400, lambda storm: storm.failed and storm.lost)
    assert storm.failed and storm.lost


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "broken",
    [
        3,
        [],
        {"lines": {"type": "array", "items": [3]}},
        {"lines": {"type": "array", "items": 3}},
        {"item": None},
        {"a": {"x-relation": []}},
    ],
)
def test_the_formula_editor_opens_on_a_broken_form(studio, broken):
    studio.edit(properties=broken)
    client = studio.client(studio.mei)
    for at in (
        "",
        "required",
        "properties/item/x-formula",
        "properties/lines/items/properties/part/x-formula",
    ):
        assert client.get(f"/studio/{studio.id}/formula?at={at}").status_code == 200, at
