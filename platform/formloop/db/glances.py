"""What every write transaction looks at before anything else: rights, definitions, whether somebody waits for it.

Rooms name single values; all of them are asked by one statement. What a process remembers may have changed while it
waited for its turn: a room can ask to be told, and can remember answers for as long as a value stays the same.
"""

import functools
from collections.abc import Callable, Hashable, Mapping
from functools import lru_cache
from typing import Any, ParamSpec, TypeVar

from sqlalchemy import Engine, ScalarSelect, func, select

from formloop.db.engines import engine
from formloop.db.migrations import counters, raise_by
from formloop.db.prepared import Prepared
from formloop.db.units import before_writing, connection, find_unit, reading

P = ParamSpec("P")
R = TypeVar("R")

MOST_REMEMBERED = 10_000
_glances: dict[str, tuple[ScalarSelect[Any], Callable[[Any], None] | None]] = {}
_binding: set[str] = set()


def glance(
    name: str, query: ScalarSelect[Any], told: Callable[[Any], None] | None = None, binds: bool = False
) -> None:
    """Let every write transaction begin by asking `query`, which has one value.

    `told(value)` is called before the work begins, with a reading on its connection. What `binds` is asked at the end
    as well: a transaction that did its work by another value is not committed, it begins anew. Whoever changes such a
    value does so in the transaction that changes what hangs on it, and says it by `now_shows`; it locks the tables
    whose shape it changes, so that one that is committed at this moment has written before it.
    """
    _glances[name] = query, told
    (_binding.add if binds else _binding.discard)(name)
    for made in (_together, _at_the_end):
        made.cache_clear()


def glanced(name: str) -> Any:
    """What a glance shows: as the open transaction or reading saw it first, or as it said itself since."""
    unit = find_unit()
    if unit is not None and name in unit.seen:
        return unit.seen[name]
    with reading() as conn:
        return conn.execute(select(_glances[name][0])).scalar()


def just_seen(**values: Any) -> None:
    """Say what glances show, for whom a statement of the open reading has asked them besides."""
    if (unit := find_unit()) is not None:
        for name, value in values.items():
            unit.seen.setdefault(name, value)


def now_shows(name: str, value: Any) -> None:
    """Say that the open write transaction has changed what a glance shows."""
    if (unit := find_unit()) is not None:
        unit.seen[name] = value
        unit.said.add(name)


def changed_here(name: str) -> bool:
    """Whether the open write transaction itself changed what a glance shows; it may yet be rolled back."""
    unit = find_unit()
    return unit is not None and name in unit.said


def counter(name: str) -> ScalarSelect[Any]:
    """The value of a counter, as part of a statement; 0 before its first rise."""
    value = func.coalesce(func.max(counters.c.value), 0)
    return select(value).where(counters.c.name == name).scalar_subquery()


def read_counter(name: str) -> int:
    """The value of a counter that is glanced at."""
    return int(glanced(name))


def raise_counter(name: str) -> int:
    """Raise a counter by one inside the open transaction; what is remembered by it is stale from then on."""
    value = raise_by(connection(), name, 1)
    now_shows(name, value)
    return value


def remembered_by(name: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a function of plain values remember its answers for as long as a glance shows the same value.

    A transaction that changed the value itself may yet be rolled back: nothing is remembered of it.
    """

    def remembering(work: Callable[P, R]) -> Callable[P, R]:
        shelf: tuple[Engine, Any, dict[Hashable, R]] | None = None

        @functools.wraps(work)
        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            nonlocal shelf
            if changed_here(name):
                return work(*args, **kwargs)
            now = engine(), glanced(name)
            known = shelf
            if known is None or known[:2] != now or len(known[2]) > MOST_REMEMBERED:
                known = shelf = (*now, {})
            key = (args, tuple(kwargs.items()))
            if key not in known[2]:
                known[2][key] = work(*args, **kwargs)
            return known[2][key]

        return run

    return remembering


def _look() -> None:
    """Ask every glance and tell whoever wants to know; called with the unit that is about to work."""
    unit = find_unit()
    if unit is None or not _glances:
        return
    (unit.seen,) = _together().dicts(unit.connection, {})
    for name, value in unit.seen.items():
        told = _glances[name][1]
        if told is not None:
            told(value)


def _has_changed(seen: Mapping[str, Any]) -> bool:
    """Whether glances show something else than they did."""
    return bool(seen) and _together().dicts(connection(), {}) != [seen]


def _no_longer_binds(seen: Mapping[str, Any]) -> bool:
    """Whether a value that binds is another by now; on SQLite nobody else writes meanwhile."""
    if not _binding or connection().dialect.name == "sqlite":
        return False
    return any(
        seen.get(name, value) != value for name, value in _at_the_end().dicts(connection(), {})[0].items()
    )


@lru_cache(maxsize=1)
def _together() -> Prepared:
    return Prepared(select(*(query.label(name) for name, (query, _) in _glances.items())))


@lru_cache(maxsize=1)
def _at_the_end() -> Prepared:
    return Prepared(select(*(_glances[name][0].label(name) for name in sorted(_binding))))


before_writing(_look, _has_changed, _no_longer_binds)
