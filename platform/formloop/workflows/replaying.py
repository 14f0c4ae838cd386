"""Past cases played again by a draft: what of them would go another way."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select

from formloop.access.actor import Actor
from formloop.core.definitions import Doc
from formloop.core.text import M, Message
from formloop.db import reading
from formloop.definitions.drafts import Draft
from formloop.forms import permits
from formloop.forms.kind import get_form
from formloop.forms.names import context_of
from formloop.workflows import cases
from formloop.workflows.kind import get_version
from formloop.workflows.played import Played, name_of
from formloop.workflows.plays import Answer, Deed, Next, Open, Play
from formloop.workflows.simulation import agree, require_own, require_player, try_out
from formloop.workflows.tables import case
from formloop.workflows.timeline import ACTIONS

MOST_REPLAYED = 200
_DECISIONS = ("approve", "reject")
_DONE = (*_DECISIONS, "return", "transfer", "add_signer", "reassign")
_NOT_AGAIN = (
    *("resume", "skip", "assign", "end", "reactivate", "restart", "moved"),
    *("due_escalate", "due_approve", "due_return"),
)
OTHERWISE = M(
    "By its own version it would go another way today too: people, rights or other records changed."
)
STEPPED_IN = M("Its history has what is not played again: {what}")


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


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many finished cases were played, and what differs in some of them."""

    played: int
    differences: list[Difference]


def replay(actor: Actor, key: str, draft: Doc, last: int = 50, needed: Sequence[Draft] = ()) -> Replayed:
    """Play the last finished cases of a workflow by their own version and by a draft, with the decisions that were
    made; every difference of way, people, field rights, records, entries, notices and messages.

    Each record is given back the values with which it was last submitted, and what approvers filled in; what other
    records held then is not known. Only cases whose records the actor may see are played; Invalid for a draft that
    the actor might not publish. `needed` as for `play`.
    """
    require_player(actor)
    require_own(actor, draft)
    spec = get_form(draft["form"])
    permit, table = permits.find_permit(actor, "view", spec), spec.table
    if permit is None:
        return Replayed(0, [])
    rows = permit.where(context_of(actor))
    query = select(case).where(case.c.workflow == key, case.c.status.in_(("approved", "rejected")))
    query = query.join(table, table.c.id == case.c.record).where(case.c.form == spec.key)
    query = query.where(table.c.deleted_at.is_(None), *(() if rows is None else (rows,)))
    with reading() as conn:
        found = conn.execute(query.order_by(case.c.id.desc()).limit(min(last, MOST_REPLAYED))).all()
    fresh = [each.definition.id for each in needed]
    compared = (_compare(actor, row, draft, fresh) for row in found)
    return Replayed(len(found), [each for each in compared if each is not None])


@dataclass(frozen=True, slots=True)
class _Way:
    """The way a case took to its end: where it began, and what was done on it, in its sub-flows as well."""

    begun: int
    done: list[tuple[Deed, tuple[datetime, int]]]  # and when
    answers: Mapping[str, Answer]
    besides: list[tuple[str, int, int]]
    not_again: tuple[str, ...]


def _compare(actor: Actor, row: Row[Any], draft: Doc, needed: Sequence[str]) -> Difference | None:
    way = _way_of(row, row.workflow)
    done = [deed for deed, _ in sorted(way.done, key=lambda each: each[1])]
    own = dict(get_version(row.workflow, row.version).document)
    again = Play(
        row.form,
        row.initiator,
        _as_before(done),
        row.record,
        answers=way.answers,
        draft=own,
        since=way.begun,
        besides=way.besides,
    )
    was = try_out(actor, again)
    would = try_out(actor, replace(again, follow=_as_before(done), draft=draft, needed=needed))
    then, now = _parts(was, row.record), _parts(would, row.record)
    less = {part: gone for part in then if (gone := then[part] - now[part])}
    more = {part: new for part in now if (new := now[part] - then[part])}
    problems = list(would.problems)
    decided = [(each.step, each.action, each.person) for each in done if each.action in _DECISIONS]
    if was.status != row.status or [each for each in was.path if each[1] in _DECISIONS] != decided:
        problems.append(_why_otherwise(way))
    if not (less or more or problems):
        return None
    return Difference(row.id, row.record, was, would, less, more, tuple(problems))


def _why_otherwise(way: _Way) -> Message:
    """Why a case does not go the way it took: what happened to it is not all played again, or the world changed."""
    words = {f"word{n}": ACTIONS[each][0] for n, each in enumerate(dict.fromkeys(way.not_again))}
    listed = Message(" · ".join(f"{{{key}}}" for key in words), words)
    return Message(STEPPED_IN.msgid, {"what": listed}) if words else OTHERWISE


def _way_of(row: Row[Any], root: str) -> _Way:
    begun, notes = _last_way(cases.list_notes(row.id))
    way = _Way(begun, [], {}, [], tuple(n.action for n in notes if n.action in _NOT_AGAIN))
    answers: dict[str, Answer] = {}
    for note in notes:
        step = name_of(root, row.workflow, note.step)
        if note.action == "take_back":
            mine = [
                each for each in way.done if each[0].person == note.person and each[0].action == "approve"
            ]
            way.done.remove(mine[-1])
        elif note.action in _DONE:
            way.done.append((_deed(note, step), (note.at, note.id)))
        elif note.action == "called":
            status = int(note.detail["status"])
            answers[step] = Answer(comes=status > 0, status=status)
        elif note.action == "begun" and (child := cases.get_case(note.detail["case"])) is not None:
            inner = _way_of(child, root)
            way.done.extend(inner.done)
            answers |= inner.answers
            way.besides.extend([(child.form, child.record, inner.begun), *inner.besides])
            way = replace(way, not_again=(*way.not_again, *inner.not_again))
    return replace(way, answers=answers)


def _deed(note: Row[Any], step: str) -> Deed:
    """What a note of a history says that somebody did; whose task was given away did nothing themselves."""
    person = note.detail["person"] if note.action == "reassign" else note.person
    how = note.detail.get("how", "again" if note.action == "return" else "")
    return Deed(person, note.action, to=note.detail.get("to"), how=how, step=step)


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


def _as_before(done: Iterable[Deed]) -> Next:
    """Whoever is asked does what they did then at that step, or else what they did first anywhere; who did nothing
    then agrees.
    """
    left = list(done)

    def follow(waiting: Sequence[Open]) -> Deed | None:
        asked = {(each.person, each.step) for each in waiting}
        for deed in left:
            if (deed.person, deed.step) in asked:
                left.remove(deed)
                return deed
        for each in waiting:
            if each.corrects:
                continue
            for deed in left:
                if deed.person == each.person:
                    left.remove(deed)
                    return replace(deed, step=each.step)
        return agree(waiting)

    return follow
