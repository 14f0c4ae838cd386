"""Every night: what has lain in the recycle bin for long enough goes, then the files that nothing names any more.

A file stays as long as its key stands anywhere in the database: in records and their history, also of fields
that were taken out of a form, in what somebody is filling in, in jobs and in steps that wait.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Select, Text, delete, func, inspect, or_, select, type_coerce
from sqlalchemy import column as sql_column
from sqlalchemy import table as sql_table

from formloop.core import clock
from formloop.core.text import M
from formloop.db import connection, reading, transactional
from formloop.events import outbox, schedule
from formloop.events.outbox import Delivery, Topic
from formloop.forms import files, purging
from formloop.forms.tables import change, fill, import_batch, stored_file
from formloop.settings import Settings

TOPIC = "sweep"
UNUSED = timedelta(days=1)  # an upload that no record took within a day
_KEY = re.compile(r"[0-9a-f]{32}")
_QUOTED = '%"' + "_" * 32 + '"%'
_bin_days = [0]


def plan(settings: Settings) -> None:
    """Have it swept every night, by the clock of the site."""
    _bin_days[0] = settings.bin_days
    schedule.plan_once(TOPIC, "30 3 * * *", TOPIC, {}, settings.zone)


def sweep(bin_days: int) -> tuple[int, int]:
    """Purge what was deleted more than `bin_days` days ago (0: nothing), then the files nobody names.

    Returns how many records and how many files went.
    """
    gone = purging.purge_older(bin_days)[0] if bin_days else 0
    return gone, sweep_files()


def sweep_files() -> int:
    """Remove the files, older than a day, whose keys stand nowhere in the database; returns how many."""
    started, before = clock.new_id(), clock.now() - UNUSED
    with reading() as conn:
        old = select(stored_file.c.key).where(stored_file.c.at < before)
        unused = set(conn.execute(old).scalars())
        if unused:
            for query in _texts(conn):
                unused -= _keys(conn, query)
    removed = _forget(unused, started) if unused else 0
    _remove_contents(before)
    return removed


def _texts(conn: Connection) -> Iterator[Select[Any]]:
    """A query for every text in the database that may name a file."""
    catalogue = inspect(conn)
    for name in catalogue.get_table_names():
        if name == stored_file.name:
            continue
        for each in catalogue.get_columns(name):
            if isinstance(each["type"], Text):
                text = sql_column(each["name"], Text())
                yield (
                    select(text)
                    .select_from(sql_table(name, text))
                    .where(or_(text.like(_QUOTED), func.length(text) == 32))
                )


def _keys(conn: Connection, query: Select[Any]) -> set[str]:
    return {key for text in conn.execute(query).scalars() if text for key in _KEY.findall(text)}


@transactional
def _forget(unused: set[str], started: int) -> int:
    """Remove the rows of unused files, but not of those that somebody took while the others were read."""
    conn = connection()
    since = select(type_coerce(change.c.new, Text)).where(change.c.id > started)
    unused -= _keys(conn, since) | _keys(conn, select(type_coerce(fill.c.raw, Text)))
    unused -= _imported(conn)
    for start in range(0, len(unused), 500):
        some = sorted(unused)[start : start + 500]
        conn.execute(delete(stored_file).where(stored_file.c.key.in_(some)))
    return len(unused)


def _imported(conn: Connection) -> set[str]:
    """The keys of files that imports keep by their place."""
    places = [
        p for row in conn.execute(select(import_batch.c.file, import_batch.c.lines_file)) for p in row if p
    ]
    named = stored_file.c.sha256.in_({Path(place).name for place in places})
    return set(conn.execute(select(stored_file.c.key).where(named)).scalars())


def _remove_contents(before: datetime) -> None:
    """Remove contents, and unfinished uploads, that lie there for a day without a row that names them."""
    with reading() as conn:
        known = set(conn.execute(select(stored_file.c.sha256)).scalars())
    for path in files.list_contents():
        if path.name not in known and path.stat().st_mtime < before.timestamp():
            path.unlink(missing_ok=True)


def _deliver(_: Delivery) -> None:
    sweep(_bin_days[0])


if outbox.topics.find(TOPIC) is None:
    outbox.topics.add(TOPIC, Topic(_deliver, title=M("Sweeping the recycle bin and unused files")))
