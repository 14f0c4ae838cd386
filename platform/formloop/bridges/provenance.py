"""Which record came from which: the links a bridge leaves behind, and the targets it finds again."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Table, and_, bindparam, not_, select

from formloop.bridges.spec import CANCELLED, BridgeSpec
from formloop.core import clock
from formloop.db import Prepared, adding, among, connection, handed, places_for, reading
from formloop.forms import rows
from formloop.forms.spec import FormSpec, Values
from formloop.forms.tables import change, record_link

_CHUNK = 500
_LINKS = Prepared(
    select(record_link.c.from_line, record_link.c.to_record)
    .where(
        record_link.c.from_form == bindparam("source"),
        record_link.c.from_record == bindparam("record"),
        record_link.c.to_form == bindparam("target"),
        record_link.c.via == bindparam("via"),
    )
    .order_by(record_link.c.at, record_link.c.to_record)
)
Link = tuple[int, int]  # source line (0: the whole record), target record
Feeder = tuple[str, str, int]  # what made the link (a bridge's key), source form, source record


def list_links(bridge: BridgeSpec, record: int) -> list[Link]:
    """What this bridge has made of a source record so far, oldest first."""
    names = {"source": bridge.source, "record": record, "target": bridge.target, "via": bridge.key}
    with reading() as conn:
        return [(row["from_line"], row["to_record"]) for row in _LINKS.dicts(conn, names)]


def add_links(bridge: BridgeSpec, record: int, links: Iterable[Link]) -> None:
    """Remember what came from what, in one statement."""
    rows = [
        {
            "from_form": bridge.source,
            "from_record": record,
            "from_line": line,
            "to_form": bridge.target,
            "to_record": made,
            "via": bridge.key,
            "version": bridge.version,
            "at": clock.now(),
        }
        for line, made in links
    ]
    if rows:
        adding(record_link, tuple(rows[0])).run(connection(), rows)


def link(source: tuple[str, int], target: tuple[str, int], via: str, version: int) -> None:
    """Remember that one record was made of another by the definition `via`, unless that is known."""
    row = {
        "from_form": source[0],
        "from_record": source[1],
        "from_line": 0,
        "to_form": target[0],
        "to_record": target[1],
        "via": via,
    }
    known = select(record_link.c.at).where(*(record_link.c[name] == value for name, value in row.items()))
    if connection().execute(known).first() is None:
        made = {**row, "version": version, "at": clock.now()}
        adding(record_link, tuple(made)).run(connection(), made)


def count_made(form: str, record: int) -> dict[str, int]:
    """How many records each bridge has made of this one, by the bridge's key."""
    query = select(record_link.c.via, record_link.c.to_record).where(
        record_link.c.from_form == form, record_link.c.from_record == record
    )
    found: dict[str, set[int]] = {}
    with reading() as conn:
        for via, made in conn.execute(query):
            found.setdefault(via, set()).add(made)
    return {via: len(made) for via, made in found.items()}


def find_by_key(
    target: FormSpec, by: Sequence[str], keys: set[tuple[Any, ...]]
) -> dict[tuple[Any, ...], Values]:
    """The live records with these key values: id and state, by their key."""
    found: dict[tuple[Any, ...], Values] = {}
    ordered = sorted(keys, key=str)
    for start in range(0, len(ordered), _CHUNK):
        part = ordered[start : start + _CHUNK]
        values = [list({key[place] for key in part}) for place in range(len(by))]
        query = _holders(target.table, tuple(by), tuple(places_for(each) for each in values))
        asked = {k: v for place, each in enumerate(values) for k, v in handed(f"by_{place}_", each).items()}
        for row in query.dicts(connection(), asked):
            key = tuple(row[f"by_{place}"] for place in range(len(by)))
            if key in keys:
                found[key] = {"id": row["id"], "state": row["state"]}
    return found


