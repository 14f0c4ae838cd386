"""The use cases of this room, in one place."""

from formloop.definitions.drafts import (
    Definition,
    Draft,
    discard_draft,
    find_draft,
    get_definition,
    list_definitions,
    list_drafts,
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
from formloop.definitions.publications import begin, cancel, get_run, list_losses
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
from formloop.definitions.rights import judges, without_known

__all__ = [
    "Definition",
    "Draft",
    "Impact",
    "Published",
    "Version",
    "archive",
    "begin",
    "cancel",
    "check_draft",
    "compare",
    "discard_draft",
    "find_draft",
    "get_definition",
    "get_run",
    "get_text",
    "get_version",
    "impact",
    "judges",
    "list_definitions",
    "list_drafts",
    "list_history",
    "list_losses",
    "listeners",
    "move",
    "publish",
    "publish_drafts",
    "publish_many",
    "roll_back",
    "save_draft",
    "take_back",
    "without_known",
]
