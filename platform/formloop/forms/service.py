"""The one way to change records: screens, API, imports, bridges and workflows all come through here.

A save is one transaction: rows, lines, change log, and whatever listens to the event.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from formloop.access.actor import Actor
from formloop.core import clock
from formloop.core.errors import Conflict, Forbidden, Invalid, NotFound, Problem
from formloop.core.text import M
from formloop.db import connection, transactional
from formloop.events import Cause, Event, emit, outbox
from formloop.forms import engine, permits, rows, serials
from formloop.forms.choices import check_choices
from formloop.forms.kind import get_form
from formloop.forms.links import Links
from formloop.forms.names import context_of
from formloop.forms.outside import check_outside
from formloop.forms.permits import Permit
from formloop.forms.spec import FormSpec, Values
from formloop.forms.tables import change
from formloop.forms.uniqueness import check_unique, taken_field


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be saved: raw values, and the record to change (None: a new one) as its reader saw it."""

    raw: Mapping[str, Any]
    id: int | None = None
    revision: int | None = None
    state: str | None = None
    owner: int | None = None


@dataclass(frozen=True, slots=True)
class How:
    """How a save treats what it is given.

    `trusted`: the program gives the values (imports, bridges, workflows), so read-only fields and serial
    numbers are taken as given and rights of the person are not asked. `fields`: the paths that may be
    changed beyond or within the person's grants (a workflow node's field rights). `unlocked`: a record
    under approval may be changed too. `dry`: find every problem, save nothing.
    """

    trusted: bool = False
    fields: frozenset[str] | None = None
    unlocked: bool = False
    dry: bool = False


@dataclass(slots=True)
class Outcome:
    """What became of one draft: the record as saved, or the problems that kept it from being saved."""

    id: int | None
    values: Values
    problems: list[Problem] = field(default_factory=list)
    action: str = "unchanged"


@dataclass(slots=True)
class _Work:
    draft: Draft
    before: Values | None
    after: Values
    given: engine.Given
    env: Values = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    error: Exception | None = None


Guard = Callable[[FormSpec, Values], bool]
_guards: list[Guard] = []


def guard_changes(guard: Guard) -> Guard:
    """Let `guard(spec, record)` say whether a record is locked against changes by hand (a workflow does)."""
    if guard not in _guards:
        _guards.append(guard)
    return guard


def is_locked(spec: FormSpec, record: Values) -> bool:
    """Whether a record may only be changed by a workflow or an amendment."""
    return any(guard(spec, record) for guard in _guards)


def create(
    actor: Actor, form: str, raw: Mapping[str, Any], cause: Cause | None = None, how: How | None = None
) -> Values:
    """Save a new record; returns its values. Raises Invalid with every problem."""
    return _one(save_many(actor, form, [Draft(raw)], cause, how))


@transactional
def create_once(
    actor: Actor, form: str, raw: Mapping[str, Any], key: str | None, cause: Cause | None = None
) -> Values:
    """Save a new record unless one was saved under this key before; then return that one.

    The key comes from the page (a double click, a reload after a time-out), so it only counts for its person.
    """
    if not key:
        return create(actor, form, raw, cause)
    source, found = (
        f"form:{form}:{actor.person_id}",
        outbox.find_received(f"form:{form}:{actor.person_id}", key),
    )
    if found:
        return {"id": int(found)}
    saved = create(actor, form, raw, cause)
    outbox.receive(source, key, str(saved["id"]))
    return saved


def change_record(
    actor: Actor,
    form: str,
    record: int,
    raw: Mapping[str, Any],
    revision: int | None = None,
    cause: Cause | None = None,
    how: How | None = None,
) -> Values:
    """Change a record. With `revision`, Conflict when somebody else has changed it since; returns its values."""
    return _one(save_many(actor, form, [Draft(raw, record, revision)], cause, how))


def _one(outcomes: list[Outcome]) -> Values:
    if outcomes[0].problems:
        raise Invalid(outcomes[0].problems)
    return outcomes[0].values


def save_many(
    actor: Actor,
    form: str,
    drafts: Sequence[Draft],
    cause: Cause | None = None,
    how: How | None = None,
    all_or_nothing: bool = True,
) -> list[Outcome]:
    """Save records of one form together, with one query for each thing needed however many they are.

    A draft with problems is not saved; with `all_or_nothing` then none of them is.
    """
    return _save_many(actor, get_form(form), list(drafts), cause or Cause(), how or How(), all_or_nothing)


