"""The case ends here, approved."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from formloop.core.definitions import Doc, Library
from formloop.core.errors import Problem
from formloop.core.text import M
from formloop.forms.spec import FormSpec
from formloop.workflows.spec import Entry, Node, Note, SetState, State, Step, World


class End(Node):
    """A step behind which nothing comes."""

    name = "end"
    title = M("End")
    icon = "flag-3"
    color = "green"
    required = ("state",)
    ends = True
    schema: ClassVar[Mapping[str, Any]] = {
        "state": {"type": "string", "title": "State of the record", "x-title": {"zh-CN": "单据状态"}}
    }

    def check(self, doc: Doc, at: str, form: FormSpec, library: Library) -> list[Problem]:
        """The state must be one of the form's."""
        if doc["state"] in form.states:
            return []
        text = M("The form has no state “{state}”.", state=doc["state"])
        return [Problem("state", f"{at}.state", text)]

    def enter(self, step: Step, state: State, world: World) -> Entry:
        """Approved: the record gets the state that stands here."""
        return finished(state, str(step.document["state"]), step.id)


def finished(state: State, final: str, step: str = "") -> Entry:
    """The case is over, approved."""
    ended = replace(state, status="approved", at=None, seats=())
    return Entry(ended, (SetState(final), Note("finished", step, state.round)), stays=True)
