"""The same rows by hand: what some work writes, sent again as plain SQL with new ids, and nothing else."""

import re
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from sqlalchemy import event

from bench.shop import scaled
from formloop import db
from formloop.core import clock

Sent = tuple[str, Any, bool]  # a statement, its values, and whether they are many
_WRITES = ("INSERT", "UPDATE", "DELETE")
_ID = re.compile(r"\d{15,}")
_SERIAL = re.compile(r"\b[A-Z]+\d{4,}-\d+\b")


def beside(figure: str, work: Callable[[], Any], ours: float) -> dict[str, float]:
    """Under the name of a figure: `ours`, how often a second the rows of `work` are written by hand, and the ratio."""
    hand = _again(*_recorded(work))
    return {figure: ours, f"{figure}, by hand": hand, f"{figure}, times the cost": hand / ours}


def _recorded(work: Callable[[], Any]) -> tuple[int, list[list[Sent]]]:
    """The writes of `work`, transaction by transaction, and the id before all those that it makes."""
    parts: list[list[Sent]] = [[]]

    def note(_conn: object, _cursor: object, text: str, values: Any, _context: object, many: bool) -> None:
        if text.startswith(_WRITES):
            parts[-1].append((text, values, many))

    def end(_conn: object) -> None:
        parts.append([])

    heard = (("before_cursor_execute", note), ("commit", end))
    for name, hear in heard:
        event.listen(db.engine(), name, hear)
    before = clock.new_id()
    work()
    for name, hear in heard:
        event.remove(db.engine(), name, hear)
    return before, [part for part in parts if part]


def _again(before: int, parts: list[list[Sent]]) -> float:
    count = scaled(200, 2)
    ready = [_renewed(parts, before, number) for number in range(count)]
    begin = time.perf_counter()
    for each in ready:
        for part in each:
            with db.begin_writing(db.engine()) as conn:
                for text, values, _ in part:
                    conn.exec_driver_sql(text, values)
    return count / (time.perf_counter() - begin)


def _renewed(parts: list[list[Sent]], before: int, number: int) -> list[list[Sent]]:
    """These writes about records of their own: every id and every serial number is another one."""
    ids: dict[int, int] = {}

    def renewed(value: Any) -> Any:
        if isinstance(value, int | Decimal):
            return type(value)(ids.setdefault(int(value), clock.new_id())) if value > before else value
        if not isinstance(value, str):
            return value
        value = _ID.sub(lambda found: str(renewed(int(found[0]))), value)
        return _SERIAL.sub(lambda found: f"{found[0]}-{before % 10**6}-{number}", value)

    def row(values: Any) -> Any:
        if isinstance(values, dict):
            return {key: renewed(value) for key, value in values.items()}
        return tuple(renewed(value) for value in values)

    return [
        [(text, [row(each) for each in values] if many else row(values), many) for text, values, many in part]
        for part in parts
    ]
