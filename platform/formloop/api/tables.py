"""Answers that were given, so that a repeated request gets the same one."""

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text

from formloop.db import UtcTime, metadata

answer = Table(
    "fl_api_answer",
    metadata,
    Column("person", BigInteger, primary_key=True, autoincrement=False),
    Column("route", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("request_hash", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("revision", Integer),
    Column("at", UtcTime, nullable=False),
    Index("fl_api_answer_at", "at"),
)
