"""What a ledger asks of a record stays as it is: while there is some of it, or once there was an entry.

Its method of valuation says in which pool a cost is kept, `when` whether there is one, `required` what must be named:
under another answer what is there would not be found any more, so they stay while there is any. What a dimension `keeps`,
the unit of a quantity say, stays once there ever was an entry, also when nothing is left: old entries are taken back and
returned later, too. Other changes of the method go on with what is there.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import or_, select

from formloop.access.actor import SYSTEM, Actor
from formloop.core.errors import Invalid, Problem
from formloop.core.expression import EvaluationError, Expression, Linked, Path
from formloop.core.text import M, Message, Titled
from formloop.db import connection, counter, glance, raise_counter, remembered_by
from formloop.definitions import library
from formloop.definitions import service as definitions
from formloop.events import Event
from formloop.forms.kind import get_form
from formloop.forms.links import Links
from formloop.forms.names import context_of
from formloop.ledgers.kind import LEDGER, get_ledger, list_ledgers
from formloop.ledgers.names import called, titles
from formloop.ledgers.pools import chunks
from formloop.ledgers.scopes import Scope
from formloop.ledgers.spec import LedgerSpec

ASKED = (
    "ledgers.asked"  # rises with what ledgers ask: what was entered meanwhile by the old answer begins anew
)
glance(ASKED, counter(ASKED), binds=True)


class Asked(NamedTuple):
    """What a ledger asks of the records of one of its dimensions, and what it reads of them for that."""

    ledger: LedgerSpec
    dimension: str
    expression: Expression | None  # none where any other value is another answer
    paths: frozenset[Path]

    @property
    def reads(self) -> frozenset[str]:
        """The dimensions that matter."""
        return frozenset(path[0] for path in self.expression.reads) if self.expression else frozenset()

    def differs(self, before: Mapping[str, Any], after: Mapping[str, Any], scope: Scope) -> bool:
        """Whether it comes to something else."""
        asked = self.expression
        return asked is None or self._answer(asked, before, scope) != self._answer(asked, after, scope)

    def _answer(self, asked: Expression, env: Mapping[str, Any], scope: Scope) -> bool:
        """What it comes to: of a method, whether it keeps costs apart for each set of dimensions."""
        try:
            found = asked.evaluate(env, scope.context)
        except EvaluationError:  # nothing can be entered under it
            return False
        valuation = self.ledger.valuation
        return found == "specific" if valuation and asked is valuation.method else found is True


def start() -> None:
    """Look at each version of a ledger that is published; doing it twice counts once."""
    if "ledgers.remaining" not in definitions.listeners:
        definitions.listeners.add("ledgers.remaining", require_still_found)


def require_answered_alike(events: Sequence[Event]) -> None:
    """Refuse changes of records by which what is there would be lost."""
    problems: list[Problem] = []
    for form in {event.form for event in events}:
        for asked in _everything_asked().get(form, ()):
            mine = [e for e in events if e.form == form and e.before and e.after and _concerns(asked, e)]
            if mine:
                raise_counter(ASKED)
                problems += [_problem(asked, event) for event in _list_losing(asked, mine)]
    if problems:
        raise Invalid(problems)


def _concerns(asked: Asked, event: Event) -> bool:
    return bool(event.changed & {path[0] for path in asked.paths})


@remembered_by("definitions")
def _everything_asked() -> dict[str, tuple[Asked, ...]]:
    found: dict[str, tuple[Asked, ...]] = {}
    for form, asked in _list_asked():
        found[form] = (*found.get(form, ()), asked)
    return found


def _list_asked() -> Iterator[tuple[str, Asked]]:
    for ledger in list_ledgers():
        for key, dimension in ledger.dimensions.items():
            if dimension.keeps:
                yield (
                    dimension.forms[0],
                    Asked(ledger, key, None, frozenset((name,) for name in dimension.keeps)),
                )
        valuation = ledger.valuation
        if valuation is None:
            continue
        required = [dimension.required for dimension in ledger.dimensions.values()]
        for key, dimension in ledger.dimensions.items():
            for expression in (valuation.method, valuation.when, *required):
                reads = expression.reads if expression else ()
                paths = frozenset(path[1:] for path in reads if path[0] == key and len(path) > 1)
                if expression and paths and len(dimension.forms) == 1:
                    yield dimension.forms[0], Asked(ledger, key, expression, paths)


def _list_losing(asked: Asked, events: Sequence[Event]) -> Iterator[Event]:
    """The changes by which the answer is another one for something that is there."""
    form, there = get_form(events[0].form), _list_there(asked, [event.record for event in events])
    scope = Scope(asked.ledger, there, context_of(SYSTEM))
    values = [each for event in events for each in (event.before, event.after) if each]
    links = Links(SYSTEM, form, values, reads=asked.paths)
    for event in events:
        before, after = (
            {asked.dimension: Linked(event.record, links.environment(form, each or {}))}
            for each in (event.before, event.after)
        )
        envs = [scope.env(dims) for dims in there if dims[asked.dimension] == event.record]
        if any(asked.differs(env | before, env | after, scope) for env in envs):
            yield event


def _list_there(asked: Asked, records: Sequence[int]) -> list[dict[str, Any]]:
    """The dimensions that matter of balances of these records, held: of those that are not nothing, or of all where
    any other value is another answer."""
    ledger, table = asked.ledger, asked.ledger.tables.balance
    sums = [f"{part}_{key}" for key in ledger.measures for part in ("m", "r")]
    column = table.c[ledger.dimensions[asked.dimension].column]
    read = asked.reads | {asked.dimension}
    found: set[tuple[tuple[str, Any], ...]] = set()
    for part in chunks(records):
        query = select(table).where(table.c.per == 0, column.in_(part)).order_by(table.c.key)
        for row in connection().execute(query.with_for_update()).mappings():
            dims = ((key, row[d.column] if key in read else d.empty) for key, d in ledger.dimensions.items())
            if asked.expression is None or any(row[name] for name in sums):
                found.add(tuple(dims))
    return [dict(each) for each in sorted(found)]


def _problem(asked: Asked, event: Event) -> Problem:
    form, ledger = get_form(event.form), asked.ledger
    at = min(event.changed & {path[0] for path in asked.paths})
    field = form.fields.get(at)
    named = titles(ledger, [{asked.dimension: event.record}])[asked.dimension, event.record]
    why = _not_found if asked.expression else _entered_with_it
    text = why(Titled(field.schema, field.key) if field else at, named, ledger)
    return Problem("there_is_some", at, text, tells=(ledger.resource,))


def _not_found(field: Message | str, record: str, ledger: LedgerSpec) -> Message:
    return M(
        "“{field}” stays as it is while there is any of “{record}” in “{ledger}”: "
        "what is there could not be found any more. Take all of it out, change this, then enter it again.",
        field=field,
        record=record,
        ledger=ledger.title,
    )


def _entered_with_it(field: Message | str, record: str, ledger: LedgerSpec) -> Message:
    return M(
        "“{field}” stays as it is, since the entries of “{record}” in “{ledger}” are counted in it. "
        "Make a new record for another one.",
        field=field,
        record=record,
        ledger=ledger.title,
    )


def require_still_found(_actor: Actor, published: definitions.Published) -> None:
    """Refuse a version of a ledger by which what is there would be lost."""
    if published.kind != LEDGER.name or published.version == 1:
        return
    new = get_ledger(published.key)
    old: LedgerSpec = library.at_version(LEDGER.name, published.key, published.version - 1)
    if new.valuation is None or _asks(old) == _asks(new):
        return
    there = _list_all_there(new)
    before, after = (Scope(each, there, context_of(SYSTEM)) for each in (old, new))
    for dims in there:
        if before.pool(dims) != after.pool(dims):
            _refuse(new, dims, "valuation.method")
        for key in set(after.missing(dims)) - set(before.missing(dims)):
            _refuse(new, dims, f"dimensions.{key}.required")


def _asks(ledger: LedgerSpec) -> list[str]:
    asked = [ledger.valuation.method if ledger.valuation else None]
    asked += [dimension.required for dimension in ledger.dimensions.values()]
    return [each.source if each else "" for each in asked]


def _list_all_there(ledger: LedgerSpec) -> list[dict[str, Any]]:
    table = ledger.tables.balance
    sums = [table.c[f"{part}_{key}"] != 0 for key in ledger.measures for part in ("m", "r")]
    columns = [table.c[dimension.column] for dimension in ledger.dimensions.values()]
    rows = connection().execute(select(*columns).where(table.c.per == 0, or_(*sums)))
    return [dict(zip(ledger.dimensions, row, strict=True)) for row in rows]


def _refuse(ledger: LedgerSpec, dims: Mapping[str, Any], at: str) -> None:
    text = M(
        "There is some of “{what}” in “{ledger}”, which could not be found any more by this.",
        what=called(ledger, dims),
        ledger=ledger.title,
    )
    raise Invalid([Problem("has_entries", at, text, tells=(ledger.resource,))])
