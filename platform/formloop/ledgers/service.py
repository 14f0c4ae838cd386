"""The use cases: posting what happens to records, undoing it, valuing again."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from sqlalchemy import select

from formloop.access.actor import Actor
from formloop.core.errors import Invalid
from formloop.db import connection
from formloop.definitions import library
from formloop.events import Event, subscribe_many
from formloop.forms.names import context_of
from formloop.forms.spec import Values
from formloop.ledgers import adjusting, engine, expiring, periods, remaining, resting, reversing, trials
from formloop.ledgers.book import Book
from formloop.ledgers.drafting import Seen, draft_sheets
from formloop.ledgers.engine import Sheet
from formloop.ledgers.groups import Group
from formloop.ledgers.kind import get_ledger, list_ledgers
from formloop.ledgers.posting_kind import CANCELLED
from formloop.ledgers.scopes import note_settings
from formloop.ledgers.spec import LedgerSpec, PostingSpec
from formloop.ledgers.tables import posted

ORDER = 100  # after the workflow's own, before bridges


def start() -> None:
    """Listen to changes of records; doing it twice counts once."""
    subscribe_many(on_events, ORDER)
    remaining.start()
    expiring.start()


def postings_of(form: str) -> list[PostingSpec]:
    """The published postings of a form."""
    return library.of_form("posting", form)


def on_events(events: Sequence[Event]) -> None:
    """Post, undo, or post again what has changed; all records of one save together."""
    note_settings(events)
    remaining.require_answered_alike(events)
    told: list[tuple[PostingSpec, list[Event], list[Event], list[Event]]] = []
    for posting in {p.key: p for e in events for p in postings_of(e.form)}.values():
        mine = [e for e in events if e.form == posting.form]
        fresh = [e for e in mine if _begins(posting, e)]
        stale = [e for e in mine if not _begins(posting, e) and _ends(posting, e)]
        changed = [e for e in mine if e.name == "updated" and _holds(posting, e) and _touches(posting, e)]
        if fresh or stale or changed:
            told.append((posting, fresh, stale, changed))
    entering = [posting for posting, fresh, _, changed in told if fresh or changed]
    seen = Seen(entering, [(e.form, dict(e.after or {})) for e in events if entering])
    told += [(posting, [], ended, []) for posting, ended in _out_of_use(events)]
    books = []
    for posting, fresh, stale, changed in told:
        with _told_of(posting):
            books.append((posting, _carry_out(posting, fresh, stale, changed, seen)))
    for posting, book in books:
        with _told_of(posting):
            if book is not None:
                resting.require_still(book)


@contextmanager
def _told_of(posting: PostingSpec) -> Iterator[None]:
    """What is refused meanwhile tells of the posting's ledgers, unless it says of which."""
    try:
        yield
    except Invalid as error:
        tells = tuple(get_ledger(key).resource for key in posting.ledgers)
        raise Invalid([replace(each, tells=each.tells or tells) for each in error.problems]) from error


def _out_of_use(events: Sequence[Event]) -> list[tuple[PostingSpec, list[Event]]]:
    """What ends of that postings have entered which are no longer in use: it is undone all the same."""
    ended = [e for e in events if e.name in ("deleted", "purged", f"state:{CANCELLED}")]
    if not ended:
        return []
    known = [posting.key for event in ended for posting in postings_of(event.form)]
    query = select(posted.c.posting, posted.c.version, posted.c.form, posted.c.record).where(
        posted.c.record.in_([event.record for event in ended]),
        posted.c.form.in_({event.form for event in ended}),
        posted.c.purpose == "post",
        posted.c.posting.not_in(known),
    )
    found = []
    for key, version, form, record in connection().execute(query).all():
        mine = [event for event in ended if (event.form, event.record) == (form, record)]
        if mine:
            found.append((adjusting.find_version(key, version), mine))
    return found


def _begins(posting: PostingSpec, event: Event) -> bool:
    state = (event.after or {}).get("state")
    if event.name == f"state:{posting.state}":
        return True
    return event.name in ("created", "restored") and state == posting.state


def _ends(posting: PostingSpec, event: Event) -> bool:
    if event.name in ("deleted", "purged"):
        return True
    return event.name.startswith("state:") and event.name.removeprefix("state:") in posting.until


def _holds(posting: PostingSpec, event: Event) -> bool:
    return (event.after or {}).get("state") not in posting.until


