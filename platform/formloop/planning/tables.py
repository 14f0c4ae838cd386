"""The room's tables: runs of plans, and which records each output has made."""

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text

from formloop.db import JsonText, UtcTime, metadata

run = Table(
    "fl_plan_run",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("plan", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("person", BigInteger),
    Column("job", BigInteger),
    Column("state", Text, nullable=False),  # running, done, failed
    Column("parameters", JsonText, nullable=False),
    Column("read", JsonText, nullable=False),
    Column("written", JsonText, nullable=False),
    Column("problems", JsonText, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
    Index("fl_plan_run_plan", "plan", "id"),
)

made = Table(
    "fl_plan_made",
    metadata,
    Column("plan", Text, primary_key=True),  # its stable id
    Column("output", Text, primary_key=True),
    Column("record", BigInteger, primary_key=True),
    Column("form", Text, nullable=False),
    Index("fl_plan_made_record", "form", "record"),
)
