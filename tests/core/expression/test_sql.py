"""Python and SQL agree, on SQLite and on PostgreSQL; filters on bare columns use their indexes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as D
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from formloop.core.errors import Invalid
from formloop.core.expression import (
    BOOL,
    DATE,
    DATETIME,
    NUMBER,
    TEXT,
    Context,
    EvaluationError,
    Expression,
    Linked,
    ListType,
    RecordType,
    Type,
    parse,
    register_sqlite,
    to_sql,
)
from formloop.core.expression.random_formulas import FormulaWriter
from formloop.db.types import Exact, UtcTime

CUSTOMER = RecordType("customer", lambda: {"credit": NUMBER, "name": TEXT})
LINE = RecordType(
    "lines", lambda: {"q": NUMBER, "p": NUMBER, "done": BOOL, "due": DATE, "label": TEXT, "item": CUSTOMER}
)
NAMES: dict[str, Type] = {
    "a": NUMBER,
    "b": NUMBER,
    "n": NUMBER,
    "note": TEXT,
    "code": TEXT,
    "done": BOOL,
    "day": DATE,
    "other_day": DATE,
    "made": DATETIME,
    "customer": CUSTOMER,
    "lines": ListType(LINE),
}
CONTEXT = Context(
    datetime(2026, 1, 15, 20, 30, tzinfo=UTC),
    7,
    3,
    frozenset({3, 4}),
    frozenset({"planner"}),
    ZoneInfo("Asia/Shanghai"),
)
TABLES = sa.MetaData()
customers = sa.Table(
    "fx_customer",
    TABLES,
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("credit", Exact(2)),
    sa.Column("name", sa.Text),
    prefixes=["TEMPORARY"],
)
orders = sa.Table(
    "fx_order",
    TABLES,
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("a", Exact(4)),
    sa.Column("b", Exact(2)),
    sa.Column("n", sa.BigInteger),
    sa.Column("note", sa.Text),
    sa.Column("code", sa.Text),
    sa.Column("done", sa.Boolean),
    sa.Column("day", sa.Date),
    sa.Column("other_day", sa.Date),
    sa.Column("made", UtcTime),
    sa.Column("customer", sa.BigInteger),
    prefixes=["TEMPORARY"],
)
lines = sa.Table(
    "fx_line",
    TABLES,
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("order_id", sa.BigInteger),
    sa.Column("q", Exact(6)),
    sa.Column("p", Exact(4)),
    sa.Column("done", sa.Boolean),
    sa.Column("due", sa.Date),
    sa.Column("label", sa.Text),
    sa.Column("item", sa.BigInteger),
    prefixes=["TEMPORARY"],
)


class Names:
    """The names of an order: its columns, its customer's, its lines'."""

    def __init__(self, line: Any = None) -> None:
        self.line = line

    def column(self, path: tuple[str, ...]) -> sa.ColumnElement[Any]:
        if path[0] == "lines":
            return self._through(self.line.c[path[1]], path[2:])
        return self._through(orders.c[path[0]], path[1:])

    def _through(self, column: sa.ColumnElement[Any], rest: tuple[str, ...]) -> sa.ColumnElement[Any]:
        if not rest:
            return column
        target = customers.alias()
        around = (orders,) if self.line is None else (orders, self.line)
        return sa.select(target.c[rest[0]]).where(target.c.id == column).correlate(*around).scalar_subquery()

    def aggregate(self, path: tuple[str, ...], build: Any) -> sa.ColumnElement[Any]:
        assert path == ("lines",)
        line = lines.alias()
        made = build(Names(line))
        return (
            sa.select(made)
            .select_from(line)
            .where(line.c.order_id == orders.c.id)
            .correlate(orders)
            .scalar_subquery()
        )


@dataclass
class Site:
    connection: sa.Connection
    envs: dict[int, dict[str, Any]]

    def values(self, expression: Expression) -> dict[int, Any]:
        column = to_sql(expression, Names(), CONTEXT, self.connection.dialect)
        return {row[0]: row[1] for row in self.connection.execute(sa.select(orders.c.id, column.label("v")))}

    def ids(self, source: str) -> list[int]:
        condition = to_sql(parse(source, NAMES, BOOL), Names(), CONTEXT, self.connection.dialect)
        return list(self.connection.scalars(sa.select(orders.c.id).where(condition).order_by(orders.c.id)))


def _rows() -> tuple[list[Any], list[Any], list[Any]]:
    random = Random(20260115)

    def maybe(value: Any) -> Any:
        return None if random.random() < 0.2 else value

    def number(scale: int) -> D:
        return random.choice((D(0), D(1), D(-3), D(random.randrange(-(10**7), 10**7)).scaleb(-scale)))

    def day() -> date:
        return date(2026, 1, 1) + timedelta(days=random.randrange(-400, 400))

    def words() -> str:
        return random.choice(("", "a", "SO-2026", "螺栓 M8", " x  y ", "12.5", "B", "-7"))

    found_customers = [{"id": i, "credit": maybe(number(2)), "name": maybe(words())} for i in (1, 2, 3)]
    found_orders = [
        {
            "id": i,
            "a": maybe(number(4)),
            "b": maybe(number(2)),
            "n": maybe(random.randrange(-5, 5)),
            "note": maybe(words()),
            "code": maybe(words()),
            "done": maybe(random.random() < 0.5),
            "day": maybe(day()),
            "other_day": maybe(day()),
            "made": maybe(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=random.randrange(10**7))),
            "customer": maybe(random.choice((1, 2, 3))),
        }
        for i in range(1, 25)
    ]
    found_lines = [
        {
            "id": i,
            "order_id": random.randrange(1, 22),
            "q": maybe(number(6)),
            "p": maybe(number(4)),
            "done": maybe(random.random() < 0.5),
            "due": maybe(day()),
            "label": maybe(words()),
            "item": maybe(random.choice((1, 2, 3))),
        }
        for i in range(1, 60)
    ]
    return found_customers, found_orders, found_lines


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    url = "sqlite://" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    engine = sa.create_engine(url)
    if request.param == "sqlite":
        sa.event.listen(engine, "connect", lambda connection, _: register_sqlite(connection))
    some_customers, some_orders, some_lines = _rows()
    with engine.connect() as connection:
        TABLES.create_all(connection)
        connection.execute(customers.insert(), some_customers)
        connection.execute(orders.insert(), some_orders)
        connection.execute(lines.insert(), some_lines)
        linked = {c["id"]: Linked(c["id"], c) for c in some_customers}
        envs = {}
        for order in some_orders:
            below = [line for line in some_lines if line["order_id"] == order["id"]]
            below = [{**line, "item": linked.get(line["item"])} for line in below]
            envs[order["id"]] = {**order, "customer": linked.get(order["customer"]), "lines": below}
        yield Site(connection, envs)
    engine.dispose()


def expected(expression: Expression, env: dict[str, Any]) -> Any:
    value = expression.evaluate(env, CONTEXT)
    return None if value == "" else int(value) if isinstance(value, (bool, int)) else value


def same(found: Any, wanted: Any) -> bool:
    found = None if found == "" else int(found) if isinstance(found, bool) else found
    if isinstance(found, datetime):
        found, wanted = found.replace(tzinfo=None), wanted.replace(tzinfo=None)
    return bool(found == wanted)


@given(st.integers(0, 2**32), st.integers(1, 4), st.sampled_from((NUMBER, BOOL, TEXT, DATE)))
@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    derandomize=True,
)
def test_sql_gives_what_python_gives(site: Site, seed: int, depth: int, kind: Type) -> None:
    source = FormulaWriter(Random(seed), NAMES, sql_only=True).formula(kind, depth)
    expression = parse(source, NAMES)
    try:
        found = site.values(expression)
    except Invalid as refused:
        assert refused.problems[0].code == "not_in_sql"
        return
    for id_, env in site.envs.items():
        try:
            wanted = expected(expression, env)
        except EvaluationError:
            continue
        assert same(found[id_], wanted), (source, id_, env, found[id_], wanted)


@pytest.mark.parametrize(
    ("source", "column"),
    [
        ("a > 50000", "a"),
        ("a >= 0.00001 AND a < 7", "a"),
        ("a = 1.5", "a"),
        ("note = 'a'", "note"),
        ("day >= '2026-01-01'", "day"),
        ("made > NOW()", "made"),
        ("customer = 2", "customer"),
        ("day > TODAY() - 7", "day"),
    ],
)
def test_filter_on_a_bare_column_uses_its_index(site: Site, source: str, column: str) -> None:
    condition = to_sql(parse(source, NAMES, BOOL), Names(), CONTEXT, site.connection.dialect)
    query = sa.select(orders.c.id).where(condition)
    with site.connection.begin_nested() as point:
        sa.Index(f"fx_by_{column}", orders.c[column]).create(site.connection)
        on_sqlite = site.connection.dialect.name == "sqlite"
        if not on_sqlite:
            site.connection.execute(sa.text("SET LOCAL enable_seqscan = off"))
        shown = query.compile(site.connection, compile_kwargs={"literal_binds": True})
        plan = site.connection.exec_driver_sql(f"EXPLAIN {'QUERY PLAN' if on_sqlite else ''} {shown}")
        text = " ".join(str(row) for row in plan)
        point.rollback()
    orders.indexes.clear()
    assert f"fx_by_{column}" in text
    assert "Index Cond" in text or "SEARCH" in text


@pytest.mark.parametrize(
    "source",
    [
        "a > 0.00001",
        "a >= 0.00005 OR a < -0.00005",
        "a = 0.00001",
        "NOT a = 0.00001",
        "a < 10^17 * 9",
        "5 <= n",
        "customer.credit > 100 AND NOT (note = '' OR code = '')",
        "n IN (1, 2, 3) AND customer NOT IN (1)",
        "3 IN lines.item",
        "n IN MY_DEPARTMENTS()",
        "IN_DEPARTMENT(n)",
        "HAS_ROLE('planner') AND USER() = 7",
        "MIN(lines.due) >= day",
        "SUM(lines.q * lines.p) > SUM(lines.p)",
        "COUNT(lines) > 2",
    ],
)
def test_filter_finds_the_rows_python_finds(site: Site, source: str) -> None:
    expression = parse(source, NAMES, BOOL)
    wanted = [id_ for id_, env in site.envs.items() if expression.evaluate(env, CONTEXT)]
    assert site.ids(source) == wanted


def test_division_by_zero_is_nothing_and_does_not_stop_the_query(site: Site) -> None:
    found = site.values(parse("1 / n + 1", NAMES))
    assert None in found.values()
    assert D("1.5") in found.values()


def test_calculated_numbers_sort_as_numbers(site: Site) -> None:
    column = to_sql(parse("a * 2", NAMES), Names(), CONTEXT, site.connection.dialect)
    found = list(site.connection.scalars(sa.select(column.label("v")).order_by("v")))
    assert found == sorted(found)


def test_long_sums_stay_shallow(site: Site) -> None:
    found = site.values(parse(" + ".join(["a"] * 250), NAMES))
    assert found[1] == (site.envs[1]["a"] or 0) * 250


def test_function_without_sql_is_refused_by_name() -> None:
    with pytest.raises(Invalid) as caught:
        to_sql(parse("a > 1 AND MEDIAN(lines.q) > 1", NAMES), Names(), CONTEXT, "sqlite")
    (problem,) = caught.value.problems
    assert (problem.code, problem.column) == ("not_in_sql", 11)
    assert "MEDIAN" in str(problem.message)


def test_growing_sql_is_refused() -> None:
    source = "a"
    for _ in range(14):
        source = f"SWITCH({source}, 1, 2, 3, 4)"
    to_sql(parse(source, NAMES), Names(), CONTEXT, "sqlite")
