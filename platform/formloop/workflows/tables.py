"""Cases, their tasks, and their history."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)

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
    Index(
        "fl_case_status",
        "status",
        "id",
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    Index(
        "fl_case_running",
        "workflow",
        "version",
        "step",
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    Index("fl_case_initiator", "initiator", "id"),
)

# A task of kind "todo" waits for a decision (open, done, cancelled); a "copy", and with a text a "message", is open
# until it is read.
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
    Column("seen_at", UtcTime),
    UniqueConstraint("case", "step", "round", "person", name="fl_task_once"),
    Index("fl_task_inbox", "person", "kind", "state", "id"),
    Index(
        "fl_task_done",
        "person",
        "done_at",
        "id",
        sqlite_where=text("kind = 'todo' AND state = 'done'"),
        postgresql_where=text("kind = 'todo' AND state = 'done'"),
    ),
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

# What a token of a case waits for besides people: a moment (`at`), or a change or an end that is called `key`.
watch = Table(
    "fl_case_watch",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("case", BigInteger, ForeignKey("fl_case.id"), nullable=False),
    Column("round", Integer, nullable=False),
    Column("what", Text, nullable=False),
    Column("key", Text),
    Column("at", UtcTime),
    Column("known", JsonText),  # changes it was too late for; none once no other can come from that moment
    Index(
        "fl_case_watch_known",
        "id",
        sqlite_where=text("known IS NOT NULL"),
        postgresql_where=text("known IS NOT NULL"),
    ),
    Index(
        "fl_case_watch_key",
        "key",
        sqlite_where=text("key IS NOT NULL"),
        postgresql_where=text("key IS NOT NULL"),
    ),
    Index(
        "fl_case_watch_at",
        "at",
        "id",
        sqlite_where=text("at IS NOT NULL"),
        postgresql_where=text("at IS NOT NULL"),
    ),
    Index("fl_case_watch_case", "case"),
)

# Cases that a case of their own workflow has begun, through others or not: `root` is the first one of that line.
line = Table(
    "fl_case_line",
    metadata,
    Column("case", BigInteger, ForeignKey("fl_case.id"), primary_key=True, autoincrement=False),
    Column("root", BigInteger, nullable=False, index=True),
)

# What somebody has written at a task and not yet decided.
stash = Table(
    "fl_task_stash",
    metadata,
    Column("task", BigInteger, ForeignKey("fl_task.id"), primary_key=True, autoincrement=False),
    Column("comment", Text, nullable=False),
    Column("raw", JsonText, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("files", JsonText),  # that go with the comment, where it came too late
)

# When people were last reminded of a task, and how often.
reminder = Table(
    "fl_task_reminder",
    metadata,
    Column("task", BigInteger, ForeignKey("fl_task.id"), primary_key=True, autoincrement=False),
    Column("count", Integer, nullable=False),
    Column("at", UtcTime, nullable=False),
)

# What a case of an amending workflow proposes; the newest of a case counts. `stage` is the lock stage it met.
proposal = Table(
    "fl_proposal",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("case", BigInteger, ForeignKey("fl_case.id"), nullable=False),
    Column("revision", Integer, nullable=False),  # of the record it changes
    Column("stage", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("old", JsonText, nullable=False),
    Column("new", JsonText, nullable=False),
    Column("places", JsonText, nullable=False),  # which line is which, by its id
    Column("impact", JsonText, nullable=False),
    Column("made_at", UtcTime, nullable=False),
    Column("applied_at", UtcTime),
    Index("fl_proposal_case", "case", "id"),
)

delegation = Table(
    "fl_delegation",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("person", BigInteger, nullable=False),
    Column("deputy", BigInteger, nullable=False),
    Column("first", Date, nullable=False),
    Column("last", Date, nullable=False),
    Column("made_at", UtcTime, nullable=False),
    Index("fl_delegation_last", "last"),
)

special_day = Table(
    "fl_special_day",
    metadata,
    Column("day", Date, primary_key=True),
    Column("works", Boolean, nullable=False),
)