@transactional
def _save_many(
    actor: Actor, spec: FormSpec, drafts: list[Draft], cause: Cause, how: How, all_or_nothing: bool
) -> list[Outcome]:
    context = context_of(actor)
    work = _prepare(actor, spec, drafts, how)
    links = Links(actor, spec, [w.after for w in work])
    for each in work:
        creating = each.before is None
        each.env = engine.complete(spec, each.after, each.given, links, context, creating)
        each.problems = engine.with_first(
            each.given.problems, engine.check(spec, each.after, each.env, context)
        )
        each.problems += check_choices(spec, each.before, each.after, each.given, links, context, how.trusted)
    check_unique(connection(), spec, [(w.before, w.after, w.problems) for w in work])
    check_outside(actor, spec, [(w.before, w.after, w.problems) for w in work])
    _check_rights(actor, spec, work, how)
    good = [w for w in work if not w.problems and w.error is None]
    for each in work:
        if each.error is not None and (all_or_nothing or len(work) == 1):
            raise each.error
    if not how.dry and (len(good) == len(work) or not all_or_nothing):
        _write(actor, spec, good, cause)
    return [_outcome(w) for w in work]


def _prepare(actor: Actor, spec: FormSpec, drafts: list[Draft], how: How) -> list[_Work]:
    """Current values of what is to change, with what was given laid over them."""
    ids = [d.id for d in drafts if d.id is not None]
    current = rows.load(connection(), spec, ids, _may_edit(actor, spec, how)) if ids else {}
    if len(ids) < len(drafts) and not how.trusted:
        permits.require_permit(actor, "create", spec)
    work = []
    for draft in drafts:
        given = engine.read_given(spec, draft.raw, how.trusted)
        before = current.get(draft.id) if draft.id is not None else None
        item = _Work(draft, before, _laid_over(spec, before, given.values), given)
        if draft.id is not None:
            item.error = _refusal(spec, draft, before, how)
        if draft.state is not None:
            item.after["state"] = draft.state
        work.append(item)
    return work


def _may_edit(actor: Actor, spec: FormSpec, how: How) -> Any:
    if how.trusted or how.fields is not None:
        return None
    return permits.require_permit(actor, "edit", spec).where(context_of(actor))


def _refusal(spec: FormSpec, draft: Draft, before: Values | None, how: How) -> Exception | None:
    if before is None or before["deleted_at"] is not None:
        return NotFound()
    if draft.revision is not None and draft.revision != before["revision"]:
        return Conflict(current=before)
    if not how.unlocked and not how.trusted and is_locked(spec, before):
        return Forbidden(M("This record is under approval or approved; it cannot be changed by hand."))
    return None


def _laid_over(spec: FormSpec, before: Values | None, given: Values) -> Values:
    """The record with what was given on top; a line that names its id keeps the values it was not given."""
    if before is None:
        return dict(given)
    after = {**before, **given}
    for subform in spec.subforms:
        known = {line["id"]: line for line in before.get(subform.key) or ()}
        after[subform.key] = [
            {**known.get(line.get("id"), {}), **line} for line in after.get(subform.key) or ()
        ]
    return after


def _check_rights(actor: Actor, spec: FormSpec, work: list[_Work], how: How) -> None:
    """A person may only write fields that a grant gives for the row as it was and as it becomes."""
    if how.trusted:
        return
    context = context_of(actor)
    for each in work:
        if each.error is not None:
            continue
        permit = (
            permits.require_permit(actor, "create" if each.before is None else "edit", spec)
            if how.fields is None
            else None
        )
        changed = _changed_paths(spec, each)
        allowed = how.fields if permit is None else _writable(actor, permit, each, context)
        if allowed is None:
            each.error = Forbidden(
                M("You may not save a record like this; a rule limits which ones are yours.")
            )
            continue
        for path in sorted(changed - allowed):
            title = (spec.find(path) or spec.fields[path.split(".")[0]]).key
            each.problems.append(Problem("forbidden", path, M("You may not change “{field}”.", field=title)))


