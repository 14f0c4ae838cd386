"""The case ends here, approved, also when other ways are still open."""

from collections.abc import Mapping
from typing import Any, ClassVar

from formloop.core.definitions import Doc, Library
from formloop.core.errors import Problem
from formloop.core.text import M
from formloop.forms.spec import FormSpec
from formloop.workflows.spec import Entry, Node, Visit, World


class End(Node):
    """A step behind which nothing comes."""

    name = "end"
    title = M("End")
    icon = "flag-3"
    color = "green"
    required = ("state",)
    ends = True
    schema: ClassVar[Mapping[str, Any]] = {
        "state": {
            "type": "string",
            "x-pick": "state",
            "title": "State of the record",
            "x-title": {"zh-CN": "单据状态"},
        }
    }

    def check(self, doc: Doc, at: str, form: FormSpec, library: Library) -> list[Problem]:
        """The state must be one of the form's."""
        if doc["state"] in form.states:
            return []
        text = M("The form has no state “{state}”.", state=doc["state"])
        return [Problem("state", f"{at}.state", text)]

    def enter(self, visit: Visit, world: World) -> Entry:
        """Approved: the record gets the state that stands here, and whatever else is under way ends."""
        return Entry(ends=str(visit.step.document["state"]))
