"""The one way to change records: screens, API, imports, bridges and workflows all come through here.

A save is one transaction: rows, lines, change log, and whatever listens to the event.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from formloop.access.actor import Actor
from formloop.core import clock, json_text
from formloop.core.errors import Conflict, Forbidden, Invalid, NotFound, Problem
from formloop.core.text import M
from formloop.db import connection, transactional
from formloop.events import Cause, outbox
from formloop.forms import engine, permits, rows
from formloop.forms.drafts import Draft, How, Outcome, guard_changes, is_locked
from formloop.forms.kind import get_form
from formloop.forms.names import context_of
from formloop.forms.reads import visible_in
from formloop.forms.saving import save
from formloop.forms.spec import FormSpec, Values
from formloop.forms.tables import change
from formloop.forms.uniqueness import Claim, check_unique
from formloop.forms.uses import InUse, find_used, list_uses
from formloop.forms.writing import Work, write

__all__ = [
    "Draft",
    "How",
    "Outcome",
    "change_record",
    "create",
    "create_once",
    "delete_record",
    "delete_records",
    "guard_changes",
    "is_locked",
    "restore_record",
    "save_many",
    "set_state",
    "undo_change",
    "was_saved",
]


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
    Invalid when other values come under the key of a record that was saved; Conflict when another request saves
    one at this moment: asking again gives that one.
    """
    if not key:
        return create(actor, form, raw, cause)
    source = _page_source(actor, form)
    sha256 = hashlib.sha256(json_text.dumps(raw).encode()).hexdigest()
    found = outbox.find_received(source, key)
    if not found:
        saved = create(actor, form, raw, cause)
        outbox.receive(source, key, f"{saved['id']} {sha256}")
        return saved
    record, _, earlier = found.partition(" ")
    if earlier and earlier != sha256:
        text = M("This was saved already, with other values. Save once more to make another record.")
        raise Invalid([Problem("key_reused", "", text)])
    return {"id": int(record)}


def was_saved(actor: Actor, form: str, key: str | None) -> bool:
    """Whether the page with this key made its record already."""
    return bool(key and outbox.find_received(_page_source(actor, form), key))


def _page_source(actor: Actor, form: str) -> str:
    return f"form:{form}:{actor.person_id}"


def change_record(
    actor: Actor,
    form: str,
    record: int,
    raw: Mapping[str, Any],
    revision: int | None = None,
    cause: Cause | None = None,
    how: How | None = None,
    state: str | None = None,
) -> Values:
    """Change a record, and its state if one is given. With `revision`, Conflict when somebody else has changed it since.

    Returns its values.
    """
    if state is not None:
        _require_state(get_form(form), state)
    return _one(save_many(actor, form, [Draft(raw, record, revision, state=state)], cause, how))


def _one(outcomes: list[Outcome]) -> Values:
    if outcomes[0].problems:
        raise Invalid(outcomes[0].problems)
    return outcomes[0].values


@transactional
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
    return save(actor, get_form(form), list(drafts), cause or Cause(), how or How(), all_or_nothing)


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
    _require_state(spec, state)
    if before is None:
        before = rows.load(connection(), spec, [record]).get(record)
    if before is None or before["deleted_at"] is not None:
        raise NotFound
    return _write_alone(actor, spec, [before], {"state": state}, cause)[0]


def _require_state(spec: FormSpec, state: str) -> None:
    if state not in spec.states:
        raise Invalid([Problem("state", "state", M("The form has no state “{state}”.", state=state))])


@transactional
def delete_record(
    actor: Actor,
    form: str,
    record: int,
    revision: int | None = None,
    cause: Cause | None = None,
    even_if_used: bool = False,
) -> None:
    """Put a record into the recycle bin; InUse when others point to it, unless `even_if_used`."""
    spec = get_form(form)
    before = _to_delete(actor, spec, {record: revision})
    if not even_if_used and (uses := list_uses(actor, spec, record)):
        raise InUse(uses)
    _write_alone(actor, spec, before, {"deleted_at": clock.now()}, cause)


@transactional
def delete_records(
    actor: Actor, form: str, revisions: Mapping[int, int | None], cause: Cause | None = None
) -> None:
    """Put records into the recycle bin together, or none of them: what refuses one of them is raised.

    That they point to each other is no use by others.
    """
    spec = get_form(form)
    before = _to_delete(actor, spec, revisions)
    if (used := find_used(spec, revisions)) is not None:
        raise InUse(list_uses(actor, spec, used))
    _write_alone(actor, spec, before, {"deleted_at": clock.now()}, cause)


def _to_delete(actor: Actor, spec: FormSpec, revisions: Mapping[int, int | None]) -> list[Values]:
    """The records as they stand; NotFound, Forbidden or Conflict where one of them may not be deleted so."""
    found = _in_or_out_of_bin(actor, spec, revisions, deleted=False)
    for each in found:
        if is_locked(spec, each):
            raise Forbidden(M("This record is under approval or approved; cancel it instead of deleting it."))
        if revisions[each["id"]] not in (None, each["revision"]):
            raise Conflict(current=each)
    return found


@transactional
def restore_record(actor: Actor, form: str, record: int, cause: Cause | None = None) -> None:
    """Take a record out of the recycle bin; Invalid when its unique value was given to another one meanwhile."""
    spec = get_form(form)
    (before,) = _in_or_out_of_bin(actor, spec, [record], deleted=True)
    problems: list[Problem] = []
    check_unique(connection(), spec, [Claim(None, before, problems, visible_in(actor, spec, before))])
    if problems:
        raise Invalid(problems)
    _write_alone(actor, spec, [before], {"deleted_at": None}, cause)


def _in_or_out_of_bin(actor: Actor, spec: FormSpec, records: Collection[int], deleted: bool) -> list[Values]:
    where = permits.require_permit(actor, "delete", spec).where(context_of(actor))
    found = rows.load(connection(), spec, list(records), where)
    if any(each not in found or (found[each]["deleted_at"] is not None) != deleted for each in records):
        raise NotFound
    return [found[each] for each in records]


def _write_alone(
    actor: Actor, spec: FormSpec, before: Sequence[Values], new: Values, cause: Cause | None
) -> list[Values]:
    """Write system values of records; nothing else of them is calculated or judged again."""
    nothing = engine.Given({}, frozenset(), {})
    work = [Work(Draft({}, each["id"]), each, {**each, **new}, nothing) for each in before]
    write(actor, spec, work, cause or Cause())
    return [each.after for each in work]


@transactional
def undo_change(
    actor: Actor,
    form: str,
    record: int,
    change_id: int,
    cause: Cause | None = None,
    how: How | None = None,
) -> Values:
    """Give the fields that one change touched their earlier values back; refused where the person may not.

    Unless `how` says otherwise the right to edit is asked, and read-only fields get their values back too.
    """
    how = how or How(trusted=True, asks="edit", restores=True)
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
    current = rows.load(connection(), spec, [record]).get(record) or {}
    raw = rows.laid(spec, current, row.old)
    return change_record(actor, form, record, raw, cause=cause or Cause(("ui", f"undo:{change_id}")), how=how)
