"""What steps ask to be done: records made, changed, deleted, found, sent into approval; and addresses called.

Definitions decide here, not the rights of whoever happens to agree: the change is theirs, its cause the workflow.
A failure undoes this work alone, and the step hears of it.
"""

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import Table, bindparam, select

from formloop.access.actor import SYSTEM
from formloop.bridges import provenance
from formloop.bridges.engine import fitting
from formloop.core.errors import FormloopError, Invalid, NotFound, Problem
from formloop.core.text import M, Message
from formloop.db import Part, Prepared, connection
from formloop.events import outbox
from formloop.events.reasons import Guarded
from formloop.forms import known
from formloop.forms import service as records
from formloop.forms.kind import get_form
from formloop.forms.service import Draft, How
from formloop.forms.spec import Field
from formloop.forms.standing import note_held, note_taken_back
from formloop.planning import service as planning
from formloop.workflows import cases
from formloop.workflows.nodes.data import MOST_FOUND
from formloop.workflows.state import Event, Work
from formloop.workflows.turn import Turn, describe

HTTP_TOPIC = "workflow-http"
FREE = How(trusted=True, unlocked=True)


Kind = Callable[[Turn, Work], Mapping[str, Any] | None]
_KINDS: dict[str, Kind] = {}
READING = frozenset({"query"})  # kinds of work that change nothing


def does(kind: str) -> Callable[[Kind], Kind]:
    """Let a function do this kind of work; what it returns the step hears, or None when that will be told later."""

    def add(work: Kind) -> Kind:
        _KINDS[kind] = work
        return work

    return add


def perform(turn: Turn, work: Work) -> Event | None:
    """Do it; what came of it, or None when that will be told later."""
    try:
        with nullcontext() if work.kind in READING else Part():
            values = _KINDS[work.kind](turn, work)
    except FormloopError as error:
        if work.kind not in READING:
            note_taken_back()
        return Event("failed", None, round=work.round, values={"reason": reason_of(error)})
    return None if values is None else Event("done", None, round=work.round, values=values)


def reason_of(error: FormloopError) -> Message:
    """Why something failed, as the history says it: not everybody may see the fields whose values it quotes."""
    if not isinstance(error, Invalid) or not error.problems:
        return Guarded(error.message)
    problems = list(enumerate(error.problems[:3]))
    pattern = "; ".join(f"{{at{n}}}: {{text{n}}}" if each.at else f"{{text{n}}}" for n, each in problems)
    said = {f"at{n}": Message(each.at) for n, each in problems}
    return Guarded(Message(pattern, said | {f"text{n}": each.message for n, each in problems}))


@does("create")
def _create(turn: Turn, work: Work) -> Mapping[str, Any]:
    form = work.values["form"]
    raw = _raw(form, work.values["values"])
    draft = Draft(raw, owner=turn.state.initiator)
    (saved,) = records.save_many(turn.actor, form, [draft], turn.cause, FREE)
    if saved.problems:
        raise Invalid(saved.problems)
    made = int(saved.values["id"])
    provenance.link((turn.spec.key, turn.record), (form, made), turn.workflow.key, turn.workflow.version)
    return {"ids": (made,)}


@does("update")
def _update(turn: Turn, work: Work) -> Mapping[str, Any]:
    form, record = target_of(turn, work)
    raw, state = _raw(form, work.values["values"]), work.values.get("state")
    if raw or state is None:
        saved = records.change_record(turn.actor, form, record, raw, None, turn.cause, FREE, state)
    else:  # what was approved is not judged again
        saved = records.set_state(turn.actor, form, record, state, turn.cause)
    if form == turn.spec.key and record == turn.record:
        cases.describe(turn.case, *describe(turn, saved))
    return {"ids": (record,)}


