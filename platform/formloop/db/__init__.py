"""One database behind one transaction: SQLite on one machine, PostgreSQL on many.

`@transactional` makes a function one write transaction, together with everything it calls; `reading()` lends
a connection for reads. Nothing may wait for the network inside a transaction.
"""

from formloop.db.beginning import begin_writing
from formloop.db.choosing import among, handed, places_for
from formloop.db.engines import engine, is_sqlite, metadata, start, upserting
from formloop.db.given import given
from formloop.db.glances import (
    changed_here,
    counter,
    glance,
    glanced,
    just_seen,
    now_shows,
    raise_counter,
    read_counter,
    remembered_by,
)
from formloop.db.marks import Mark
from formloop.db.parts import Part
from formloop.db.plans import columns_changed, forget_plans
from formloop.db.prepared import Prepared, adding
from formloop.db.triggers import never_changed
from formloop.db.turns import patience
from formloop.db.types import Exact, JsonText, UtcTime
from formloop.db.units import (
    after_commit,
    connection,
    hurry,
    in_transaction,
    kept,
    kept_standing,
    read_once,
    reading,
    transactional,
    undone,
)
from formloop.db.upkeep import look_over

__all__ = [
    "Exact",
    "JsonText",
    "Mark",
    "Part",
    "Prepared",
    "UtcTime",
    "adding",
    "after_commit",
    "among",
    "begin_writing",
    "changed_here",
    "columns_changed",
    "connection",
    "counter",
    "engine",
    "forget_plans",
    "given",
    "glance",
    "glanced",
    "handed",
    "hurry",
    "in_transaction",
    "is_sqlite",
    "just_seen",
    "kept",
    "kept_standing",
    "look_over",
    "metadata",
    "never_changed",
    "now_shows",
    "patience",
    "places_for",
    "raise_counter",
    "read_counter",
    "read_once",
    "reading",
    "remembered_by",
    "start",
    "transactional",
    "undone",
    "upserting",
]
