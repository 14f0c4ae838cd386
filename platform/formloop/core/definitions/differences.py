"""What changed between two versions of a definition, property by property, in words."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from formloop.core.definitions.kind import Doc, Kind
from formloop.core.definitions.parts import ABSENT, Path, same, split
from formloop.core.definitions.shape import Shape, fields_named, kind_of_thing, kinds_of_things
from formloop.core.definitions.writing import canonical, scalar_text
from formloop.core.text import LOCALES, M, Message, localized, named_in, said_in

_LONGEST = 60
_LONG = 160  # of what is told of several settings at once
_QUOTED = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""")
_NAME = re.compile(r"[^\W\d]\w*(?:\.\w+)*(?![\w(])")
_SEPARATOR = " › "


@dataclass(frozen=True, slots=True)
class Label:
    """How people call one step of a path: the title of the thing itself, or of its place in the schema."""

    name: str
    thing: Any
    shape: Shape
    number: int = 0  # of a member of a list
    language: str = ""  # of a text that there is in several

    def render(self, locale: str) -> str:
        """The step in `locale`."""
        if self.language:
            return named_in(replace(self, language="").render(locale), self.language, locale)
        titled = isinstance(self.thing, dict) and not self.shape.property("title").names_field
        own = localized(self.thing, "title", locale) if titled else ""
        kind = kind_of_thing(self.thing)
        if not own and kind is not None:
            numbered = M("{kind} (no. {number})", kind=kind, number=self.number)
            said = M("{kind} “{name}”", kind=kind, name=self.name)
            unnamed = self._unnamed or not _id_of(self.thing)
            return (numbered if self.number and unnamed else said).render(locale)
        common = M("Name").render(locale) if self.name in ("title", "x-title") else ""
        known = own or self.shape.called_by_value(self.thing, locale) or self.shape.title(locale) or common
        if not known and self.number and "steps" in self.thing:
            return M("no. {number}", number=self.number).render(locale)
        return known or self.name.removeprefix("x-").replace("_", " ")

    @property
    def _unnamed(self) -> bool:
        """Whether it is called as a designer calls a new one of its kind: `condition`, `condition_2`."""
        words = (str(self.thing[key]) for key in kinds_of_things.names() if key in self.thing)
        return re.sub(r"_\d+$", "", self.name) in words

    @property
    def silent(self) -> bool:
        """Whether it says nothing that the steps around it do not say."""
        return self.name == "properties" and not self.shape.title("en") and not isinstance(self.thing, str)


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: "added", "removed", "changed", or "moved" (old and new are then orders of names).

    What a kind tells in words of its own has `said`, and may be "placed": it stands elsewhere.
    """

    path: Path
    kind_of_change: str
    old: Any
    new: Any
    labels: tuple[Label, ...] = ()
    in_list_of_values: bool = False
    members: tuple[Label, ...] = ()  # of a list, in the new order
    # the fields of both documents by key: texts may name them
    fields: Doc = field(default_factory=dict, compare=False, repr=False)
    said: Callable[[str], Message] | None = field(default=None, compare=False, repr=False)

    def describe(self, locale: str = "en") -> str:
        """The change in a sentence."""
        return self.message(locale).render(locale)

    def message(self, locale: str = "en") -> Message:
        """The sentence, its names already in `locale`."""
        if self.said is not None:
            return self.said(locale)
        shape = self.labels[-1].shape if self.labels else Shape.of(None)
        old, new = (_shown(value, shape, locale, self.fields) for value in (self.old, self.new))
        labels = self.labels[:-1] if self.in_list_of_values else self.labels
        place = _SEPARATOR.join(label.render(locale) for label in labels if not label.silent)
        if self.kind_of_change == "moved":
            order = ", ".join(each.render(locale) for each in self.members)
            return M("{place}: the order is now {order}.", place=place, order=_cut(order))
        if self.in_list_of_values:
            if self.kind_of_change == "added":
                return M("{place}: {value} was added.", place=place, value=new)
            return M("{place}: {value} was removed.", place=place, value=old)
        if self.kind_of_change in ("added", "removed"):
            return self._came_or_went(place, old if self.kind_of_change == "removed" else new)
        if old is None or new is None:
            return M("{place} was changed.", place=place)
        return M("{place} changed from {old} to {new}.", place=place, old=old, new=new)

    def _came_or_went(self, place: str, value: Message | str | None) -> Message:
        came, several = self.kind_of_change == "added", self._several
        if value is None:
            if came:
                return (
                    M("{place} were added.", place=place) if several else M("{place} was added.", place=place)
                )
            return (
                M("{place} were removed.", place=place) if several else M("{place} was removed.", place=place)
            )
        if came:
            told = M("{place} were added: {value}.", place=place, value=value)
            return told if several else M("{place} was added: {value}.", place=place, value=value)
        told = M("{place} were removed; they were {value}.", place=place, value=value)
        return told if several else M("{place} was removed; it was {value}.", place=place, value=value)

    @property
    def _several(self) -> bool:
        """Whether it is about several things by one word, such as “Columns”."""
        value = self.old if self.new is ABSENT else self.new
        said = self.labels[-1].shape.title("en") if self.labels else ""
        return isinstance(value, list | dict) and said.endswith("s") and self.labels[-1].render("en") == said


def diff(old: Doc, new: Doc, kind: Kind | None = None) -> list[Change]:
    """What changed from `old` to `new`, found by stable ids; a move is a change of order, nothing more."""
    shape = kind.shape if kind else Shape.of(None)
    identities, tells = (kind.identities, kind.tells) if kind else ({}, {})
    named = [each for doc in (old, new) for each in ((kind.named(doc) if kind else {}), fields_in(doc))]
    walk = _Walk(identities, {key: each for fields in named for key, each in fields.items()})
    before, after = canonical(old, kind), canonical(new, kind)
    one, other = ({key: each for key, each in doc.items() if key not in tells} for doc in (before, after))
    found = list(walk.changes(one, other, shape, ()))
    for key, tell in tells.items():
        if not same(before.get(key, ABSENT), after.get(key, ABSENT)):
            found += tell(before, after, shape.property(key))
    return found


def fields_in(thing: Any) -> Doc:
    """The fields of a document by key, columns of lines too."""
    own = thing.get("properties") if isinstance(thing, dict) else None
    found = dict(own) if isinstance(own, dict) else {}
    inner = [fields_in(each.get("items")) for each in found.values() if isinstance(each, dict)]
    return {key: each for columns in inner for key, each in columns.items()} | found


def say_place(doc: Doc, at: str, kind: Kind, locale: str) -> str:
    """How people call the place that a dotted path leads to: “Fields › Total › Formula”; members by id or number."""
    thing: Any = doc
    shape, said = kind.shape, list[str]()
    for name in at.split(".") if at else ():
        if isinstance(thing, list):
            shape = shape.item()
            number, thing = next(
                ((n, each) for n, each in enumerate(thing, 1) if name in (str(n - 1), _id_of(each))),
                (0, None),
            )
            said.append(Label(_id_of(thing) or name, thing, shape, number).render(locale))
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
        texts = [] if both.is_list else _in_languages(before, after)
        for name in texts:
            yield from self._by_language(name, before, after, shape.property(name), labels)
        for name in {**before, **after}:
            if name.removeprefix("x-") in texts:
                continue
            one, other = before.get(name, ABSENT), after.get(name, ABSENT)
            inner = shape.item() if both.is_list else shape.property(name)
            thing, field = other if other is not ABSENT else one, self.fields.get(name)
            if not both.is_list and shape.members_name_fields and isinstance(field, dict):
                inner = inner.with_words(field.get("x-titles", {}))
                label = Label(name, field, inner)
            else:
                number = 1 + [*(after if name in after else before)].index(name) if both.is_list else 0
                label = Label(name, thing, inner, number if isinstance(thing, dict) else 0)
            if both.is_list and not isinstance(thing, dict):
                if ABSENT in (one, other):
                    what = "added" if one is ABSENT else "removed"
                    yield Change((*path, name), what, one, other, (*labels, label), True, fields=self.fields)
            else:
                walk = self._about(thing) if both.is_list else self
                yield from walk.changes(one, other, inner, (*labels, label))
        named = self.fields if both.is_list and shape.item().names_field else {}
        members = (
            Label(name, named.get(name.removeprefix("-"), thing), shape.item())
            for name, thing in after.items()
        )
        stayed = [[name for name in side if name in before and name in after] for side in both.parts]
        if stayed[0] != stayed[1]:
            yield Change(path, "moved", list(before), list(after), labels, members=tuple(members))

    def _by_language(
        self, name: str, before: Any, after: Any, shape: Shape, labels: tuple[Label, ...]
    ) -> Iterator[Change]:
        """How a text and its translations changed, language by language."""
        was, now = said_in(before, name), said_in(after, name)
        for each in LOCALES:
            old, new = was.get(each, ABSENT), now.get(each, ABSENT)
            if old != new:
                label = Label(name, None, shape, language=each)
                path = (name,) if each == LOCALES[0] else (f"x-{name}", each)
                what = "added" if old is ABSENT else "removed" if new is ABSENT else "changed"
                yield Change((*(one.name for one in labels), *path), what, old, new, (*labels, label))

    def _about(self, thing: Any) -> "_Walk":
        """The same inside a member of a list that is about a form of its own, whose fields it names."""
        form, find = thing.get("form"), fields_named.find("form")
        return replace(self, fields={**find(form), **self.fields}) if find and isinstance(form, str) else self


def _in_languages(before: Doc, after: Doc) -> list[str]:
    """The texts that have, or had, translations beside them."""

    def translated(side: Doc, name: str) -> bool:
        beside = side.get(f"x-{name}")
        return isinstance(beside, dict) and bool(beside) and all(key in LOCALES for key in beside)

    names = dict.fromkeys([*before, *after])
    return [each for each in names if translated(before, each) or translated(after, each)]


def _shown(value: Any, shape: Shape, locale: str, fields: Doc) -> Message | str | None:
    """A value for people; None when it is too much for a sentence, or says its name already."""
    if isinstance(value, dict):
        said = (
            None
            if "title" in value and not shape.property("title").names_field
            else _parts(value, shape, locale, fields)
        )
        return _cut(said, _LONG) if said else None
    if value is ABSENT:
        return None
    if isinstance(value, list):
        members = [_member(each, shape.item(), locale, fields) for each in value]
        if None in members:
            return None
        return _cut(", ".join(each or "" for each in members) or "[]")
    if isinstance(value, str) and value.startswith("data:image/"):
        return M("a picture")
    if word := _word(value, shape, locale, fields):
        return f"“{_cut(word)}”"
    if isinstance(value, bool):
        return M("yes") if value else M("no")
    if value is None:
        return M("nothing")
    if isinstance(value, int | Decimal):
        return scalar_text(value)
    return f"“{_cut(_read(value, shape, locale, fields))}”"


def _parts(value: Any, shape: Shape, locale: str, fields: Doc) -> str:
    """What an object holds, in a line: its things by their names, its settings with their values."""
    said = []
    for key, each in value.items():
        if key == "id" or (key in kinds_of_things and kind_of_thing(value) is not None):
            continue  # what it is called says that
        inner, field = shape.property(key), fields.get(key) if shape.members_name_fields else None
        name = Label(key, field or each, inner).render(locale)
        inner = inner.with_words(field.get("x-titles", {})) if isinstance(field, dict) else inner
        shown = _shown(each, inner, locale, fields)
        text = shown.render(locale) if isinstance(shown, Message) else shown
        said.append(text if text and key in LOCALES else f"{name} {text}" if text else name)
    return ("；" if locale.startswith("zh") else "; ").join(said)


def _read(text: str, shape: Shape, locale: str, fields: Doc) -> str:
    """A text; of an expression with the titles of fields in place of their keys."""
    if not shape.is_expression or not fields:
        return text

    def title(found: "re.Match[str]") -> str:
        words = [_word_of(fields.get(part), locale) or part for part in found[0].split(".")]
        return " · ".join(words)

    parts = _QUOTED.split(text)  # texts stand at the odd places
    return "".join(part if at % 2 else _NAME.sub(title, part) for at, part in enumerate(parts))


def _word_of(field: Any, locale: str) -> str:
    return localized(field, "title", locale) if isinstance(field, dict) else ""


def _member(value: Any, shape: Shape, locale: str, fields: Doc) -> str | None:
    """One of a list: a plain value, or what kind of thing it is with the plain values it has."""
    if isinstance(value, dict):
        kind = kind_of_thing(value)
        if kind is None:
            own = "" if shape.property("title").names_field else localized(value, "title", locale)
            return f"“{own}”" if own else None
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
    if not isinstance(value, str) or not shape.names_field:
        return shape.word(value, locale)
    key, falls = value.removeprefix("-"), value.startswith("-")
    words = [_word_of(fields.get(part), locale) for part in key.split(".")]
    named = " · ".join(words) if all(words) else ""
    return f"{named} ↓" if named and falls else named or shape.word(value, locale)


def _cut(text: str, longest: int = _LONGEST) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
