"""A play while it goes on, inside a transaction that is taken back."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from time import monotonic
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import Row

from formloop.access.actor import SYSTEM, Actor, get_actor
from formloop.core.errors import Invalid, NotFound, Problem
from formloop.core.text import M, Titled
from formloop.db import connection
from formloop.events.tables import outbox
from formloop.forms import service as records
from formloop.forms.kind import get_form
from formloop.workflows import administration, beginning, cases, hearing, service, watching
from formloop.workflows.amendments import service as amendments
from formloop.workflows.kind import get_version
from formloop.workflows.played import Begun, Played, name_of
from formloop.workflows.plays import Answer, Deed, Open, Play
from formloop.workflows.set_back import set_back
from formloop.workflows.spec import Step
from formloop.workflows.state import ENDED, Event, Note, State, Token
from formloop.workflows.tables import case, task, watch
from formloop.workflows.turning import Result, within
from formloop.workflows.walk import Effort

LONGEST = 500  # turns of one play
SECONDS = 3.0  # that it may take: others wait to write
TOO_LONG = M("The play takes too long; it stops here.")
NO_ANSWER = M("No answer.")


class Stage:
    """A play while it goes on: the case that is played, and those that begin within it or that it waits for."""

    def __init__(self, wanted: Play, root: str, begun: Begun, seconds: float | None = None) -> None:
        self.wanted = wanted
        self.root = root
        self.begun = begun
        self._heard = begun.message
        self._effort = Effort(until=monotonic() + (SECONDS if seconds is None else seconds))

    def play(self, played: Played) -> None:
        """Submit the record, and go on until the case ends or nobody does anything more, or it takes too long."""
        with within(self._effort):
            self._go_on(played)
        if self._effort.spent:
            played.problems.append(TOO_LONG)

    def _go_on(self, played: Played) -> None:
        wanted, who = self.wanted, get_actor(self.wanted.initiator)
        for form, other, since in wanted.besides:
            set_back(form, other, since)
        found = self._propose(who) if wanted.reason else self._submit(who)
        for _ in range(LONGEST):
            now = cases.get_case(found.case)
            played.status = now.status if now is not None else found.status
            if played.status in ENDED:
                return
            if self._effort.spent:
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

    def _submit(self, who: Actor) -> Result:
        wanted, record = self.wanted, self.wanted.record
        if record is not None:
            set_back(wanted.form, record, wanted.since)
        if record is None or wanted.values:
            record = self._save(who, record)
        return beginning.submit_for(who, wanted.form, record)

    def _propose(self, who: Actor) -> Result:
        form, record, raw = self.wanted.form, self.wanted.record or 0, dict(self.wanted.values)
        try:
            return amendments.propose(who, form, record, raw, self.wanted.reason)
        except Invalid as error:
            raise Invalid([_named(form, each) for each in error.problems]) from error

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
        own = select(case.c.id).where(self.begun.made(case.c.id), case.c.ended_at.is_(None))
        found = set(conn.execute(own).scalars())
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
    return replace(problem, message=text)


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