@lru_cache(maxsize=500)
def _holders(table: Table, by: tuple[str, ...], places: tuple[int, ...]) -> Prepared:
    """The live records whose columns have these values; prepared once, since every run asks it."""
    columns = [table.c[name] for name in by]
    fits = [among(c, f"by_{n}_", many) for n, (c, many) in enumerate(zip(columns, places, strict=True))]
    named = [column.label(f"by_{place}") for place, column in enumerate(columns)]
    live = select(table.c.id, table.c.state, *named).where(*fits, table.c.deleted_at.is_(None))
    return Prepared(live.order_by(table.c.id.desc()))


def hold_by_key(target: FormSpec, key: Values) -> list[Values]:
    """The records with these key values, neither deleted nor cancelled, locked until they are changed; none where one is empty."""
    if any(value is None for value in key.values()):
        return []
    conn = connection()
    ids = [
        each["id"]
        for each in _living(target.table, tuple(key)).dicts(
            conn, {f"by_{name}": value for name, value in key.items()}
        )
    ]
    found = rows.load(conn, target, ids) if ids else {}
    return [found[each] for each in ids]


@lru_cache(maxsize=500)
def _living(table: Table, by: tuple[str, ...]) -> Prepared:
    """The records with a key that are neither deleted nor cancelled, locked; prepared once, since every run asks it."""
    same = (table.c[name] == bindparam(f"by_{name}") for name in by)
    query = select(table.c.id).where(*same, table.c.deleted_at.is_(None), table.c.state != CANCELLED)
    return Prepared(query.order_by(table.c.id).with_for_update())


def find_live(target: FormSpec, ids: Iterable[int]) -> dict[int, Values]:
    """Those of the records that are not in the recycle bin: id and state."""
    found: dict[int, Values] = {}
    for part in _parts(ids):
        query = select(target.table.c.id, target.table.c.state).where(
            target.table.c.id.in_(part), target.table.c.deleted_at.is_(None)
        )
        with reading() as conn:
            found.update({row[0]: {"id": row[0], "state": row[1]} for row in conn.execute(query)})
    return found


def list_made(bridge: BridgeSpec, ids: Iterable[int]) -> set[int]:
    """Those of the records that this bridge created, as the history says; others it only changed."""
    found: set[int] = set()
    for part in _parts(ids):
        query = select(change.c.record, change.c.cause).where(
            change.c.form == bridge.target, change.c.record.in_(part), change.c.action == "created"
        )
        for record, cause in connection().execute(query):
            if ((cause or {}).get("chain") or [""])[-1] == bridge.step:
                found.add(record)
    return found


def list_targets(bridge: BridgeSpec, records: Iterable[int]) -> set[int]:
    """What this bridge has made of, or changed for, any of these source records."""
    found: set[int] = set()
    for part in _parts(records):
        query = select(record_link.c.to_record).where(
            record_link.c.from_form == bridge.source,
            record_link.c.from_record.in_(part),
            record_link.c.to_form == bridge.target,
            record_link.c.via == bridge.key,
        )
        with reading() as conn:
            found.update(conn.execute(query).scalars())
    return found


def list_feeders(bridge: BridgeSpec, records: Collection[int], ids: Iterable[int]) -> dict[Feeder, set[int]]:
    """What else the targets came from besides these source records through this bridge, with the targets of each."""
    found: dict[Feeder, set[int]] = {}
    own = and_(
        record_link.c.from_form == bridge.source,
        record_link.c.from_record.in_(records),
        record_link.c.via == bridge.key,
    )
    for part in _parts(ids):
        query = select(record_link).where(
            record_link.c.to_form == bridge.target, record_link.c.to_record.in_(part), not_(own)
        )
        for row in connection().execute(query):
            found.setdefault((row.via, row.from_form, row.from_record), set()).add(row.to_record)
    return found


def _parts(ids: Iterable[int]) -> Iterator[list[int]]:
    ordered = sorted(set(ids))
    for start in range(0, len(ordered), _CHUNK):
        yield ordered[start : start + _CHUNK]
