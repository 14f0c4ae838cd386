"""One option out of a tree, chosen level by level."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from formloop.core.text import M, Message
from formloop.forms.spec import OF_TEXT, Field, FieldType, Unreadable

BETWEEN = " / "


class Cascade(FieldType):
    """`x-tree` lists the paths, each a list of names from the top down; the value is one path: `Zhejiang / Ningbo`."""

    name = "cascade"
    title = M("Cascade")
    icon = "hierarchy"
    unused = (*OF_TEXT, "x-formula")
    sample: ClassVar[Mapping[str, Any]] = {"x-tree": [["A"], ["B"]]}
    widget = "cascade"
    operators = ("starts", "is", "is_not", "empty", "filled")
    options: ClassVar[Mapping[str, Any]] = {
        "x-tree": {"type": "array", "items": {"type": "array", "items": {"type": "string"}}}
    }
    searchable = True

    def read(self, field: Field, raw: Any) -> Any:
        if isinstance(raw, dict):
            raise Unreadable(M("This must be text."))
        parts = raw if isinstance(raw, list | tuple) else str(raw).replace("／", "/").split("/")
        return BETWEEN.join(p for part in parts if (p := str(part).strip())) or None

    def check(self, field: Field, value: Any) -> Message | None:
        if field.schema.get("x-tree") and value not in paths(field):
            return M("“{value}” is not in the tree of options.", value=value[:80])
        return None

    def read_filter(self, field: Field, raw: Any) -> Any:
        """A filter may also name a branch."""
        return self.read(field, raw)


def branches(field: Field) -> list[str]:
    """All paths and everything above them, in the order of the tree: what a filter can ask for."""
    found = dict.fromkeys(
        BETWEEN.join(path[:depth])
        for path in field.schema.get("x-tree", ())
        for depth in range(1, len(path) + 1)
    )
    return list(found)


def paths(field: Field) -> Sequence[str]:
    """All paths that may be chosen, as values."""
    return [BETWEEN.join(path) for path in field.schema.get("x-tree", ())]