def _writable(actor: Actor, permit: Permit, each: _Work, context: Any) -> frozenset[str] | None:
    giving = permit.giving(_as_saved(actor, each), context)
    if not giving:
        return None
    if each.before is not None:
        giving = [i for i in permit.giving(each.before, context) if i in giving]
    return frozenset().union(*(permit.reach[i] for i in giving))


def _as_saved(actor: Actor, each: _Work) -> Values:
    """The values that a row condition is asked about: those the row will have."""
    if each.before is not None:
        return {**each.env, "state": each.after.get("state")}
    own = {"owner": each.draft.owner or actor.person_id, "department": actor.department}
    return {**each.env, **own, "state": each.draft.state}


def _changed_paths(spec: FormSpec, each: _Work) -> frozenset[str]:
    """The paths somebody gave another value than the record had; what formulas give is not theirs."""
    found = set()
    before = each.before or {}
    for key in each.given.keys:
        known = spec.fields[key]
        if not known.children:
            if each.after.get(key) != before.get(key):
                found.add(key)
            continue
        was = {line["id"]: line for line in before.get(key) or ()}
        for line, given in zip(each.after.get(key) or (), each.given.line_keys.get(key, ()), strict=False):
            old = was.get(line.get("id"), {})
            found |= {f"{key}.{column}" for column in given if line.get(column) != old.get(column)}
        if {line.get("id") for line in each.after.get(key) or ()} != set(was):
            found.add(key)
    return frozenset(found)


def _write(actor: Actor, spec: FormSpec, work: list[_Work], cause: Cause) -> None:
    new = [w for w in work if w.before is None]
    for each in new:
        _begin(actor, spec, each)
    changed = [w for w in work if w.before is not None and _settle(actor, spec, w)]
    _number(actor, spec, new)
    conn = connection()
    try:
        if new:
            rows.add(conn, spec, [w.after for w in new])
        for each in changed:
            if not rows.change(conn, spec, each.before or {}, each.after):
                raise Conflict
    except IntegrityError as error:
        raise Invalid([taken_field(spec, str(error.orig))]) from error
    _log(actor, spec, [*new, *changed], cause)
    for each in (*new, *changed):
        emit(_event(actor, spec, each, cause))


