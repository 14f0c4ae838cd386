"""Whether entries rest on what their balances come to, from the entries themselves."""

from collections.abc import Collection, Iterator

from sqlalchemy import select

from formloop.access.actor import SYSTEM
from formloop.db import connection
from formloop.ledgers.resting import draft_earlier, rule_of
from formloop.ledgers.resting_kept import Moved, Rest, list_resting
from formloop.ledgers.resting_places import Places, with_heads
from formloop.ledgers.spec import ZERO, LedgerSpec
from formloop.ledgers.tables import resting


def list_differing(ledger: LedgerSpec) -> Iterator[Rest]:
    """What rests on another balance than its entries come to; `now` says what that would be."""
    rests = list_resting(resting.c.ledger == ledger.key)
    if not rests:
        return
    for rest in rests:
        rule = rule_of(rest)
        rest.stays = rule is not None and rule.stays
    if ledger.valuation is not None:
        draft_earlier(SYSTEM, [each for each in rests if ledger.valuation.value in each.before])
    table = ledger.tables.balance
    sets: dict[int, dict[str, list[Rest]]] = {}
    numbers = {row.key: row.per for row in connection().execute(select(table.c.key, table.c.per))}
    for rest in rests:
        sets.setdefault(numbers.get(rest.key, 0), {}).setdefault(rest.key, []).append(rest)
    for number, mine in sets.items():
        for key, moves in _moves(ledger, ledger.sets[number], mine).items():
            for rest in mine[key]:
                rest.now = dict.fromkeys(rest.before, ZERO)
                for moved in moves:
                    if rest.sees(moved):
                        rest.add(moved)
                if rest.now != rest.before:
                    yield rest


def _moves(ledger: LedgerSpec, per: tuple[str, ...], rests: Collection[str]) -> dict[str, list[Moved]]:
    """The entries of these balances, each where it counts."""
    table, places = ledger.tables.entry, Places()
    found: dict[str, list[Moved]] = {key: [] for key in rests}
    query = with_heads(ledger).order_by(table.c.date, table.c.id).execution_options(yield_per=5_000)
    for row in connection().execute(query).mappings():
        place, dims = places.take(row), {k: row[d.column] for k, d in ledger.dimensions.items()}
        key = ledger.key_of(dims, per)
        if key in found:
            amounts = {name: row[f"m_{name}"] for name in ledger.measures}
            found[key].append(Moved(place, row["posted"], ledger.key_of(dims), amounts))
    return found
