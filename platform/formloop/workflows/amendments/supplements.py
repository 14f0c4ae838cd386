"""The record that is offered where a change is forbidden: it takes over values and is linked to the original."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert, select

from formloop.access.actor import Actor
from formloop.bridges.engine import fitting
from formloop.core import clock
from formloop.core.errors import Conflict
from formloop.core.expression import EvaluationError
from formloop.core.text import M
from formloop.db import connection, transactional
from formloop.events import Cause
from formloop.forms import reads
from formloop.forms import service as records
from formloop.forms.kind import get_form
from formloop.forms.links import Links
from formloop.forms.names import context_of
from formloop.forms.spec import FormSpec, Values
from formloop.forms.tables import record_link
from formloop.workflows.amendments.chances import find_chance
from formloop.workflows.amendments.spec import Supplement


def list_prefilled(actor: Actor, spec: FormSpec, record: int, supplement: Supplement) -> Values:
    """What a supplement takes from the original, as far as the person may see that."""
    seen = reads.look(actor, spec.key, record)
    values = reads.project(spec, seen.record, seen.visible)
    env = Links(actor, spec, [values], {p for e in supplement.values.values() for p in e.reads})
    scope, context = (
        env.environment(spec, {key: values.get(key) for key in spec.fields} | values),
        context_of(actor),
    )
    target, found = get_form(supplement.form), {}
    for key, expression in supplement.values.items():
        try:
            found[key] = fitting(target.fields[key], expression.evaluate(scope, context))
        except EvaluationError:  # left to be filled in
            continue
    return found


@transactional
def add(actor: Actor, form: str, record: int, raw: Mapping[str, Any], key: str | None) -> Values:
    """Save a record that adds to a locked one, and link the two."""
    spec = get_form(form)
    chance = find_chance(actor, spec, reads.get_record(actor, form, record))
    if chance is None or chance.supplement is None:
        raise Conflict(M("This record takes no supplement now."))
    step = f"supplement:{chance.workflow.key}"
    saved = records.create_once(actor, chance.supplement.form, raw, key, Cause(("ui", step), form, record))
    link = {
        "from_form": form,
        "from_record": record,
        "from_line": 0,
        "to_form": chance.supplement.form,
        "to_record": saved["id"],
        "via": chance.workflow.key,
    }
    known = select(record_link).where(*(record_link.c[name] == value for name, value in link.items()))
    if connection().execute(known).first() is None:  # the same click twice
        row = {**link, "version": chance.workflow.version, "at": clock.now()}
        connection().execute(insert(record_link).values(row))
    return saved
