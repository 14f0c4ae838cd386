"""Property panels: any part of a definition drawn and read back by the form engine, from its kind's own schema."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from formloop.core import clock
from formloop.core.definitions import Path
from formloop.core.definitions.shape import kind_of_thing
from formloop.core.errors import Problem
from formloop.core.expression import Context
from formloop.core.text import LOCALES, M, Message
from formloop.definitions.editor import empty_value
from formloop.forms import kind, screen
from formloop.forms.spec import FormSpec, Said
from formloop.studio.choices import choices_input
from formloop.studio.formula import CONDITIONS
from formloop.studio.inputs import Input, input_for, labelled, written_source
from formloop.studio.operations import find, positions
from formloop.studio.pickers import Around, Option, called, described, offered, ready, searched
from formloop.studio.places import Schema, alternatives, discriminator, resolve, schema_at
from formloop.studio.shapes import listing, mapping
from formloop.studio.spoken import spoken

CHOOSE_FORM = M("Choose the form first.")


@dataclass(frozen=True, slots=True)
class Section:
    """Inputs that stand together, drawn by the form engine."""

    at: Path
    title: Message | str
    spec: FormSpec
    rows: list[list[screen.Cell]]
    inputs: Mapping[str, tuple[Path, Input]]
    more: bool = False  # rarely used: folded
    open: bool = False  # something in it is said or wrong


@dataclass(frozen=True, slots=True)
class Members:
    """A list of things, each with parts of its own, and what may be added to it."""

    at: Path
    title: Message | str
    members: list[tuple[Path, Message | str, list["Part"]]]
    offers: list[tuple[Message | str, str]]  # words, and the value as JSON
    named: bool = False  # whether a new one is asked for its name
    names: list[Option] | None = None  # the names that are left, where no others are possible
    ready: list[tuple[str, str, str]] | None = (
        None  # what may be added as it stands: words, name, value as JSON
    )

    def moves(self, place: int) -> tuple[str | None, str | None]:
        """In front of what a member stands once it is one place earlier, and one later; None where it cannot be."""
        keys = [at[-1] for at, _, _ in self.members]
        if keys == [str(number) for number in range(len(keys))]:  # numbers are those without the moved one
            keys.insert(place, keys[place])
        return moves_in(keys, place, len(self.members))


def moves_in(keys: Sequence[str], place: int, count: int) -> tuple[str | None, str | None]:
    """In front of which key what stands at a place comes, one place earlier and one later; at the end before nothing."""
    earlier = keys[place - 1] if place else None
    return earlier, (keys[place + 2] if place + 2 < count else "") if place + 1 < count else None


@dataclass(frozen=True, slots=True)
class Matrix:
    """One choice for each of many names, such as the rights on every field."""

    at: Path
    title: Message | str
    choices: list[tuple[Any, Message | str]]  # the value, and its words
    rows: list[tuple[str, str, Any]]  # name, words, what is chosen


Part = Section | Members | Matrix
Property = tuple[str, Schema, tuple[Path, Input] | None]  # its key, its schema, and its input with the place


@dataclass(frozen=True, slots=True)
class Panel:
    """Draws the place `at` of a document; `without` are keys that are drawn elsewhere."""

    around: Around
    at: Path
    schema: Schema
    value: Any
    without: frozenset[str] = frozenset()

    @property
    def root(self) -> Schema:
        """The schema of the whole document."""
        return self.around.kind.schema

    def _beside(self) -> Around:
        """What pickers know of: the values of this place."""
        return self.around.inside(self.schema, mapping(self.value), self.at)

    def parts(self, title: Message | str = "") -> list[Part]:
        """Everything in the order of the schema: inputs that follow each other stand in one section."""
        found: list[Part] = []
        run: dict[str, tuple[Path, Input]] = {}
        rare: dict[str, tuple[Path, Input]] = {}
        for key, schema, made in self._properties():
            if made is not None:
                (rare if schema.get("x-more") else run)["v-" + "/".join(made[0])] = made
                beside = self._beside_source(key, schema)
                if beside:
                    found += [self._section(title, run), *beside]
                    run, title = {}, ""
                continue
            if run:
                found.append(self._section(title, run))
                run, title = {}, ""
            inner = self._inner(key, schema, mapping(self.value).get(key))
            found += [self._folded(each) for each in inner] if schema.get("x-more") else inner
        if run:
            found.append(self._section(title, run))
        return [*found, self._more(rare)] if rare else found

    def _beside_source(self, key: str, schema: Schema) -> list[Part]:
        """What a source asks besides which one it is."""
        if schema.get("x-pick") != "source" or "properties" not in schema:
            return []
        return self._inside((*self.at, key), schema, mapping(self.value).get(key)).parts()

    def section(self) -> Section:
        """All inputs of the place itself."""
        made = [each for _, _, each in self._properties() if each is not None]
        return self._section("", {"v-" + "/".join(each[0]): each for each in made})

    def _properties(self) -> list[Property]:
        """Each property as it is asked for: a text in each language, the reader's before its translation."""
        found = list(self._made())
        places = {key: place for place, (key, _, _) in enumerate(found)}
        for key, place in places.items():
            other = places.get(f"x-{key}")
            if other is None:
                continue
            (_, own, first), (_, beside, second) = found[place], found[other]
            if first is not None and second is not None and second[0][-1] in LOCALES:
                english = key, own, (first[0], spoken(key, LOCALES[0], first[1], first[1]))
                chinese = f"x-{key}", beside, (second[0], spoken(key, second[0][-1], second[1], first[1]))
                turned = second[0][-1] == self.around.locale
                found[place], found[other] = (chinese, english) if turned else (english, chinese)
        return found

    def _made(self) -> Iterator[Property]:
        """Each property with its schema and its input; none where it has parts of its own."""
        value = mapping(self.value)
        around = self._beside()
        for key, stated in self._said():
            each = self._followed(resolve(stated, self.root, value.get(key)))
            made = self._input(key, each, around)
            path: Path = (key,)
            if made is None and len(mapping(each.get("properties"))) == 1:
                (name, only), *_ = each["properties"].items()
                said = {word: each[word] for word in ("title", "x-title") if word in each}
                only = {"title": key, **mapping(only), **said}
                only.pop("maxLength", None)
                if "maxLength" in (long := mapping(self.schema["properties"].get(key.removeprefix("x-")))):
                    only["maxLength"] = long["maxLength"]  # a translation is as long as what it translates
                made = input_for(
                    only, find(value, (key, name), {}), lambda word, now: offered(word, around, now)
                )
                path = (key, name)
            if made is not None and "x-expression" in made.field and key in CONDITIONS:
                made = replace(made, field={**made.field, "x-condition": True})
            if made is not None and each.get("x-pick") in searched:  # what comes is not among what is there
                made = replace(
                    made, field={**made.field, "items": {"type": "string"}, "x-searched": each["x-pick"]}
                )
            if made is not None and around.waits and key != "form":
                made = _waiting(made)
            yield key, each, None if made is None else (path, made)

    def _followed(self, schema: Schema) -> Schema:
        """A schema whose members may be said by a reference: the reference followed."""
        found = {
            word: resolve(inner, self.root)
            for word in ("additionalProperties", "items")
            if isinstance(inner := schema.get(word), Mapping) and "$ref" in inner
        }
        plain = {word: each for word, each in found.items() if each.get("type") == "string"}
        return {**schema, **plain} if plain else schema

    def _input(self, key: str, schema: Schema, around: Around) -> Input | None:
        if "x-choices" in schema:
            return choices_input(key, labelled(schema), around.locale)
        return input_for(schema, mapping(self.value).get(key), lambda word, now: offered(word, around, now))

    def _said(self) -> Iterator[tuple[str, Schema]]:
        """The properties that are known by name, and behind one of them those that another definition names."""
        names = mapping(self.schema.get("x-names"))
        around = self._beside()
        if "described" in names:
            yield from described.get(names["described"])(around).items()
        for key, said in mapping(self.schema.get("properties")).items():
            if key in self.without or not isinstance(said, Mapping) or "x-picked" in said:
                continue
            if self._matters(key, said):
                yield key, said
            if key == names.get("behind"):
                for name, title in offered(names["pick"], around, None):
                    yield name, {**self.schema["additionalProperties"], "title": title}

    def _matters(self, key: str, said: Schema) -> bool:
        """Whether a property means something beside the values that are there; what is set is always shown."""
        value = mapping(self.value)

        def among(name: str, values: Sequence[Any]) -> bool:
            there = value.get(name)
            return any(each in values for each in (there if isinstance(there, list) else [there]))

        wanted = mapping(said.get("x-only-with"))
        beside = said.get("x-only-beside")
        if beside is not None and beside not in value:
            return key in value
        return key in value or all(among(name, values) for name, values in wanted.items())

    def _section(self, title: Message | str, inputs: Mapping[str, tuple[Path, Input]]) -> Section:
        spec = _spec(json.dumps({name: made.field for name, (_, made) in inputs.items()}))
        return Section(self.at, title, spec, self._rows(spec, inputs), inputs)

    def _folded(self, part: Part) -> Part:
        """A part that few need: its heading unfolds it, and it stands open where something is said."""
        if not isinstance(part, Section):
            return part
        wrong = any(cell.problem for row in part.rows for cell in row)
        return replace(part, more=True, open=bool(find(self.around.doc, part.at, {})) or wrong)

    def _more(self, inputs: Mapping[str, tuple[Path, Input]]) -> Section:
        made = self._section("", inputs)
        ids = self.around.kind.identities.values()  # always there, and nobody's choice
        said = any(
            find(self.value, path, {}) is not None for path, _ in inputs.values() if path[-1] not in ids
        )
        wrong = any(cell.problem for row in made.rows for cell in row)
        return replace(made, more=True, open=said or wrong)

    def _inner(self, key: str, schema: Schema, value: Any) -> list[Part]:
        at, title = (*self.at, key), Said(schema) if "title" in schema else key
        names = mapping(schema.get("x-names"))
        if "properties" in schema or "described" in names:
            return self._inside(at, schema, value).parts(title)
        if "x-pick" in schema:
            return [self._matrix(at, title, schema, mapping(value))]
        each = schema.get("additionalProperties")
        each = resolve(each, self.root, {}) if isinstance(each, Mapping) else None
        if each is not None and "properties" in each:
            word = names.get("pick", schema.get("x-called"))
            words = dict(offered(word, replace(self.around, at=at), None)) if word else {}
            left = [(name, said) for name, said in words.items() if name not in mapping(value)]
            there: list[tuple[Path, Message | str, list[Part]]] = [
                (
                    (*at, name),
                    words.get(name) or called(mapping(inner), name, self.around.locale),
                    self._inside((*at, name), each, inner).parts(),
                )
                for name, inner in mapping(value).items()
            ]
            names_left = left if names else None
            made = self._ready(schema, at)
            named = made is None or "title" in mapping(each.get("properties"))
            return [Members(at, title, there, [("", _fresh(each, self.root))], named, names_left, made)]
        items = schema.get("items")
        if isinstance(items, Mapping) and "properties" in resolve(items, self.root):
            return [self._members(at, title, items, listing(value))]
        return []

    def _ready(self, schema: Schema, at: Path) -> list[tuple[str, str, str]] | None:
        """What may be added as it stands, None where nothing is ready-made."""
        if "x-ready" not in schema:
            return None
        around = replace(self._beside(), at=at)
        return [(word, name, json.dumps(said)) for word, name, said in ready.get(schema["x-ready"])(around)]

    def _inside(self, at: Path, schema: Schema, value: Any) -> "Panel":
        return Panel(self.around, at, schema, value)

    def _matrix(self, at: Path, title: Message | str, schema: Schema, chosen: Mapping[str, Any]) -> Matrix:
        values = schema["additionalProperties"]
        said = mapping(values.get("x-titles"))
        choices = [(each, Said(said[str(each)])) for each in values["enum"] if str(each) in said]
        around = self._beside()
        names = offered(schema["x-pick"], around, [each for each in chosen if each != "*"])
        if schema["x-pick"] == "fields":
            names = [("*", M("All other fields").render(self.around.locale)), *names]
        rows = [(name, word, chosen.get(name, "")) for name, word in names]
        return Matrix(at, title, [*choices], rows)

    def _members(self, at: Path, title: Message | str, items: Schema, value: list[Any]) -> Members:
        members: list[tuple[Path, Message | str, list[Part]]] = []
        title_by = self._called_by(at[-1])
        for number, each in enumerate(value):
            place, schema = (*at, str(number)), resolve(items, self.root, each)
            members.append(
                (
                    place,
                    self._called(title_by, each, schema) or _called(schema),
                    self._inside(place, schema, each).parts(),
                )
            )
        forms = alternatives(items, self.root)
        return Members(at, title, members, [(_called(each), _fresh(each, self.root)) for each in forms])

    def _called_by(self, key: str) -> str:
        """The property by whose value the members of a list are called."""
        return str(mapping(mapping(self.schema.get("properties")).get(key)).get("x-called", ""))

    def _called(self, key: str, member: Any, schema: Schema) -> str:
        value = mapping(member).get(key)
        if mapping(mapping(schema.get("properties")).get(key)).get("x-pick") == "source":
            value = written_source(value)
        if not isinstance(value, str) or not value:
            return ""
        word = mapping(mapping(schema.get("properties")).get(key)).get("x-pick")
        return dict(offered(word, self.around, value)).get(value, value) if word else value

    def _rows(self, spec: FormSpec, inputs: Mapping[str, tuple[Path, Input]]) -> list[list[screen.Cell]]:
        values = {
            name: made.shown(self.value if made.whole or made.language else find(self.value, path, {}))
            for name, (path, made) in inputs.items()
        }
        problems = [
            Problem("panel", name, message)
            for name, (path, _) in inputs.items()
            if (message := self._wrong((*self.at, *path))) is not None
        ]
        paths = frozenset(each.path for top in spec.fields.values() for each in (top, *top.children))
        context = Context(clock.now())
        shown = screen.build(spec, values, values, context, self.around.locale, paths, paths, problems, {})
        return shown.rows

    def _wrong(self, path: Path) -> Message | None:
        """What is wrong at a place or inside it."""
        here = positions(self.around.doc, path, self.around.kind.identities)
        return next((said for at, said in self.around.problems.items() if at[: len(here)] == here), None)


