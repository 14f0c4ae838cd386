"""What a ledger asks of a record stays as it is while there is a balance of it.

Its method of valuation says in which pool a cost is kept, `when` whether there is one, `required` what must be named:
under another answer what is there would not be found any more. Other changes of the method go on with what is there.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import select

from formloop.access.actor import SYSTEM
from formloop.core.errors import Invalid, Problem
from formloop.core.expression import Expression, Linked, Path
from formloop.core.text import M, Message, Titled
from formloop.db import connection, remembered_by
from formloop.events import Event
from formloop.forms.kind import get_form
from formloop.forms.links import Links
from formloop.forms.names import context_of
from formloop.forms.spec import FormSpec
from formloop.ledgers.kind import list_ledgers
from formloop.ledgers.names import titles
from formloop.ledgers.scopes import Scope
from formloop.ledgers.spec import LedgerSpec


class Asked(NamedTuple):
    """What a ledger asks of the records of one of its dimensions, and what it reads of them for that."""

    ledger: LedgerSpec
    dimension: str
    expression: Expression
    paths: frozenset[Path]

    def answer(self, env: Mapping[str, Any], scope: Scope) -> bool:
        """What it comes to: of a method, whether it keeps costs apart for each set of dimensions."""
        found = self.expression.evaluate(env, scope.context)
        valuation = self.ledger.valuation
        return found == "specific" if valuation and self.expression is valuation.method else found is True


def require_answered_alike(events: Sequence[Event]) -> None:
    """Refuse changes of records by which what is there would be lost."""
    problems = [
        _problem(asked, event)
        for event in events
        if event.before and event.after
        for asked in _asked_of(event.form)
        if event.changed & {path[0] for path in asked.paths} and _is_lost(asked, event)
    ]
    if problems:
        raise Invalid(problems)


def _asked_of(form: str) -> tuple[Asked, ...]:
    return _everything_asked().get(form, ())


@remembered_by("definitions")
def _everything_asked() -> dict[str, tuple[Asked, ...]]:
    found: dict[str, tuple[Asked, ...]] = {}
    for form, asked in _list_asked():
        found[form] = (*found.get(form, ()), asked)
    return found


def _list_asked() -> Iterator[tuple[str, Asked]]:
    for ledger in list_ledgers():
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


def _is_lost(asked: Asked, event: Event) -> bool:
    """Whether the answer is another one for something that is there."""
    there = _list_there(asked, event.record)
    scope, form = Scope(asked.ledger, there, context_of(SYSTEM)), get_form(event.form)
    before, after = (_linked(asked, form, values or {}) for values in (event.before, event.after))
    for dims in there:
        env = scope.env(dims)
        if asked.answer(env | before, scope) != asked.answer(env | after, scope):
            return True
    return False


def _list_there(asked: Asked, record: int) -> list[dict[str, Any]]:
    """The dimensions that matter of balances of a record that are not nothing; they are held."""
    ledger, table = asked.ledger, asked.ledger.tables.balance
    sums = [table.c[f"{part}_{key}"] for key in ledger.measures for part in ("m", "r")]
    own = table.c[ledger.dimensions[asked.dimension].column] == record
    query = select(table).where(table.c.per == 0, own).order_by(table.c.key).with_for_update()
    held = connection().execute(query).mappings().all()
    read = {path[0] for path in asked.expression.reads}
    found = {
        tuple((key, row[d.column] if key in read else d.empty) for key, d in ledger.dimensions.items())
        for row in held
        if any(row[column.name] for column in sums)
    }
    return [dict(each) for each in sorted(found)]


def _linked(asked: Asked, form: FormSpec, values: Mapping[str, Any]) -> dict[str, Any]:
    """The record as expressions of the ledger see it."""
    links = Links(SYSTEM, form, [values], reads=asked.paths)
    return {asked.dimension: Linked(int(values["id"]), links.environment(form, values))}


def _problem(asked: Asked, event: Event) -> Problem:
    form, ledger = get_form(event.form), asked.ledger
    at = min(event.changed & {path[0] for path in asked.paths})
    field = form.fields.get(at)
    named = titles(ledger, [{asked.dimension: event.record}])[asked.dimension, event.record]
    text: Message = M(
        "“{field}” stays as it is while there is any of “{record}” in “{ledger}”: "
        "what is there could not be found any more. Take it out first, then enter it again.",
        field=Titled(field.schema, field.key) if field else at,
        record=named,
        ledger=ledger.title,
    )
    return Problem("there_is_some", at, text, tells=(ledger.resource,))
