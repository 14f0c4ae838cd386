"""What a schema says about one place of a document: the order of its keys, and how people call it."""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

from formloop.core.registry import Registry
from formloop.core.text import Message, join_words, localized

# property → what each of its fixed values is called, where that tells what kind of thing an object is
kinds_of_things: Registry[Mapping[str, Message]] = Registry("kind of thing")
# what may be picked → what a value of it is called in a language, or the empty text
called: Registry[Callable[[str, str], str]] = Registry("name of what is picked")
# what may be named → the fields of what a text names, by key
fields_named: Registry[Callable[[str], Mapping[str, Any]]] = Registry("fields of what is named")
_FIELDS = (
    "field",
    "fields",
    "listed",
    "sorting",
    "filters",
    "linked",
    "sibling",
    "person_field",
    "date_field",
)
_OF_LISTS = ("x-pick", "x-called")  # what a list says of its members
_ALTERNATIVES = ("allOf", "anyOf", "oneOf")
_CONDITIONAL = ("if", "then", "else")


class Shape:
    """One place of a document, with every schema that may apply there. Made as needed and kept."""

    def __init__(self, root: Mapping[str, Any], schemas: list[Mapping[str, Any]]) -> None:
        self._root = root
        self._schemas = list(_expanded(root, schemas))
        self._properties: dict[str, Shape] = {}
        self.keys: tuple[str, ...] = tuple(
            dict.fromkeys(key for schema in self._schemas for key in schema.get("properties", {}))
        )
        self.known = frozenset(self.keys)

    @staticmethod
    def of(schema: Mapping[str, Any] | None) -> "Shape":
        """The place of a whole document; without a schema nothing is known about it."""
        return Shape(schema or {}, [schema] if schema else [])

    @cached_property
    def open(self) -> bool:
        """Whether people choose keys here, so that the order of keys is part of the meaning."""
        chosen = (isinstance(each.get("additionalProperties"), Mapping) for each in self._schemas)
        return not self.keys or any(chosen)

    @property
    def named(self) -> bool:
        """Whether the schema names keys of this place."""
        return bool(self.keys)

    def property(self, key: str) -> "Shape":
        """The place of the value of `key`."""
        if key not in self.known:
            return self._chosen
        if key not in self._properties:
            found = [each["properties"][key] for each in self._schemas if key in each.get("properties", {})]
            self._properties[key] = self._within(found)
        return self._properties[key]

    @cached_property
    def _chosen(self) -> "Shape":
        """The place of the value of any key that people choose."""
        found = [each.get("additionalProperties") for each in self._schemas]
        return self._within(
            [*found, *(s for e in self._schemas for s in e.get("patternProperties", {}).values())]
        )

    @cached_property
    def _item(self) -> "Shape":
        words = [
            {word: each[word]}
            for each in self._schemas
            if "items" in each
            for word in _OF_LISTS
            if word in each
        ]
        return self._within([*(each.get("items") for each in self._schemas), *words])

    def _within(self, found: list[Any]) -> "Shape":
        schemas = [each for each in found if isinstance(each, Mapping)]
        return Shape(self._root, schemas) if schemas else _UNKNOWN

    def item(self) -> "Shape":
        """The place of a member of the list that stands here."""
        return self._item

    def title(self, locale: str) -> str:
        """How people call this place, or the empty text."""
        return next((name for each in self._schemas if (name := localized(each, "title", locale))), "")

    @cached_property
    def names_field(self) -> bool:
        """Whether a text here is the key of one of the document's fields."""
        return any(each.get("x-key-of") == "field" or each.get("x-pick") in _FIELDS for each in self._schemas)

    @cached_property
    def members_name_fields(self) -> bool:
        """Whether the keys of an object here, or the members of a list, are keys of the document's fields."""
        pairs = (each["x-pairs"].get("name", {}) for each in self._schemas if "x-pairs" in each)
        return (
            self.names_field
            or self.item().names_field
            or any(each.get("x-pick") in _FIELDS for each in pairs)
        )

    @cached_property
    def is_expression(self) -> bool:
        """Whether an expression stands here."""
        return self.picks("expression")

    def picks(self, word: str) -> bool:
        """Whether what stands here, or in the list that stands here, is picked like that."""
        return any(each.get("x-pick") == word for each in self._schemas)

    def word(self, value: Any, locale: str) -> str:
        """How people call one of the values that may be chosen here, or the empty text."""
        known = self._titled(str(value), locale)
        if not known and isinstance(value, str) and "," in value:  # several values in one text
            words = [self._titled(each.strip(), locale) for each in value.split(",")]
            known = join_words(words, locale) if all(words) else ""
        return known or self._picked(value, locale)

    def _titled(self, value: str, locale: str) -> str:
        said = (each["x-titles"].get(value) for each in self._schemas if "x-titles" in each)
        return next((localized(each, "title", locale) for each in said if each is not None), "")

    def _picked(self, value: Any, locale: str) -> str:
        """What is picked here, or in the list that this is a member of, by its name."""
        words = (each.get("x-pick") for each in self._schemas)
        found = (called.find(word) for word in words if isinstance(word, str))
        return next((each(value, locale) for each in found if each and isinstance(value, str)), "")

    def called_by_value(self, thing: Any, locale: str) -> str:
        """What a member of a list is called by the value that its list says, such as the form it is about."""
        keys = (each["x-called"] for each in self._schemas if "x-called" in each and "items" not in each)
        values = ((key, thing.get(key)) for key in keys) if isinstance(thing, Mapping) else ()
        return next((self.property(key).word(each, locale) for key, each in values if each), "")

    def with_words(self, words: Mapping[str, Any]) -> "Shape":
        """The same place where these values are called so."""
        return Shape(self._root, [{"x-titles": words}, *self._schemas])


def kind_of_thing(thing: Any) -> Message | None:
    """What kind of thing an object is, by the value that tells it from others."""
    if not isinstance(thing, Mapping):
        return None
    words = (kinds_of_things.get(key).get(str(thing[key])) for key in kinds_of_things.names() if key in thing)
    return next((each for each in words if each is not None), None)


def _expanded(root: Mapping[str, Any], schemas: list[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """The schemas with those they refer to and choose from."""
    waiting, seen = list(schemas), set[int]()
    while waiting:
        schema = waiting.pop(0)
        if id(schema) in seen:
            continue
        seen.add(id(schema))
        yield schema
        more = [part for word in _ALTERNATIVES for part in schema.get(word, ())]
        more += [schema[word] for word in _CONDITIONAL if word in schema]
        if "$ref" in schema:
            more.append(_local(root, schema["$ref"]))
        waiting += [each for each in more if isinstance(each, Mapping)]


def _local(root: Mapping[str, Any], reference: str) -> Any:
    found: Any = root
    for step in reference.removeprefix("#").split("/")[1:]:
        found = (
            found.get(step.replace("~1", "/").replace("~0", "~"), {}) if isinstance(found, Mapping) else {}
        )
    return found


_UNKNOWN = Shape({}, [])
