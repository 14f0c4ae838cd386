"""What of definitions holds on this site alone: conditions that name a person, a department or a record by its number."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from formloop.access import people
from formloop.core.definitions import Doc, Shape, kinds, say_place
from formloop.core.expression.nodes import Literal, Typed
from formloop.core.expression.syntax import SyntaxProblem, read
from formloop.core.text import LOCALES, M, Message, Titled

LEAST = 10**11  # ids are larger, and amounts in conditions smaller


@dataclass(frozen=True, slots=True)
class Bound:
    """A condition that another site cannot read: where it stands, and whom or what it names."""

    doc: Doc
    at: str
    named: tuple[int, ...]
    called: tuple[Message | str, ...]

    def said(self, locale: str) -> str:
        """It in a sentence."""
        place = say_place(self.doc, self.at, kinds.get(self.doc["x-kind"]), locale)
        comma = "、" if locale.startswith("zh") else ", "
        names = comma.join(each.render(locale) if isinstance(each, Message) else each for each in self.called)
        text = M(
            "“{definition} › {place}” names {what}.", definition=Titled(self.doc), place=place, what=names
        )
        return text.render(locale)


def list_bound(docs: Iterable[Doc]) -> list[Bound]:
    """The conditions and formulas of these definitions that name something by its number."""
    found = [
        (doc, at, tuple(dict.fromkeys(ids)))
        for doc in docs
        for at, source in _expressions(doc, kinds.get(doc["x-kind"]).shape, ())
        if (ids := list(_ids(source)))
    ]
    known = _names({each for _, _, ids in found for each in ids})
    return [
        Bound(doc, ".".join(at), ids, tuple(known.get(each, M("a record (#{id})", id=each)) for each in ids))
        for doc, at, ids in found
    ]


def _expressions(value: Any, shape: Shape, at: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _expressions(each, shape.property(key), (*at, key))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            name = str(each.get("id", number)) if isinstance(each, dict) else str(number)
            yield from _expressions(each, shape.item(), (*at, name))
    elif isinstance(value, str) and shape.is_expression:
        yield at, value


def _ids(source: str) -> Iterator[int]:
    try:
        waiting: list[Typed] = [read(source)]
    except SyntaxProblem:
        return
    while waiting:
        part = waiting.pop()
        waiting += part.parts
        value = part.value if isinstance(part, Literal) else None
        if isinstance(value, Decimal) and value == int(value) >= LEAST:
            yield int(value)


def _names(ids: set[int]) -> dict[int, Message | str]:
    if not ids:
        return {}
    found: dict[int, Message | str] = {
        row.id: _department(row) for row in people.list_departments() if row.id in ids
    }
    return found | {id: M("the person {name}", name=name) for id, name in people.names_of(ids).items()}


def _department(row: Any) -> Message:
    names = {"title": row.name, "x-title": {LOCALES[1]: row.name_zh}}
    return M("the department {name}", name=Titled(names))
