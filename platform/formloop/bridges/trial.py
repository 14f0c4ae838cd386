"""What the draft of a bridge would do with records that are there: it really runs, and nothing of it stays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import select

from formloop.access.actor import Actor
from formloop.bridges import asking, changing, engine, provenance, publisher_rights, service, targets
from formloop.bridges.engine import CLEAR, RUN
from formloop.bridges.spec import ASKED, CANCELLED, CLOCK, BridgeSpec
from formloop.core import clock
from formloop.core.definitions import Doc
from formloop.core.errors import FormloopError, Invalid, NotFound, Problem
from formloop.core.text import M, Message
from formloop.db import Mark, connection, undone
from formloop.definitions import library
from formloop.events import Cause, Event
from formloop.forms import history, reads, rows
from formloop.forms.history import Difference
from formloop.forms.kind import get_form
from formloop.forms.spec import FormSpec, Said, Values
from formloop.forms.tables import change

EVENTS = {"amended": "updated", "cancelled": f"state:{CANCELLED}"}  # what happens where a bridge says these


@dataclass(frozen=True, slots=True)
class Target:
    """One target record; `action` is created, changed, same, cancelled or deleted."""

    action: str
    name: str
    values: list[Difference]


@dataclass(slots=True)
class Trial:
    """What would become of one source record. `reason` says why nothing would, `left_out` what the condition skips.

    `further` counts the records of other forms that would change with it.
    """

    record: int
    name: str
    reason: Message | None = None
    left_out: int = 0
    targets: list[Target] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    further: list[tuple[FormSpec, int]] = field(default_factory=list)


def try_out(actor: Actor, doc: Doc, records: Mapping[int, str], locale: str, on: str = "") -> list[Trial]:
    """A trial for each of the records, given with their names; with `on` as if that happened to them now.

    Invalid when the actor may not publish such a bridge, since it would tell them what it reads.
    """
    return [undone(partial(_try, actor, doc, Trial(id, name), locale, on)) for id, name in records.items()]


def _try(actor: Actor, doc: Doc, trial: Trial, locale: str, on: str) -> Trial:
    bridge = _prepared(actor, doc)
    record = reads.look(actor, bridge.source, trial.record).record
    if on.startswith("state:"):
        record = {**record, "state": on.removeprefix("state:")}
    effect, trial.reason = _set_off(bridge, actor, record, on)
    if effect is None:
        return trial
    alone = bridge.asked or bridge.every  # neither leaves lines out
    wanted = [] if effect == CLEAR or alone else targets.rows_of(bridge, actor, record)[0]
    if effect == RUN and not alone:
        trial.left_out = (len(record.get(bridge.each) or ()) if bridge.each else 1) - len(wanted)
    target, begun, known = get_form(bridge.target), Mark(clock.new_id()), list[Values | None]()
    try:
        cause = Cause(("trial",), bridge.source, trial.record)
        if bridge.every:  # asked before it runs: what it makes of them they are afterwards
            known = changing.list_work(bridge, target, actor, record, effect == CLEAR)[1]
        if bridge.asked:
            asking.make(bridge, actor, record, cause)
        else:
            service.run(bridge, actor, record, effect == CLEAR, cause)
    except FormloopError as error:
        trial.problems = (
            error.problems if isinstance(error, Invalid) else [Problem("refused", "", error.message)]
        )
        trial.left_out = 0  # what could not be calculated was not left out
        return trial
    if not bridge.every:
        known = targets.list_known(bridge, target, wanted, provenance.list_links(bridge, trial.record))
    _collect(trial, bridge, actor, known, begun, locale)
    return trial


def _prepared(actor: Actor, doc: Doc) -> BridgeSpec:
    entry = library.find_entry("bridge", doc["x-key"])
    library.overlay().put("bridge", doc["x-key"], doc, entry.version if entry else 0)
    bridge = library.published("bridge", doc["x-key"])
    if not isinstance(bridge, BridgeSpec):
        raise NotFound
    if problems := publisher_rights.check_rights(actor, bridge):
        raise Invalid(problems)
    return bridge


def _set_off(bridge: BridgeSpec, actor: Actor, record: Values, on: str) -> tuple[str | None, Message | None]:
    """What an event, or else the record as it is, means to the bridge; or why nothing."""
    source, state = get_form(bridge.source), str(record["state"])
    names = [on] if on else _behind(bridge, state)
    for name in names:
        event = Event(EVENTS.get(name, name), source.key, record["id"], actor, after=record)
        effect = engine.effect_of(bridge, event)
        if effect is None and engine.may_amend(bridge, source, event):
            effect = RUN if provenance.list_links(bridge, record["id"]) else None
        if effect is not None:
            return effect, None
    if on:
        return None, M("This event does not set the bridge off.")
    known = source.states.get(state)
    return None, M(
        "It is “{state}”: the bridge waits for something else.",
        state=Said(known.document) if known else state,
    )


def _behind(bridge: BridgeSpec, state: str) -> list[str]:
    """The events that a record in this state may have behind it."""
    return [
        f"state:{state}",
        *(on for on in bridge.on if on in ("created", "updated", "amended", ASKED, CLOCK)),
    ]


def _collect(
    trial: Trial, bridge: BridgeSpec, actor: Actor, known: Sequence[Values | None], begun: Mark, locale: str
) -> None:
    target, conn = get_form(bridge.target), connection()
    due = {each["id"] for each in known if each is not None}
    own: dict[int, Any] = {}
    others: dict[str, set[int]] = {}
    for row in conn.execute(select(change).where(begun.made(change.c.id)).order_by(change.c.id)):
        if row.form == target.key and (row.cause or {}).get("chain", [""])[-1] == bridge.step:
            own.setdefault(row.record, row)
        elif (row.form, row.record) != (bridge.source, trial.record):
            others.setdefault(row.form, set()).add(row.record)
    due |= set(own) if bridge.asked else set()
    ids = due | set(own)
    names = reads.list_titles(actor, target, target.table.c.id.in_(ids), len(ids)) if ids else {}
    found = rows.load(conn, target, ids)
    for each in sorted(ids, key=lambda id: (id not in due, id)):
        action = _action(own.get(each), each in due, bridge)
        values = (
            _values(actor, target, bridge, own[each], found[each], locale)
            if each in due and each in own
            else []
        )
        trial.targets.append(Target(action, names.get(each, ""), values))
    left = others.items()
    trial.further = [
        (get_form(form), len(there - (own.keys() if form == target.key else set()))) for form, there in left
    ]
    trial.further = [(form, count) for form, count in trial.further if count]


def _action(row: Any, due: bool, bridge: BridgeSpec) -> str:
    if row is None:
        return "same"
    if not due:
        return "deleted" if bridge.removed == "delete" else "cancelled"
    return "created" if row.action == "created" else "changed"


def _values(
    actor: Actor, target: FormSpec, bridge: BridgeSpec, row: Any, record: Values, locale: str
) -> list[Difference]:
    """What the bridge gives to the fields of a target; of what stood there before only what the actor may see."""
    given = [*bridge.values, *([bridge.lines.into] if bridge.lines else [])]
    old, new = ({key: side[key] for key in given if key in side} for side in (row.old or {}, row.new or {}))
    visible = frozenset(given)
    if row.action != "created":
        visible &= reads.visible_in(actor, target, record)
    return history.describe_difference(actor, target, old, new, visible, locale)
