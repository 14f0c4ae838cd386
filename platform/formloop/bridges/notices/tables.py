"""What people were told, and how each of them wants to be."""

from sqlalchemy import BigInteger, Column, Index, Table, Text, text

from formloop.db import UtcTime, metadata

notice = Table(
    "fl_notice",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("person", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("said", Text, nullable=False),  # in all languages, as events.reasons keeps it
    Column("link", Text, nullable=False, default=""),
    Column("made_at", UtcTime, nullable=False),
    Column("read_at", UtcTime),
    Index("fl_notice_person", "person", "id"),
    Index(
        "fl_notice_unread",
        "person",
        sqlite_where=text("read_at IS NULL"),
        postgresql_where=text("read_at IS NULL"),
    ),
)

choice = Table(
    "fl_notice_choice",
    metadata,
    Column("person", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Text, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("how", Text, nullable=False),
)

digest = Table(
    "fl_notice_digest",
    metadata,
    Column("person", BigInteger, primary_key=True, autoincrement=False),
    Column("channel", Text, primary_key=True),
    Column("last", BigInteger, nullable=False),  # the newest notice that went out in a digest
)
