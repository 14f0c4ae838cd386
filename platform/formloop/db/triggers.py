"""Rows the database itself refuses to change."""

from typing import Any

from sqlalchemy import Connection, Table, event


def never_changed(table: Table, unless: str | None = None) -> Table:
    """Let the database itself refuse UPDATE and DELETE of the rows of `table`.

    `unless` is an SQL condition over OLD under which a change is still allowed.
    """
    condition = f" AND NOT ({unless})" if unless else ""

    def guard(_table: Any, connection: Connection, **_: Any) -> None:
        for verb in ("UPDATE", "DELETE"):
            for statement in _statements(table.name, verb, condition)[connection.dialect.name]:
                connection.exec_driver_sql(statement)

    event.listen(table, "after_create", guard)
    return table


def _statements(table: str, verb: str, condition: str) -> dict[str, list[str]]:
    name = f"{table}_no_{verb.lower()}"
    refusal = f"'{table} is append-only'"
    return {
        "sqlite": [
            f"CREATE TRIGGER IF NOT EXISTS {name} BEFORE {verb} ON {table} "
            f"WHEN 1=1{condition} BEGIN SELECT RAISE(ABORT, {refusal}); END"
        ],
        "postgresql": [
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger AS $$ BEGIN "
            f"RAISE EXCEPTION {refusal}; END $$ LANGUAGE plpgsql",
            f"CREATE OR REPLACE TRIGGER {name} BEFORE {verb} ON {table} "
            f"FOR EACH ROW WHEN (true{condition}) EXECUTE FUNCTION {name}()",
        ],
    }
