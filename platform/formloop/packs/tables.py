"""What was installed, as it was shipped, and which records are sample data."""

from sqlalchemy import BigInteger, Column, Integer, Table, Text

from formloop.db import JsonText, UtcTime, metadata

pack = Table(
    "fl_pack",
    metadata,
    Column("key", Text, primary_key=True),
    Column("version", Text, nullable=False),
    Column("manifest", JsonText, nullable=False),
    Column("installed_at", UtcTime, nullable=False),
    Column("installed_by", BigInteger),
)

# what the pack shipped, so that an upgrade can tell local edits from its own changes
shipped = Table(
    "fl_pack_shipped",
    metadata,
    Column("definition", Text, primary_key=True),
    Column("pack", Text, nullable=False),
    Column("body", Text, nullable=False),
)

sample = Table(
    "fl_pack_sample",
    metadata,
    Column("pack", Text, primary_key=True),
    Column("form", Text, primary_key=True),
    Column("record", BigInteger, primary_key=True),
    Column("revision", Integer, nullable=False),
)
