"""Drafts edited step by step: kept, taken back, never overwritten unseen."""

import random
from datetime import timedelta

import pytest

from formloop.access.actor import Actor
from formloop.core import clock
from formloop.core.errors import Conflict, Forbidden, FormloopError, Invalid
from formloop.definitions import service as definitions
from formloop.studio import drafting
from formloop.studio.operations import apply, read_operations


def test_an_edit_is_kept_as_the_draft_at_once_with_canonical_text(studio):
    found = studio.edit(title="Wish")
    draft = definitions.find_draft(studio.id)
    assert draft.doc["title"] == "Wish" and draft.text == found.text
    assert found.can_undo and not found.can_redo and found.saved_at is not None


def test_fifty_steps_are_taken_back_and_done_again_and_more_are_not_kept(studio):
    for number in range(55):
        found = studio.edit(title=f"Title {number}")
    for _ in range(50):
        found = drafting.undo(studio.mei, studio.id, found.revision)
    assert found.doc["title"] == "Title 4" and not found.can_undo and found.can_redo
    assert drafting.undo(studio.mei, studio.id, found.revision).doc["title"] == "Title 4"
    for _ in range(50):
        found = drafting.redo(studio.mei, studio.id, found.revision)
    assert found.doc["title"] == "Title 54" and not found.can_redo


def test_an_edit_after_undo_ends_what_could_be_done_again(studio):
    studio.edit(title="One")
    found = drafting.undo(studio.mei, studio.id, studio.edit(title="Two").revision)
    assert found.doc["title"] == "One"
    found = studio.edit(title="Three")
    assert not found.can_redo
    assert drafting.undo(studio.mei, studio.id, found.revision).doc["title"] == "One"


def test_an_edit_that_changes_nothing_is_no_step(studio):
    found = studio.edit(title="Request")
    assert not found.can_undo and definitions.find_draft(studio.id) is None


def test_what_was_saved_as_text_meanwhile_is_a_step_like_others(studio):
    found = studio.edit(title="One")
    definitions.save_draft(studio.mei, "form", {**found.doc, "title": "As text"})
    assert studio.desk().can_undo
    found = studio.edit(title="Two")
    assert drafting.undo(studio.mei, studio.id, found.revision).doc["title"] == "As text"
    assert drafting.undo(studio.mei, studio.id, studio.desk().revision).doc["title"] == "One"


def test_the_first_save_as_text_is_a_step_though_nobody_had_opened_the_designer(studio):
    definitions.save_draft(studio.mei, "form", {**studio.desk().doc, "title": "As text"})
    found = studio.desk(studio.lin)
    assert found.can_undo and not found.editor
    assert drafting.undo(studio.lin, studio.id, found.revision).doc["title"] == "Request"


def test_each_save_as_text_is_a_step_also_where_several_follow_one_another(studio):
    found = studio.edit(title="One")
    for title in ("First text", "Second text", "Third text"):
        definitions.save_draft(studio.mei, "form", {**found.doc, "title": title})
    for title in ("Second text", "First text", "One"):
        found = drafting.undo(studio.mei, studio.id, studio.desk().revision)
        assert found.doc["title"] == title
    for title in ("First text", "Second text", "Third text"):
        assert drafting.redo(studio.mei, studio.id, studio.desk().revision).doc["title"] == title


def test_what_was_discarded_does_not_come_back_by_undo(studio):
    found = studio.edit(title="One")
    definitions.discard_draft(studio.mei, studio.id)
    definitions.save_draft(studio.mei, "form", {**found.doc, "title": "As text"})
    found = drafting.undo(studio.mei, studio.id, studio.desk().revision)
    assert found.doc["title"] == "Request" and not found.can_undo


def test_a_page_that_is_not_up_to_date_overwrites_nothing(studio):
    old = studio.desk().revision
    studio.edit(title="One")
    with pytest.raises(Conflict):
        drafting.edit(studio.mei, studio.id, old, lambda doc: {**doc, "title": "Late"})
    assert studio.desk().doc["title"] == "One"


