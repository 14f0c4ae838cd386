"""Indexes of a form: what is unique, what lists filter and sort by, what relations point with, and what is looked for."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from sqlalchemy import Connection, bindparam, inspect, text

from formloop.forms.spec import FormSpec

_LIVE = " WHERE deleted_at IS NULL"


Names: TypeAlias = Mapping[
    str, Mapping[str, str]
]  # by table: what columns to come are called until they come


@dataclass(frozen=True, slots=True)
class Index:
    """An index of a form. `column` is its first one; `rest` is what stands behind ON and the table."""

    table: str
    column: str
    unique: str
    rest: str

    @property
    def name(self) -> str:
        """Its name, made of what it says."""
        said = self.table + repr((self.unique, self.rest))
        return f"fx_{self.table[:30]}_{hashlib.sha256(said.encode()).hexdigest()[:10]}"

    def on(self, names: Mapping[str, str]) -> "Index":
        """The same index on the columns that are to come."""
        column, rest = self.column, self.rest
        for key, name in names.items():
            column = name if column == key else column
            rest = rest.replace(f'"{key}"', f'"{name}"')
        return replace(self, column=column, rest=rest)

    def create(self, conn: Connection, how: str = "") -> None:
        """Make it."""
        made = f'CREATE {self.unique}INDEX {how} "{self.name}" ON "{self.table}" {self.rest}'
        conn.exec_driver_sql(made)


def bring_up(conn: Connection, spec: FormSpec) -> None:
    """Make the indexes that `spec` wants and drop those it no longer does."""
    drop_unwanted(conn, spec)
    for index in sorted(missing(conn, spec, {}), key=lambda index: index.name):
        index.create(conn)


def drop_unwanted(conn: Connection, spec: FormSpec) -> None:
    """Drop the indexes that `spec` does not want."""
    wanted = {index.name for index in _wanted(conn, spec)}
    for name in sorted(_names_there(conn, spec) - wanted):
        conn.exec_driver_sql(f'DROP INDEX "{name}"')


def missing(conn: Connection, spec: FormSpec, names: Names) -> list[Index]:
    """The indexes that `spec` wants and that are not there yet, on the columns as `names` calls them."""
    there = _names_there(conn, spec)
    wanted = (index.on(names.get(index.table, {})) for index in _wanted(conn, spec))
    return list({index.name: index for index in wanted if index.name not in there}.values())


def make_ahead(conn: Connection, index: Index) -> None:
    """Make an index while others write; `conn` is in no transaction. One that was left half made is made anew."""
    conn.exec_driver_sql(f'DROP INDEX CONCURRENTLY IF EXISTS "{index.name}"')
    index.create(conn, "CONCURRENTLY")


def take_over(conn: Connection, spec: FormSpec, names: Names) -> None:
    """Give indexes that were made ahead, on columns that have come now, the names they have for ever."""
    if conn.dialect.name != "postgresql" or not names:
        return
    there = _names_there(conn, spec)
    for index in _wanted(conn, spec):
        ahead = index.on(names.get(index.table, {})).name
        if ahead != index.name and ahead in there:
            conn.exec_driver_sql(f'ALTER INDEX "{ahead}" RENAME TO "{index.name}"')


def drop_on(conn: Connection, table: str, column: str) -> None:
    """Drop the indexes that a column is part of, since it is parked."""
    for index in inspect(conn).get_indexes(table):
        if column in index["column_names"] and str(index["name"]).startswith("fx_"):
            conn.exec_driver_sql(f'DROP INDEX "{index["name"]}"')


_THERE = {  # one statement instead of the library's many: a publication asks while everybody waits for it
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name IN :tables",
    "postgresql": """
        SELECT index.relname FROM pg_index
        JOIN pg_class AS index ON index.oid = indexrelid JOIN pg_class AS own ON own.oid = indrelid
        WHERE own.relname IN :tables AND pg_table_is_visible(own.oid) AND indisvalid
    """,
}


def _names_there(conn: Connection, spec: FormSpec) -> set[str]:
    """The form's indexes that are there; one whose making was broken off does not count."""
    tables = [spec.table.name, *(table.name for table in spec.line_tables.values())]
    query = text(_THERE[conn.dialect.name]).bindparams(bindparam("tables", expanding=True))
    return {name for name in conn.execute(query, {"tables": tables}).scalars() if name.startswith("fx_")}


def _wanted(conn: Connection, spec: FormSpec) -> Iterator[Index]:
    own = spec.table.name
    for each in spec.stored:
        if each.unique or each.type.name == "serial":
            yield Index(own, each.key, "UNIQUE ", f'("{each.key}"){_LIVE}')
        if each.relation or each.indexed:
            yield Index(own, each.key, "", f'("{each.key}")')
    yield Index(own, "owner", "", '("owner", "id")' + _LIVE)
    sort = _order(conn, spec.list.sort, spec)
    if sort:
        yield Index(own, spec.list.sort[0].lstrip("-"), "", f"({sort}){_LIVE}")
    for key in spec.list.filters:
        if key in spec.table.c and key not in [s.lstrip("-") for s in spec.list.sort[:1]]:
            yield Index(own, key, "", f'("{key}", {sort}){_LIVE}' if sort else f'("{key}"){_LIVE}')
    for subform in spec.subforms:
        table = spec.line_tables[subform.key].name
        yield Index(table, "record", "", '("record", "position")')
        for child in subform.children:
            if child.relation or child.indexed:
                yield Index(table, child.key, "", f'("{child.key}")')


def _order(conn: Connection, sort: tuple[str, ...], spec: FormSpec) -> str:
    """The columns of a sort in the very order that the list asks for, empty values lowest on both databases."""
    nulls = conn.dialect.name == "postgresql"
    parts, last = [], "ASC"
    for key in sort:
        name, last = key.lstrip("-"), "DESC" if key.startswith("-") else "ASC"
        if name in spec.table.c and name != "id":
            suffix = (" NULLS LAST" if last == "DESC" else " NULLS FIRST") if nulls else ""
            parts.append(f'"{name}" {last}{suffix}')
    return ", ".join([*parts, f'"id" {last}']) if parts else ""


def add_foreign_keys(conn: Connection, spec: FormSpec) -> None:
    """Let PostgreSQL guard what relations and lines point to."""
    wanted = [(spec.table.name, f.key, f.relation.form) for f in spec.stored if f.relation]
    for subform in spec.subforms:
        table = spec.line_tables[subform.key].name
        wanted.append((table, "record", spec.table.name))
        wanted += [(table, c.key, c.relation.form) for c in subform.children if c.relation]
    for table, key, target in wanted:
        name = f"fk_{hashlib.sha256(f'{table}.{key}>{target}'.encode()).hexdigest()[:16]}"
        if any(fk["name"] == name for fk in inspect(conn).get_foreign_keys(table)):
            continue
        if conn.dialect.has_table(conn, target):
            conn.exec_driver_sql(
                f'ALTER TABLE "{table}" ADD CONSTRAINT {name} FOREIGN KEY ("{key}") REFERENCES "{target}" (id)'
            )
