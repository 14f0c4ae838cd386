"""What the schema of a kind finds wrong, in words for a business user."""

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from difflib import get_close_matches
from itertools import islice
from typing import Any, Protocol

from jsonschema_rs import ValidationError

from formloop.core.definitions.envelope import ID_PATTERN, KEY_PATTERN
from formloop.core.definitions.kind import Doc, Kind
from formloop.core.definitions.shape import Shape
from formloop.core.definitions.writing import scalar_text
from formloop.core.errors import Problem
from formloop.core.text import M, Message

MOST_TOLD = 50
_LARGE = 5_000  # values; a larger document hears of one problem at a time, since collecting all is slow


class Fault(Protocol):
    """What we read of an error of the validator; which attributes its kind has depends on the keyword."""

    @property
    def kind(self) -> Any: ...
    @property
    def instance(self) -> Any: ...
    @property
    def instance_path(self) -> list[str | int]: ...


_TYPES = {
    "string": M("a text"),
    "number": M("a number"),
    "integer": M("a whole number"),
    "boolean": M("true or false"),
    "array": M("a list in square brackets"),
    "object": M("an object in braces"),
    "null": M("nothing (null)"),
}
_PATTERNS = {
    KEY_PATTERN: M("“{value}” is no key: up to 41 small letters, digits and _, beginning with a letter."),
    ID_PATTERN: M("“{value}” is no stable id: eight digits or letters a to f."),
}


def name_pattern(pattern: str, sentence: Message) -> None:
    """Say in words, about {value}, what does not fit a pattern of some schema."""
    _PATTERNS[pattern] = sentence


def check_schema_of(doc: Any, kind: Kind) -> list[Problem]:
    """What is wrong with a document by the schema of its kind; at most 50 problems."""
    if kind.validator.is_valid(doc):
        return []
    if _count(doc, _LARGE) >= _LARGE:
        try:
            kind.validator.validate(doc)
        except ValidationError as first:
            return list(islice(_problems([first], kind.shape, doc), MOST_TOLD))
    found = _problems(kind.validator.iter_errors(doc), kind.shape, doc)
    told = {
        (problem.code, problem.at, problem.message.msgid): problem for problem in islice(found, MOST_TOLD)
    }
    return list(told.values())


def suggest(word: str, known: Iterable[str]) -> Message | None:
    """ "Did you mean…", when a known word is near."""
    near = get_close_matches(word[:100], list(known), n=1, cutoff=0.6)
    return M("Did you mean “{near}”?", near=near[0]) if near else None


def with_suggestion(said: Message, word: str, known: Iterable[str]) -> Message:
    """What is said of an unknown word, and the known one that is near, if there is one."""
    near = suggest(word, known)
    return M("{text} {near}", text=said, near=near) if near else said


def _count(value: Any, limit: int) -> int:
    waiting, count = [value], 0
    while waiting and count < limit:
        each = waiting.pop()
        count += 1
        if isinstance(each, dict):
            waiting.extend(each.values())
        elif isinstance(each, list):
            waiting.extend(each)
    return count


def _problems(errors: Iterable[Fault], shape: Shape, doc: Doc) -> Iterator[Problem]:
    for error in errors:
        name, path = error.kind.name, [str(step) for step in error.instance_path]
        at = ".".join(path)
        if name in ("anyOf", "oneOf"):
            yield from _problems(_nearest_branch(error), shape, doc)
            if not any(error.kind.context):
                yield Problem("choice", at, M("This fits more than one of the allowed forms."))
        elif name in ("additionalProperties", "unevaluatedProperties"):
            known = [key for key in _place(shape, error.instance_path).keys if key not in error.instance]
            for key in error.kind.unexpected[:MOST_TOLD]:
                yield Problem("unknown_key", ".".join([*path, key]), _unknown(key, known))
        elif name == "required":
            yield Problem("missing", at, M("“{key}” is missing here.", key=error.kind.property))
            yield from _misspelt(error, _place(shape, error.instance_path).keys, path)
        elif name == "propertyNames":
            inner = error.kind.error
            yield Problem("name", ".".join([*path, str(inner.instance)]), _say(inner))
        else:
            yield Problem(name if name in _SENTENCES else "schema", at, _say(error))


def _misspelt(error: Fault, known: Iterable[str], path: list[str]) -> Iterator[Problem]:
    """Keys that nobody knows and that look like the missing one: it was meant, and is told with its line."""
    missing, there = error.kind.property, error.instance if isinstance(error.instance, dict) else {}
    for key in (key for key in there if key not in known):
        if suggest(key, [missing]):
            yield Problem("unknown_key", ".".join([*path, key]), _unknown(key, [missing]))


