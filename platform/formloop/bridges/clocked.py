"""Bridges that run at set times, for every record that fits then: one promise a record, kept like any other."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, select

from formloop.access.actor import SYSTEM, Actor
from formloop.bridges import service
from formloop.bridges.spec import CLOCK, BridgeSpec
from formloop.core.errors import Invalid
from formloop.core.expression import to_sql
from formloop.core.text import M
from formloop.db import connection, engine, transactional
from formloop.definitions import library
from formloop.definitions import service as definitions
from formloop.events import outbox, schedule
from formloop.events.outbox import Delivery, Topic
from formloop.forms.kind import get_form
from formloop.forms.names import FormNames, context_of
from formloop.forms.spec import FormSpec

TOPIC = "bridge-clock"
PART = 500  # records for which one message makes promises
AT = "06:00"
DAYS = {"hour": "* * *", "day": "* * *", "workday": "* * 1-5", "week": "* * 1", "month": "1 * *"}


def start() -> None:
    """Look at each clock that is published; doing it twice counts once."""
    if TOPIC not in outbox.topics:
        outbox.topics.add(TOPIC, Topic(_deliver, atomic=True, title=M("Bridges at set times")))
    if TOPIC not in definitions.listeners:
        definitions.listeners.add(TOPIC, _follow)


def cron_of(said: Mapping[str, Any]) -> str:
    """A clock as it stands in a definition, as a time plan."""
    every = said.get("every", "day")
    hour, minute = str(said.get("at", AT)).split(":")
    return f"{int(minute)} {'*' if every == 'hour' else int(hour)} {DAYS[every]}"


def _follow(_actor: Actor, published: definitions.Published) -> None:
    if published.kind != "bridge":
        return
    bridge = library.find_published("bridge", published.key)
    if isinstance(bridge, BridgeSpec) and CLOCK in bridge.on:
        cron = cron_of(bridge.document["from"].get("clock", {}))
        schedule.plan(f"bridge:{bridge.id}", cron, TOPIC, {"bridge": bridge.key}, zone=SYSTEM.zone)
    else:
        schedule.forget(f"bridge:{published.id}")


def _deliver(delivery: Delivery) -> None:
    bridge = library.find_published("bridge", delivery.payload["bridge"])
    if isinstance(bridge, BridgeSpec) and CLOCK in bridge.on:  # else it is out of use since
        promise(bridge, delivery.payload.get("after", 0))


@transactional
def promise(bridge: BridgeSpec, after: int = 0) -> int:
    """Promise a run for the next records that fit; a further message goes on where many do. Returns how many."""
    table = get_form(bridge.source).table
    wanted = [table.c.deleted_at.is_(None), table.c.id > after]
    fits = _fits(bridge, get_form(bridge.source))
    wanted += [fits] if fits is not None else []
    query = select(table.c.id).where(*wanted).order_by(table.c.id).limit(PART)
    found = list(connection().execute(query).scalars())
    service.promise(bridge, found, None, False, ())
    if len(found) == PART:
        outbox.put(TOPIC, f"bridge:{bridge.id}", {"bridge": bridge.key, "after": found[-1]})
    return len(found)


def _fits(bridge: BridgeSpec, source: FormSpec) -> ColumnElement[bool] | None:
    """Its condition, where it asks about the record alone: what it asks of lines is asked when the promise is kept."""
    if bridge.when is None or any(path[0] not in source.names for path in bridge.when.reads):
        return None
    try:
        return to_sql(bridge.when, FormNames(source), context_of(SYSTEM), engine().dialect.name)
    except Invalid:  # it has no form in SQL
        return None
