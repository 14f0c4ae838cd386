"""What changed between two versions of a definition, property by property, in words."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from formloop.core.definitions.kind import Doc, Kind
from formloop.core.definitions.parts import ABSENT, Path, same, split
from formloop.core.definitions.shape import Shape, kind_of_thing, kinds_of_things
from formloop.core.definitions.writing import canonical, scalar_text
from formloop.core.text import M, Message, localized

_LONGEST = 60
_SEPARATOR = " › "


@dataclass(frozen=True, slots=True)
class Label:
    """How people call one step of a path: the title of the thing itself, or of its place in the schema."""

    name: str
    thing: Any
    shape: Shape

    def render(self, locale: str) -> str:
        """The step in `locale`."""
        own = localized(self.thing, "title", locale) if isinstance(self.thing, dict) else ""
        kind = kind_of_thing(self.thing)
        if not own and kind is not None:
            return M("{kind} “{name}”", kind=kind, name=self.name).render(locale)
        return own or self.shape.title(locale) or self.name.removeprefix("x-").replace("_", " ")


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: "added", "removed", "changed", or "moved" (old and new are then orders of names)."""

    path: Path
    kind_of_change: str
    old: Any
    new: Any
    labels: tuple[Label, ...] = ()
    in_list_of_values: bool = False
    members: tuple[Label, ...] = ()  # of a list, in the new order
    # the fields of both documents by key: texts may name them
    fields: Doc = field(default_factory=dict, compare=False, repr=False)

    def describe(self, locale: str = "en") -> str:
        """The change in a sentence."""
        return self.message(locale).render(locale)

    def message(self, locale: str = "en") -> Message:
        """The sentence, its names already in `locale`."""
        shape = self.labels[-1].shape if self.labels else Shape.of(None)
        old, new = (_shown(value, shape, locale, self.fields) for value in (self.old, self.new))
        labels = self.labels[:-1] if self.in_list_of_values else self.labels
        place = _SEPARATOR.join(label.render(locale) for label in labels)
        if self.kind_of_change == "moved":
            order = ", ".join(each.render(locale) for each in self.members)
            return M("{place}: the order is now {order}.", place=place, order=_cut(order))
        if self.in_list_of_values:
            if self.kind_of_change == "added":
                return M("{place}: {value} was added.", place=place, value=new)
            return M("{place}: {value} was removed.", place=place, value=old)
        if self.kind_of_change == "added":
            told = M("{place} was added: {value}.", place=place, value=new)
            return M("{place} was added.", place=place) if new is None else told
        if self.kind_of_change == "removed":
            told = M("{place} was removed; it was {value}.", place=place, value=old)
            return M("{place} was removed.", place=place) if old is None else told
        if old is None or new is None:
            return M("{place} was changed.", place=place)
        return M("{place} changed from {old} to {new}.", place=place, old=old, new=new)


def diff(old: Doc, new: Doc, kind: Kind | None = None) -> list[Change]:
    """What changed from `old` to `new`, found by stable ids; a move is a change of order, nothing more."""
    shape = kind.shape if kind else Shape.of(None)
    identities = kind.identities if kind else {}
    walk = _Walk(identities, {**_fields(old), **_fields(new)})
    return list(walk.changes(canonical(old, kind), canonical(new, kind), shape, ()))


def _fields(thing: Any) -> Doc:
    """The fields of a document by key, columns of lines too."""
    own = thing.get("properties") if isinstance(thing, dict) else None
    found = dict(own) if isinstance(own, dict) else {}
    inner = [_fields(each.get("items")) for each in found.values() if isinstance(each, dict)]
    return {key: each for columns in inner for key, each in columns.items()} | found


