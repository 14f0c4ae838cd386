"""Who takes part in a case, and who may see it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.engine import Row

from formloop.access.actor import Actor
from formloop.core.errors import NotFound
from formloop.forms import permits
from formloop.forms.kind import get_form
from formloop.forms.names import context_of
from formloop.workflows import cases
from formloop.workflows.turn import Turn, turn_on


def locked(actor: Actor, case: int) -> tuple[Row[Any], Turn]:
    """A case that somebody may see, locked, and a turn on it."""
    found = cases.lock_case(case)
    if found is None or not may_see_case(actor, found):
        raise NotFound
    return found, turn_on(actor, found)


def takes_part(actor: Actor, found: Row[Any]) -> bool:
    """Whether a person submitted a case, or was asked or told of it."""
    if actor.person_id is None:
        return False
    return found.initiator == actor.person_id or bool(cases.takes_part([found.id], actor.person_id))


def may_see_case(actor: Actor, found: Row[Any]) -> bool:
    """Whether a person takes part in a case, or may see its record anyway."""
    return found.id in may_see_cases(actor, [found])


def may_see_cases(actor: Actor, found: Sequence[Row[Any]]) -> set[int]:
    """Those of the cases in which a person takes part, or whose record they may see anyway: one query a form."""
    seen: set[int] = set()
    if actor.person_id is not None:
        seen = {each.id for each in found if each.initiator == actor.person_id}
        seen |= cases.takes_part([each.id for each in found if each.id not in seen], actor.person_id)
    for form in {each.form for each in found if each.id not in seen}:
        spec = get_form(form)
        permit = permits.find_permit(actor, "view", spec)
        if permit is not None:
            asked = {each.record for each in found if each.form == form}
            given = cases.records_seen(spec, asked, permit.where(context_of(actor)))
            seen |= {each.id for each in found if each.form == form and each.record in given}
    return seen