def _nearest_branch(error: Fault) -> list[Fault]:
    """Of several allowed forms, the one that was most likely meant."""
    depth = len(error.instance_path)

    def distance(branch: list[Fault]) -> tuple[bool, bool, int]:
        wrong_type = any(e.kind.name == "type" and len(e.instance_path) == depth for e in branch)
        wrong_form = any(e.kind.name in ("const", "constant", "enum") for e in branch)
        return wrong_type, wrong_form, len(branch)

    branches: list[list[Fault]] = [branch for branch in error.kind.context if branch]
    if not branches:
        return []
    nearest = min(branches, key=distance)
    if distance(nearest)[0] and len(branches) > 1:
        return [nearest[0]]
    return nearest


def _place(shape: Shape, path: Iterable[str | int]) -> Shape:
    for step in path:
        shape = shape.item() if isinstance(step, int) else shape.property(step)
    return shape


def _unknown(key: str, known: list[str]) -> Message:
    near = suggest(key, known)
    if near:
        return M("“{key}” is not known here. {near}", key=_short(key), near=near)
    if not known:
        return M("“{key}” is not known here. Remove it.", key=_short(key))
    shown = ", ".join(known[:12]) + (" …" if len(known) > 12 else "")
    return M("“{key}” is not known here. Known are: {known}.", key=_short(key), known=shown)


def _short(value: Any, most: int = 80) -> str:
    if isinstance(value, dict | list):
        return "{…}" if isinstance(value, dict) else "[…]"
    text = value if isinstance(value, str) else scalar_text(value)
    return text if len(text) <= most else text[: most - 1] + "…"


def _say(error: Fault) -> Message:
    say = _SENTENCES.get(error.kind.name)
    return say(error) if say else M("This is not allowed here.")


def _type(error: Fault) -> Message:
    wanted = [_TYPES[name] for name in error.kind.types]
    both = wanted[0]
    for each in wanted[1:]:
        both = M("{one} or {other}", one=both, other=each)
    return M("This must be {wanted}, not {found}.", wanted=both, found=_TYPES[_type_name(error.instance)])


def _type_name(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float | Decimal):
        return "number"
    if isinstance(value, str):
        return "string"
    if isinstance(value, list):
        return "array"
    return "object" if isinstance(value, dict) else "null"


def _enum(error: Fault) -> Message:
    options = [_short(each) for each in error.kind.options]
    near = suggest(error.instance, options) if isinstance(error.instance, str) else None
    shown = ", ".join(options[:20]) + (" …" if len(options) > 20 else "")
    if near:
        return M("“{value}” is not allowed here. {near}", value=_short(error.instance), near=near)
    return M(
        "“{value}” is not allowed here. Allowed are: {options}.", value=_short(error.instance), options=shown
    )


def _pattern(error: Fault) -> Message:
    if error.instance == "":
        return M("Fill this in.")
    told = _PATTERNS.get(error.kind.pattern)
    if told:
        return M(told.msgid, value=_short(error.instance))
    return M(
        "“{value}” does not have the form {pattern}.",
        value=_short(error.instance),
        pattern=error.kind.pattern,
    )


def _limit(sentence: Message) -> Callable[[Fault], Message]:
    return lambda error: M(sentence.msgid, limit=_short(error.kind.limit))


_ONE = M("Choose or add at least one.")
_MEMBERS = _limit(M("This list must have at least {limit} members."))
_SENTENCES: dict[str, Callable[[Fault], Message]] = {
    "type": _type,
    "enum": _enum,
    "pattern": _pattern,
    "const": lambda error: M("This must be {wanted}.", wanted=_short(error.kind.expected_value)),
    "format": lambda error: M(
        "“{value}” is not a {format}.", value=_short(error.instance), format=error.kind.format
    ),
    "minimum": _limit(M("This must be at least {limit}.")),
    "maximum": _limit(M("This may be at most {limit}.")),
    "exclusiveMinimum": _limit(M("This must be more than {limit}.")),
    "exclusiveMaximum": _limit(M("This must be less than {limit}.")),
    "minLength": _limit(M("This text must have at least {limit} characters.")),
    "maxLength": _limit(M("This text may have at most {limit} characters.")),
    "minItems": lambda error: _ONE if error.kind.limit == 1 else _MEMBERS(error),
    "maxItems": _limit(M("This list may have at most {limit} members.")),
    "minProperties": _limit(M("At least {limit} entries are needed here.")),
    "maxProperties": _limit(M("At most {limit} entries are allowed here.")),
    "multipleOf": lambda error: M("This must be a multiple of {step}.", step=_short(error.kind.multiple_of)),
    "uniqueItems": lambda _error: M("A member stands in this list twice."),
    "falseSchema": lambda _error: M("Nothing may stand here."),
}
