"""The tables: one for each published form, one for each of its subforms, and our own beside them."""

from collections.abc import Mapping

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, MetaData, Table, Text

from formloop.db import JsonText, UtcTime, metadata
from formloop.forms.spec import Field

change = Table(
    "fl_change",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("form", Text, nullable=False),
    Column("record", BigInteger, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("form_version", Integer, nullable=False),
    Column("action", Text, nullable=False),
    Column("person", BigInteger),
    Column("at", UtcTime, nullable=False),
    Column("old", JsonText),
    Column("new", JsonText),
    Column("cause", JsonText),
    Index("fl_change_record", "form", "record", "id"),
)

record_link = Table(
    "fl_record_link",
    metadata,
    Column("from_form", Text, primary_key=True),
    Column("from_record", BigInteger, primary_key=True),
    Column("from_line", BigInteger, primary_key=True),
    Column("to_form", Text, primary_key=True),
    Column("to_record", BigInteger, primary_key=True),
    Column("via", Text, primary_key=True),
    Column("version", Integer, nullable=False),  # of the definition that made the link
    Column("at", UtcTime, nullable=False),
    Index("fl_record_link_to", "to_form", "to_record"),
)

serial_counter = Table(
    "fl_serial",
    metadata,
    Column("form", Text, primary_key=True),
    Column("field", Text, primary_key=True),
    Column("period", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

comment = Table(
    "fl_comment",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("form", Text, nullable=False),
    Column("record", BigInteger, nullable=False),
    Column("person", BigInteger, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("text", Text, nullable=False),
    Index("fl_comment_record", "form", "record", "id"),
)


saved_view = Table(
    "fl_list_view",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("form", Text, nullable=False),
    Column("person", BigInteger),
    Column("name", Text, nullable=False),
    Column("args", JsonText, nullable=False),
    Column("shared", Boolean, nullable=False),
    Column("made_at", UtcTime, nullable=False),
    Index("fl_list_view_form", "form"),
)

fill = Table(
    "fl_fill",
    metadata,
    Column("person", BigInteger, primary_key=True),
    Column("form", Text, primary_key=True),
    Column("record", BigInteger, primary_key=True),  # 0: a new one
    Column("raw", JsonText, nullable=False),
    Column("at", UtcTime, nullable=False),
)

share = Table(
    "fl_share",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("key_hash", Text, nullable=False, unique=True),
    Column("form", Text, nullable=False),
    Column("record", BigInteger, nullable=False),
    Column("person", BigInteger, nullable=False),
    Column("made_at", UtcTime, nullable=False),
    Column("ends_at", UtcTime, nullable=False),
    Index("fl_share_record", "form", "record"),
)

stored_file = Table(
    "fl_file",
    metadata,
    Column("key", Text, primary_key=True),
    Column("sha256", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("person", BigInteger),
    Column("at", UtcTime, nullable=False),
)

import_batch = Table(
    "fl_import",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("form", Text, nullable=False),
    Column("person", BigInteger),
    Column("name", Text, nullable=False),
    Column("file", Text, nullable=False),  # where the file lies
    Column("lines_file", Text),
    Column("lines_name", Text),
    Column("mapping", JsonText, nullable=False),
    Column("state", Text, nullable=False),
    Column("columns", JsonText, nullable=False),
    Column("line_columns", JsonText, nullable=False),
    Column("job", BigInteger),
    Column("owner", BigInteger),  # who had the account that the mapping names when it was kept
    Column("at", UtcTime, nullable=False),
)

import_row = Table(
    "fl_import_row",
    metadata,
    Column("batch", BigInteger, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("raw", JsonText, nullable=False),
    Column("state", Text, nullable=False),
    Column("problems", JsonText),
    Column("record", BigInteger),
    Column("revision", Integer),
    Column("key", Text),  # stands for the value of the field that records are found by
    Index("fl_import_row_state", "batch", "state", "number"),
    Index("fl_import_row_key", "batch", "key"),
)

field_column = Table(
    "fl_column",
    metadata,
    Column("table", Text, primary_key=True),
    Column("column", Text, primary_key=True),
    Column("field", Text, nullable=False),
    Column("signature", Text, nullable=False),
    Column("schema", JsonText, nullable=False),
    Column("version", Integer, nullable=False),
    Column("parked_at", UtcTime),  # up to then its values are right
    # of a parked one that is to come: whether it is filled, and only the rows of `row_behind` are not right in it
    Column("in_step", Boolean),
)

row_behind = Table(
    "fl_row_behind",
    metadata,
    Column("table", Text, nullable=False),
    Column("row", BigInteger, nullable=False),
    Index("fl_row_behind_table", "table"),
)


def tables_of(key: str, fields: Mapping[str, Field]) -> tuple[Table, dict[str, Table]]:
    """The table of a form and those of its subforms, as SQLAlchemy sees them."""
    catalogue = MetaData()
    table = Table(
        key,
        catalogue,
        Column("id", BigInteger, primary_key=True, autoincrement=False),
        Column("form_version", Integer, nullable=False),
        Column("revision", Integer, nullable=False),
        Column("state", Text, nullable=False),
        Column("owner", BigInteger),
        Column("department", BigInteger),
        Column("created_at", UtcTime, nullable=False),
        Column("created_by", BigInteger),
        Column("updated_at", UtcTime, nullable=False),
        Column("updated_by", BigInteger),
        Column("deleted_at", UtcTime),
        *(Column(f.key, f.type.column(f)) for f in fields.values() if f.type.stored),
    )
    lines = {
        f.key: Table(
            f"{key}__{f.key}",
            catalogue,
            Column("id", BigInteger, primary_key=True, autoincrement=False),
            Column("record", BigInteger, nullable=False),
            Column("position", Integer, nullable=False),
            *(Column(c.key, c.type.column(c)) for c in f.children if c.type.stored),
        )
        for f in fields.values()
        if f.children
    }
    return table, lines
