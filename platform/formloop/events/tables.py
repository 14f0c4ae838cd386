"""The outbox and its relatives."""

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text, text

from formloop.db import JsonText, UtcTime, metadata

_open = text("state IN ('ready', 'leased')")
_stuck = text("state IN ('dead', 'unknown')")

outbox = Table(
    "fl_outbox",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("topic", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("msg_id", Text, nullable=False, unique=True),
    Column("payload", JsonText, nullable=False),
    Column("state", Text, nullable=False, default="ready"),
    Column("ordered", Integer, nullable=False, default=0),
    Column("not_before", UtcTime, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("lease_owner", Text),
    Column("lease_until", UtcTime),
    Column("lease_epoch", Integer, nullable=False, default=0),
    Column("last_error", Text),
    Column("made_at", UtcTime, nullable=False),
    Column("done_at", UtcTime),
    Index("fl_outbox_open", "id", sqlite_where=_open, postgresql_where=_open),
    Index("fl_outbox_stuck", "id", sqlite_where=_stuck, postgresql_where=_stuck),
    # a dead message of an ordered topic goes on blocking its key, so it counts as open here
    Index(
        "fl_outbox_key",
        "key",
        "id",
        sqlite_where=text("state IN ('ready', 'leased', 'dead', 'unknown')"),
        postgresql_where=text("state IN ('ready', 'leased', 'dead', 'unknown')"),
    ),
)

inbox = Table(
    "fl_inbox",
    metadata,
    Column("source", Text, primary_key=True),
    Column("msg_id", Text, primary_key=True),
    Column("result", Text, nullable=False, default=""),
    Column("at", UtcTime, nullable=False),
)

schedule = Table(
    "fl_schedule",
    metadata,
    Column("name", Text, primary_key=True),
    Column("cron", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("payload", JsonText, nullable=False),
    Column("next_at", UtcTime, nullable=False),
)

worker = Table(
    "fl_worker",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("seen_at", UtcTime, nullable=False),
)
