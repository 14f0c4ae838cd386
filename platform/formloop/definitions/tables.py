"""Definitions and their versions."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from formloop.db import UtcTime, metadata, never_changed

definition = Table(
    "fl_definition",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("app", Text, nullable=False, default=""),
    Column("title", Text, nullable=False),
    Column("title_zh", Text, nullable=False, default=""),
    Column("version", Integer),  # the published one
    Column("draft", Text),
    Column("draft_revision", Integer, nullable=False, default=0),
    Column("draft_by", BigInteger),
    Column("draft_at", UtcTime),
    Column("archived", Boolean, nullable=False, default=False),
    Column("made_at", UtcTime, nullable=False),
    Column("publishing", BigInteger),  # the job that publishes it, while it does
    UniqueConstraint("kind", "key", name="fl_definition_key"),
    Index("fl_definition_app", "app"),
)

version = never_changed(
    Table(
        "fl_definition_version",
        metadata,
        Column("definition", Text, ForeignKey("fl_definition.id"), primary_key=True),
        Column("version", Integer, primary_key=True, autoincrement=False),
        Column("sha256", Text, nullable=False),
        Column("body", Text, nullable=False),
        Column("note", Text, nullable=False, default=""),
        Column("by", BigInteger),
        Column("at", UtcTime, nullable=False),
    )
)
