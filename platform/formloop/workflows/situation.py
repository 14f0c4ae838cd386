"""The world a case is decided in: its record, read only when asked for, what steps found out, and the people."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Generic, TypeVar
from zoneinfo import ZoneInfo

from formloop.access.actor import SYSTEM, recall_actor
from formloop.core import clock
from formloop.core.expression import EvaluationError, Expression, Linked, Path
from formloop.db import reading
from formloop.events.reasons import Guarded
from formloop.forms import rows
from formloop.forms.fields.datetime import site_zone
from formloop.forms.kind import get_form
from formloop.forms.links import Links
from formloop.forms.names import context_of
from formloop.forms.spec import FormSpec, Values
from formloop.forms.standing import times_written
from formloop.workflows import calendar
from formloop.workflows.amendments.reading import ABOUT_PEOPLE
from formloop.workflows.assignees import rules
from formloop.workflows.plain import Found, Line
from formloop.workflows.spec import Visit, Workflow
from formloop.workflows.staff import Staff
from formloop.workflows.state import Rule

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Read(Generic[T]):
    """Something that was read in this transaction, with how often each form behind it had been written then."""

    value: T
    written: Mapping[str, int]

    @classmethod
    def of(cls, value: T, links: Links, *forms: str) -> "_Read[T]":
        """What was read of records of `forms`, and of those that `links` points to."""
        return cls(value, {form: times_written(form) for form in {*forms, *(f for f, _ in links.records)}})

    @property
    def stands(self) -> bool:
        """Whether nothing behind it has been written since."""
        return all(times_written(form) == times for form, times in self.written.items())


class Situation(Staff):
    """Answers the engine and the assignee rules for one record."""

    visit: Visit

    def __init__(self, workflow: Workflow, spec: FormSpec, record: int, initiator: int) -> None:
        self.workflow = workflow
        self.spec = spec
        self.record = record
        self.initiator = initiator
        self._values: Values | None = None
        self._pointing: dict[frozenset[str] | Line, _Read[Values]] = {}
        self._found: dict[Found, _Read[list[Any]]] = {}

    def see(self, values: Values | None) -> None:
        """Take the record as it is now; None to read it again when it is needed."""
        self._values = values
        self._pointing.clear()

    @property
    def values(self) -> Values:
        """The record, with those lines that the workflow reads."""
        if self._values is None:
            self._values = self._load()
        return self._values

    def _load(self) -> Values:
        with reading() as conn:
            return rows.load(conn, self.spec, [self.record], lines=self.workflow.lines_read)[self.record]

    def whole(self) -> Values:
        """The record with all its lines."""
        missing = [each.key for each in self.spec.subforms if each.key not in self.values]
        if missing:
            with reading() as conn:
                rows.add_lines(conn, self.spec, {self.record: self.values}, missing)
        return self.values

    def _environment(self, reads: Collection[Path]) -> Values:
        """The record with what it points to, and of its lines those that `reads` ask for: a loop asks for few."""
        lines = frozenset(path[0] for path in reads if path[0] in self.spec.line_tables)
        return self._linked(
            lines, {k: v for k, v in self.values.items() if k not in self.spec.line_tables or k in lines}
        )

    def _line(self, line: Line) -> Values | None:
        found = next((each for each in self.values.get(line.subform) or () if each["id"] == line.id), None)
        return found and self._linked(line, {line.subform: [found]})[line.subform][0]

    def _linked(self, part: frozenset[str] | Line, values: Values) -> Values:
        """A part of the record with what it points to, as long as that stands."""
        if part not in self._pointing or not self._pointing[part].stands:
            links = Links(SYSTEM, self.spec, [values], self.workflow.record_reads)
            self._pointing[part] = _Read.of(links.environment(self.spec, values), links)
        return self._pointing[part].value

    def value_of(self, expression: Expression, names: Mapping[str, Any]) -> Any:
        """A value; what an expression asks of "the user" is asked of whoever submitted.

        Why there is none is read by people who may not see what the expression reads, so it quotes no value.
        """
        who = recall_actor(self.initiator) if expression.calls & ABOUT_PEOPLE else SYSTEM
        env = self._environment(expression.reads)
        if asked := {path[0] for path in expression.reads} & set(names):
            env = {**{key: self._seen(_only(names[key], key, expression.reads)) for key in asked}, **env}
        try:
            return unlinked(expression.evaluate(env, context_of(who)))
        except EvaluationError as error:
            error.message = Guarded(error.message)
            raise

    def _seen(self, value: Any) -> Any:
        """What a step found out as expressions want it: records with what is read of them."""
        if isinstance(value, Found):
            found = self._records(value)
            return found if value.many else next(iter(found), None)
        if isinstance(value, Line):
            return self._line(value)
        if isinstance(value, Mapping):
            return {key: self._seen(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [self._seen(each) for each in value]
        return value

    def _records(self, value: Found) -> list[Any]:
        if value not in self._found or not self._found[value].stands:
            spec = get_form(value.form)
            with reading() as conn:
                loaded = rows.load(conn, spec, value.ids)
            there = [loaded[i] for i in value.ids if i in loaded]
            links = Links(SYSTEM, spec, there, self.workflow.found_reads)
            made = [Linked(each["id"], links.environment(spec, each)) for each in there]
            self._found[value] = _Read.of(made, links, value.form)
        return self._found[value].value

    def list_items(self, over: str, names: Mapping[str, Any]) -> Sequence[Any]:
        """The lines of a subform, or what a step found out, one by one."""
        if over in self.spec.line_tables:
            return [Line(over, line["id"]) for line in self.values.get(over) or ()]
        found = names["flow"].get(over)
        if isinstance(found, Found):
            return [Found(found.form, (each,), many=False) for each in found.ids]
        return list(found) if isinstance(found, list | tuple) else []

    def now(self) -> datetime:
        """The present moment."""
        return clock.now()

    def later(self, moment: datetime, duration: str, working: bool) -> datetime:
        """A moment an ISO duration later; on working days only, if that is wanted."""
        return calendar.later(moment, duration, site_zone() if working else None)

    def moment_in(self, path: str) -> datetime | None:
        """The moment in a date field of the record: a day counts from its beginning."""
        found = self.values.get(path)
        if isinstance(found, date) and not isinstance(found, datetime):
            return datetime.combine(found, time(), ZoneInfo(site_zone()))
        return found if isinstance(found, datetime) else None

    def find_people(self, rule: Rule, visit: Visit) -> Sequence[int]:
        """The active people a rule chooses."""
        self.visit = visit
        if rule["rule"] == "stand_in":
            return self.with_accounts([rule["person"]])
        if rule["rule"] == "head_of":
            return self.heads_above(rule["of"])[:1]
        chosen = rules.get(rule["rule"]).find(rule, self)
        return self.active(chosen) if rule["rule"] not in _ACTIVE_ALREADY else chosen

    def value(self, path: str) -> Any:
        """The value of a field; a list for a field of lines."""
        head, _, column = path.partition(".")
        found = self.values.get(head)
        return [line.get(column) for line in found or ()] if column else found

    def is_department(self, path: str) -> bool:
        """Whether the field holds a department."""
        field = self.spec.find(path)
        return field is not None and field.type.name == "department"


def _only(found: Any, name: str, reads: Collection[Path]) -> Any:
    """Of what a name stands for only what `reads` ask of it, so that nothing else is fetched."""
    if not isinstance(found, Mapping) or (name,) in reads:
        return found
    return {key: value for key, value in found.items() if any(p[:2] == (name, key) for p in reads)}


def unlinked(value: Any) -> Any:
    """A value without the record that expressions step into."""
    return int(value) if isinstance(value, Linked) else value


_ACTIVE_ALREADY = ("people", "role", "department", "head", "line", "department_field")
