"""The way that an example takes through a workflow, told before either is published."""

import pytest

from formloop.access.actor import SYSTEM
from formloop.definitions import library
from formloop.definitions import service as definitions
from formloop.forms import examples
from formloop.forms.kind import get_form
from workflows.specimens import REQUEST, approval, workflow_doc
from workflows.stage import END

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def branch(key, when, *steps):
    return {"id": key, "title": key, **({"when": when} if when else {}), "steps": list(steps)}


def by_amount(limit):
    large = branch("large", f"amount >= {limit}", approval("management", "dee"))
    split = {"id": "size", "node": "condition", "branches": [large, branch("other", "")]}
    look_up = {"id": "find", "node": "data", "do": "query", "form": "request", "by": {"subject": "subject"}}
    return [approval("first", "bob"), look_up, split, END]


def example(amount, *way):
    given = {"subject": "A desk", "amount": amount}
    return {
        "id": f"of_{amount}",
        "title": f"Of {amount}",
        "on": "2026-03-02",
        "given": given,
        "expect": {"problems": {}, "way": list(way)},
    }


@pytest.fixture
def tried(stage):
    stage.publish(*by_amount(1000))
    doc = {**REQUEST, "x-examples": [example(10, "first"), example(5000, "first", "management")]}
    definitions.publish_many(SYSTEM, [doc], "with examples")
    return doc


def test_an_example_goes_the_way_its_values_decide_also_past_steps_that_look_something_up(tried):
    results = examples.run_all(get_form("request"), library.VIEW)
    assert [each.differences for each in results] == [[], []]
    assert results[1].way.steps == ("first", "management")


def test_a_workflow_that_sends_an_example_elsewhere_says_so_before_it_is_published(tried):
    saved = definitions.save_draft(SYSTEM, "workflow", workflow_doc(*by_amount(9000)))
    found = definitions.impact(SYSTEM, saved.id)
    (problem,) = [each for each in found.problems if each.code == "example"]
    assert found.possible and problem.severity == "warning"
    assert problem.message.render().startswith("The example “Of 5000” no longer holds. Way of the approval:")
    assert problem.message.render("zh-CN").startswith("示例“Of 5000”不再成立。审批路径：期望")


def test_an_example_of_the_draft_of_the_form_guards_the_workflow_too(tried):
    more = [
        *tried["x-examples"],
        example(6000, "first", "management"),
        {**example(7, "no"), "given": {"new": 1}},
    ]
    definitions.save_draft(SYSTEM, "form", {**tried, "x-examples": more})
    saved = definitions.save_draft(SYSTEM, "workflow", workflow_doc(*by_amount(9000)))
    told = [each for each in definitions.impact(SYSTEM, saved.id).problems if each.code == "example"]
    assert [each.message.render()[:21] for each in told] == ["The example “Of 5000”", "The example “Of 6000”"]
    assert {each.at for each in told} == {""}  # it stands in the form, and no place of the workflow is named


def test_a_refused_example_goes_nowhere_and_says_why(tried):
    doc = {**tried, "x-examples": [{**example(10, "first"), "given": {"amount": 10}}]}
    saved = definitions.save_draft(SYSTEM, "form", doc)
    told = [each.message.render() for each in definitions.check_draft(SYSTEM, saved.id)]
    assert len(told) == 1 and "Subject: expected no problem" in told[0]
