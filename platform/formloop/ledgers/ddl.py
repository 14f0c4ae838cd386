"""Bringing the tables of a ledger to what its definition says, with the guards that live in the database."""

from collections.abc import Iterator
from decimal import Decimal

from sqlalchemy import Connection, Table, func, inspect, select
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.sql.ddl import CreateColumn

from formloop.core.errors import Invalid, Problem
from formloop.core.text import M
from formloop.ledgers import rebuilding
from formloop.ledgers.spec import LedgerSpec


def apply(conn: Connection, old: LedgerSpec | None, new: LedgerSpec) -> None:
    """Make what is missing; refuse what would change the meaning of entries that are there."""
    tables = (new.tables.entry, new.tables.balance, new.tables.turnover, new.tables.open, new.tables.match)
    there = set(inspect(conn).get_table_names())
    used = False
    if old is not None and new.tables.entry.name in there:
        used = bool(conn.execute(select(func.count()).select_from(old.tables.entry)).scalar())
        if used:
            _require_kept(old, new)
    for table in tables:
        if table.name in there:
            _add_columns(conn, table)
        else:
            conn.execute(CreateTable(table))
            for index in sorted(table.indexes, key=lambda each: str(each.name)):
                conn.execute(CreateIndex(index))
    for statement in _guards(new, conn.dialect.name):
        conn.exec_driver_sql(statement)
    if used and old is not None and old.sets != new.sets:
        rebuilding.rebuild(conn, new)


def _require_kept(old: LedgerSpec, new: LedgerSpec) -> None:
    problems = []
    for key, dimension in old.dimensions.items():
        now = new.dimensions.get(key)
        if now is None or bool(now.forms) != bool(dimension.forms):
            text = M("There are entries already: the dimension “{key}” must stay as it is.", key=key)
            problems.append(Problem("has_entries", f"dimensions.{key}", text))
    for key, dimension in new.dimensions.items():
        if key not in old.dimensions and not dimension.optional:
            text = M("There are entries already without “{key}”: it must be optional.", key=key)
            problems.append(Problem("has_entries", f"dimensions.{key}", text))
    for key, measure in old.measures.items():
        if key not in new.measures or new.measures[key].scale != measure.scale:
            text = M("There are entries already: the measure “{key}” must stay as it is.", key=key)
            problems.append(Problem("has_entries", f"measures.{key}", text))
    if max(m.scale for m in new.measures.values()) != max(m.scale for m in old.measures.values()):
        text = M("There are entries already: no measure may have more digits than those there.")
        problems.append(Problem("has_entries", "measures", text))
    if _valued(old) != _valued(new):
        text = M("There are entries already: what the valuation is kept for must stay as it is.")
        problems.append(Problem("has_entries", "valuation", text))
    if problems:
        raise Invalid(problems)


def _valued(ledger: LedgerSpec) -> tuple[object, ...] | None:
    said = ledger.valuation
    return (said.quantity, said.value, said.per, said.when and said.when.source) if said else None


def _add_columns(conn: Connection, table: Table) -> None:
    there = {column["name"] for column in inspect(conn).get_columns(table.name)}
    for column in table.c:
        if column.name not in there:
            made = CreateColumn(column).compile(dialect=conn.dialect)
            conn.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {made}")
    known = {index["name"] for index in inspect(conn).get_indexes(table.name)}
    for index in sorted(table.indexes, key=lambda each: str(each.name)):
        if index.name not in known:
            conn.execute(CreateIndex(index))


def _guards(ledger: LedgerSpec, dialect: str) -> Iterator[str]:
    entry, balance, match = (
        t.name for t in (ledger.tables.entry, ledger.tables.balance, ledger.tables.match)
    )
    for table in (entry, match):
        for verb in ("UPDATE", "DELETE"):
            yield from _trigger(dialect, f"{table}_no_{verb.lower()}", f"BEFORE {verb} ON {table}", "1=1",
                                f"{table} is append-only")  # fmt: skip
    sealed = "EXISTS (SELECT 1 FROM fl_posted WHERE id = NEW.posted AND sealed)"
    yield from _trigger(dialect, f"{entry}_sealed", f"BEFORE INSERT ON {entry}", sealed,
                        f"{entry}: this group is complete")  # fmt: skip
    for verb in ("INSERT", "UPDATE"):
        broken = _limits_broken(ledger, dialect, changing=verb == "UPDATE")
        yield from _trigger(dialect, f"{balance}_limit_{verb.lower()}", f"BEFORE {verb} ON {balance}", broken,
                            f"{balance}: limit")  # fmt: skip
    unbalanced = _unbalanced(ledger)
    yield from _trigger(dialect, f"{entry}_balanced", "BEFORE UPDATE ON fl_posted",
                        f"(NEW.sealed AND ({unbalanced}))", f"{entry}: not balanced")  # fmt: skip


def _limits_broken(ledger: LedgerSpec, dialect: str, changing: bool) -> str:
    """Below a limit that holds; what was below already may get better."""
    found = []
    for limit in ledger.never:
        measure = ledger.measures[limit.measure]
        least = limit.below.scaleb(measure.scale) if dialect == "sqlite" else limit.below
        number = ledger.sets.index(tuple(k for k in ledger.dimensions if k in limit.per))
        total = f"NEW.m_{limit.measure} + NEW.r_{limit.measure}"
        there = "instr(NEW.lifted, '{}')" if dialect == "sqlite" else "strpos(NEW.lifted, '{}')"
        lifted = f"{there.format(f',{limit.id},')} > 0"
        worse = f" AND {total} < {total.replace('NEW.', 'OLD.')}" if changing else ""
        found.append(f"(NEW.per = {number} AND {total} < {_plain(least)}{worse} AND NOT {lifted})")
    return " OR ".join(found) or "1=0"


def _plain(number: Decimal) -> str:
    return format(number.normalize(), "f")


def _unbalanced(ledger: LedgerSpec) -> str:
    entry, found = ledger.tables.entry.name, []
    for rule in ledger.balanced:
        total = " + ".join(f"({weight}) * m_{key}" for key, weight in rule.sum.items())
        group = f"GROUP BY {', '.join(('posted', *(f'd_{key}' for key in rule.by)))} HAVING"
        of_group = " ".join(("SELECT 1 FROM", entry, "WHERE posted = NEW.id AND NOT pending", group))
        found.append(f"EXISTS ({of_group} SUM({total}) <> 0)")
    return " OR ".join(found) or "1=0"


def _trigger(dialect: str, name: str, event: str, when: str, refusal: str) -> Iterator[str]:
    """Drop and make again: the conditions follow the definition."""
    table = event.rsplit(" ", 1)[1]
    if dialect == "sqlite":
        yield f"DROP TRIGGER IF EXISTS {name}"
        yield f"CREATE TRIGGER {name} {event} WHEN {when} BEGIN SELECT RAISE(ABORT, '{refusal}'); END"
        return
    passed = "OLD" if "DELETE" in event else "NEW"
    yield f"DROP TRIGGER IF EXISTS {name} ON {table}"
    yield (
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger AS $$ BEGIN IF {when} THEN "
        f"RAISE EXCEPTION '{refusal}' USING ERRCODE = 'check_violation'; END IF; RETURN {passed}; END $$ LANGUAGE plpgsql"
    )
    yield f"CREATE TRIGGER {name} {event} FOR EACH ROW EXECUTE FUNCTION {name}()"
