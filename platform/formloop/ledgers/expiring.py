"""Reservations whose day has passed are given back: when somebody needs what they hold, and once a day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Table, and_, select

from formloop.access.actor import SYSTEM
from formloop.core import clock
from formloop.core.text import M
from formloop.db import connection, transactional
from formloop.events import outbox, schedule
from formloop.events.outbox import Delivery, Topic
from formloop.forms.names import context_of
from formloop.ledgers import matching
from formloop.ledgers.adjusting import find_version
from formloop.ledgers.engine import Sheet, Slot, plain_rule
from formloop.ledgers.groups import Group
from formloop.ledgers.kind import list_ledgers
from formloop.ledgers.spec import ZERO, LedgerSpec
from formloop.ledgers.tables import posted

if TYPE_CHECKING:
    from formloop.ledgers.book import Book

TOPIC = "ledger-reservations"


def start() -> None:
    """Look once a day; doing it twice counts once."""
    if TOPIC not in outbox.topics:
        outbox.topics.add(TOPIC, Topic(_deliver, atomic=True, title=M("Reservations that have expired")))


def plan() -> None:
    """See to it that somebody looks every night."""
    schedule.plan_once(TOPIC, "10 0 * * *", TOPIC, {}, zone=SYSTEM.zone)


def _deliver(_delivery: Delivery) -> None:
    release_expired()


@transactional
def release_expired() -> int:
    """Give every expired reservation back; returns how many."""
    from formloop.ledgers.book import Book as NewBook

    book = NewBook(SYSTEM, context_of(SYSTEM), {each.key: each for each in list_ledgers()}, [])
    for key in sorted(book.ledgers):  # balances before open items, as every posting holds them
        book.hold(book.ledgers[key], _list_expired(book, book.ledgers[key]))
    for ledger in book.ledgers.values():
        _give_back(book, ledger, None)
    count = len(book.groups)
    book.write()
    return count


def free(book: Book) -> None:
    """Give back what has expired among the reservations that stand in the way of this posting."""
    for key, balances in book.balances.items():
        held = {
            k
            for k, row in balances.rows.items()
            if any(v < 0 for n, v in row.values.items() if n[:2] == "r_")
        }
        if held:
            _give_back(book, book.ledgers[key], held)


def _has_expired(book: Book, item: Table) -> ColumnElement[bool]:
    return and_(item.c.pending, item.c.left != 0, item.c.expires < book.context.today)


def _list_expired(book: Book, ledger: LedgerSpec) -> list[dict[str, Any]]:
    """The dimensions of the reservations that have expired."""
    item, entry = ledger.tables.open, ledger.tables.entry
    columns = [entry.c[dimension.column] for dimension in ledger.dimensions.values()]
    query = select(*columns).join(item, item.c.entry == entry.c.id).where(_has_expired(book, item))
    rows = connection().execute(query.distinct()).all()
    return [dict(zip(ledger.dimensions, row, strict=True)) for row in rows]


def _give_back(book: Book, ledger: LedgerSpec, keys: set[str] | None) -> None:
    item, entry = ledger.tables.open, ledger.tables.entry
    query = (
        select(item.c.left, entry, posted.c.posting, posted.c.version, posted.c.form, posted.c.record)
        .select_from(item.join(entry, entry.c.id == item.c.entry).join(posted, posted.c.id == entry.c.posted))
        .where(_has_expired(book, item))
        .order_by(item.c.entry)
        .with_for_update(of=item)
    )
    if keys is not None:
        query = query.where(entry.c.key.in_(keys))
    used = {match.entry for match in book.matches}
    for row in connection().execute(query).mappings().all():
        if row["id"] not in used:
            _give_one_back(book, ledger, row)


def _give_one_back(book: Book, ledger: LedgerSpec, row: Any) -> None:
    sheet = Sheet(find_version(row["posting"], row["version"]), {}, book.context, book.context.today)
    group = Group(sheet, f"release:{row['id']}:{clock.new_id()}", "release", row["form"], row["record"])
    group.id = clock.new_id()
    dims = {key: row[dimension.column] for key, dimension in ledger.dimensions.items()}
    like = Slot(plain_rule(ledger.key), ledger, None, row["line"], dims, dict.fromkeys(ledger.amounts, ZERO))
    book.groups.append(group)
    matching.release(book, group, like, row["id"], row["left"])