def test_a_second_person_sees_who_edits_and_can_take_over(studio):
    studio.edit(title="One")
    assert studio.desk(studio.lin).editor == "Mei" and studio.desk(studio.mei).editor == ""
    with pytest.raises(Conflict, match="Mei is editing"):
        studio.edit(studio.lin, title="Two")
    assert drafting.take_over(studio.lin, studio.id).editor == ""
    studio.edit(studio.lin, title="Two")
    with pytest.raises(Conflict, match="Lin is editing"):
        studio.edit(studio.mei, title="Three")
    assert studio.desk().doc["title"] == "Two"


def test_whoever_has_left_need_not_be_asked(studio):
    studio.edit(title="One")
    with clock.stopped_at(clock.now() + timedelta(minutes=16)):
        assert studio.desk(studio.lin).editor == ""
        studio.edit(studio.lin, title="Two")


def test_publishing_ends_the_steps(studio):
    studio.edit(title="One")
    definitions.publish(studio.mei, studio.id)
    found = studio.desk()
    assert found.doc["title"] == "One" and not found.can_undo
    assert studio.edit(title="Two").can_undo


def test_only_designers_edit(studio):
    with pytest.raises(Forbidden):
        drafting.open_desk(Actor(7, "Visitor"), studio.id)


def test_problems_of_the_draft_are_known_at_once(studio):
    assert drafting.check(studio.mei, studio.desk()) == []
    found = studio.edit(required=["nothing"])
    assert [each.code for each in drafting.check(studio.mei, found)] == ["no_field"]


VALUES = [None, 1, True, "x", "", [], {}, [[]], [{}], {"id": 1}, {"title": 5}, {"": ""}, "\ud800", "A" * 600]
PLACES = [
    "",
    "title",
    "x-key",
    "x-id",
    "properties",
    "properties/item",
    "properties/item/title",
    "x-layout/0",
]
PLACES += [
    "properties/lines/items/properties/part",
    "required",
    "required/item",
    "a/b/c/d",
    "x-list/columns",
    "~",
]


def _hostile(chance):
    made = {"do": chance.choice(["set", "add", "move", "remove", "duplicate"]), "at": chance.choice(PLACES)}
    if chance.random() < 0.7:
        made["value"] = chance.choice(VALUES)
    for key in ("name", "before", "to"):
        if chance.random() < 0.3:
            made[key] = chance.choice(PLACES)
    return made


def _apply(studio, revision, said):
    drafting.edit(studio.mei, studio.id, revision, lambda doc: apply(doc, read_operations(said), {})[0])


def test_hostile_edits_are_refused_with_a_reason_and_the_draft_stays_readable(studio):
    chance, refused = random.Random(4), 0
    for _ in range(60):
        before = studio.desk()
        said = [_hostile(chance) for _ in range(chance.randint(1, 3))]
        try:
            _apply(studio, before.revision, said)
        except FormloopError as error:
            assert isinstance(error, Invalid), said
            refused += 1
            assert studio.desk().text == before.text
        drafting.check(studio.mei, studio.desk())
    assert 0 < refused < 60


def test_an_edit_nested_too_deeply_says_what_stands_where(studio):
    nested = {"title": "Innermost", "properties": {}}
    for level in range(20):
        nested = {"title": f"Level {level}", "properties": {"inner": nested}}
    before = studio.desk()
    with pytest.raises(Invalid) as refused:
        drafting.edit(
            studio.mei, studio.id, before.revision, lambda doc: {**doc, "properties": {"top": nested}}
        )
    (problem,) = refused.value.problems
    assert problem.at == "properties.top" + ".properties.inner" * 15
    assert str(problem.message) == "“Level 4” stands too deep inside others: 32 levels are possible."
    assert studio.desk().text == before.text
