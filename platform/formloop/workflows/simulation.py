"""What would happen: the real engine on the real record, and nothing of it stays.

Everything runs inside one transaction that is undone at the end, so tasks, records and messages arise as they
would. Cases of sub-flows are played too. Addresses are never called and nobody waits for a time: what they would
say is given, else it is assumed, and the history of the play says so.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.engine import Row

from formloop.access import gate
from formloop.access.actor import SYSTEM, Actor, get_actor
from formloop.core import clock
from formloop.core.definitions import Doc
from formloop.core.errors import FormloopError, Invalid, NotFound, Problem
from formloop.core.text import M, Message, Titled
from formloop.db import connection, undone
from formloop.definitions import library
from formloop.events.tables import outbox
from formloop.forms import rows
from formloop.forms import service as records
from formloop.forms.kind import get_form
from formloop.forms.spec import Values
from formloop.forms.tables import change
from formloop.workflows import administration, beginning, cases, hearing, service, watching
from formloop.workflows.kind import find_workflow, get_version
from formloop.workflows.played import Marks, Played, collect, mark, name_of
from formloop.workflows.spec import Step
from formloop.workflows.state import ENDED, Event, Note, State, Token
from formloop.workflows.tables import case, task, watch

LONGEST = 500  # turns of one play
NO_ANSWER = M("No answer.")


@dataclass(frozen=True, slots=True)
class Deed:
    """What somebody does in a play."""

    person: int
    action: str = "approve"
    comment: str = "simulation"
    to: Any = None
    how: str = ""
    step: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a step hears that waits for no person: the status and body of an address, or that a wait is over.

    Without `comes` the address does not answer, and the wait goes on.
    """

    comes: bool = True
    status: int = 200
    body: Any = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Open:
    """A decision that a play waits for."""

    task: int
    step: str
    person: int
    case: int
    form: str
    record: int
    corrects: bool  # it was returned: its initiator is to submit it again


Next = Callable[[Sequence[Open]], Deed | None]  # from the open tasks to what happens next


@dataclass(frozen=True, slots=True)
class Play:
    """What is played: a record, or values that are not saved, submitted by `initiator`.

    `follow` says what people do, `fills` what they fill in, by step; `answers` are what steps without people hear,
    by step; `draft` is a workflow document to try instead of the published one. `since`: the record is given back
    the values it had when that row of a history was written, but for what came from its own workflow; `besides`
    are records of sub-flows and that row of each, which are given back theirs.
    """

    form: str
    initiator: int
    follow: Next
    record: int | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    answers: Mapping[str, Answer] = field(default_factory=dict)
    fills: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    draft: Doc | None = None
    since: int | None = None
    besides: Sequence[tuple[str, int, int]] = ()


def may_play(actor: Actor) -> bool:
    """Whoever repairs cases may play them, and whoever designs definitions: nothing of it stays."""
    return gate.allows(actor, "design", "definition") or gate.allows(actor, "repair", "site")


def require_player(actor: Actor) -> None:
    """Refuse whoever may not play cases."""
    if not may_play(actor):
        gate.require(actor, "repair", "site")


def play(
    actor: Actor,
    form: str,
    initiator: int,
    *,
    record: int | None = None,
    values: Mapping[str, Any] | None = None,
    deeds: Sequence[Deed] | None = None,
    answers: Mapping[str, Answer] | None = None,
    fills: Mapping[str, Mapping[str, Any]] | None = None,
    draft: Doc | None = None,
) -> Played:
    """Play a case of a record, of values that are not saved, or of a record changed to these. Without `deeds` everybody agrees; else it stops
    when they are done.
    """
    require_player(actor)
    script = iter(deeds) if deeds is not None else None

    def follow(waiting: Sequence[Open]) -> Deed | None:
        return next(script, None) if script is not None else agree(waiting)

    return try_out(Play(form, initiator, follow, record, values or {}, answers or {}, fills or {}, draft))


def agree(waiting: Sequence[Open]) -> Deed | None:
    """Whoever is asked first agrees."""
    return Deed(waiting[0].person, step=waiting[0].step) if waiting else None


def try_out(wanted: Play) -> Played:
    """How a play goes, in a transaction that is taken back."""
    return undone(partial(_play_all, wanted))


