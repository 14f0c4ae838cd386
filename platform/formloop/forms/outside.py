"""Values that name something outside the form and are no relation: people, departments, files, others' options."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from formloop.access import people
from formloop.access.actor import Actor
from formloop.core.errors import Problem
from formloop.core.text import M, Message
from formloop.forms import elsewhere, files
from formloop.forms.spec import Field, FormSpec, Values

_GONE = {
    "@person": M("This person does not exist."),
    "@department": M("This department does not exist."),
    "@file": M("This file was not uploaded, or is gone. Please upload it again."),
}


def check_outside(
    actor: Actor, spec: FormSpec, work: list[tuple[Values | None, Values, list[Problem]]]
) -> None:
    """Add a problem for every newly set value that names nothing; one query for each field that was set."""
    for field in _naming(spec):
        asked = [
            (at, value, problems)
            for before, after, problems in work
            for at, value in _newly_set(field, before or {}, after)
        ]
        if not asked:
            continue
        known = _known(actor, spec, field, {value for _, value, _ in asked})
        for at, value, problems in asked:
            if value not in known:
                problems.append(Problem("unknown", at, _message(field, value)))


@lru_cache(maxsize=1_000)
def _naming(spec: FormSpec) -> tuple[Field, ...]:
    every = (each for top in spec.fields.values() for each in (top, *top.children))
    return tuple(each for each in every if each.type.source(each) in _GONE or "x-options" in each.schema)


def _newly_set(field: Field, before: Values, after: Values) -> Iterator[tuple[str, Any]]:
    if field.subform is None:
        yield from ((field.key, each) for each in _new(after.get(field.key), before.get(field.key)))
        return
    was = {line["id"]: line for line in before.get(field.subform) or ()}
    for index, line in enumerate(after.get(field.subform) or ()):
        old = was.get(line.get("id"), {})
        for each in _new(line.get(field.key), old.get(field.key)):
            yield f"{field.subform}.{index}.{field.key}", each


def _new(value: Any, old: Any) -> list[Any]:
    if value is None or value == old:
        return []
    there = old if isinstance(old, list) else [old]
    return [each for each in (value if isinstance(value, list) else [value]) if each not in there]


def _known(actor: Actor, spec: FormSpec, field: Field, values: set[Any]) -> set[Any]:
    source = field.type.source(field)
    if source == "@person":
        return set(people.names_of(values))
    if source == "@department":
        return set(people.department_names(values))
    if source == "@file":
        return set(files.names_of(values))
    return set(elsewhere.known_options(actor, spec, field, values))


def _message(field: Field, value: Any) -> Message:
    found = _GONE.get(field.type.source(field) or "")
    return found or M("“{value}” is not one of the options.", value=str(value)[:40])