def _touches(posting: PostingSpec, event: Event) -> bool:
    """Whether a change is one of what the entries are made of; what else it says of them today counts for new ones."""
    before, after = event.before or {}, event.after or {}
    return any(
        _read(before.get(key), of) != _read(after.get(key), of) for key, of in posting.fields_read.items()
    )


def _read(value: Any, columns: frozenset[str]) -> Any:
    """What a posting reads of a field: of lines the columns, without any the whole of them."""
    if not isinstance(value, list) or not columns:
        return value
    return [{key: line.get(key) for key in ("id", *columns)} for line in value]


def _carry_out(
    posting: PostingSpec, fresh: list[Event], stale: list[Event], changed: list[Event], seen: Seen
) -> Book | None:
    actor = (fresh or stale or changed)[0].actor
    new = {event.record for event in fresh if event.name == "created"}
    past = reversing.list_posted(posting, {e.record for e in (*fresh, *stale, *changed)} - new)
    live = {record: [head for head in heads if not head.undone] for record, heads in past.items()}
    undone = [head for event in (*stale, *fresh) for head in live.get(event.record, ())]
    records = [dict(event.after or {}) for event in fresh]
    for event in changed:
        heads = live.get(event.record)
        if heads and _differs(posting, actor, dict(event.after or {}), heads, seen):
            undone += heads
            records.append(dict(event.after or {}))
    sheets = draft_sheets(posting, actor, records, seen)
    for sheet, record in zip(sheets[len(fresh) :], records[len(fresh) :], strict=True):
        if any(head.date == sheet.day for head in live[record["id"]]):
            _keep_reserved(sheet)
    if not undone and not any(sheet.slots for sheet in sheets):
        return None
    book = book_of(actor, posting)
    book.undone = undone
    book.groups = [
        group_of(posting, sheet, record, len(past.get(record["id"], ())))
        for sheet, record in zip(sheets, records, strict=True)
        if sheet.slots
    ]
    book.post()
    trials.note(posting.key, book)
    return book


def _keep_reserved(sheet: Sheet) -> None:
    """What only reserves goes on where its day is closed by now: on the first open one, since it is no figure of that day."""
    for slot in sheet.slots:
        if slot.pending:
            day = slot.day or sheet.day
            first = periods.first_open(slot.ledger.calendar, day)
            slot.day = first if first != day else slot.day


def book_of(actor: Actor, posting: PostingSpec) -> Book:
    """An empty book for what a posting enters."""
    return Book(actor, context_of(actor), with_agreeing(posting.ledgers), [])


def with_agreeing(keys: Iterable[str]) -> dict[str, LedgerSpec]:
    """The ledgers, with those that a change of theirs may change."""
    found = {key: get_ledger(key) for key in keys}
    if any(each.valuation for each in found.values()):
        found |= {each.key: each for each in list_ledgers()}
    return found


def group_of(posting: PostingSpec, sheet: Sheet, record: Mapping[str, Any], number: int) -> Group:
    """What a sheet of a record enters, as the `number`th of this posting."""
    source = f"{posting.form}:{record['id']}:{posting.key}:{number}"
    inputs = engine.inputs_of(posting, sheet.env, sheet.settings)
    return Group(sheet, source, "post", posting.form, record["id"], inputs=inputs)


def _differs(posting: PostingSpec, actor: Actor, record: Values, heads: list[Any], seen: Seen) -> bool:
    """Whether a changed record would be entered differently now."""
    (sheet,) = draft_sheets(posting, actor, [record], seen)
    if len(heads) != 1 or heads[0].date != sheet.day:
        return True
    now = {
        (s.rule.index, s.line, s.ledger.key_of(s.dims), name): amount
        for s in sheet.slots
        for name, amount in s.amounts.items()
        if name in s.rule.measures and name not in s.rule.dependent and amount
    }
    return now != _as_posted(posting, heads[0].id)


def _as_posted(posting: PostingSpec, group: int) -> dict[tuple[Any, ...], Any]:
    rules = {rule.index: rule for rule in posting.rules}
    found = {}
    for ledger in (get_ledger(key) for key in posting.ledgers):
        table = ledger.tables.entry
        query = select(table).where(table.c.posted == group, table.c.way.in_((*engine.OWN, engine.ADDED)))
        for row in connection().execute(query).mappings():
            rule = rules.get(row["rule"])
            for name in ledger.measures:
                if rule and name in rule.measures and name not in rule.dependent and row[f"m_{name}"]:
                    amount = row[f"m_{name}"]
                    if ledger.valuation and name == ledger.valuation.value and row["method"]:
                        amount += row["m_variance"]
                    found[rule.index, row["line"], row["key"], name] = amount
    return found
