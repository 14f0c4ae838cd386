"""Definitions as text: where a new one starts, and what is wrong with a text somebody is writing."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import reduce
from typing import Any

from formloop.access import gate
from formloop.access.actor import Actor
from formloop.core import clock
from formloop.core.definitions import Change, Doc, Kind, diff, kinds, parse, upgrade
from formloop.core.errors import Invalid, Problem
from formloop.core.keys import suggest_key
from formloop.core.registry import Registry
from formloop.core.text import M
from formloop.db import reading
from formloop.definitions import library
from formloop.definitions.checking import Candidate, check_candidates, is_felt, remembered_dependents
from formloop.definitions.drafts import (
    RESOURCE,
    Definition,
    check_text,
    find_draft,
    get_definition,
    list_definitions,
    save_draft,
)
from formloop.definitions.history import any_error, get_text, list_beyond
from formloop.definitions.needed import bring_needed

Fill = Callable[[Doc, list[str]], tuple[Doc, list[Problem]]]
starters: Registry[Fill] = Registry("starter")  # kind → completes a new document from lines somebody typed

_EMPTY: Mapping[str, Callable[[], Any]] = {"array": list, "integer": int, "number": int, "boolean": bool}


def start(kind: Kind, name: str) -> Doc:
    """A new document of a kind called `name`, with everything the kind requires still empty."""
    properties = kind.schema["properties"]
    empty = {key: empty_value(properties.get(key, {}), kind.schema) for key in kind.schema["required"]}
    taken = {each.key for each in list_definitions(kind.name)}
    key = suggest_key(name, taken, kind.name)
    return {**empty, "x-kind": kind.name, "x-id": clock.new_key(), "x-key": key, "title": name}


def start_from_lines(actor: Actor, kind: Kind, name: str, lines: str) -> Definition:
    """Save a first draft called `name`, made of one label a line."""
    name = name.strip()
    if not name:
        raise Invalid([Problem("required", "name", M("Give it a name."))])
    given = lines.splitlines()
    if not lines.strip():
        raise Invalid([Problem("required", "lines", M("Write at least one label."))])
    doc, problems = starters.get(kind.name)(start(kind, name[:200]), given)
    if problems:
        raise Invalid(problems)
    return save_draft(actor, kind.name, doc)


def text_of(found: Definition) -> tuple[str, int]:
    """The text to go on from, and the revision of the draft it belongs to."""
    draft = find_draft(found.id)
    if draft is not None:
        return draft.text, draft.revision
    return get_text(found.id, found.version), found.draft_revision


def check(
    actor: Actor, kind: Kind, text: str, definition_id: str | None = None, with_others: bool = True
) -> list[Problem]:
    """What stands against publishing this text, each with its line and column in it.

    Without others it is not told whom it would break, which takes long where much rests on it: see `is_felt`.
    """
    gate.require(actor, "design", RESOURCE)
    try:
        doc = read(kind, text, definition_id)
    except Invalid as error:
        return error.problems
    found = get_definition(definition_id) if definition_id else None
    number = (found.version or 0) if found else 0
    with reading(), library.overlay().trying() as coming:
        old = library.read_version(found.id, number) if found and number else None
        coming.put(kind.name, doc["x-key"], doc, number + 1)
        candidate = Candidate(kind, doc, old, number or None, number=number + 1)
        asked = remembered_dependents if with_others else lambda _: []
        problems = check_candidates([candidate], asked, bring_needed)
        if not any_error(problems):
            problems += list_beyond(actor, candidate)
    return _placed(text, problems)


def is_felt_by_others(found: Definition, doc: Doc) -> bool:
    """Whether what is published may rest on something that a draft has no more, or otherwise."""
    old = library.read_version(found.id, found.version) if found.version else None
    return is_felt(Candidate(kinds.get(found.kind), doc, old, found.version))


def save(actor: Actor, kind: Kind, text: str, definition_id: str | None, revision: int | None) -> Definition:
    """Keep the text as a draft; Conflict when another revision was saved meanwhile."""
    doc = read(kind, text, definition_id)
    try:
        return save_draft(actor, kind.name, doc, revision)
    except Invalid as error:
        raise Invalid(_placed(text, error.problems)) from error


def compare(kind: Kind, theirs: str, mine: str) -> list[Change]:
    """What the second text changes of the first; nothing where it is no document yet."""
    try:
        return diff(read(kind, theirs), read(kind, mine), kind)
    except Invalid:
        return []


def read(kind: Kind, text: str, definition_id: str | None = None) -> Doc:
    """The document in a text, in today's format; Invalid when it is none, or that of another definition."""
    parsed = parse(text)
    if parsed.problems:
        raise Invalid(parsed.problems)
    doc: Doc = parsed.doc
    problems = list[Problem]()
    if not isinstance(doc, dict):
        problems = [
            Problem("no_definition", "", M("A definition is an object: it begins with a curly bracket."))
        ]
    elif doc.get("x-kind", kind.name) != kind.name:
        problems = [Problem("kind", "x-kind", M("This must be {wanted}.", wanted=kind.name))]
    elif definition_id and doc.get("x-id", definition_id) != definition_id:
        problems = [Problem("id", "x-id", M("The stable id stays “{id}”.", id=definition_id))]
    else:
        doc = {"x-kind": kind.name, "x-id": definition_id or clock.new_key(), **doc}
        doc, problems = upgrade(doc, kind)
        problems = problems or check_text(doc, kind)
    if problems:
        raise Invalid(_placed(text, problems))
    return doc


def _placed(text: str, problems: list[Problem]) -> list[Problem]:
    """The problems with their places in the text as it was typed, not as it would be written."""
    bare = [replace(problem, line=None, column=None) for problem in problems]
    return parse(text).locate(bare) if problems else []


def empty_value(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Any:
    """The smallest value a property may have, with what it requires inside."""
    steps = str(schema.get("$ref", "")).split("/")[1:]
    found = reduce(lambda place, step: place[step], steps, root) if steps else schema
    if "const" in found:
        return found["const"]
    if "enum" in found:
        return found["enum"][0]
    if found.get("type") == "object":
        inside = found.get("properties", {})
        return {key: empty_value(inside.get(key, {}), root) for key in found.get("required", ())}
    return _EMPTY.get(str(found.get("type")), str)()
