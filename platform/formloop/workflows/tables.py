"""Cases, their tasks, and their history."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint, text

from formloop.db import JsonText, UtcTime, metadata, never_changed

case = Table(
    "fl_case",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("form", Text, nullable=False),
    Column("record", BigInteger, nullable=False),
    Column("workflow", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("state", JsonText, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("initiator", BigInteger, nullable=False),
    Column("title", Text, nullable=False),
    Column("summary", JsonText, nullable=False),
    Column("started_at", UtcTime, nullable=False),
    Column("changed_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
    Index(
        "fl_case_open",
        "form",
        "record",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    Index("fl_case_record", "form", "record", "id"),
    Index("fl_case_initiator", "initiator", "id"),
)

# A task of kind "todo" waits for a decision (open, done, cancelled); one of kind "copy" is open until it is read.
task = Table(
    "fl_task",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("case", BigInteger, ForeignKey("fl_case.id"), nullable=False),
    Column("step", Text, nullable=False),
    Column("round", Integer, nullable=False),
    Column("person", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("decision", Text),
    Column("why", JsonText, nullable=False),
    Column("made_at", UtcTime, nullable=False),
    Column("done_at", UtcTime),
    UniqueConstraint("case", "step", "round", "person", name="fl_task_once"),
    Index("fl_task_inbox", "person", "kind", "state", "id"),
)

case_log = never_changed(
    Table(
        "fl_case_log",
        metadata,
        Column("id", BigInteger, primary_key=True, autoincrement=False),
        Column("case", BigInteger, ForeignKey("fl_case.id"), nullable=False),
        Column("step", Text, nullable=False),
        Column("round", Integer, nullable=False),
        Column("person", BigInteger),
        Column("action", Text, nullable=False),
        Column("comment", Text, nullable=False),
        Column("detail", JsonText, nullable=False),
        Column("at", UtcTime, nullable=False),
        Column("took", Integer),  # seconds since this person was asked
        Index("fl_case_log_case", "case", "id"),
    )
)
