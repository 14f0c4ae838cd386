"""Why a balance is what it is: its entries with their documents, rules and formulas, as far as somebody may see."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import and_, or_, select

from formloop.access import gate
from formloop.access.actor import Actor
from formloop.core.errors import NotFound
from formloop.core.text import M, Message, Titled
from formloop.db import reading
from formloop.definitions import library
from formloop.forms import reads
from formloop.forms.kind import get_form
from formloop.ledgers import revalued
from formloop.ledgers.kind import get_ledger, list_ledgers
from formloop.ledgers.permits import Permit, find_permit, require_permit
from formloop.ledgers.spec import LedgerSpec, PostingSpec
from formloop.ledgers.tables import posted

MOST_CHANGES = 5  # of the value of one entry, that are told
WAYS: Mapping[str, Message] = {
    "plain": M("Entered"),
    "given": M("Entered with its value"),
    "free": M("Valued by what is there"),
    "carried": M("Value taken over"),
    "returned": M("At the cost of what it takes back"),
    "added": M("Added to an earlier entry"),
    "revalued": M("Valued again"),
    "reversed": M("Reversed"),
    "released": M("Reservation given back"),
    "renewed": M("Reserved again"),
}
METHOD_TITLES: Mapping[str, Message] = {
    "moving_average": M("moving average"),
    "fifo": M("first in, first out"),
    "standard": M("standard cost"),
    "specific": M("cost of its own"),
}


@dataclass(frozen=True, slots=True)
class Source:
    """The document that an entry came from, where it may be seen: its form and its name."""

    form: str
    record: int
    form_title: str
    title: str


@dataclass(frozen=True, slots=True)
class Why:
    """One entry: what, when, how much, from which document, by which rule in which version, by which formulas."""

    id: int
    ledger: LedgerSpec
    day: date
    pending: bool
    way: Message
    method: Message | str
    dims: Mapping[str, Any]
    amounts: Mapping[str, Decimal | None]
    purpose: str
    posting: Message
    version: int
    formulas: Mapping[str, str]
    source: Source | None
    changes: Sequence["Revalued"] = ()

    @property
    def changed_later(self) -> bool:
        """Whether others have changed its value."""
        return any(each.later for each in self.changes)


@dataclass(frozen=True, slots=True)
class Revalued:
    """A change of value: of this entry by that of another document (`later`), or the other way round."""

    later: bool
    source: Source | None
    day: date
    amounts: Mapping[str, tuple[Decimal, Decimal]]


def list_entries(
    actor: Actor,
    ledger: str,
    dims: Mapping[str, Any],
    until: date | None = None,
    before: int | None = None,
    limit: int = 50,
    locale: str = "en",
    since: date | None = None,
) -> list[Why]:
    """The entries that make up a balance, the last day first; `before` is an entry to go on behind."""
    spec = get_ledger(ledger)
    permit = require_permit(actor, spec)
    entry = spec.tables.entry
    wanted = [permit.dimension(key, entry) == value for key, value in dims.items()]
    if until is not None:
        wanted.append(entry.c.date <= until)
    if since is not None:
        wanted.append(entry.c.date >= since)
    if before is not None:
        last = entry.alias()
        day = select(last.c.date).where(last.c.id == before).scalar_subquery()
        wanted.append(or_(entry.c.date < day, and_(entry.c.date == day, entry.c.id < before)))
    return _read(actor, permit, wanted, limit, locale)


def list_of_record(actor: Actor, form: str, record: int, locale: str = "en") -> list[Why]:
    """The entries that a record has made in all ledgers that somebody may see, in the order of posting."""
    found: list[Why] = []
    for spec in list_ledgers():
        permit = find_permit(actor, spec)
        if permit is not None:
            wanted = [posted.c.form == form, posted.c.record == record]
            found += _read(actor, permit, wanted, 200, locale)
    return sorted(found, key=lambda each: each.id)


def has_entries(form: str, record: int) -> bool:
    """Whether a record has made any."""
    with reading() as conn:
        query = select(posted.c.id).where(posted.c.form == form, posted.c.record == record)
        return conn.execute(query.limit(1)).first() is not None


def _read(actor: Actor, permit: Permit, wanted: Sequence[Any], limit: int, locale: str) -> list[Why]:
    spec, entry = permit.ledger, permit.ledger.tables.entry
    names = [key for key in (*spec.dimensions, *spec.measures) if permit.covers(key)]
    columns: list[Any] = [entry.c[n] for n in ("id", "date", "pending", "way", "method", "rule", "source")]
    for key in names:
        column = spec.dimensions[key].column if key in spec.dimensions else spec.measures[key].column
        columns.append(permit.seen(entry.c[column], key, entry).label(column))
    heads = [posted.c[n] for n in ("form", "record", "posting", "version", "purpose")]
    query = select(*columns, *heads).join(posted, posted.c.id == entry.c.posted).where(*wanted)
    anything = [entry.c[m.column] != 0 for m in spec.measures.values()]
    query = query.where(or_(*anything))
    if (may := permit.where(entry)) is not None:
        query = query.where(may)
    with reading() as conn:
        latest = query.order_by(entry.c.date.desc(), entry.c.id.desc())
        rows = conn.execute(latest.limit(limit)).mappings().all()
        moved = revalued.list_movements(permit, rows)
        documents = [(row["form"], row["record"]) for row in rows]
        for each in moved.values():
            documents += [each.document, *(change.document for change in each.changes)]
        known = list_sources(actor, documents, locale)
    return [_why(spec, names, row, known, moved.get(revalued.target_of(row))) for row in rows]


def _changes(
    row: Mapping[Any, Any], known: Mapping[Any, Source], moved: revalued.Movement | None
) -> list[Revalued]:
    """What an entry makes of the value of another one, or what became of its own: the last changes first."""
    if moved is None:
        return []
    own = moved.find(row["id"])
    if own is not None:
        return [Revalued(False, known.get(moved.document), own.day, own.amounts)]
    latest = reversed(moved.changes[-MOST_CHANGES:])
    return [Revalued(True, known.get(each.document), each.day, each.amounts) for each in latest]


def _why(
    spec: LedgerSpec,
    names: Sequence[str],
    row: Mapping[Any, Any],
    known: Mapping[Any, Source],
    moved: revalued.Movement | None,
) -> Why:
    posting = _find_posting(row["posting"], row["version"])
    return Why(
        id=row["id"],
        ledger=spec,
        day=row["date"],
        pending=row["pending"],
        way=WAYS.get(row["way"], M("Entered")),
        method=METHOD_TITLES.get(row["method"] or "", row["method"] or ""),
        dims={key: row[spec.dimensions[key].column] for key in names if key in spec.dimensions},
        amounts={key: row[spec.measures[key].column] for key in names if key in spec.measures},
        purpose=row["purpose"],
        posting=Titled(posting.document if posting else {}, row["posting"]),
        version=row["version"],
        formulas=_formulas(posting, row["rule"], names) if row["purpose"] == "post" else {},
        source=known.get((row["form"], row["record"])),
        changes=_changes(row, known, moved),
    )


def _find_posting(key: str, version: int) -> PostingSpec | None:
    try:
        found = library.at_version("posting", key, version)
    except NotFound:
        return None
    return found if isinstance(found, PostingSpec) else None


def _formulas(posting: PostingSpec | None, rule: int, names: Sequence[str]) -> dict[str, str]:
    """What the rule says of each measure."""
    if posting is None or rule < 0:
        return {}
    said = posting.document["entries"][rule]
    found = {}
    for key, written in said.items():
        if key in names and isinstance(written, str):
            found[key] = written
        elif key in names:
            found[key] = f"{written['share']} / {written['by']}"
    return found


def list_sources(
    actor: Actor, documents: Iterable[tuple[str, int]], locale: str
) -> dict[tuple[str, int], Source]:
    """Those of these documents, by form and record, that somebody may see."""
    wanted: dict[str, set[int]] = {}
    for form, record in documents:
        if form:
            wanted.setdefault(form, set()).add(record)
    found = {}
    for form, ids in wanted.items():
        if not gate.allows(actor, "view", f"form:{form}") or library.find_entry("form", form) is None:
            continue
        spec = get_form(form)
        named = reads.list_titles(actor, spec, spec.table.c.id.in_(ids), len(ids))
        for record, title in named.items():
            found[form, record] = Source(form, record, spec.title(locale), title)
    return found
