"""Past cases played again by a draft: what of them would go another way."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Row, select

from formloop.access.actor import Actor
from formloop.core.definitions import Doc
from formloop.core.text import M, Message
from formloop.db import reading
from formloop.workflows import cases
from formloop.workflows.kind import get_version
from formloop.workflows.simulation import Deed, Next, Play, Played, require_player, try_out
from formloop.workflows.tables import case

MOST_REPLAYED = 200
_DECISIONS = ("approve", "reject")
OTHERWISE = M("By its own version it would go another way today too: other records have changed since.")


@dataclass(frozen=True, slots=True)
class Difference:
    """One finished case that would go another way: as its own version plays it, and as the draft does.

    `less` and `more` are what there was only then and what there would only be now, by part; each is counted.
    """

    case: int
    record: int
    was: Played
    would: Played
    less: Mapping[str, Counter[Any]]
    more: Mapping[str, Counter[Any]]
    problems: tuple[Message, ...] = ()


def replay(actor: Actor, key: str, draft: Doc, last: int = 50) -> list[Difference]:
    """Play the last finished cases of a workflow by their own version and by a draft, with the decisions that were
    made; every difference of way, people, field rights, records, entries, notices and messages.

    Each record is given back the values with which it was last submitted, and what approvers filled in; what other
    records held then is not known.
    """
    require_player(actor)
    query = select(case).where(case.c.workflow == key, case.c.status.in_(("approved", "rejected")))
    with reading() as conn:
        found = conn.execute(query.order_by(case.c.id.desc()).limit(min(last, MOST_REPLAYED))).all()
    compared = (_compare(row, draft) for row in found)
    return [each for each in compared if each is not None]


def _compare(row: Row[Any], draft: Doc) -> Difference | None:
    begun, notes = _last_way(cases.list_notes(row.id))
    said = [(n.step, n.action, n.person) for n in notes if n.action in _DECISIONS]
    own = dict(get_version(row.workflow, row.version).document)
    again = Play(row.form, row.initiator, _as_before(said), row.record, draft=own, since=begun)
    was = try_out(again)
    would = try_out(replace(again, follow=_as_before(said), draft=draft))
    then, now = _parts(was, row.record), _parts(would, row.record)
    less = {part: gone for part in then if (gone := then[part] - now[part])}
    more = {part: new for part in now if (new := now[part] - then[part])}
    problems = list(would.problems)
    if was.status != row.status or [each for each in was.path if each[1] in _DECISIONS] != said:
        problems.append(OTHERWISE)
    if not (less or more or problems):
        return None
    return Difference(row.id, row.record, was, would, less, more, tuple(problems))


def _parts(played: Played, record: int) -> dict[str, Counter[Any]]:
    """What a play came to, each thing as often as it is there; records that it made have no name yet."""
    return {
        "status": Counter([played.status]),
        "path": Counter(played.path),
        "asked": Counter((a.step, a.person, a.kind, _sorted(a.fields)) for a in played.asked),
        "changes": Counter((form, each == record, action) for form, each, action in played.changes),
        "entries": Counter((e.ledger, _sorted(e.dims), _sorted(e.amounts)) for e in played.entries),
        "told": Counter(played.told),
        "messages": Counter(topic for topic, _ in played.messages),
    }


def _sorted(values: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple(sorted(values.items()))


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


def _as_before(was: Iterable[tuple[str, str, int | None]]) -> Next:
    """Whoever is asked says what they said then, at that step or else anywhere; who was not asked then agrees."""
    said = list(was)

    def follow(open_tasks: list[Any]) -> Deed | None:
        for step, action, person in list(said):
            if any(t.person == person and t.step == step for t in open_tasks) and person is not None:
                said.remove((step, action, person))
                return Deed(person, action, step=step)
        return Deed(open_tasks[0].person, step=open_tasks[0].step) if open_tasks else None

    return follow
