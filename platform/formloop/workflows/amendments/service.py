"""Proposing a change of an approved record, renewing the proposal, and the supplement that is offered instead."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.engine import Row
from sqlalchemy.exc import IntegrityError

from formloop.access.actor import Actor
from formloop.core import clock
from formloop.core.errors import Conflict, Invalid, NotFound, Problem
from formloop.core.text import M, Titled
from formloop.db import connection, transactional
from formloop.forms import permits, rows
from formloop.forms import service as records
from formloop.forms.kind import get_form
from formloop.forms.spec import FormSpec, Values
from formloop.workflows import cases
from formloop.workflows.amendments import proposals
from formloop.workflows.amendments.applying import id_of
from formloop.workflows.amendments.chances import Chance, find_chance
from formloop.workflows.amendments.impact import list_dependents
from formloop.workflows.engine import find_refusal
from formloop.workflows.service import Chosen, people_by_step
from formloop.workflows.sight import gives_row
from formloop.workflows.state import Event, State
from formloop.workflows.turn import describe, turn_of, turn_on
from formloop.workflows.turning import Result, add_case, carry_out

LONGEST_REASON = 2_000
NOT_LOCKED = M("This record is not locked.")
UNDER_WAY = M("A change of this record is under approval already.")


def propose(
    actor: Actor,
    form: str,
    record: int,
    raw: Mapping[str, Any] | None,
    reason: str,
    revision: int | None = None,
    chosen: Chosen | None = None,
) -> Result:
    """Propose other values for a locked record, or with None that it be cancelled; the approval begins at once.

    A proposal of one's own that came back is renewed. `revision` is the record as it was read, `chosen` are people
    picked for steps. Invalid with what is wrong with the values and what the lock stage forbids; Conflict when
    another proposal is under way.
    """
    event = Event("submit", actor.person_id, reason.strip(), chosen=people_by_step(chosen or {}))
    try:
        return _propose(actor, form, record, raw, event, revision)
    except IntegrityError as error:
        if "fl_case" not in str(error.orig):
            raise
        raise Conflict(UNDER_WAY) from error  # begun by another request at this moment


@transactional
def _propose(
    actor: Actor, form: str, record: int, raw: Mapping[str, Any] | None, event: Event, revision: int | None
) -> Result:
    spec = get_form(form)
    permits.require_permit(actor, "amend", spec)
    before = rows.load(connection(), spec, [record]).get(record)
    if before is None or before["deleted_at"] is not None or not gives_row(actor, "amend", spec, record):
        raise NotFound
    cases.find_open(form, record, lock=True)
    chance = find_chance(actor, spec, before)
    if chance is None:
        raise Conflict(UNDER_WAY if cases.find_open(form, record) else NOT_LOCKED)
    if revision is not None and revision != before["revision"]:
        raise Conflict(current=before)
    old, new, after = _difference(actor, spec, chance, before, raw)
    problems = [*_check_stage(spec, chance, old, new, after), *_check_reason(event.comment)]
    if problems:
        raise Invalid(problems)
    told = {
        "revision": before["revision"],
        "stage": id_of(chance.stage),
        "reason": event.comment,
        "old": old,
        "new": new,
        "places": _places(spec, before, after),
        "impact": [each.as_json() for each in list_dependents(spec, record)],
    }
    if chance.mine is not None:
        return _renew(actor, chance.mine, told, event)
    state = State(actor.person_id or 0)
    turn = turn_of(actor, chance.workflow, spec, clock.new_id(), record, state, after)
    add_case(turn)
    proposals.add(turn.case, told)
    return carry_out(turn, event, 1)


def _renew(actor: Actor, mine: Row[Any], told: Mapping[str, Any], event: Event) -> Result:
    turn = turn_on(actor, mine)
    refused = find_refusal(turn.workflow, turn.state, event)
    if refused is not None:
        raise refused
    cases.finish_revision(mine.id)
    proposals.add(mine.id, told)
    cases.describe(mine.id, *describe(turn, turn.situation.values))
    return carry_out(turn, event, mine.revision)


def _difference(
    actor: Actor, spec: FormSpec, chance: Chance, before: Values, raw: Mapping[str, Any] | None
) -> tuple[Values, Values, Values]:
    """Old and new values of what is proposed, and the record as it would be; Invalid with what is wrong with it."""
    if raw is None:
        if not chance.may_cancel:
            raise Invalid([Problem("locked", "", _locked(chance))])
        new = {"state": chance.amends.cancelled}
        return {"state": before["state"]}, new, {**before, **new}
    how = records.How(asks="amend", unlocked=True, dry=True)
    (found,) = records.save_many(actor, spec.key, [records.Draft(raw, before["id"])], how=how)
    if found.problems:
        raise Invalid(found.problems)
    after = found.values
    for subform in spec.subforms:
        for place, line in enumerate(after.get(subform.key) or ()):
            line.setdefault("id", -1 - place)  # until it is saved
    old, new = rows.difference(spec, before, after)
    if not new:
        raise Invalid([Problem("unchanged", "", M("Nothing differs from the record as it is."))])
    return old, new, after


def _check_stage(spec: FormSpec, chance: Chance, old: Values, new: Values, after: Values) -> list[Problem]:
    """What the lock stage forbids of a proposal; what formulas make of it is not looked at."""
    if "state" in new:
        return []
    found = []
    for key in new:
        field = spec.fields.get(key)
        if field is None or field.computed:
            continue
        if not field.children:
            found += [key] if chance.forbids(key) else []
            continue
        index = {str(line["id"]): place for place, line in enumerate(after.get(key) or ())}
        for line, values in new[key].items():
            if values is None or old[key][line] is None:
                found += [key] if chance.forbids(("-" if values is None else "+") + key) else []
                continue
            columns = [c for c in values if (f := spec.find(f"{key}.{c}")) is None or not f.computed]
            found += [f"{key}.{index[line]}.{c}" for c in columns if chance.forbids(f"{key}.{c}")]
    return [Problem("locked", at, _locked(chance)) for at in dict.fromkeys(found)]


def _locked(chance: Chance) -> Any:
    stage = Titled(chance.stage.document, chance.stage.id) if chance.stage is not None else ""
    return M("At the stage “{stage}” this can no longer be changed.", stage=stage)


def _check_reason(reason: str) -> list[Problem]:
    if not reason:
        return [Problem("required", "_reason", M("Please give a reason."))]
    if len(reason) > LONGEST_REASON:
        text = M("A reason has at most {count} characters.", count=LONGEST_REASON)
        return [Problem("long", "_reason", text)]
    return []


def _places(spec: FormSpec, before: Values, after: Values) -> dict[str, int]:
    """Which line is which: as the record has them, behind them those that come anew."""
    found: dict[str, int] = {}
    for subform in spec.subforms:
        lines = [str(line["id"]) for side in (before, after) for line in side.get(subform.key) or ()]
        found |= {line: place for place, line in enumerate(dict.fromkeys(lines), 1)}
    return found
