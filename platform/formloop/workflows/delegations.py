"""Who stands in for whom, from day to day: whoever is away has their tasks given to somebody else."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Engine, bindparam, delete, insert, select
from sqlalchemy.engine import Row

from formloop.access import audit, gate
from formloop.access.actor import Actor, get_actor
from formloop.access.tables import person
from formloop.core import clock
from formloop.core.errors import Invalid, NotFound, Problem
from formloop.core.text import M
from formloop.db import after_commit, connection, engine, reading, transactional
from formloop.forms.fields.datetime import site_zone
from formloop.workflows.tables import delegation

FRESH = 2.0  # seconds until another process sees a delegation
_TODAY = (
    select(delegation.c.person, delegation.c.deputy)
    .join(person, person.c.id == delegation.c.deputy)
    .where(delegation.c.first <= bindparam("today"), delegation.c.last >= bindparam("today"), person.c.active)
    .order_by(delegation.c.id)
)


def find_deputies(people: Sequence[int]) -> Mapping[int, int]:
    """Who stands in today for those of the people who are away; nobody is found in a circle."""
    away = _list_away()
    found: dict[int, int] = {}
    for who in people:
        seen = [who]
        while (deputy := away.get(seen[-1])) is not None and deputy not in seen:
            seen.append(deputy)
        if deputy is None and seen[-1] != who:
            found[who] = seen[-1]
    return found


@dataclass(frozen=True, slots=True)
class _Known:
    """Who is away on a day, as one database said at a moment."""

    engine: Engine
    day: date
    at: float
    away: Mapping[int, int]


_known: _Known | None = None


def _list_away() -> Mapping[int, int]:
    """Few people are away, and every step asks: what is known is used for FRESH seconds."""
    global _known
    today, now, known = clock.today(site_zone()), time.monotonic(), _known
    if known is None or known.engine is not engine() or known.day != today or now - known.at > FRESH:
        with reading() as conn:
            away = {r.person: r.deputy for r in conn.execute(_TODAY, {"today": today})}
        known = _known = _Known(engine(), today, now, away)
    return known.away


def _forget() -> None:
    global _known
    _known = None


@transactional
def add(actor: Actor, whose: int, deputy: int, first: date, last: date) -> int:
    """Let somebody stand in from day to day, both included: for oneself, or as an administrator for anybody."""
    _require_own(actor, whose)
    problems = []
    if deputy == whose or not _is_here(deputy):
        problems.append(Problem("person", "deputy", M("Please choose another person.")))
    if last < first:
        problems.append(Problem("days", "last", M("The last day lies before the first.")))
    if problems:
        raise Invalid(problems)
    new = clock.new_id()
    row = {"id": new, "person": whose, "deputy": deputy, "first": first, "last": last, "made_at": clock.now()}
    connection().execute(insert(delegation).values(row))
    days = f"{first.isoformat()}/{last.isoformat()}"
    _forget()
    after_commit(_forget)
    audit.note(actor, "delegation.added", f"person:{whose}", deputy=deputy, days=days)
    return new


@transactional
def remove(actor: Actor, wanted: int) -> None:
    """End a delegation."""
    found = connection().execute(select(delegation).where(delegation.c.id == wanted)).one_or_none()
    if found is None:
        raise NotFound
    _require_own(actor, found.person)
    connection().execute(delete(delegation).where(delegation.c.id == wanted))
    _forget()
    after_commit(_forget)
    audit.note(actor, "delegation.removed", f"person:{found.person}", deputy=found.deputy)


def list_of(whose: int) -> list[Row[Any]]:
    """The delegations of a person that are not over, the earliest first."""
    today = clock.today(site_zone())
    query = select(delegation).where(delegation.c.person == whose, delegation.c.last >= today)
    with reading() as conn:
        return list(conn.execute(query.order_by(delegation.c.first)))


def list_stood_in(deputy: int) -> list[int]:
    """For whom somebody stands in, today or later."""
    today = clock.today(site_zone())
    query = select(delegation.c.person).where(delegation.c.deputy == deputy, delegation.c.last >= today)
    with reading() as conn:
        return list(conn.execute(query.distinct()).scalars())


def _require_own(actor: Actor, whose: int) -> None:
    if actor.person_id != whose:
        gate.require(actor, "repair", "site")


def _is_here(who: int) -> bool:
    try:
        get_actor(who)
    except NotFound:
        return False
    return True
