"""The use cases of this room, in one place."""

from formloop.definitions.drafts import (
    Definition,
    Draft,
    discard_draft,
    find_draft,
    get_definition,
    list_definitions,
    save_draft,
)
from formloop.definitions.history import (
    Impact,
    Version,
    check_draft,
    compare,
    get_text,
    get_version,
    impact,
    list_history,
)
from formloop.definitions.publishing import (
    Published,
    archive,
    listeners,
    move,
    publish,
    publish_drafts,
    publish_many,
    roll_back,
    take_back,
)

__all__ = [
    "Definition",
    "Draft",
    "Impact",
    "Published",
    "Version",
    "archive",
    "check_draft",
    "compare",
    "discard_draft",
    "find_draft",
    "get_definition",
    "get_text",
    "get_version",
    "impact",
    "list_definitions",
    "list_history",
    "listeners",
    "move",
    "publish",
    "publish_drafts",
    "publish_many",
    "roll_back",
    "save_draft",
    "take_back",
]
