"""The tables: our own, and those of each published ledger."""

from collections.abc import Mapping

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    false,
    text,
)

from formloop.db import Exact, JsonText, UtcTime, metadata
from formloop.db.triggers import never_changed
from formloop.ledgers.spec import Dimension, Measure, Tables

posted = never_changed(
    Table(
        "fl_posted",
        metadata,
        Column("id", BigInteger, primary_key=True, autoincrement=False),
        Column("source", Text, nullable=False, unique=True),  # what this is done once for
        Column("purpose", Text, nullable=False),  # post, reverse, revalue, release
        Column("posting", Text, nullable=False),
        Column("version", Integer, nullable=False),
        Column("form", Text, nullable=False),
        Column("record", BigInteger, nullable=False),
        Column("date", Date, nullable=False),
        Column("reverses", BigInteger),
        Column("because", BigInteger),
        Column("inputs", JsonText),
        Column("by", BigInteger),
        Column("at", UtcTime, nullable=False),
        Column("sealed", Boolean, nullable=False, server_default=false()),
        Index("fl_posted_record", "form", "record", "id"),
        Index("fl_posted_reverses", "reverses"),
    ),
    unless="NOT OLD.sealed",
)

calendar = Table(
    "fl_calendar",
    metadata,
    Column("name", Text, primary_key=True),
    Column("closed_through", Date),
)


def tables_of(
    key: str, dimensions: Mapping[str, Dimension], measures: Mapping[str, Measure], valued: bool
) -> Tables:
    """The tables of a ledger, as SQLAlchemy sees them."""
    catalogue = MetaData()

    def dims() -> list[Column[object]]:
        return [
            Column(d.column, BigInteger, nullable=False, server_default=text("0"))
            if d.forms
            else Column(d.column, Text, nullable=False, server_default="")
            for d in dimensions.values()
        ]

    def amounts(prefix: str = "m_") -> list[Column[object]]:
        return [
            Column(f"{prefix}{m.key}", Exact(m.scale), nullable=False, server_default=text("0"))
            for m in measures.values()
        ]

    most = max((m.scale for m in measures.values()), default=2)

    def variance() -> list[Column[object]]:
        return [Column("m_variance", Exact(most), nullable=False, server_default=text("0"))] if valued else []

    entry = Table(
        f"fl_entry_{key}",
        catalogue,
        Column("id", BigInteger, primary_key=True, autoincrement=False),
        Column("posted", BigInteger, nullable=False),
        Column("rule", Integer, nullable=False),
        Column("line", BigInteger, nullable=False),
        Column("date", Date, nullable=False),
        Column("pending", Boolean, nullable=False, server_default=false()),
        Column("way", Text, nullable=False),
        Column("key", Text, nullable=False),
        Column("pool", Text),
        Column("method", Text),
        Column("source", BigInteger),  # the entry whose value it takes, returns or changes
        Column("reverses", BigInteger),
        Column("layers", JsonText),  # what it took over, where values are kept by layers
        Column("due", Date),
        *dims(),
        *amounts(),
        *variance(),
        Index(f"fl_entry_{key}_posted", "posted"),
        Index(f"fl_entry_{key}_key", "key", "date", "id"),
        Index(f"fl_entry_{key}_pool", "pool", "date", "id"),
        Index(f"fl_entry_{key}_source", "source"),
        Index(f"fl_entry_{key}_line", "line"),
        Index(f"fl_entry_{key}_reverses", "reverses"),
        Index(f"fl_entry_{key}_date", "date", "id"),
    )
    balance = Table(
        f"fl_balance_{key}",
        catalogue,
        Column("key", Text, primary_key=True),
        Column("per", SmallInteger, nullable=False, server_default=text("0")),
        *dims(),
        *amounts(),
        *variance(),
        *amounts("r_"),  # what is reserved: pending entries that take away
        *amounts("e_"),  # what is expected: pending entries that add
        Column("lifted", Text, nullable=False, server_default=""),  # the limits that do not hold here
        Column("state", JsonText),  # what the valuation remembers
        Column("last", Text),  # date and id of the last entry by date
        *(
            Index(f"fl_balance_{key}_{d.key}"[:63], "per", d.column)
            for d in dimensions.values()
        ),
    )  # fmt: skip
    turnover = Table(
        f"fl_turnover_{key}",
        catalogue,
        Column("key", Text, primary_key=True),
        Column("month", Text, primary_key=True),
        *amounts(),
        *variance(),
    )
    open_ = Table(
        f"fl_open_{key}",
        catalogue,
        Column("entry", BigInteger, primary_key=True, autoincrement=False),
        Column("within", Text, nullable=False),
        Column("record", BigInteger, nullable=False),
        Column("line", BigInteger, nullable=False),
        Column("pending", Boolean, nullable=False),
        Column("date", Date, nullable=False),
        Column("due", Date),
        Column("expires", Date),
        Column("total", Exact(most), nullable=False),
        Column("left", Exact(most), nullable=False),
        Index(f"fl_open_{key}_within", "within", "due"),
        Index(f"fl_open_{key}_record", "record"),
        Index(f"fl_open_{key}_line", "line"),
    )
    match = Table(
        f"fl_match_{key}",
        catalogue,
        Column("id", BigInteger, primary_key=True, autoincrement=False),
        Column("posted", BigInteger, nullable=False),
        Column("date", Date, nullable=False),
        Column("entry", BigInteger, nullable=False),
        Column("by_entry", BigInteger, nullable=False),
        Column("amount", Exact(most), nullable=False),
        Index(f"fl_match_{key}_entry", "entry"),
        Index(f"fl_match_{key}_by", "by_entry"),
        Index(f"fl_match_{key}_posted", "posted"),
    )
    return Tables(entry, balance, turnover, open_, match)