def _play_all(wanted: Play) -> Played:
    played = Played()
    if wanted.draft is not None:
        entry = library.find_entry("workflow", wanted.draft["x-key"])
        version = entry.version if entry else 1
        library.overlay().put("workflow", wanted.draft["x-key"], wanted.draft, version)
    workflow = find_workflow(wanted.form)
    stage = _Stage(wanted, workflow.key if workflow else "", mark())
    try:
        stage.play(played)
    except FormloopError as error:
        played.problems += _said(error)
    collect(played, stage.root, stage.before)
    return played


def _said(error: FormloopError) -> list[Message]:
    return [each.message for each in error.problems] if isinstance(error, Invalid) else [error.message]


class _Stage:
    """A play while it goes on: the case that is played, and those that begin within it or that it waits for."""

    def __init__(self, wanted: Play, root: str, before: Marks) -> None:
        self.wanted = wanted
        self.root = root
        self.before = before
        self._heard = before.message

    def play(self, played: Played) -> None:
        """Submit the record, and go on until the case ends or nobody does anything more."""
        wanted, who = self.wanted, get_actor(self.wanted.initiator)
        for form, other, since in wanted.besides:
            _set_back(form, other, since)
        record = wanted.record
        if record is not None:
            _set_back(wanted.form, record, wanted.since)
        if record is None or wanted.values:
            record = self._save(who, record)
        found = beginning.submit_for(who, wanted.form, record)
        for _ in range(LONGEST):
            now = cases.get_case(found.case)
            played.status = now.status if now is not None else found.status
            if played.status in ENDED:
                return
            if self._deliver() or self._answer():
                continue
            waiting = self._list_open()
            played.waiting = [(each.step, each.person) for each in waiting]
            self._stay(played)
            deed = wanted.follow(waiting)
            if deed is None:
                return
            self._do(waiting, deed)
            played.waiting, played.stays = [], []

    def _save(self, who: Actor, record: int | None) -> int:
        form, raw = self.wanted.form, dict(self.wanted.values)
        try:
            if record is None:
                return int(records.create(who, form, raw)["id"])
            records.change_record(who, form, record, raw)
        except Invalid as error:
            raise Invalid([_named(form, each) for each in error.problems]) from error
        return record

    def _cases(self) -> set[int]:
        """The open cases that belong to the play."""
        conn = connection()
        begun = select(case.c.id).where(case.c.id > self.before.case, case.c.ended_at.is_(None))
        found = set(conn.execute(begun).scalars())
        ahead = set(found)
        while ahead:  # a sub-flow may have run before
            watched = select(watch.c.key).where(watch.c.case.in_(ahead), watch.c.key.like("case:%"))
            ahead = {int(key.removeprefix("case:")) for key in conn.execute(watched).scalars()} - found
            found |= ahead
        return found

    def _deliver(self) -> bool:
        """Let the cases hear of what has happened in the play, as the outbox would; whether there was anything."""
        query = select(outbox.c.id, outbox.c.payload).where(
            outbox.c.id > self._heard, outbox.c.topic == watching.TOPIC
        )
        there = self._cases()
        for row in connection().execute(query.order_by(outbox.c.id)).all():
            self._heard = row.id
            if row.payload["case"] in there:
                hearing.hear_of(row.payload)
                return True
        return False

    def _places(self) -> Iterator[tuple[Row[Any], Token, Step]]:
        """Where cases of the play wait for no person."""
        query = select(case).where(case.c.id.in_(self._cases())).order_by(case.c.id)
        for row in connection().execute(query).all():
            steps = get_version(row.workflow, row.version).steps
            for token in State.from_json(row.state).leaves:
                step = steps.get(token.at)
                if step is not None and not token.stuck and not step.node.actions:
                    yield row, token, step

    def _answer(self) -> bool:
        """Let one step that waits for no person hear what it waits for; whether there was one."""
        for row, token, step in self._places():
            given = self.wanted.answers.get(self._name(row, token))
            heard = _heard(step, given)
            if heard is not None:
                cases.add_notes(row.id, [Note("given" if given else "assumed", token.at, token.round)], None)
                hearing.hear(row.id, token.round, *heard)
                return True
        return False

    def _stay(self, played: Played) -> None:
        """Write down what the play waits for besides people; what a sub-flow waits for is played itself."""
        played.stays = []
        for row, token, step in self._places():
            if step.node.name != "subflow":
                played.steps[self._name(row, token)] = step
                because = step.node.because(dict(step.document), get_form(row.form))
                played.stays.append((self._name(row, token), because))

    def _name(self, row: Row[Any], token: Token) -> str:
        return name_of(self.root, row.workflow, token.at)

    def _list_open(self) -> list[Open]:
        query = (
            select(task.c.id, task.c.step, task.c.person, task.c.case, case.c.form, case.c.record)
            .add_columns(case.c.workflow)
            .join(case, case.c.id == task.c.case)
            .where(task.c.case.in_(self._cases()), task.c.kind == "todo", task.c.state == "open")
        )
        return [
            Open(
                row.id,
                name_of(self.root, row.workflow, row.step),
                row.person,
                row.case,
                row.form,
                row.record,
                row.step == "",
            )
            for row in connection().execute(query.order_by(task.c.id))
        ]

    def _do(self, waiting: Sequence[Open], deed: Deed) -> None:
        found = next(
            (each for each in waiting if each.person == deed.person and deed.step in (None, each.step)), None
        )
        if found is None:
            raise NotFound
        if found.corrects:
            beginning.submit_for(get_actor(deed.person), found.form, found.record)
        elif deed.action == "reassign":
            administration.reassign(SYSTEM, found.task, deed.to)
        else:
            event = Event(deed.action, deed.person, deed.comment, deed.to, deed.how, signed=True)
            fills = self.wanted.fills.get(found.step) if deed.action == "approve" else None
            try:
                service.carry(get_actor(deed.person), found.task, event, fills)
            except Invalid as error:
                step = _step_of(found)
                raise Invalid([_named(found.form, each, step) for each in error.problems]) from error


