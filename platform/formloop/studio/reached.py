"""Which states records of a form can come to, as published workflows and bridges move them."""

from collections.abc import Iterator

from formloop.bridges.spec import CANCELLED
from formloop.definitions import library
from formloop.forms import sharing
from formloop.forms.spec import FormSpec
from formloop.workflows.spec import Workflow


def reached(form: FormSpec) -> set[str]:
    """The first state, and those that something brings a record to."""
    found = {next(iter(form.states), "")}
    if by_link := sharing.settings_of(form).get("state"):
        found.add(by_link)  # whoever fills it in by a link brings it there
    for workflow in library.all_published("workflow"):
        found.update(_moved(workflow, form.key))
    for bridge in library.all_published("bridge"):
        if bridge.target == form.key and bridge.removed == "cancel":
            found.add(CANCELLED)
    return found


def _moved(workflow: Workflow, form: str) -> Iterator[str]:
    """The states of a form that a workflow brings records to: its own, or those that its steps change."""
    steps = [step.document for step in workflow.steps.values() if "state" in step.document]
    if workflow.form == form:
        yield from (str(step["state"]) for step in steps if "form" not in step)
        if workflow.amends is None:
            yield from workflow.states.values()
        elif workflow.amends.cancelled:
            yield workflow.amends.cancelled
    yield from (str(step["state"]) for step in steps if step.get("form") == form)
