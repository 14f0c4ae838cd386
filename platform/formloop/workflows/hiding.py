"""What a step hides from the people it asks is hidden from them wherever they look, as long as it asks them."""

from collections.abc import Mapping

from sqlalchemy import select

from formloop.access.actor import Actor
from formloop.db import in_transaction, kept_standing, reading
from formloop.definitions import library
from formloop.forms import permits
from formloop.forms.spec import FormSpec
from formloop.workflows import in_use, sight
from formloop.workflows.tables import case, task

Place = tuple[str, int, str]  # workflow, version, step


def start() -> None:
    """Narrow what people see; doing it twice counts once."""
    if narrow not in permits.narrowings:
        permits.narrowings.append(narrow)


def narrow(actor: Actor, spec: FormSpec) -> list[permits.Hidden]:
    """The records of a form whose step asks this person, with the paths that it hides."""
    if actor.person_id is None or not (places := places_of(spec)):
        return []
    if in_transaction():  # which may itself change what they are asked
        return _find_hidden(actor, spec, places)
    return kept_standing(
        f"workflows.hidden.{actor.person_id}.{spec.key}", lambda: _find_hidden(actor, spec, places)
    )


def _find_hidden(
    actor: Actor, spec: FormSpec, places: Mapping[Place, frozenset[str]]
) -> list[permits.Hidden]:
    query = select(case.c.record, case.c.workflow, case.c.version, task.c.step).join(
        task, task.c.case == case.c.id
    )
    query = query.where(task.c.person == actor.person_id, task.c.kind == "todo", task.c.state == "open")
    query = query.where(case.c.form == spec.key, task.c.step.in_({step for _, _, step in places}))
    found: dict[frozenset[str], set[int]] = {}
    with reading() as conn:
        for row in conn.execute(query.order_by(task.c.id.desc()).limit(10 * permits.MOST_NARROWED)):
            hidden = places.get((row.workflow, row.version, row.step))
            if hidden:
                found.setdefault(hidden, set()).add(row.record)
    return [(frozenset(records), hidden) for hidden, records in found.items()]


def places_of(spec: FormSpec) -> Mapping[Place, frozenset[str]]:
    """The steps that hide something of a form, of every version that a case may run by; nearly always none.

    Between two publishings no other version comes to run, so the answer holds until the next one.
    """
    known = library.until_published("workflows.hiding")
    if spec.key not in known:
        known[spec.key] = _read_places(spec)
    found: Mapping[Place, frozenset[str]] = known[spec.key]
    return found


def _read_places(spec: FormSpec) -> Mapping[Place, frozenset[str]]:
    return {
        (found.key, found.version, step.id): hidden
        for found in in_use.list_versions(spec)
        for step in found.steps.values()
        if (hidden := frozenset(p for p, right in sight.rights_of(step, spec).items() if right == "hide"))
    }