def _begin(actor: Actor, spec: FormSpec, each: _Work) -> None:
    now = clock.now()
    each.after = dict.fromkeys(rows.columns_of(spec.table)) | each.after
    each.after |= {
        "id": clock.new_id(),
        "form_version": spec.version,
        "revision": 1,
        "state": each.draft.state or spec.initial_state,
        "owner": each.draft.owner or actor.person_id,
        "department": actor.department,
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


def _settle(actor: Actor, spec: FormSpec, each: _Work) -> bool:
    """Give new lines their ids; whether anything differs at all."""
    before = each.before or {}
    for subform in spec.subforms:
        known = {line["id"]: line for line in before.get(subform.key) or ()}
        for line in each.after.get(subform.key) or ():
            if line.get("id") not in known:
                line["id"] = clock.new_id()
    if rows.difference(spec, before, each.after) == ({}, {}):
        each.after = before
        return False
    each.after |= {
        "form_version": spec.version,
        "revision": before["revision"] + 1,
        "updated_at": clock.now(),
        "updated_by": actor.person_id,
    }
    return True


def _number(actor: Actor, spec: FormSpec, work: list[_Work]) -> None:
    day = context_of(actor).today
    for each in spec.stored:
        if each.type.name != "serial":
            continue
        pattern = each.schema.get("x-serial", "{0001}")
        brought = [w.after[each.key] for w in work if w.after.get(each.key)]
        if brought:
            serials.observe(spec.key, each.key, pattern, brought)
        missing = [w.after for w in work if not w.after.get(each.key)]
        if missing:
            numbers = serials.take(
                spec.key, each.key, each.schema.get("x-serial", "{0001}"), len(missing), day
            )
            for values, number in zip(missing, numbers, strict=True):
                values[each.key] = number


def _log(actor: Actor, spec: FormSpec, work: list[_Work], cause: Cause) -> None:
    entries = []
    for each in work:
        old, new = rows.difference(spec, each.before or {}, each.after)
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
        connection().execute(insert(change), entries)


def _action(each: _Work) -> str:
    before, after = each.before, each.after
    if before is None:
        return "created"
    if before["deleted_at"] != after["deleted_at"]:
        return "deleted" if after["deleted_at"] else "restored"
    return f"state:{after['state']}" if before["state"] != after["state"] else "updated"


def _event(actor: Actor, spec: FormSpec, each: _Work, cause: Cause) -> Event:
    old, new = rows.difference(spec, each.before or {}, each.after)
    return Event(
        name=_action(each),
        form=spec.key,
        record=each.after["id"],
        actor=actor,
        after=each.after,
        before=each.before,
        changed=frozenset({*old, *new}),
        cause=cause,
        version=spec.version,
    )


def _outcome(each: _Work) -> Outcome:
    if each.error is not None:
        message = getattr(each.error, "message", M("Something went wrong."))
        each.problems.append(Problem(getattr(each.error, "code", "error"), "", message))
    saved = each.after.get("id") if not each.problems else each.draft.id
    action = "failed" if each.problems else "created" if each.before is None else "updated"
    if not each.problems and each.after is each.before:
        action = "unchanged"
    return Outcome(saved, each.after, each.problems, action)


@transactional
def set_state(
    actor: Actor,
    form: str,
    record: int,
    state: str,
    cause: Cause | None = None,
    before: Values | None = None,
) -> Values:
    """Move a record to another state, as workflows and bridges do; rights were asked by whoever decided it.

    Nothing else of the record changes: what was approved is not calculated or judged again. `before` is the
    whole record where the caller has read it in this transaction.
    """
    spec = get_form(form)
    if state not in spec.states:
        raise Invalid([Problem("state", "state", M("The form has no state “{state}”.", state=state))])
    if before is None:
        before = rows.load(connection(), spec, [record]).get(record)
    if before is None or before["deleted_at"] is not None:
        raise NotFound
    each = _Work(Draft({}, record), before, {**before, "state": state}, engine.Given({}, frozenset(), {}))
    _write(actor, spec, [each], cause or Cause())
    return each.after


@transactional
def delete_record(
    actor: Actor, form: str, record: int, revision: int | None = None, cause: Cause | None = None
) -> None:
    """Put a record into the recycle bin."""
    _bin(actor, get_form(form), record, revision, True, cause or Cause())


@transactional
def restore_record(actor: Actor, form: str, record: int, cause: Cause | None = None) -> None:
    """Take a record out of the recycle bin."""
    _bin(actor, get_form(form), record, None, False, cause or Cause())


def _bin(actor: Actor, spec: FormSpec, record: int, revision: int | None, away: bool, cause: Cause) -> None:
    where = permits.require_permit(actor, "delete", spec).where(context_of(actor))
    before = rows.load(connection(), spec, [record], where).get(record)
    if before is None or (before["deleted_at"] is not None) == away:
        raise NotFound
    if revision is not None and revision != before["revision"]:
        raise Conflict(current=before)
    if away and is_locked(spec, before):
        raise Forbidden(M("This record is under approval or approved; cancel it instead of deleting it."))
    after = {**before, "deleted_at": clock.now() if away else None}
    each = _Work(Draft({}, record), before, after, engine.Given({}, frozenset(), {}))
    _write(actor, spec, [each], cause)


@transactional
def undo_change(actor: Actor, form: str, record: int, change_id: int) -> Values:
    """Give the fields that one change touched their earlier values back; refused where the person may not."""
    row = (
        connection()
        .execute(
            select(change).where(change.c.id == change_id, change.c.form == form, change.c.record == record)
        )
        .one_or_none()
    )
    if row is None or row.old is None:
        raise NotFound
    spec = get_form(form)
    raw = {k: v for k, v in row.old.items() if k in spec.fields and not spec.fields[k].children}
    current = rows.load(connection(), spec, [record]).get(record) or {}
    for subform in spec.subforms:
        if subform.key in row.old:
            raw[subform.key] = _lines_before(current.get(subform.key) or [], row.old[subform.key])
    return change_record(actor, form, record, raw, cause=Cause(("ui", f"undo:{change_id}")))


def _lines_before(lines: list[Values], old: Mapping[str, Values | None]) -> list[Values]:
    """Lines with the values they had; those that had gone come back, those that had come go."""
    there = {str(line["id"]) for line in lines}
    kept = [
        {**line, **(old[str(line["id"])] or {})}
        for line in lines
        if old.get(str(line["id"]), line) is not None
    ]
    return kept + [dict(values) for key, values in old.items() if values is not None and key not in there]
