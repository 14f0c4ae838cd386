"""The canonical text of a definition: the same content has the same text, byte for byte.

Two spaces, known keys in the order of the kind's schema and then by alphabet, the order of chosen keys
(fields of a form) as it stands. What fits on a line stands on one line, and the settings of one thing
share lines; the outermost object always has a line for each key.
"""

import json
from collections.abc import Iterator
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any

from formloop.core.definitions.kind import Doc, Kind
from formloop.core.definitions.shape import Shape

WIDTH = 120


def write(doc: Doc, kind: Kind | None = None) -> str:
    """The canonical text of a document, with a line end."""
    shape = kind.shape if kind else Shape.of(None)
    return _Text().block(_ordered(doc, shape), shape, 0, root=True) + "\n"


def canonical(doc: Doc, kind: Kind | None = None) -> Doc:
    """The document with its keys in canonical order."""
    ordered: Doc = _ordered(doc, kind.shape if kind else Shape.of(None))
    return ordered


def scalar_text(value: Any) -> str:
    """The JSON text of a value that contains no others."""
    if isinstance(value, str):
        return encode_basestring(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    return json.dumps(value)


def _ordered(value: Any, shape: Shape) -> Any:
    if isinstance(value, list):
        item = shape.item()
        return [_ordered(each, item) for each in value]
    if not isinstance(value, dict):
        return value
    known = shape.known
    keys = [key for key in shape.keys if key in value]
    if len(keys) < len(value):
        others = [key for key in value if key not in known]
        keys += others if shape.open else sorted(others)
    return {key: _ordered(each, shape.property(key)) if (each := value[key]) else each for key in keys}


class _Text:
    """Writes one document; remembers which of its parts fit on a line."""

    def __init__(self) -> None:
        self._flat: dict[int, str | None] = {}

    def block(self, value: Any, shape: Shape, level: int, root: bool = False) -> str:
        """An object or list over several lines, without the indent of its first line."""
        opening, closing = "{}" if isinstance(value, dict) else "[]"
        if not value:
            return opening + closing
        indent = "  " * (level + 1)
        shares = not root and self._shares_lines(value, shape)
        lines = list[str]()
        last_is_whole = False
        for member in self._members(value, shape, level + 1):
            whole = "\n" not in member
            if shares and last_is_whole and whole and len(indent) + len(lines[-1]) + len(member) + 3 <= WIDTH:
                lines[-1] += ", " + member
            else:
                lines.append(member)
            last_is_whole = whole
        return f"{opening}\n{indent}" + f",\n{indent}".join(lines) + "\n" + "  " * level + closing

    def _shares_lines(self, value: Any, shape: Shape) -> bool:
        if isinstance(value, dict):
            return shape.named
        return not any(isinstance(each, dict | list) for each in value)

    def _members(self, value: Any, shape: Shape, level: int) -> Iterator[str]:
        if isinstance(value, dict):
            for key, each in value.items():
                name = encode_basestring(key) + ": "
                yield name + self._text(each, shape.property(key), level, len(name))
        else:
            for each in value:
                yield self._text(each, shape.item(), level, 0)

    def _text(self, value: Any, shape: Shape, level: int, used: int) -> str:
        if not isinstance(value, dict | list):
            return scalar_text(value)
        flat = self._line(value)
        if flat is not None and 2 * level + used + len(flat) + 1 <= WIDTH:
            return flat
        return self.block(value, shape, level)

    def _line(self, value: Any) -> str | None:
        """The value on one line, or None when it is too long for that."""
        if not isinstance(value, dict | list):
            return scalar_text(value)
        if id(value) not in self._flat:
            self._flat[id(value)] = self._joined(value)
        return self._flat[id(value)]

    def _joined(self, value: Any) -> str | None:
        parts, length = list[str](), 2
        names = value if isinstance(value, dict) else [None] * len(value)
        members = value.values() if isinstance(value, dict) else value
        for name, each in zip(names, members, strict=True):
            text = self._line(each)
            if text is None:
                return None
            parts.append(text if name is None else f"{encode_basestring(name)}: {text}")
            length += len(parts[-1]) + 2
            if length > WIDTH + 2:
                return None
        return f"{{{', '.join(parts)}}}" if isinstance(value, dict) else f"[{', '.join(parts)}]"
