"""Whether entries rest on what their balances come to, from the entries themselves."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from sqlalchemy import select

from formloop.db import connection
from formloop.ledgers.resting import Moved
from formloop.ledgers.resting_kept import Rest, list_resting
from formloop.ledgers.spec import ZERO, LedgerSpec
from formloop.ledgers.tables import posted, resting


def list_differing(ledger: LedgerSpec) -> Iterator[Rest]:
    """What rests on another balance than its entries come to; `now` says what that would be."""
    rests = list_resting(resting.c.ledger == ledger.key)
    if not rests:
        return
    table = ledger.tables.balance
    sets: dict[int, dict[str, list[Rest]]] = {}
    numbers = {row.key: row.per for row in connection().execute(select(table.c.key, table.c.per))}
    for rest in rests:
        sets.setdefault(numbers.get(rest.key, 0), {}).setdefault(rest.key, []).append(rest)
    roots = {(each.head.posting, each.head.form, each.head.record): each.place[1] for each in rests}
    for number, mine in sets.items():
        for key, moves in _entries(ledger, ledger.sets[number], mine, roots).items():
            for rest in mine[key]:
                now = dict.fromkeys(rest.before, ZERO)
                for place, _, amounts in moves:
                    if place < rest.place:
                        for name in now:
                            now[name] += amounts[name]
                if now != rest.before and not (ledger.valuation and ledger.valuation.value in now):
                    rest.now = now
                    yield rest


def _entries(
    ledger: LedgerSpec, per: tuple[str, ...], rests: Collection[str], roots: Mapping[tuple[Any, ...], int]
) -> dict[str, list[Moved]]:
    """The entries of these balances, each where it counts: what corrects or undoes another, there.

    `roots` has the groups that are corrected, of all balances: what rests on one may be entered in another.
    """
    table = ledger.tables.entry
    places: dict[int, int] = {}
    found: dict[str, list[Moved]] = {key: [] for key in rests}
    query = (
        select(table, posted.c.posting, posted.c.form, posted.c.record, posted.c.because, posted.c.purpose)
        .join(posted, posted.c.id == table.c.posted)
        .where(table.c.pending.is_(False))
        .order_by(table.c.date, table.c.id)
    )
    for row in connection().execute(query.execution_options(yield_per=5_000)).mappings():
        number = row["id"]
        if row["reverses"]:
            number = places.get(row["reverses"], row["reverses"])
        elif row["because"] and row["purpose"] == "post":
            number = roots.get((row["posting"], row["form"], row["record"]), number)
        places[row["id"]] = number
        key = ledger.key_of({k: row[d.column] for k, d in ledger.dimensions.items()}, per)
        if key in found:
            found[key].append(
                ((row["date"], number), row["posted"], {name: row[f"m_{name}"] for name in ledger.measures})
            )
    return found
