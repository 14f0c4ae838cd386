"""People do something, without deciding whether it may go on."""

from collections.abc import Mapping
from typing import Any, ClassVar

from formloop.core.text import M
from formloop.workflows.nodes.approval import ACTION_WORDS, Approval
from formloop.workflows.spec import ACTIONS, OFFERED

_ACTIONS = tuple(each for each in ACTIONS if each != "reject")


class Handle(Approval):
    """A step that waits for people who have something to do; they cannot reject."""

    name = "handle"
    title = M("Work to do")
    icon = "tool"
    color = "purple"
    agree = M("Mark as done")
    agreed = M("Done.")
    actions: ClassVar[tuple[str, ...]] = _ACTIONS
    schema: ClassVar[Mapping[str, Any]] = {
        **{key: value for key, value in Approval.schema.items() if key not in ("percent", "rejected")},
        "mode": {**Approval.schema["mode"], "enum": ["any", "all", "in_turn"]},
        "actions": {
            **Approval.schema["actions"],
            "items": {"enum": list(_ACTIONS), "x-titles": ACTION_WORDS},
            "default": [each for each in OFFERED if each in _ACTIONS],
        },
    }
