"""Small operations on a document, each naming its place."""

import pytest

from formloop.core.errors import Invalid
from formloop.studio.operations import Operation, apply, find, read_operations, read_path, write_path

FLOW = {
    "x-id": "0000000f",
    "title": "Flow",
    "steps": [
        {"id": "first", "who": [{"rule": "initiator"}]},
        {
            "id": "choice",
            "branches": [{"id": "big", "steps": [{"id": "boss"}]}, {"id": "small", "steps": []}],
        },
    ],
    "fields": {"lines.price": "view", "a": "edit", "b": "hide"},
}
WHOLE = {"who": ""}


def _after(*operations):
    return apply(FLOW, operations, WHOLE)


def _ids(members):
    return [each["id"] for each in members]


def test_a_place_is_named_by_keys_and_ids_with_slashes_escaped():
    for path in (("a", "lines.price"), ("a/b", "~"), ()):
        assert read_path(write_path(path)) == path
    assert find(FLOW, ("steps", "choice", "branches", "big", "steps", "boss"), WHOLE) == {"id": "boss"}
    assert find(FLOW, ("steps", "first", "who", "0"), WHOLE) == {"rule": "initiator"}
    assert find(FLOW, ("steps", "nobody", "who"), WHOLE) is None


def test_set_makes_what_is_missing_on_its_way_and_leaves_the_original_alone():
    doc, at = _after(Operation("set", ("states", "approved"), "confirmed"))
    assert doc["states"] == {"approved": "confirmed"} and at == ("states", "approved")
    assert "states" not in FLOW
    doc, _ = _after(Operation("set", ("steps", "first", "who", "0"), {"rule": "head"}))
    assert doc["steps"][0]["who"] == [{"rule": "head"}]


def test_things_are_added_before_others_and_never_under_a_name_that_is_taken():
    doc, at = _after(Operation("add", ("steps",), {"id": "boss"}, before="choice"))
    assert _ids(doc["steps"]) == ["first", "boss_2", "choice"] and at == ("steps", "boss_2")
    doc, at = _after(Operation("add", ("fields",), "view", name="a", before="b"))
    assert list(doc["fields"]) == ["lines.price", "a", "a_2", "b"] and at == ("fields", "a_2")


def test_what_needs_a_key_and_has_none_gets_one():
    doc, at = _after(*(Operation("add", ("steps",), value={"id": "", "node": "end"}) for _ in range(2)))
    assert (_ids(doc["steps"])[2:], at) == (["steps", "steps_2"], ("steps", "steps_2"))


def test_things_move_within_their_list_and_into_another_but_not_into_themselves():
    doc, _ = _after(Operation("move", ("steps", "choice"), before="first"))
    assert _ids(doc["steps"]) == ["choice", "first"]
    doc, at = _after(
        Operation("move", ("steps", "first"), to=("steps", "choice", "branches", "small", "steps"))
    )
    assert at == ("steps", "choice", "branches", "small", "steps", "first")
    assert find(doc, at, WHOLE)["who"]
    with pytest.raises(Invalid):
        _after(Operation("move", ("steps", "choice"), to=("steps", "choice", "branches", "big", "steps")))


def test_a_copy_stands_behind_its_original_with_ids_of_its_own_all_the_way_down():
    doc, at = _after(Operation("duplicate", ("steps", "choice")))
    assert _ids(doc["steps"]) == ["first", "choice", "choice_2"] and at == ("steps", "choice_2")
    assert _ids(find(doc, at, WHOLE)["branches"]) == ["big_2", "small_2"]
    doc, at = _after(Operation("duplicate", ("fields", "a")))
    assert list(doc["fields"]) == ["lines.price", "a", "a_2", "b"]


@pytest.mark.parametrize(
    "said",
    [
        None,
        [],
        {},
        [1],
        [{}],
        [{"do": "drop", "at": "x"}],
        [{"do": "set", "at": 1}],
        [{"do": "set", "at": "a", "more": 1}],
        [{"do": "set", "at": "a"}] * 101,
    ],
)
def test_what_is_no_operation_is_refused(said):
    with pytest.raises(Invalid):
        read_operations(said)


@pytest.mark.parametrize("do", ["set", "remove", "duplicate", "move"])
@pytest.mark.parametrize("at", ["", "x-id", "x-kind", "nowhere/x", "title/x", "steps/99/id", "fields/a/b/c"])
def test_what_says_which_definition_it_is_stays_and_what_is_gone_is_told(do, at):
    with pytest.raises(Invalid):
        if do == "set" and at == "nowhere/x":
            raise Invalid([])  # this one is made
        apply(FLOW, read_operations([{"do": do, "at": at}]), WHOLE)


@pytest.mark.parametrize(
    ("name", "first", "second"), [("x-checks", "checks", "checks_2"), ("steps", "steps", "steps_2")]
)
def test_what_is_added_without_a_name_gets_one_that_any_list_may_have(name, first, second):
    doc, at = apply({"title": "Form", name: []}, [Operation("add", (name,), {"id": ""})], WHOLE)
    assert at == (name, first)
    assert apply(doc, [Operation("add", (name,), {"id": ""})], WHOLE)[1] == (name, second)