def say_place(doc: Doc, at: str, kind: Kind, locale: str) -> str:
    """How people call the place that a dotted path leads to: “Fields › Total › Formula”; members by id or number."""
    thing: Any = doc
    shape, said = kind.shape, list[str]()
    for name in at.split(".") if at else ():
        if isinstance(thing, list):
            shape = shape.item()
            thing = next((each for n, each in enumerate(thing) if name in (str(n), _id_of(each))), None)
            said.append(Label(_id_of(thing) or name, thing, shape).render(locale))
        else:
            shape = shape.property(name)
            thing = thing.get(name) if isinstance(thing, dict) else None
            said.append(Label(name, thing, shape).render(locale))
    return _SEPARATOR.join(said)


def _id_of(thing: Any) -> str:
    return str(thing.get("id", "")) if isinstance(thing, dict) else ""


@dataclass(frozen=True, slots=True)
class _Walk:
    identities: Any
    fields: Doc

    def changes(self, old: Any, new: Any, shape: Shape, labels: tuple[Label, ...]) -> Iterator[Change]:
        path = tuple(label.name for label in labels)
        if same(old, new):
            return
        both = None if ABSENT in (old, new) else split((old, new), path[-1] if path else "", self.identities)
        if both is None:
            what = "added" if old is ABSENT else "removed" if new is ABSENT else "changed"
            yield Change(path, what, old, new, labels, fields=self.fields)
            return
        before, after = both.parts
        for name in {**before, **after}:
            one, other = before.get(name, ABSENT), after.get(name, ABSENT)
            inner = shape.item() if both.is_list else shape.property(name)
            label = Label(name, other if other is not ABSENT else one, inner)
            if both.is_list and not isinstance(label.thing, dict):
                if ABSENT in (one, other):
                    what = "added" if one is ABSENT else "removed"
                    yield Change((*path, name), what, one, other, (*labels, label), True, fields=self.fields)
            else:
                yield from self.changes(one, other, inner, (*labels, label))
        named = self.fields if both.is_list and shape.item().names_field else {}
        members = (Label(name, named.get(name, thing), shape.item()) for name, thing in after.items())
        stayed = [[name for name in side if name in before and name in after] for side in both.parts]
        if stayed[0] != stayed[1]:
            yield Change(path, "moved", list(before), list(after), labels, members=tuple(members))


def _shown(value: Any, shape: Shape, locale: str, fields: Doc) -> Message | str | None:
    """A value for people; None when it is too much for a sentence."""
    if value is ABSENT or isinstance(value, dict):
        return None
    if isinstance(value, list):
        members = [_member(each, shape.item(), locale, fields) for each in value]
        if None in members:
            return None
        return _cut(", ".join(each or "" for each in members) or "[]")
    if word := _word(value, shape, locale, fields):
        return f"“{_cut(word)}”"
    if isinstance(value, bool):
        return M("yes") if value else M("no")
    if value is None:
        return M("nothing")
    if isinstance(value, int | Decimal):
        return scalar_text(value)
    return f"“{_cut(value)}”"


def _member(value: Any, shape: Shape, locale: str, fields: Doc) -> str | None:
    """One of a list: a plain value, or what kind of thing it is with the plain values it has."""
    if isinstance(value, dict):
        kind = kind_of_thing(value)
        if kind is None:
            return None
        said = [
            _member(each, shape.property(key), locale, fields)
            for key, each in value.items()
            if key not in kinds_of_things
        ]
        return (
            f"{kind.render(locale)} ({', '.join(each or '…' for each in said)})"
            if said
            else kind.render(locale)
        )
    if isinstance(value, list):
        said = [_member(each, shape.item(), locale, fields) for each in value]
        return ", ".join(each or "…" for each in said)
    return _word(value, shape, locale, fields) or (value if isinstance(value, str) else scalar_text(value))


def _word(value: Any, shape: Shape, locale: str, fields: Doc) -> str:
    """How people call a value: as the schema says, or the field that it names."""
    named = fields.get(value) if isinstance(value, str) and shape.names_field else None
    return localized(named, "title", locale) if isinstance(named, dict) else shape.word(value, locale)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
