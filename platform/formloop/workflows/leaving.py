"""What somebody who leaves would leave behind in approvals: tasks, steps that name them, people they stand in for."""

from collections.abc import Iterator
from typing import Any

from flask import url_for
from sqlalchemy.engine import Row

from formloop.access import gate, people
from formloop.access.leaving import Left
from formloop.access.signing import current
from formloop.core.definitions import Doc
from formloop.core.text import M, Titled
from formloop.definitions import library
from formloop.workflows import administration, delegations
from formloop.workflows.reading import walk
from formloop.workflows.timeline import listed


def list_left(person: Row[Any]) -> list[Left]:
    """Open tasks with turns still to come, published workflows that name the person, and whom they stand in for."""
    return [*_tasks(person), *_named(person), *_stands_in(person)]


def _tasks(person: Row[Any]) -> Iterator[Left]:
    count = administration.count_left(person.id)
    if count:
        may = gate.allows(current(), "repair", "site")
        url = url_for("workflows.show_hand_over", person=person.id) if may else None
        yield Left(
            M("{count} {count:task waits|tasks wait} for {name}.", count=count, name=person.name),
            M("Hand tasks over"),
            url,
        )


def _named(person: Row[Any]) -> Iterator[Left]:
    may = gate.allows(current(), "design", "definition")
    for entry in library.list_entries("workflow"):
        doc = library.find_document("workflow", entry.key)
        if doc is not None and any(_names(step, person.account) for step, _ in walk(doc)):
            url = url_for("definitions.history", definition_id=entry.id) if may else None
            yield Left(M("The workflow “{name}” names them.", name=Titled(doc, entry.key)), M("Open it"), url)


def _names(step: Doc, account: str) -> bool:
    """Whether a step asks somebody by name, or where nobody is found."""
    nobody = step.get("nobody")
    named = [
        each for rule in step.get("who", ()) for each in rule.get("people", ()) if rule["rule"] == "people"
    ]
    named += [nobody["person"]] if isinstance(nobody, dict) else []
    return account in (each.strip().lower() for each in named)


def _stands_in(person: Row[Any]) -> Iterator[Left]:
    names = people.names_of(delegations.list_stood_in(person.id))
    if names:
        yield Left(M("They stand in for {names}.", names=listed(sorted(names.values()))))
