"""Workflows that begin themselves, at once or after a wait: how many cases come of one at most."""

from collections.abc import Mapping

from sqlalchemy import func, insert, select

from formloop.core.errors import Conflict
from formloop.core.text import M, Titled
from formloop.db import connection
from formloop.workflows.spec import Workflow
from formloop.workflows.tables import case, line

MOST_RUNNING = (
    1_000  # of a line at the same time; one that goes on and on, each when the last has ended, is no circle
)


def require_room(workflow: Workflow, above: Mapping[str, int]) -> None:
    """Refuse one more case in a line that multiplies without end."""
    root = above.get(workflow.key)
    if root is None:
        return
    running = (
        select(line.c.case)
        .join(case, case.c.id == line.c.case)
        .where(line.c.root == root, case.c.ended_at.is_(None))
        .limit(MOST_RUNNING)
    )
    if (
        connection().execute(select(func.count()).select_from(running.subquery())).scalar_one()
        >= MOST_RUNNING
    ):
        text = M(
            "“{name}” begins itself again and again: {count} of them are running already, all begun by one.",
            name=Titled(workflow.document),
            count=MOST_RUNNING,
        )
        raise Conflict(text)


def add(new: int, workflow: Workflow, above: Mapping[str, int]) -> None:
    """A case belongs to the line of the one its workflow began with."""
    if workflow.key in above:
        connection().execute(insert(line).values(case=new, root=above[workflow.key]))
