"""Indexes of a form: what is unique, what lists filter and sort by, and what relations point with."""

import hashlib
from collections.abc import Iterator

from sqlalchemy import Connection, inspect

from formloop.forms.spec import FormSpec

_LIVE = " WHERE deleted_at IS NULL"


def bring_up(conn: Connection, spec: FormSpec) -> None:
    """Make the indexes that `spec` wants and drop those it no longer does."""
    for table in (spec.table.name, *(t.name for t in spec.line_tables.values())):
        wanted = {_name(table, ddl): ddl for on, ddl in _wanted(conn, spec) if on == table}
        there = {
            i["name"] for i in inspect(conn).get_indexes(table) if i["name"] and i["name"].startswith("fx_")
        }
        for name in sorted(there - set(wanted)):
            conn.exec_driver_sql(f'DROP INDEX "{name}"')
        for name in sorted(set(wanted) - there):
            unique, rest = wanted[name]
            conn.exec_driver_sql(f'CREATE {unique}INDEX "{name}" ON "{table}" {rest}')


def _name(table: str, ddl: tuple[str, str]) -> str:
    return f"fx_{table[:30]}_{hashlib.sha256((table + repr(ddl)).encode()).hexdigest()[:10]}"


def _wanted(conn: Connection, spec: FormSpec) -> Iterator[tuple[str, tuple[str, str]]]:
    own = spec.table.name
    for each in spec.stored:
        if each.unique or each.type.name == "serial":
            yield own, ("UNIQUE ", f'("{each.key}"){_LIVE}')
        if each.relation:
            yield own, ("", f'("{each.key}")')
    yield own, ("", '("owner", "id")' + _LIVE)
    sort = _order(conn, spec.list.sort, spec)
    if sort:
        yield own, ("", f"({sort}){_LIVE}")
    for key in spec.list.filters:
        if key in spec.table.c and key not in [s.lstrip("-") for s in spec.list.sort[:1]]:
            yield own, ("", f'("{key}", {sort}){_LIVE}' if sort else f'("{key}"){_LIVE}')
    for subform in spec.subforms:
        table = spec.line_tables[subform.key].name
        yield table, ("", '("record", "position")')
        for child in subform.children:
            if child.relation:
                yield table, ("", f'("{child.key}")')


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