def open_panel(around: Around, at: Path, without: frozenset[str] = frozenset()) -> Panel | None:
    """The panel of a place, None where there can be none."""
    schema = schema_at(around.kind.schema, around.doc, at)
    return None if schema is None else Panel(around, at, schema, find(around.doc, at, {}), without)


def _waiting(made: Input) -> Input:
    """An input that is about a form which is not chosen yet says so, instead of what it says else."""
    columns = mapping(mapping(made.field.get("items")).get("properties"))
    choices = [made.field, mapping(made.field.get("items")), *map(mapping, columns.values())]
    if "x-condition" not in made.field and all(each.get("enum", True) for each in choices):
        return made
    told = {
        "description": CHOOSE_FORM.render(),
        "x-description": {each: CHOOSE_FORM.render(each) for each in LOCALES[1:]},
    }
    return replace(made, field={**made.field, **told})


@lru_cache(maxsize=500)
def _spec(fields: str) -> FormSpec:
    """The form of a panel; panels of the same inputs share it."""
    doc = {"x-id": "00000000", "x-key": "panel", "title": "Panel", "properties": json.loads(fields)}
    return kind.build(doc, 0, lambda key: None)[0]


def _called(schema: Schema) -> Message | str:
    """What a thing of this form is called: by the value that tells it from others."""
    said = discriminator(schema)
    if said is None:
        return M("Entry")
    return kind_of_thing(dict([said])) or said[1]


def _fresh(schema: Schema, root: Schema) -> str:
    return json.dumps(empty_value(schema, root))