def _step_of(found: Open) -> Step | None:
    row = cases.get_case(found.case)
    return get_version(row.workflow, row.version).steps.get(found.step.rpartition("/")[2]) if row else None


def _named(form: str, problem: Problem, step: Step | None = None) -> Problem:
    """A problem with the name of its field, and of the step where it is missing or wrong."""
    path = ".".join(part for part in problem.at.split(".") if not part.isdecimal())
    field = get_form(form).find(path)
    if field is None:
        return problem
    called = Titled(field.schema, path)
    text = M("{field}: {problem}", field=called, problem=problem.message)
    if step is not None:
        words = {"step": step.called, "field": called, "problem": problem.message}
        text = M("“{step}”, field “{field}”: {problem}", **words)
    return Problem(problem.code, problem.at, text)


def _heard(step: Step, given: Answer | None) -> tuple[str, Mapping[str, Any]] | None:
    """What a step hears; None where it goes on waiting. A condition is looked at, never assumed to hold."""
    answer = given or Answer()
    if step.node.name == "http":
        if not answer.comes:
            return "failed", {"reason": NO_ANSWER}
        return "done", {"status": answer.status, "body": answer.body}
    if step.node.name != "wait" or not answer.comes or ("until" in step.document and given is None):
        return None
    return "due", {"what": "time"}


def _set_back(form: str, record: int, since: int | None) -> None:
    """Let the record be as before it was submitted: whatever runs ends, and its state is the first one."""
    spec, workflow = get_form(form), find_workflow(form)
    there = rows.load(connection(), spec, [record]).get(record)
    if workflow is None or there is None:
        raise NotFound
    ended = update(case).where(case.c.form == form, case.c.record == record, case.c.ended_at.is_(None))
    connection().execute(ended.values(ended_at=clock.now()))
    records.set_state(SYSTEM, form, record, workflow.states["returned"])
    raw: Values = {}
    for old in _taken_since(form, record, since) if since is not None else ():
        raw |= rows.laid(spec, {**there, **raw}, old)
    if raw:
        how = records.How(trusted=True, unlocked=True)
        records.change_record(SYSTEM, form, record, raw, how=how)


def _taken_since(form: str, record: int, since: int) -> list[Mapping[str, Any]]:
    """What changes from outside of its workflow took away from a record, newest first."""
    changed = select(change.c.old, change.c.cause).where(
        change.c.form == form, change.c.record == record, change.c.id > since, change.c.old.is_not(None)
    )
    found = connection().execute(changed.order_by(change.c.id.desc()))
    return [row.old for row in found if not (row.cause or {}).get("chain", [""])[-1].startswith("workflow:")]
