"""Which dates a calendar still takes: closing and opening again, by those who may and with a reason."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import lru_cache

from sqlalchemy import select, update

from formloop.access import audit, gate, people
from formloop.access.actor import Actor
from formloop.core import clock
from formloop.core.errors import Forbidden, Invalid, Problem
from formloop.core.text import M, Message
from formloop.db import (
    Prepared,
    among,
    connection,
    handed,
    is_sqlite,
    kept_standing,
    places_for,
    reading,
    transactional,
    upserting,
)
from formloop.forms.fields.datetime import site_zone
from formloop.ledgers.kind import list_ledgers
from formloop.ledgers.tables import calendar

AHEAD = 366  # days: what is taken back is written on the first open day, so there has to be one within reach


def closed_through(name: str) -> date | None:
    """The last day that is closed; None when none is."""
    with reading() as conn:
        return conn.execute(select(calendar.c.closed_through).where(calendar.c.name == name)).scalar()


def hold(names: set[str]) -> dict[str, date | None]:
    """What is closed, held so that nobody closes more before this transaction ends."""
    known: dict[str, date | None] = kept_standing("ledgers.calendars", dict)
    missing = sorted(names - set(known))
    found = _hold_these(missing)
    unknown = sorted(set(missing) - set(found))
    if unknown and not is_sqlite():  # where nobody ever closed anything there is no row to hold yet
        _make(unknown)
        found |= _hold_these(unknown)
    known |= dict.fromkeys(missing) | found
    return known


def _hold_these(names: list[str]) -> dict[str, date | None]:
    if not names:
        return {}
    rows = _held(places_for(names)).rows(connection(), handed("name", names))
    return {row.name: row.closed_through for row in rows}


@lru_cache(maxsize=8)
def _held(places: int) -> Prepared:
    these = select(calendar).where(among(calendar.c.name, "name", places))
    return Prepared(these.order_by(calendar.c.name).with_for_update(read=True))


def first_open(name: str, day: date) -> date:
    """`day`, or the first day after it that is not closed."""
    closed = hold({name})[name] if name else None
    return day if closed is None or day > closed else closed + timedelta(days=1)


def list_calendars() -> list[tuple[str, date | None]]:
    """The calendars that ledgers use, with their last closed day."""
    names = dict.fromkeys(each.calendar for each in list_ledgers() if each.calendar)
    return [(name, closed_through(name)) for name in names]


@transactional
def close(actor: Actor, name: str, through: date, reason: str = "") -> None:
    """Close every day up to `through`; nothing is posted there any more."""
    _require(actor, name)
    before = _current(name)
    if before is not None and through <= before:
        text = M("Everything through {day} is closed already.", day=before.isoformat())
        raise Invalid([Problem("closed", "through", text)])
    last = clock.today(site_zone()) + timedelta(days=AHEAD)
    if through > last:
        text = M("{day} is too far ahead. Close no further than {last}.", day=through, last=last)
        raise Invalid([Problem("too_far", "through", text)])
    _set(actor, name, through, reason, "period.closed")


@transactional
def reopen(actor: Actor, name: str, through: date | None, reason: str) -> None:
    """Take days back that were closed; afterwards only those up to `through` are."""
    _require(actor, name)
    if not reason.strip():
        raise Invalid([Problem("required", "reason", M("Say why these days are opened again."))])
    before = _current(name)
    if before is None or (through is not None and through >= before):
        raise Invalid([Problem("open", "through", M("These days are open already."))])
    _set(actor, name, through, reason, "period.reopened")


def latest_deed(name: str, shown: Callable[[datetime], str]) -> Message | None:
    """Who closed or opened days of a calendar last, when (as `shown`), and why; None where nobody ever did."""
    found = audit.list_rows(f"calendar:{name}", limit=1)
    if not found:
        return None
    row, detail = found[0], found[0].detail
    said = {
        "at": shown(row.at),
        "person": people.names_of([row.person]).get(row.person, "") if row.person else "Formloop",
        "reason": detail.get("reason") or "–",
        "day": detail.get("through") or "",
    }
    if row.action == "period.reopened" and not said["day"]:
        return M("{person} opened all days again on {at}: {reason}", **said)
    if row.action == "period.reopened":
        return M("{person} opened the days after {day} again on {at}: {reason}", **said)
    return M("{person} closed these days on {at}.", **said)


def may_close(actor: Actor, name: str) -> bool:
    """Whether somebody may close days of every ledger of a calendar."""
    ledgers = [each for each in list_ledgers() if each.calendar == name]
    return bool(ledgers) and all(gate.allows(actor, "close", each.resource) for each in ledgers)


def _require(actor: Actor, name: str) -> None:
    if not may_close(actor, name):
        raise Forbidden


def _current(name: str) -> date | None:
    _make([name])
    query = select(calendar.c.closed_through).where(calendar.c.name == name)
    found: date | None = connection().execute(query.with_for_update()).scalar_one()
    return found


def _make(names: list[str]) -> None:
    connection().execute(upserting(calendar).on_conflict_do_nothing(), [{"name": name} for name in names])


def _set(actor: Actor, name: str, through: date | None, reason: str, deed: str) -> None:
    connection().execute(update(calendar).where(calendar.c.name == name).values(closed_through=through))
    kept_standing("ledgers.calendars", dict[str, date | None]).pop(name, None)
    day = through.isoformat() if through else ""
    audit.note(actor, deed, f"calendar:{name}", through=day, reason=reason.strip()[:500])
