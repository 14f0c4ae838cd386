"""The record that is offered where a change is forbidden: it takes over values and is linked to the original."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from formloop.access.actor import Actor
from formloop.bridges import provenance
from formloop.bridges.engine import fitting
from formloop.core.errors import Conflict
from formloop.core.expression import EvaluationError
from formloop.core.text import M
from formloop.db import transactional
from formloop.events import Cause
from formloop.forms import reads
from formloop.forms import service as records
from formloop.forms.kind import get_form
from formloop.forms.links import Links
from formloop.forms.names import context_of
from formloop.forms.spec import Values
from formloop.workflows.amendments.chances import find_chance


@dataclass(frozen=True, slots=True)
class Offer:
    """The supplement that a locked record takes now, and what it takes from the original."""

    form: str
    values: Values
    via: str
    version: int


def get_offer(actor: Actor, form: str, record: int) -> Offer:
    """The supplement a person may add to a record; Conflict where it takes none. They get what they may see."""
    spec, seen = get_form(form), reads.look(actor, form, record)
    chance = find_chance(actor, spec, seen.record)
    if chance is None or chance.supplement is None:
        raise Conflict(M("This record takes no supplement now."))
    wanted, target = chance.supplement, get_form(chance.supplement.form)
    values = dict.fromkeys(spec.fields) | reads.project(spec, seen.record, seen.visible)
    paths = frozenset().union(*(each.reads for each in wanted.values.values()))
    env, context = Links(actor, spec, [values], paths).environment(spec, values), context_of(actor)
    found = {}
    for key, expression in wanted.values.items():
        try:
            found[key] = fitting(target.fields[key], expression.evaluate(env, context))
        except EvaluationError:  # left to be filled in
            continue
    return Offer(target.key, found, chance.workflow.key, chance.workflow.version)


@transactional
def add(actor: Actor, form: str, record: int, raw: Mapping[str, Any], key: str | None) -> Values:
    """Save a supplement of a record and link the two. The same key twice saves it once."""
    offer = get_offer(actor, form, record)
    cause = Cause(("ui", f"supplement:{offer.via}"), form, record)
    saved = records.create_once(actor, offer.form, raw, key, cause)
    provenance.link((form, record), (offer.form, saved["id"]), offer.via, offer.version)
    return saved
