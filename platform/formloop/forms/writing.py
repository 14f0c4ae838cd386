"""Writing checked records: rows, serial numbers, change log and events, in this order."""

from dataclasses import dataclass, field

from sqlalchemy.exc import IntegrityError

from formloop.access.actor import Actor
from formloop.core import clock
from formloop.core.errors import Conflict, Invalid, Problem
from formloop.core.text import M
from formloop.db import adding, connection
from formloop.events import Cause, Event, emit
from formloop.forms import engine, known, rows, serials, standing
from formloop.forms.drafts import Draft, Outcome
from formloop.forms.names import context_of
from formloop.forms.numbering import counting, pattern_of
from formloop.forms.spec import FormSpec, Values
from formloop.forms.tables import change
from formloop.forms.uniqueness import taken_field

_CHANGE = tuple(change.c.keys())


@dataclass(slots=True)
class Work:
    draft: Draft
    before: Values | None
    after: Values
    given: engine.Given
    env: Values = field(default_factory=dict)
    difference: tuple[Values, Values] = field(default_factory=lambda: ({}, {}))
    problems: list[Problem] = field(default_factory=list)
    error: Exception | None = None
    stays: bool = False  # as it is: an import gives what a locked record says already


def write(actor: Actor, spec: FormSpec, work: list[Work], cause: Cause) -> None:
    new = [w for w in work if w.before is None]
    for each in new:
        _begin(actor, spec, each)
    changed = [w for w in work if w.before is not None and _settle(actor, spec, w)]
    _number(actor, spec, new)
    for each in new:
        each.difference = rows.difference(spec, {}, each.after)
    conn = connection()
    if new or changed:
        standing.note_written(spec.key, [each.after["id"] for each in (*new, *changed)])
    try:
        if new:
            rows.add(conn, spec, [w.after for w in new])
        for each in changed:
            if not rows.change(conn, spec, each.before or {}, each.after):
                raise Conflict
    except IntegrityError as error:
        raise Invalid([taken_field(spec, str(error.orig))]) from error
    known.note(spec, (w.after for w in (*new, *changed)))
    _log(actor, spec, [*new, *changed], cause)
    emit(*(_event(actor, spec, each, cause) for each in (*new, *changed)))


def _begin(actor: Actor, spec: FormSpec, each: Work) -> None:
    now = clock.now()
    each.after = dict.fromkeys(rows.columns_of(spec.table)) | each.after
    each.after |= {
        "id": clock.new_id(),
        "form_version": spec.version,
        "revision": 1,
        "state": each.draft.state or spec.initial_state,
        "owner": each.draft.owner or actor.person_id,
        "department": each.draft.department or actor.department,
        "created_at": now,
        "created_by": actor.person_id,
        "updated_at": now,
        "updated_by": actor.person_id,
        "deleted_at": None,
    }
    for subform in spec.subforms:
        each.after[subform.key] = each.after.get(subform.key) or []
        for line in each.after[subform.key]:
            line["id"] = clock.new_id()


def note_unchanged(spec: FormSpec, each: Work) -> None:
    """Let what is only tried say whether saving would change anything."""
    lines = [line for subform in spec.subforms for line in each.after.get(subform.key) or ()]
    kept = all(line.get("id") for line in lines)  # a new line has none yet
    if each.before is not None and kept and rows.difference(spec, each.before, each.after) == ({}, {}):
        each.after = each.before


def _settle(actor: Actor, spec: FormSpec, each: Work) -> bool:
    """Give new lines their ids; whether anything differs at all."""
    before = each.before or {}
    for subform in spec.subforms:
        known = {line["id"]: line for line in before.get(subform.key) or ()}
        for line in each.after.get(subform.key) or ():
            if line.get("id") not in known:
                line["id"] = clock.new_id()
    each.difference = rows.difference(spec, before, each.after)
    if each.difference == ({}, {}):
        each.after = before
        return False
    each.after |= {
        "form_version": spec.version,
        "revision": before["revision"] + 1,
        "updated_at": clock.now(),
        "updated_by": actor.person_id,
    }
    return True


def _number(actor: Actor, spec: FormSpec, work: list[Work]) -> None:
    for each in spec.stored if work else ():
        if each.type.name != "serial":
            continue
        of = counting(spec, each)
        patterns: dict[str, list[Values]] = {}
        for one in work:
            filled = serials.filled(pattern_of(each), one.after)
            patterns.setdefault(filled, []).append(one.after)
        for pattern, records in sorted(patterns.items()):  # everybody locks counters in the same order
            if brought := [values[each.key] for values in records if values.get(each.key)]:
                serials.observe(of, pattern, brought)
            if missing := [values for values in records if not values.get(each.key)]:
                numbers = serials.take(of, pattern, len(missing), context_of(actor).today)
                for values, number in zip(missing, numbers, strict=True):
                    values[each.key] = number


def _log(actor: Actor, spec: FormSpec, work: list[Work], cause: Cause) -> None:
    entries = []
    for each in work:
        old, new = each.difference
        entries.append(
            {
                "id": clock.new_id(),
                "form": spec.key,
                "record": each.after["id"],
                "revision": each.after["revision"],
                "form_version": spec.version,
                "action": _action(each),
                "person": actor.person_id,
                "at": each.after["updated_at"],
                "old": old if each.before else None,
                "new": new,
                "cause": {"chain": list(cause.chain), "form": cause.form, "record": cause.record},
            }
        )
    if entries:
        adding(change, _CHANGE).run(connection(), entries)


def _action(each: Work) -> str:
    before, after = each.before, each.after
    if before is None:
        return "created"
    if before["deleted_at"] != after["deleted_at"]:
        return "deleted" if after["deleted_at"] else "restored"
    return f"state:{after['state']}" if before["state"] != after["state"] else "updated"


def _event(actor: Actor, spec: FormSpec, each: Work, cause: Cause) -> Event:
    return Event(
        name=_action(each),
        form=spec.key,
        record=each.after["id"],
        actor=actor,
        after=each.after,
        before=each.before,
        changed=frozenset({*each.difference[0], *each.difference[1]}),
        cause=cause,
        version=spec.version,
    )


def outcome_of(each: Work) -> Outcome:
    if each.error is not None:
        message = getattr(each.error, "message", M("Something went wrong."))
        each.problems.append(Problem(getattr(each.error, "code", "error"), "", message))
    saved = each.after.get("id") if not each.problems else each.draft.id
    action = "failed" if each.problems else "created" if each.before is None else "updated"
    if not each.problems and each.after is each.before:
        action = "unchanged"
    return Outcome(saved, each.after, each.problems, action)
