"""Bridges that somebody asks for on a record's page: one new record at a time, its lines what is still open.

While what was made before is still under way it is opened instead, so nothing is passed on twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from formloop.access import gate
from formloop.access.actor import SYSTEM, Actor
from formloop.bridges import engine, provenance
from formloop.bridges.service import of_target
from formloop.bridges.spec import FOUND, BridgeSpec, Find
from formloop.core.errors import Conflict, Invalid, NotFound
from formloop.core.expression import EvaluationError, Expression, Linked
from formloop.core.text import Listed, M, Message, Titled
from formloop.datasets import service as datasets
from formloop.db import connection, in_transaction, reading, transactional
from formloop.definitions import library
from formloop.events import Cause
from formloop.forms import elsewhere, permits, reads, rows, service
from formloop.forms.kind import get_form
from formloop.forms.links import Links
from formloop.forms.names import context_of
from formloop.forms.service import Draft, How
from formloop.forms.spec import FormSpec, Values
from formloop.forms.standing import note_held

MOST_FOUND = 1_000
UNFIT = M("This cannot be made of the record as it is now.")
NOTHING = M("Nothing of it is open any more.")


@dataclass(frozen=True, slots=True)
class Chance:
    """What can be made of a record now; `under_way` are those made before that are not done, by id, `refused` why not.

    Where somebody else makes it, `made_by` says who: the titles of the roles that may.
    """

    bridge: BridgeSpec
    target: FormSpec
    under_way: Mapping[int, str]
    refused: Message | None = None
    made_by: Message | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """What somebody gets who asks: a new record, or the one that is under way already."""

    form: str
    record: int
    new: bool


def list_chances(actor: Actor, spec: FormSpec, record: int) -> list[Chance]:
    """What the person may make of a record as it stands, and what others make of it that the person may see."""
    asked = [each for each in library.of_form("bridge", spec.key) if each.asked and _may_see(actor, each)]
    source = _load(spec, record) if asked else None
    if source is None:
        return []
    return [chance for each in asked if (chance := _chance(actor, each, source)) is not None]


def _chance(actor: Actor, bridge: BridgeSpec, record: Values) -> Chance | None:
    target = get_form(bridge.target)
    try:
        scope = _scope(bridge, actor, record)
    except Conflict as error:  # too much for one record
        return Chance(bridge, target, {}, error.message) if _may_make(actor, bridge) else None
    if under_way := _under_way(bridge, record["id"], scope):
        named = reads.list_titles(actor, target, target.table.c.id.in_(under_way), len(under_way))
        return Chance(bridge, target, named) if named else None
    if _refusal(bridge, actor, scope) is not None:
        return None
    if _may_make(actor, bridge):
        return Chance(bridge, target, {})
    roles = gate.list_roles("create", target.resource)
    makers = Listed([Titled(library.find_document("role", key) or {}, key) for key in roles])
    return Chance(bridge, target, {}, made_by=makers) if roles else None


@transactional
def ask(actor: Actor, form: str, record: int, key: str) -> Made:
    """Make what the bridge says of a record, or give what is under way; Conflict when nothing can be made."""
    spec = get_form(form)
    bridge = next((each for each in library.of_form("bridge", form) if each.asked and each.key == key), None)
    if bridge is None:
        raise NotFound
    gate.require(actor, "create", get_form(bridge.target).resource)
    table = spec.table  # of two who ask at once the second waits, and gets what the first has made
    connection().execute(select(table.c.id).where(table.c.id == record).with_for_update())
    seen = reads.look(actor, form, record)
    under_way = _under_way(bridge, record, _scope(bridge, actor, seen.record))
    if under_way:
        target = get_form(bridge.target)
        named = reads.list_titles(actor, target, target.table.c.id.in_(under_way), len(under_way))
        if not named:
            raise Conflict(M("This is under way already with somebody else."))
        return Made(bridge.target, max(named), False)
    return Made(bridge.target, make(bridge, actor, seen.record, Cause()), True)


def make(bridge: BridgeSpec, actor: Actor, record: Values, cause: Cause) -> int:
    """Save the new record and link it; the definition decides what is in it, as with every bridge."""
    target, scope = get_form(bridge.target), _scope(bridge, actor, record)
    if (refusal := _refusal(bridge, actor, scope)) is not None:
        raise Conflict(refusal)
    values, problems = engine.made_of(bridge, target, scope, context_of(actor))
    if problems:
        raise Invalid(problems)
    step = cause.then(bridge.step, bridge.source, record["id"])
    (saved,) = service.save_many(actor, target.key, [Draft(values)], step, How(trusted=True))
    if saved.problems or saved.id is None:
        told = [engine.problem_at(bridge, None, p.at, of_target(target, saved, p)) for p in saved.problems]
        raise Invalid(told)
    provenance.add_links(bridge, record["id"], [(0, saved.id)])
    return saved.id


def _may_make(actor: Actor, bridge: BridgeSpec) -> bool:
    return gate.allows(actor, "create", get_form(bridge.target).resource)


def _may_see(actor: Actor, bridge: BridgeSpec) -> bool:
    return _may_make(actor, bridge) or gate.allows(actor, "view", get_form(bridge.target).resource)


def _load(spec: FormSpec, record: int) -> Values | None:
    with reading() as conn:
        found = rows.load(conn, spec, [record]).get(record)
    return found if found is not None and found["deleted_at"] is None else None


def _under_way(bridge: BridgeSpec, record: int, scope: Mapping[str, Any]) -> list[int]:
    """What is not done yet of what this made of the record, or holds something of what was found, oldest first."""
    target = get_form(bridge.target)
    made = {each for _, each in provenance.list_links(bridge, record)} | _holding(
        bridge, target, scope[FOUND]
    )
    live = provenance.find_live(target, made) if made else {}
    return sorted(key for key, each in live.items() if each["state"] in bridge.open)


def _holding(bridge: BridgeSpec, target: FormSpec, found: Sequence[Linked]) -> set[int]:
    """The records of the target with a line for one of those that were found, whoever made them."""
    column = bridge.lines.found_in if bridge.lines and not bridge.each else None
    if bridge.lines is None or column is None or not found:
        return set()
    table = target.line_tables[bridge.lines.into]
    query = select(table.c.record).where(table.c[column].in_([int(each) for each in found])).distinct()
    open_ = target.table.c.id.in_(query) & target.table.c.state.in_(bridge.open)
    with reading() as conn:
        return set(conn.execute(select(target.table.c.id).where(open_)).scalars())


def _refusal(bridge: BridgeSpec, actor: Actor, scope: Mapping[str, Any]) -> Message | None:
    """Why nothing can be made of a record now, if so."""
    try:
        if bridge.when is not None and bridge.when.evaluate(scope, context_of(actor)) is not True:
            return UNFIT
        return NOTHING if engine.makes_nothing(bridge, scope, context_of(actor)) else None
    except EvaluationError:
        return UNFIT


def _scope(bridge: BridgeSpec, actor: Actor, record: Values) -> dict[str, Any]:
    """What its expressions can name: the source, and what of the records that fit the asker sees."""
    source = get_form(bridge.source)
    env = Links(SYSTEM, source, [record], bridge.reads).environment(source, record)
    scope = {"source": env, **env, "record": env}
    return {
        **scope,
        FOUND: _look_up(bridge.find, bridge, actor, source, record, scope) if bridge.find else [],
    }


def _look_up(
    find: Find, bridge: BridgeSpec, actor: Actor, source: FormSpec, record: Values, scope: Mapping[str, Any]
) -> Sequence[Linked | Values]:
    if find.form is not None:
        return _find(find.form, find.where, bridge, actor, source, record)
    given = {key: each.evaluate(scope, context_of(actor)) for key, each in find.given.items()}
    if not datasets.may_read(actor, find.dataset or ""):
        return []
    rows = datasets.read_all(actor, find.dataset or "", {k: _written(v) for k, v in given.items()})
    if len(rows) > MOST_FOUND:
        raise _too_many()
    return rows


def _written(value: Any) -> Any:
    """A value as parameters are given."""
    return value.isoformat() if isinstance(value, date) else value


def _too_many() -> Conflict:
    return Conflict(M("More than {count} records fit; that is too much for one.", count=MOST_FOUND))


def _find(
    form: str, where: Expression | None, bridge: BridgeSpec, actor: Actor, source: FormSpec, record: Values
) -> list[Linked]:
    there = get_form(form)
    permit = permits.find_permit(actor, "view", there)
    if permit is None:
        return []
    query = select(there.table.c.id).where(there.table.c.deleted_at.is_(None))
    if (seen := permit.where(context_of(actor))) is not None:
        query = query.where(seen)
    if where is not None:
        query = query.where(
            elsewhere.in_sql(SYSTEM, where, there, elsewhere.constants(source.fields, record))
        )
    query = query.order_by(there.table.c.id).limit(MOST_FOUND + 1)
    if (
        in_transaction()
    ):  # of two who ask at once, be it of other records, the second sees what the first has made
        query = query.with_for_update()
        note_held(there.key)
    with reading() as conn:
        ids = list(conn.execute(query).scalars())
        if len(ids) > MOST_FOUND:
            raise _too_many()
        records = rows.load(conn, there, ids)
    reach = Links(SYSTEM, there, records.values(), bridge.reads_found)
    return [Linked(each, reach.environment(there, records[each])) for each in ids]
