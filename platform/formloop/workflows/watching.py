"""What cases wait for besides people: moments, changes of records, the end of another case.

The row in the database is the truth. When its moment has come, or what it waits for has happened, it becomes a
message of the outbox, in the same transaction; delivering that lets the step hear of it. So a restart or a day
without power loses nothing, and nothing comes twice.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, delete, exists, insert, select, tuple_
from sqlalchemy.engine import Row

from formloop import events
from formloop.core import clock
from formloop.core.text import M
from formloop.db import connection, glance, glanced, now_shows, transactional
from formloop.events import outbox, schedule
from formloop.events.outbox import Delivery, Topic
from formloop.workflows import overtaking, stashes
from formloop.workflows.nodes.wait import OWN
from formloop.workflows.state import Alarm, Watch
from formloop.workflows.tables import case as case_table
from formloop.workflows.tables import watch

TOPIC, TIMES_TOPIC = "workflow", "workflow-times"
ORDER = 300  # after what belongs to the record itself, and after bridges
MOST_DUE = 1_000
_BY_KEY = select(watch).where(watch.c.key.in_(bindparam("keys", expanding=True))).order_by(watch.c.id)
_OF_CASES = select(watch.c.key).where(watch.c.key.startswith("case:")).distinct()
_GONE = (  # of two who look at once only one takes it away
    delete(watch).where(watch.c.id.in_(bindparam("ids", expanding=True))).returning(watch.c.id)
)
_WATCHED = "workflows.watched"  # whether any case waits for a change

glance(_WATCHED, select(exists().where(watch.c.key.is_not(None))).scalar_subquery())


def start() -> None:
    """Listen to changes of records; doing it twice counts once."""
    if TIMES_TOPIC not in outbox.topics:
        outbox.topics.add(TIMES_TOPIC, Topic(_deliver_times, atomic=True, title=M("Times of approvals")))
    events.subscribe(on_event, ORDER)


def plan() -> None:
    """See to it that somebody looks every minute which moments have come."""
    schedule.plan_once(TIMES_TOPIC, "* * * * *", TIMES_TOPIC, {})


def add(case: int, form: str, record: int, waits: Sequence[Alarm | Watch]) -> None:
    """Write down what a case waits for; a time that is set again takes the place of what it was."""
    named = [(each.round, each.what) for each in waits if isinstance(each, Alarm)]
    if named:
        same = tuple_(watch.c.round, watch.c.what).in_(named)
        connection().execute(delete(watch).where(watch.c.case == case, watch.c.at.is_not(None), same))
    rows = []
    for each in waits:
        row: dict[str, Any] = {
            "id": clock.new_id(),
            "case": case,
            "round": each.round,
            "key": None,
            "at": None,
            "known": None,
        }
        if isinstance(each, Alarm):
            rows.append({**row, "what": each.what, "at": each.at})
        else:
            key = f"{OWN}:{form}:{record}" if each.key == OWN else each.key
            rows.append({**row, "what": "", "key": key, "known": overtaking.list_known(key, row["id"])})
    connection().execute(insert(watch), rows)
    if any(row["key"] for row in rows):
        now_shows(_WATCHED, True)


def exist() -> bool:
    """Whether any case waits for a change."""
    return bool(glanced(_WATCHED))


def on_event(event: events.Event) -> None:
    """Wake the cases that wait for this change."""
    if not exist():
        return
    names = {event.name, "updated"} if event.updates else {event.name}
    named = [f"{event.form}:{name}" for name in sorted(names)]
    own = f"{OWN}:{event.form}:{event.record}"
    tell([*named, *(f"{name}:{event.record}" for name in named), own], {"record": event.record})


def tell(keys: Sequence[str], values: Mapping[str, Any]) -> None:
    """Promise every step that waits for one of these that it will hear of it."""
    _promise(connection().execute(_BY_KEY, {"keys": list(keys)}).all(), values)


def _promise(found: Sequence[Row[Any]], values: Mapping[str, Any]) -> None:
    """A watch on the case's own record stays, since the change may not be the one that was wanted."""
    own = {row.id for row in found if row.key.startswith(f"{OWN}:")}
    if len(own) < len(found):
        connection().execute(_GONE, {"ids": [row.id for row in found if row.id not in own]})
    outbox.put_many(
        TOPIC, (_hears(row, "done", {"what": "changed"} if row.id in own else values) for row in found)
    )


def _tell_ended() -> None:
    """Who began to wait for another case just as that ended hears of it now."""
    keys = connection().execute(_OF_CASES).scalars()
    awaited = [int(each) for key in keys if (each := key.removeprefix("case:")).isdecimal()]
    for first in range(0, len(awaited), MOST_DUE):
        some = case_table.c.id.in_(awaited[first : first + MOST_DUE]) & case_table.c.ended_at.is_not(None)
        for row in connection().execute(select(case_table.c.id, case_table.c.status).where(some)).all():
            tell([f"case:{row.id}"], {"case": row.id, "status": row.status})


@transactional
def run_due() -> int:
    """Promise those steps whose moment has come that they will hear of it; returns how many."""
    query = (
        select(watch, case_table.c.version)
        .join(case_table, case_table.c.id == watch.c.case)
        .where(watch.c.at <= clock.now())
        .order_by(watch.c.at, watch.c.id)
        .limit(MOST_DUE)
    )
    _tell_ended()
    for each, record in overtaking.list_overtaken():
        _promise([each], {"record": record})
    found = connection().execute(query).all()
    gone = set(connection().execute(_GONE, {"ids": [row.id for row in found]}).scalars()) if found else set()
    outbox.put_many(
        TOPIC,
        (_hears(row, "due", {"what": row.what}, version=row.version) for row in found if row.id in gone),
    )
    return len(found)


def _hears(row: Any, action: str, values: Mapping[str, Any], **more: Any) -> tuple[str, dict[str, Any]]:
    payload = {"case": row.case, "round": row.round, "action": action, "values": dict(values), **more}
    return f"case:{row.case}", payload


def _deliver_times(delivery: Delivery) -> None:
    stashes.sweep()
    if run_due() == MOST_DUE:
        outbox.put(TIMES_TOPIC, "more", {})


def forget(case: int, round: int) -> None:
    """A step that is done waits for nothing more."""
    connection().execute(delete(watch).where(watch.c.case == case, watch.c.round == round))