@does("delete")
def _delete(turn: Turn, work: Work) -> Mapping[str, Any]:
    form, record = target_of(turn, work)
    if (form, record) == (turn.spec.key, turn.record):
        raise Invalid([Problem("own", "record", M("A case cannot delete its own record."))])
    records.delete_record(SYSTEM, form, record, None, turn.cause)
    return {"ids": (record,)}


@does("query")
def _query(turn: Turn, work: Work) -> Mapping[str, Any]:
    spec, many = get_form(work.values["form"]), bool(work.values["many"])
    by = _raw(spec.key, work.values["by"])
    empty = frozenset(key for key, value in by.items() if value is None)
    held = spec.key in turn.workflow.changes  # as read until written: of two that add to it neither is lost
    query = _finding(spec.table, tuple(by), empty, MOST_FOUND + 1 if many else 1, held)
    if held:
        note_held(spec.key)
    found = query.dicts(connection(), {f"by_{key}": value for key, value in by.items()})
    if held and not spec.subforms:
        known.note(spec, found)
    ids = tuple(each["id"] for each in found)
    if len(ids) > MOST_FOUND:
        most = Message(str(MOST_FOUND))  # no value of a field: it may be told
        raise Invalid([Problem("too_many", "", M("More than {most} records fit.", most=most))])
    return {"ids": ids}


@lru_cache(maxsize=1_000)
def _finding(table: Table, keys: tuple[str, ...], empty: frozenset[str], most: int, held: bool) -> Prepared:
    """The records with these values, the oldest first, or only their ids; prepared once, since the same step asks it
    again."""
    asked = (
        table.c[key].is_(None) if key in empty else table.c[key] == bindparam(f"by_{key}") for key in keys
    )
    found = select(table) if held else select(table.c.id)
    found = found.where(table.c.deleted_at.is_(None), *asked).order_by(table.c.id).limit(most)
    return Prepared(found.with_for_update() if held else found)


@does("plan")
def _plan(turn: Turn, work: Work) -> Mapping[str, Any]:
    """Run a plan; a plan that fails leaves the case where it is, with the reason."""
    run = planning.run_within(turn.actor, work.values["plan"], work.values["parameters"], turn.cause)
    return {"run": run.id, "written": run.written}


@does("http")
def _http(turn: Turn, work: Work) -> None:
    wanted = work.values
    payload = {
        "case": turn.case,
        "round": work.round,
        "method": wanted["method"],
        "url": wanted["url"],
        "body": {key: _sendable(value) for key, value in wanted["values"].items()},
        "key": f"case-{turn.case}-{wanted['key']}",
        "idempotent": wanted["idempotent"],
    }
    msg_id = f"case-{turn.case}-{work.round}"
    outbox.put(HTTP_TOPIC, f"case:{turn.case}:{work.round}", payload, msg_id)


def target_of(turn: Turn, work: Work) -> tuple[str, int]:
    """Form and record that work is about: the case's own where nothing is said."""
    if work.values.get("form") is None:
        return turn.spec.key, turn.record
    record = work.values["record"]
    if not isinstance(record, int | Decimal):
        raise NotFound
    return get_form(work.values["form"]).key, int(record)


def _raw(form: str, values: Mapping[str, Any]) -> dict[str, Any]:
    fields = get_form(form).fields
    return {
        key: _lines(fields[key], value) if fields[key].children else fitting(fields[key], value)
        for key, value in values.items()
        if key in fields
    }


def _lines(subform: Field, found: Any) -> list[dict[str, Any]]:
    """Lines made of others, or of records that were found: what they have under the names of the columns."""
    sources = [getattr(each, "record", each) for each in found or ()]
    if not all(isinstance(each, Mapping) for each in sources):
        text = M("“{key}” holds lines; this gives none.", key=subform.key)
        raise Invalid([Problem("lines", subform.key, text)])
    columns = [each for each in subform.children if not each.computed]
    return [
        {each.key: fitting(each, line[each.key]) for each in columns if line.get(each.key) is not None}
        for line in sources
    ]


def _sendable(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
