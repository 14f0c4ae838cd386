"""What cases wait for besides people, until when and why; and when those who are asked are due."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import Row

from formloop.core.text import Message
from formloop.db import reading
from formloop.forms.kind import get_form
from formloop.workflows.kind import get_version
from formloop.workflows.spec import Step
from formloop.workflows.state import State, Token
from formloop.workflows.tables import watch

AGAIN = "again"  # only looks once more whether a condition holds


@dataclass(frozen=True, slots=True)
class Wait:
    """A step that waits for no person. `until` is when it goes on, or at the latest (`at_most`)."""

    step: Step
    because: Message
    until: datetime | None
    at_most: bool


Times = dict[tuple[int, int], list[tuple[str, datetime]]]  # by case and round: which of its times, and when


def list_times(cases: Sequence[int]) -> Times:
    """The moments that cases wait for, the next first."""
    query = select(watch.c.case, watch.c.round, watch.c.what, watch.c.at).where(
        watch.c.case.in_(list(cases)), watch.c.at.is_not(None), watch.c.what != AGAIN
    )
    found: Times = {}
    with reading() as conn:
        for row in conn.execute(query.order_by(watch.c.at, watch.c.id)):
            found.setdefault((row.case, row.round), []).append((row.what, row.at))
    return found


def list_waits(found: Row[Any], times: Times) -> list[Wait]:
    """Where a case waits for no person."""
    workflow, spec = get_version(found.workflow, found.version), get_form(found.form)
    waits = []
    for token in State.from_json(found.state).leaves:
        step = workflow.steps.get(token.at)
        if step is None or token.stuck or token.seats:
            continue
        what, at = next(iter(times.get((found.id, token.round), ())), ("", None))
        because = step.node.because(dict(step.document), spec)
        waits.append(Wait(step, because, at, at_most=what == "most"))
    return waits


def find_due(case: int, token: Token, times: Times) -> datetime | None:
    """When those who are asked at a place are due next."""
    return next((at for what, at in times.get((case, token.round), ()) if what.isdecimal()), None)
