"""What of definitions holds on this site alone: accounts, and in conditions people, departments and records by their numbers."""

from collections.abc import Iterable, Iterator, Mapping
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
    """What another site may not know: where it stands, and whom or what it names."""

    doc: Doc
    at: str
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
    """The conditions and formulas of these definitions that name something by its number, and named accounts."""
    found = [
        (doc, at, named)
        for doc in docs
        for at, named in _named(doc, kinds.get(doc["x-kind"]).shape, ())
        if named
    ]
    known = _names({each for _, _, named in found for each in named if isinstance(each, int)})
    return [
        Bound(doc, ".".join(at), tuple(_called(each, known) for each in named)) for doc, at, named in found
    ]


def _called(each: int | str, known: Mapping[int, Message | str]) -> Message | str:
    if isinstance(each, str):
        return M("the account {account}", account=each)
    return known.get(each, M("a record (#{id})", id=each))


def _named(
    value: Any, shape: Shape, at: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], list[int | str]]]:
    if isinstance(value, list) and shape.picks("person"):
        yield at, [each for each in value if isinstance(each, str)]
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _named(each, shape.property(key), (*at, key))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            name = str(each.get("id", number)) if isinstance(each, dict) else str(number)
            yield from _named(each, shape.item(), (*at, name))
    elif isinstance(value, str) and shape.picks("expression"):
        yield at, list(dict.fromkeys(_ids(value)))


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
