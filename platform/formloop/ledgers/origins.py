"""The entry that a return takes back or that a later document adds value to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import or_, select

from formloop.core.errors import Invalid
from formloop.core.text import M
from formloop.db import connection, is_sqlite
from formloop.ledgers.balances import shown
from formloop.ledgers.engine import ADDED, OWN, PLAIN, Slot
from formloop.ledgers.groups import Group
from formloop.ledgers.pools import chunks, list_returns, nets, valuation_of
from formloop.ledgers.spec import ZERO
from formloop.ledgers.tables import posted

if TYPE_CHECKING:
    from formloop.ledgers.book import Book


def resolve(book: Book) -> None:
    """Find the entry that each slot names by the line or the record it came from, and hold what is gone back to."""
    back: dict[int, Decimal] = {}
    worth: dict[int, Decimal] = {}
    naming = [
        (group, slot)
        for group, slot in book.slots()
        if slot.way == PLAIN and (slot.rule.returns is not None or slot.rule.adds_to is not None)
    ]
    origins = _find_held(book, [slot for _, slot in naming])
    for (group, slot), found in zip(naming, origins, strict=True):
        if found is None:
            text = M("What this goes back to has not been posted in “{ledger}”.", ledger=slot.ledger.title)
            raise Invalid([group.sheet.problem("no_origin", slot.rule, slot.place, "returns", text)])
        slot.source = found.id
        if (slot.day or group.sheet.day) < found.date:
            text = M(
                "This cannot be before {day}, the date of what it goes back to.", day=found.date.isoformat()
            )
            raise Invalid([group.sheet.problem("too_early", slot.rule, slot.place, "returns", text)])
        if slot.rule.adds_to is not None:
            _add_to(book, group, slot, found, worth)
        else:
            _require_left(group, slot, found, back)


def _find_held(book: Book, slots: Sequence[Slot]) -> list[Any]:
    """The origin of each slot, held together with the groups that this book undoes."""
    found = [_find(slot) for slot in slots]
    if _hold({head.id for head in book.undone} | {each.posted for each in found if each is not None}):
        found = [_find(slot) for slot in slots]  # undone while we waited for it: it may be posted again
        _hold({each.posted for each in found if each is not None})
    return found


def _hold(groups: Iterable[int]) -> bool:
    """Until we are done nobody else takes back, adds to or undoes what these groups entered; whether one is undone."""
    undone = False
    for part in () if is_sqlite() else chunks(groups):  # on SQLite nobody writes beside us
        wanted = select(posted.c.id).where(posted.c.id.in_(part)).order_by(posted.c.id)
        connection().execute(wanted.with_for_update()).all()
        gone = select(posted.c.id).where(posted.c.reverses.in_(part)).limit(1)
        undone = undone or connection().execute(gone).first() is not None
    return undone


def _find(slot: Slot) -> Any:
    """Of the entries of that line or record, the one whose dimensions are most like these."""
    if not slot.source:
        return None
    table, ledger = slot.ledger.tables.entry, slot.ledger
    other = table.alias()
    undone = select(other.c.id).where(other.c.reverses == table.c.id).exists()
    query = (
        select(table, posted.c.record)
        .select_from(table.join(posted, posted.c.id == table.c.posted))
        .where(or_(table.c.line == slot.source, posted.c.record == slot.source, table.c.id == slot.source))
        .where(table.c.way.in_(OWN), table.c.pending.is_(False), table.c.pool.is_not(None), ~undone)
        .order_by(table.c.id)
    )
    columns = {key: dimension.column for key, dimension in ledger.dimensions.items() if slot.dims[key]}
    sign = slot.amounts[valuation_of(ledger).quantity]
    rows = [
        row
        for row in connection().execute(query)
        if slot.rule.adds_to is not None or getattr(row, f"m_{valuation_of(ledger).quantity}") * sign < 0
    ]
    return max(
        rows, key=lambda row: sum(getattr(row, c) == slot.dims[k] for k, c in columns.items()), default=None
    )


def _add_to(book: Book, group: Group, slot: Slot, found: Any, worth: dict[int, Decimal]) -> None:
    ledger = slot.ledger
    valuation = valuation_of(ledger)
    if found.id not in worth:
        _, value, variance = nets(ledger, [found.id])[found.id]
        worth[found.id] = value + variance
    worth[found.id] += slot.amounts[valuation.value]
    if worth[found.id] < 0:
        text = M("More is taken off than it is worth: {amount} would be left.", amount=shown(worth[found.id]))
        raise Invalid([group.sheet.problem("below_nothing", slot.rule, slot.place, "adds_to", text)])
    slot.dims = {key: getattr(found, dimension.column) for key, dimension in ledger.dimensions.items()}
    slot.way, slot.pool, slot.method = ADDED, found.pool, found.method
    slot.given, slot.amounts[valuation.value] = slot.amounts[valuation.value], ZERO
    place, pool = (found.date, found.id), (ledger.key, found.pool)
    book.since[pool] = min(book.since.get(pool, place), place)


def _require_left(group: Group, slot: Slot, found: Any, back: dict[int, Decimal]) -> None:
    ledger = slot.ledger
    quantity = valuation_of(ledger).quantity
    before = sum((q for _, q in list_returns(ledger, found.id)), ZERO) + back.get(found.id, ZERO)
    wanted = slot.amounts[quantity]
    left = abs(getattr(found, f"m_{quantity}")) - abs(before)
    back[found.id] = back.get(found.id, ZERO) + wanted
    if abs(wanted) > left:
        text = M("More is taken back than is left of it: {amount}.", amount=shown(left))
        raise Invalid([group.sheet.problem("too_much_back", slot.rule, slot.place, "returns", text)])
