"""Rules for JSON Schema that people write into definitions: a closed list of keywords, nothing fetched,
no recursion, patterns in linear time."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import jsonschema_rs
import re2

from formloop.core.definitions.faults import MOST_TOLD, suggest
from formloop.core.errors import Invalid, Problem
from formloop.core.text import M

MOST_NODES = 2_000
_SCHEMA = ("items", "additionalProperties", "propertyNames", "contains", "not", "if", "then", "else")
_SCHEMAS = ("allOf", "anyOf", "oneOf", "prefixItems")
_NAMED = ("properties", "$defs", "dependentSchemas", "patternProperties")
_PLAIN = (
    *("type", "format", "enum", "const", "required", "dependentRequired", "pattern", "$ref"),
    *("minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    *("minItems", "maxItems", "uniqueItems", "minContains", "maxContains", "minProperties", "maxProperties"),
    *("title", "description", "default", "examples", "readOnly", "writeOnly", "deprecated"),
    *("$schema", "$comment", "contentEncoding", "contentMediaType"),
)
KEYWORDS = frozenset((*_SCHEMA, *_SCHEMAS, *_NAMED, *_PLAIN))

_options = re2.Options()
_options.max_mem = 1 << 20
_options.log_errors = False


def check_json_schema(schema: Mapping[str, Any]) -> list[Problem]:
    """What must not stand in a schema; keys that begin with `x-` are the business of the kind."""
    found = (problem for path, part in _parts(schema) for problem in _check_part(path, part))
    problems = list(islice(found, MOST_TOLD))
    if problems:
        return problems
    try:
        record_validator(schema)
    except Invalid as error:
        return error.problems
    return []


def expand(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema with every local `$ref` replaced by what it names; Invalid when that is endless or too much."""
    expanded: dict[str, Any] = _Expansion(schema).expand(schema, "", ())
    return expanded


def record_validator(schema: Mapping[str, Any]) -> jsonschema_rs.Draft202012Validator:
    """The compiled schema for checking records: it fetches nothing and its patterns run in linear time."""
    try:
        return jsonschema_rs.Draft202012Validator(
            expand(schema), offline=True, validate_formats=True, pattern_options=jsonschema_rs.RegexOptions()
        )
    except jsonschema_rs.ValidationError as error:
        at = ".".join(str(step) for step in error.instance_path)
        raise Invalid([Problem("schema", at, M("This is no valid JSON Schema."))]) from None


def _parts(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema within a schema, with its path."""
    waiting: list[tuple[str, Any]] = [(path, schema)]
    while waiting:
        at, part = waiting.pop()
        if not isinstance(part, dict):
            continue
        yield at, part
        within = f"{at}." if at else ""
        waiting += [(within + word, part[word]) for word in _SCHEMA if word in part]
        for word in _SCHEMAS:
            if isinstance(part.get(word), list):
                waiting += [(f"{within}{word}.{number}", each) for number, each in enumerate(part[word])]
        for word in _NAMED:
            if isinstance(part.get(word), dict):
                waiting += [(f"{within}{word}.{name}", each) for name, each in part[word].items()]


def _check_part(path: str, part: dict[str, Any]) -> Iterator[Problem]:
    within = f"{path}." if path else ""
    for key in part:
        if key not in KEYWORDS and not key.startswith("x-"):
            near = suggest(key, KEYWORDS)
            told = M("“{key}” is not known here. {near}", key=key, near=near) if near else None
            told = told or M("“{key}” is not known here. Remove it.", key=key)
            yield Problem("unknown_key", within + key, told)
    reference = part.get("$ref")
    if reference is not None and not (isinstance(reference, str) and reference.startswith("#/$defs/")):
        message = M("Only parts of this document may be referred to: “#/$defs/…”.")
        yield Problem("reference", within + "$ref", message)
    patterns = [("pattern", part["pattern"])] if "pattern" in part else []
    named = part.get("patternProperties")
    patterns += [("patternProperties", name) for name in named] if isinstance(named, dict) else []
    for word, pattern in patterns:
        if (problem := _check_pattern(within + word, pattern)) is not None:
            yield problem


def _check_pattern(at: str, pattern: Any) -> Problem | None:
    if not isinstance(pattern, str):
        return Problem("pattern", at, M("A pattern must be a text."))
    try:
        re2.compile(pattern, _options)
    except re2.error:
        return Problem(
            "pattern", at, M("This pattern is not understood, or too large. Look-around is not possible.")
        )
    return None


class _Expansion:
    def __init__(self, root: Mapping[str, Any]) -> None:
        self._definitions = root.get("$defs")
        self._nodes = 0

    def expand(self, value: Any, at: str, inside: tuple[str, ...]) -> Any:
        self._nodes += 1
        if self._nodes > MOST_NODES * 10 or len(inside) > MOST_NODES:
            raise Invalid([Problem("too_large", at, M("With all its references this schema is too large."))])
        within = f"{at}." if at else ""
        if isinstance(value, list):
            return [self.expand(each, f"{within}{number}", inside) for number, each in enumerate(value)]
        if not isinstance(value, dict):
            return value
        made = {
            key: self.expand(each, within + key, inside)
            for key, each in value.items()
            if key not in ("$ref", "$defs")
        }
        return self._refer(value["$ref"], made, within + "$ref", inside) if "$ref" in value else made

    def _refer(self, reference: Any, beside: dict[str, Any], at: str, inside: tuple[str, ...]) -> Any:
        name = str(reference).removeprefix("#/$defs/")
        if not isinstance(self._definitions, dict) or name not in self._definitions:
            raise Invalid(
                [Problem("reference", at, M("There is no part “{name}” under “$defs”.", name=name))]
            )
        if name in inside:
            chain = " → ".join([*inside, name])
            raise Invalid([Problem("reference", at, M("This refers to itself: {chain}.", chain=chain))])
        target = self.expand(self._definitions[name], at, (*inside, name))
        return {**beside, "allOf": [*beside.get("allOf", ()), target]} if beside else target
