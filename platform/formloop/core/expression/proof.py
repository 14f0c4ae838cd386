"""The proof that nobody's formula can stop the house: thousands of random ones and the known bombs."""

import gc
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from random import Random
from typing import Any

from formloop.core.expression.context import Context
from formloop.core.expression.expression import Expression, check
from formloop.core.expression.random_formulas import FormulaWriter
from formloop.core.expression.types import ANY, BOOL, DATE, DATETIME, NUMBER, TEXT, ListType, RecordType, Type
from formloop.core.expression.values import EvaluationError, Linked

LIMIT_MS = 50
_SIGNS = "+-*/^%&=<>(),.'\"# \n螺栓“（1eE_"
_CUSTOMER: RecordType = RecordType("customer", lambda: {"credit": NUMBER, "name": TEXT, "parent": _CUSTOMER})
_LINE = RecordType("lines", lambda: {"q": NUMBER, "p": NUMBER, "label": TEXT, "done": BOOL, "due": DATE})
_NAMES: dict[str, Type] = {
    "a": NUMBER,
    "n": NUMBER,
    "note": TEXT,
    "done": BOOL,
    "day": DATE,
    "made": DATETIME,
    "anything": ANY,
    "customer": _CUSTOMER,
    "lines": ListType(_LINE),
}
_CONTEXT = Context(datetime(2026, 1, 15, tzinfo=UTC), 7, 3, frozenset({3}), frozenset({"planner"}))
_LONG = "螺栓" * 32_000


def prove(seed: int = 1, count: int = 5_000, limit_ms: int = LIMIT_MS) -> dict[str, Any]:
    """Check and calculate `count` random formulas and 200 bombs; each must end soundly within `limit_ms`.

    Gives seed, counts, the slowest time in milliseconds, and `failures`: sources that were too slow or
    ended in anything but a value, a problem or an EvaluationError.
    """
    random = Random(seed)
    outcomes = {"values": 0, "refused": 0, "errors": 0}
    failures: list[str] = []
    slowest = 0.0
    sources = [*_fuzzed(random, count), *bombs()]
    gc.freeze()  # what this process made before is no part of what a formula costs
    for source in sources:
        outcome, spent = _timed(source, limit_ms)
        slowest = max(slowest, spent)
        if outcome in outcomes and spent < limit_ms:
            outcomes[outcome] += 1
        else:
            failures.append(f"{outcome} {spent:.0f} ms: {source[:120]}")
    gc.unfreeze()
    return {
        "proof": "formula",
        "seed": seed,
        "formulas": len(sources),
        **outcomes,
        "slowest_ms": round(slowest, 2),
        "limit_ms": limit_ms,
        "failures": failures,
        "ok": not failures,
    }


def _timed(source: str, limit_ms: int) -> tuple[str, float]:
    """What came of a formula, and the milliseconds; the best of three, since the machine has other work."""
    best = float("inf")
    outcome = ""
    for _ in range(3):
        begun = time.thread_time()
        outcome = _tried(source)
        best = min(best, (time.thread_time() - begun) * 1000)
        if best < limit_ms / 2:
            break
    return outcome, best


def _tried(source: str) -> str:
    try:
        expression, _ = check(source, _NAMES)
        if expression is None:
            return "refused"
        return _evaluated(expression)
    except Exception as error:  # whatever it is, it is a finding
        return f"{type(error).__name__}: {error}"


def _evaluated(expression: Expression) -> str:
    try:
        expression.evaluate(_heavy(), _CONTEXT)
        return "values"
    except EvaluationError:
        return "errors"


def _heavy(lines: int = 10_000) -> dict[str, Any]:
    """A record as large as one may be."""
    if not _HEAVY:
        line = {"q": Decimal("12345.678901"), "p": Decimal("0.0001"), "label": "x" * 200, "done": True}
        parent = Linked(1, {"credit": Decimal(10) ** 17, "name": _LONG})
        _HEAVY.update(
            a=Decimal("1E+300000"),
            n=Decimal("999999999999999999"),
            note=_LONG,
            done=None,
            day=date.max,
            made=datetime.max.replace(tzinfo=UTC),
            anything=_LONG,
            customer=Linked(2, {"credit": None, "name": "a" * 65_536, "parent": parent}),
            lines=[{**line, "due": date(2026, 1, 1)} for _ in range(lines)],
        )
    return _HEAVY


_HEAVY: dict[str, Any] = {}


def _fuzzed(random: Random, count: int) -> Iterator[str]:
    """Two thirds sound formulas, one third spoilt ones."""
    kinds = (NUMBER, BOOL, TEXT, DATE)
    writer = FormulaWriter(random, _NAMES)
    for number in range(count):
        source = writer.formula(random.choice(kinds), random.randrange(1, 6))
        yield _spoilt(source, random) if number % 3 == 0 else source


def _spoilt(source: str, random: Random) -> str:
    for _ in range(random.randrange(1, 5)):
        at = random.randrange(len(source) + 1)
        match random.randrange(3):
            case 0:
                source = source[:at] + source[at + random.randrange(1, 8) :]
            case 1:
                source = source[:at] + random.choice(_SIGNS) + source[at:]
            case _:
                source = source[:at] + source[at // 2 : at] + source[at:]
    return source


def bombs() -> list[str]:
    """Two hundred formulas made to use up time, memory or the stack."""
    wrap: list[Callable[[int], str]] = [
        lambda n: "(" * (n * 50) + "1" + ")" * (n * 50),
        lambda n: "-" * (n * 90) + "1",
        lambda n: "NOT " * (n * 40) + "TRUE",
        lambda n: "+".join(["n"] * (n * 25)),
        lambda n: "^".join(["9"] * (n + 1)),
        lambda n: "*".join(["n"] * (n + 1)),
        lambda n: f"{'9' * n * 20}^{'9' * n}",
        lambda n: f"0.{'0' * (n - 1)}1^64",
        lambda n: "&".join(["note"] * (n * 10)),
        lambda n: _nested("SUBSTITUTE({}, 'x', note)", "'xxxx'", n),
        lambda n: _nested("SUBSTITUTE({}, '螺', note & note)", "note", n),
        lambda n: _nested("CONCAT({0}, {0})", "note", min(n, 6)) + f" & {n}",
        lambda n: _nested("SUM({} * lines.q)", "lines.q", n),
        lambda n: "SUM(" + "*".join(["lines.q"] * (n * 3)) + ")",
        lambda n: "JOIN(lines.label & " + "&".join(["lines.label"] * n * 3) + ")",
        lambda n: _nested("UPPER({})", "customer.parent.name", n * 2),
        lambda n: (
            "LEN(JOIN(SPLIT(note & note, ''), note))"
            if n < 2
            else f"JOIN(SPLIT(note, '螺'), {'note & ' * n}'x')"
        ),
        lambda n: f"WORKDAY(DATE(2026, 1, 1), 5000) + NETWORKDAYS(DATE(1, 1, 2), DATE(9999, 1, 1)) + {n}",
        lambda n: "COUNTIF(" + " AND ".join(["CONTAINS(lines.label, 'y')"] * n * 3) + ")",
        lambda n: "IF(" * (n * 3) + "TRUE" + ", 1, 2)" * (n * 3),
    ]
    return [make(size) for make in wrap for size in range(1, 11)]


def _nested(template: str, inner: str, depth: int) -> str:
    for _ in range(depth):
        inner = template.format(inner)
    return inner
