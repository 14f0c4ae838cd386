"""Past cases played again by a draft: which of them would go another way."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select

from formloop.access import gate
from formloop.access.actor import Actor
from formloop.core.definitions import Doc
from formloop.core.text import Message
from formloop.db import reading
from formloop.workflows import cases
from formloop.workflows.simulation import Deed, Next, Play, undone
from formloop.workflows.tables import case

MOST_REPLAYED = 200
_DECISIONS = ("approve", "reject")


@dataclass(frozen=True, slots=True)
class Difference:
    """One finished case that would go another way: what was, and what would be."""

    case: int
    record: int
    was: tuple[tuple[str, str, int | None], ...]
    would: tuple[tuple[str, str, int | None], ...]
    status: tuple[str, str]
    problems: tuple[Message, ...] = ()


def replay(actor: Actor, key: str, draft: Doc, last: int = 50) -> list[Difference]:
    """Play the last finished cases of a workflow again by a draft, with the decisions that were made; what differs.

    Each record is given back the values with which it was last submitted, and what approvers filled in; what other
    records held then is not known.
    """
    gate.require(actor, "repair", "site")
    query = select(case).where(case.c.workflow == key, case.c.status.in_(("approved", "rejected")))
    with reading() as conn:
        found = conn.execute(query.order_by(case.c.id.desc()).limit(min(last, MOST_REPLAYED))).all()
    differences = []
    for row in found:
        begun, notes = _last_way(cases.list_notes(row.id))
        was = tuple((n.step, n.action, n.person) for n in notes if n.action in _DECISIONS)
        again = Play(row.form, row.initiator, _as_before(was), row.record, draft=draft, since=begun)
        played = undone(again)
        would = tuple(each for each in played.path if each[1] in _DECISIONS)
        if would != was or played.status != row.status or played.problems:
            status, problems = (row.status, played.status), tuple(played.problems)
            differences.append(Difference(row.id, row.record, was, would, status, problems))
    return differences


def _last_way(notes: Sequence[Row[Any]]) -> tuple[int, Sequence[Row[Any]]]:
    """Where the way began that a case took to its end, and its history from there on.

    What was returned to run again begins anew when it is submitted; what comes straight back goes on.
    """
    first, submitted, again = 0, notes[0].id, True
    for place, note in enumerate(notes):
        if note.action == "return":
            again = note.detail.get("how") != "back"
        elif note.action == "submit":
            submitted = note.id
            first = place if again else first
    return submitted, notes[first:]


def _as_before(was: Sequence[tuple[str, str, int | None]]) -> Next:
    """Whoever is asked says what they said then, at that step or else anywhere; who was not asked then agrees."""
    said = list(was)

    def follow(open_tasks: list[Any]) -> Deed | None:
        for step, action, person in list(said):
            if any(t.person == person and t.step == step for t in open_tasks) and person is not None:
                said.remove((step, action, person))
                return Deed(person, action, step=step)
        return Deed(open_tasks[0].person, step=open_tasks[0].step) if open_tasks else None

    return follow
