"""The tables: our own, and those of each published ledger."""

from collections.abc import Mapping
from dataclasses import dataclass

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
    column,
    false,
    text,
)

from formloop.db import Exact, JsonText, UtcTime, metadata
from formloop.db.triggers import never_changed
from formloop.ledgers.spec import Dimension, Measure, Tables


def _where_said(key: str, name: str, *columns: str) -> Index:
    """An index of those rows only that say something in a column which most leave empty."""
    said = column(key).is_not(None)
    return Index(name, *columns, sqlite_where=said, postgresql_where=said)


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
        _where_said("reverses", "fl_posted_reverses", "reverses"),
    ),
    unless="NOT OLD.sealed",
)

resting = Table(  # which entries were calculated from the balance before them, and what that was
    "fl_resting",
    metadata,
    Column("posted", BigInteger, primary_key=True, autoincrement=False),
    Column("rule", Integer, primary_key=True, autoincrement=False),
    Column("line", BigInteger, primary_key=True, autoincrement=False),
    Column("ledger", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("date", Date, nullable=False),
    Column("before", JsonText, nullable=False),
    Index("fl_resting_key", "ledger", "key", "date"),
)

calendar = Table(
    "fl_calendar",
    metadata,
    Column("name", Text, primary_key=True),
    Column("closed_through", Date),
)


@dataclass(frozen=True, slots=True)
class _Shape:
    """The columns that tables of one ledger share."""

    key: str
    dimensions: Mapping[str, Dimension]
    measures: Mapping[str, Measure]
    valued: bool
    catalogue: MetaData

    @property
    def most(self) -> int:
        """The digits after the point of what may be any of its measures."""
        return max((m.scale for m in self.measures.values()), default=2)

    def dims(self) -> list[Column[object]]:
        """One column for each dimension."""
        return [
            Column(d.column, BigInteger, nullable=False, server_default=text("0"))
            if d.forms
            else Column(d.column, Text, nullable=False, server_default="")
            for d in self.dimensions.values()
        ]

    def amounts(self, prefix: str = "m_") -> list[Column[object]]:
        """One column for each measure."""
        return [
            Column(f"{prefix}{m.key}", Exact(m.scale), nullable=False, server_default=text("0"))
            for m in self.measures.values()
        ]

    def variance(self) -> list[Column[object]]:
        """What a ledger with values has besides."""
        if not self.valued:
            return []
        return [Column("m_variance", Exact(self.most), nullable=False, server_default=text("0"))]


def tables_of(
    key: str, dimensions: Mapping[str, Dimension], measures: Mapping[str, Measure], valued: bool
) -> Tables:
    """The tables of a ledger, as SQLAlchemy sees them."""
    shape = _Shape(key, dimensions, measures, valued, MetaData())
    return Tables(_entry(shape), _balance(shape), _turnover(shape), _open(shape), _match(shape))


def _entry(shape: _Shape) -> Table:
    """What was posted, one row each; never changed."""
    return Table(
        f"fl_entry_{shape.key}",
        shape.catalogue,
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
        *shape.dims(),
        *shape.amounts(),
        *shape.variance(),
        Index(f"fl_entry_{shape.key}_posted", "posted"),
        Index(f"fl_entry_{shape.key}_key", "key", "date", "id"),
        _where_said("pool", f"fl_entry_{shape.key}_pool", "pool", "date", "id"),
        _where_said("source", f"fl_entry_{shape.key}_source", "source"),
        Index(f"fl_entry_{shape.key}_line", "line"),
        _where_said("reverses", f"fl_entry_{shape.key}_reverses", "reverses"),
        Index(f"fl_entry_{shape.key}_date", "date", "id"),
    )


def _balance(shape: _Shape) -> Table:
    """What it comes to, for every set of dimensions."""
    return Table(
        f"fl_balance_{shape.key}",
        shape.catalogue,
        Column("key", Text, primary_key=True),
        Column("per", SmallInteger, nullable=False, server_default=text("0")),
        *shape.dims(),
        *shape.amounts(),
        *shape.variance(),
        *shape.amounts("r_"),  # what is reserved: pending entries that take away
        *shape.amounts("e_"),  # what is expected: pending entries that add
        Column("lifted", Text, nullable=False, server_default=""),  # the limits that do not hold here
        Column("state", JsonText),  # what the valuation remembers
        Column("last", Text),  # date and id of the last entry by date, and the highest id of all
        *(
            Index(f"fl_balance_{shape.key}_{d.key}"[:63], "per", d.column)
            for d in shape.dimensions.values()
        ),
    )  # fmt: skip


def _turnover(shape: _Shape) -> Table:
    """What moved in each month."""
    return Table(
        f"fl_turnover_{shape.key}",
        shape.catalogue,
        Column("key", Text, primary_key=True),
        Column("month", Text, primary_key=True),
        *shape.amounts(),
        *shape.variance(),
    )


def _open(shape: _Shape) -> Table:
    """What is not settled yet."""
    return Table(
        f"fl_open_{shape.key}",
        shape.catalogue,
        Column("entry", BigInteger, primary_key=True, autoincrement=False),
        Column("within", Text, nullable=False),
        Column("record", BigInteger, nullable=False),
        Column("line", BigInteger, nullable=False),
        Column("pending", Boolean, nullable=False),
        Column("date", Date, nullable=False),
        Column("due", Date),
        Column("expires", Date),
        Column("total", Exact(shape.most), nullable=False),
        Column("left", Exact(shape.most), nullable=False),
        Index(f"fl_open_{shape.key}_within", "within", "due"),
        Index(f"fl_open_{shape.key}_record", "record"),
        Index(f"fl_open_{shape.key}_line", "line"),
    )


def _match(shape: _Shape) -> Table:
    """What settled what."""
    return Table(
        f"fl_match_{shape.key}",
        shape.catalogue,
        Column("id", BigInteger, primary_key=True, autoincrement=False),
        Column("posted", BigInteger, nullable=False),
        Column("date", Date, nullable=False),
        Column("entry", BigInteger, nullable=False),
        Column("by_entry", BigInteger, nullable=False),
        Column("amount", Exact(shape.most), nullable=False),
        Index(f"fl_match_{shape.key}_entry", "entry"),
        Index(f"fl_match_{shape.key}_by", "by_entry"),
        Index(f"fl_match_{shape.key}_posted", "posted"),
    )
