"""Merging three states of a definition by stable ids: what must hold for all of them."""

from copy import deepcopy

from hypothesis import given
from hypothesis import strategies as st

from core.definitions.specimens import FORM, order_form
from formloop.core.definitions import ABSENT, canonical, diff, merge, write

names = st.sampled_from(["amount", "customer", "due", "note", "price", "unit"])
words = st.sampled_from(["one", "two", "three"])
fields = st.fixed_dictionaries(
    {"type": st.sampled_from(["string", "number"])}, optional={"title": words, "x-formula": words}
)


def _maps(keys, members):
    return st.lists(st.tuples(keys, members), max_size=5).map(dict)


checks = _maps(names, words).map(lambda found: [{"id": key, "holds": word} for key, word in found.items()])
forms = st.fixed_dictionaries(
    {"title": words, "properties": _maps(names, fields)},
    optional={
        "required": st.lists(names, unique=True, max_size=4),
        "x-checks": checks,
        "x-layout": st.lists(st.lists(names, max_size=2), max_size=3),
        "x-list": st.fixed_dictionaries(
            {},
            optional={
                "columns": st.lists(names, unique=True, max_size=4),
                "sort": st.lists(names, max_size=2),
            },
        ),
    },
)


@given(forms, forms)
def test_what_only_they_changed_is_taken(base, theirs):
    merged = merge(base, base, theirs, FORM)
    assert merged.conflicts == []
    assert write(merged.doc, FORM) == write(theirs, FORM)


@given(forms, forms)
def test_what_only_i_changed_stays(base, mine):
    merged = merge(base, mine, base, FORM)
    assert merged.conflicts == []
    assert write(merged.doc, FORM) == write(mine, FORM)


@given(forms, forms)
def test_the_same_change_on_both_sides_is_no_conflict(base, both):
    merged = merge(base, both, both, FORM)
    assert merged.conflicts == []
    assert write(merged.doc, FORM) == write(both, FORM)


@given(forms, forms, forms)
def test_conflicts_are_the_same_from_both_sides(base, one, other):
    there, back = merge(base, one, other, FORM), merge(base, other, one, FORM)
    assert {(c.path, str(c.mine), str(c.theirs), c.of_order) for c in there.conflicts} == {
        (c.path, str(c.theirs), str(c.mine), c.of_order) for c in back.conflicts
    }


def _at(doc, path):
    found = doc
    for step in path:
        if isinstance(found, list):
            found = next(
                (m for m in found if m == step or (isinstance(m, dict) and m.get("id") == step)), ABSENT
            )
        else:
            found = found.get(step, ABSENT)
        if found is ABSENT:
            return ABSENT
    return found


@given(forms, forms, forms)
def test_nothing_is_lost(base, mine, theirs):
    merged = merge(base, mine, theirs, FORM)
    told = [conflict.path for conflict in merged.conflicts]
    for side in (mine, theirs):
        for change in diff(base, side, FORM):
            if change.kind_of_change == "moved" or any(change.path[: len(path)] == path for path in told):
                continue
            found = _at(merged.doc, change.path)
            assert found is not ABSENT if change.new is not ABSENT else found is ABSENT
            if not isinstance(change.new, dict | list):
                assert found == change.new


@given(forms, forms, forms)
def test_every_conflict_can_be_decided_for_them(base, mine, theirs):
    choices = {conflict.path: "theirs" for conflict in merge(base, mine, theirs, FORM).conflicts}
    decided = merge(base, mine, theirs, FORM, choices)
    assert decided.conflicts == []
    for path in choices:
        if not any(isinstance(_at(each, path), list | dict) for each in (mine, theirs)):
            assert _at(decided.doc, path) == _at(theirs, path)


def test_a_field_i_added_and_a_field_they_added_are_both_there_each_after_its_neighbour():
    mine, theirs = order_form(), order_form()
    mine["properties"]["note"] = {"type": "string"}
    theirs["properties"] = {"number": {"type": "string"}, **theirs["properties"]}
    merged = merge(order_form(), mine, theirs, FORM)
    assert merged.conflicts == []
    assert list(merged.doc["properties"]) == ["number", "customer", "amount", "note"]


def test_two_titles_for_one_field_are_a_conflict_about_that_title_only():
    mine, theirs = order_form(), order_form()
    mine["properties"]["amount"]["title"] = "Sum"
    theirs["properties"]["amount"] |= {"title": "Value", "x-formula": "price * quantity"}
    merged = merge(order_form(), mine, theirs, FORM)
    (conflict,) = merged.conflicts
    assert (conflict.path, conflict.base, conflict.mine, conflict.theirs) == (
        ("properties", "amount", "title"),
        "Amount",
        "Sum",
        "Value",
    )
    assert merged.doc["properties"]["amount"] == {
        **mine["properties"]["amount"],
        "x-formula": "price * quantity",
    }


def test_what_i_removed_and_they_changed_is_a_conflict():
    mine, theirs = order_form(), order_form()
    del mine["properties"]["amount"]
    theirs["properties"]["amount"]["title"] = "Value"
    (conflict,) = merge(order_form(), mine, theirs, FORM).conflicts
    assert conflict.path == ("properties", "amount") and conflict.mine is ABSENT


def test_two_different_orders_are_a_conflict_of_order():
    base = order_form(**{"x-list": {"columns": ["a", "b", "c"]}})
    mine = order_form(**{"x-list": {"columns": ["b", "a", "c"]}})
    theirs = order_form(**{"x-list": {"columns": ["a", "c", "b"]}})
    merged = merge(base, mine, theirs, FORM)
    assert [(c.path, c.of_order) for c in merged.conflicts] == [(("x-list", "columns"), True)]
    assert merged.doc["x-list"]["columns"] == ["b", "a", "c"]


def test_merging_leaves_its_arguments_alone():
    base, mine, theirs = order_form(), order_form(title="Mine"), order_form(required=[])
    before = deepcopy((base, mine, theirs))
    merge(base, mine, theirs, FORM)
    assert (base, mine, theirs) == before
    assert canonical(base, FORM) == base
