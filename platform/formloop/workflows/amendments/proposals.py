"""What a case proposes: its rows, and the record as it would be."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.engine import Row

from formloop.core import clock
from formloop.core.errors import NotFound
from formloop.core.expression import Expression
from formloop.core.text import Message
from formloop.db import connection, reading
from formloop.forms import rows
from formloop.forms.spec import Field, FormSpec, Unreadable, Values
from formloop.workflows.amendments.impact import find_dependents
from formloop.workflows.kind import get_version
from formloop.workflows.plain import Found
from formloop.workflows.situation import Situation
from formloop.workflows.spec import Workflow, subject_of
from formloop.workflows.tables import case, proposal


class Standing(Situation):
    """A record as it stands, with what depends on it: what lock stages look at."""

    def value_of(self, expression: Expression, names: Mapping[str, Any]) -> Any:
        """A value; besides the record it knows what depends on it."""
        return super().value_of(expression, {**names, **self._besides(expression)})

    def _besides(self, expression: Expression) -> dict[str, Any]:
        if not any(path[0] == "dependents" for path in expression.reads):
            return {}
        wanted = self.workflow.amends.dependents if self.workflow.amends is not None else ()
        return {"dependents": find_dependents(self.spec, self.record, wanted)}


class Proposed(Standing):
    """The record as a case proposes it to be: what the steps that decide about it see."""

    def __init__(self, workflow: Workflow, spec: FormSpec, record: int, initiator: int, case_id: int) -> None:
        super().__init__(workflow, spec, record, initiator)
        self.case = case_id

    def _load(self) -> Values:
        found = get(self.case)
        with reading() as conn:
            return lay_over(self.spec, rows.load(conn, self.spec, [self.record])[self.record], found.new)

    def _besides(self, expression: Expression) -> dict[str, Any]:
        found = get(self.case)
        was = Found(self.spec.key, (self.record,), many=False)
        told = {"stage": found.stage, "cancels": is_cancelling(found), "was": was}
        return {**super()._besides(expression), "amendment": told}


def add(case_id: int, values: Mapping[str, Any]) -> None:
    """A new proposal of a case, in place of the one before."""
    row = {"id": clock.new_id(), "case": case_id, "made_at": clock.now(), "applied_at": None, **values}
    connection().execute(insert(proposal).values(row))


def note_applied(proposal_id: int, impact: Sequence[Any]) -> None:
    """The record is now as it was proposed; `impact` is what depended on it then."""
    values = {"applied_at": clock.now(), "impact": list(impact)}
    connection().execute(update(proposal).where(proposal.c.id == proposal_id).values(values))


def get(case_id: int) -> Row[Any]:
    """What a case proposes."""
    found = find(case_id)
    if found is None:
        raise NotFound
    return found


def find(case_id: int) -> Row[Any] | None:
    """What a case proposes, if it does."""
    query = select(proposal).where(proposal.c.case == case_id).order_by(proposal.c.id.desc()).limit(1)
    with reading() as conn:
        return conn.execute(query).one_or_none()


def list_of(form: str, record: int) -> list[Row[Any]]:
    """All proposals about a record with their cases, newest first."""
    told = (case.c.status, case.c.workflow, case.c.version, case.c.initiator, case.c.ended_at)
    query = select(proposal, *told).join(case, case.c.id == proposal.c.case)
    query = query.where(case.c.form == form, case.c.record == record).order_by(proposal.c.id.desc())
    with reading() as conn:
        return list(conn.execute(query.limit(50)))


def is_cancelling(found: Any) -> bool:
    """Whether the whole record is to be cancelled."""
    return "state" in found.new


def subject_of_case(workflow: Workflow, spec: FormSpec, case_id: int) -> Message:
    """What a case is about: a record, a change of one, or cancelling one."""
    return subject_of(workflow, spec, cancels(workflow, case_id))


def cancels(workflow: Workflow, case_id: int) -> bool:
    """Whether a case is about cancelling its record."""
    found = find(case_id) if workflow.amends is not None else None
    return found is not None and is_cancelling(found)


def list_cancelling(cases: Iterable[tuple[str, int, int]]) -> set[int]:
    """Those of the cases, given by workflow, version and id, that are about cancelling their record; one query."""
    amending = [id for key, version, id in cases if get_version(key, version).amends is not None]
    if not amending:
        return set()
    newest = select(func.max(proposal.c.id)).where(proposal.c.case.in_(amending)).group_by(proposal.c.case)
    with reading() as conn:
        found = conn.execute(select(proposal.c.case, proposal.c.new).where(proposal.c.id.in_(newest)))
        return {each.case for each in found if is_cancelling(each)}


def lay_over(spec: FormSpec, record: Values, new: Mapping[str, Any]) -> Values:
    """A record as a proposal would have it; its values come from JSON, so each is read by its field's type."""
    values = {**record, **rows.laid(spec, record, new)}
    for key, side in new.items():
        each = spec.fields.get(key)
        if each is None:
            continue
        if not each.children:
            values[key] = _read(each, side)
            continue
        columns = {column.key: column for column in each.children}
        values[key] = [_line(line, columns, place) for place, line in enumerate(values[key])]
    return values


def _line(line: Values, columns: Mapping[str, Field], place: int) -> Values:
    kept = {key: _read(columns[key], value) for key, value in line.items() if key in columns}
    return {"id": line.get("id", -1 - place), "position": place, **kept}


def _read(field: Field, kept: Any) -> Any:
    if kept is None or isinstance(kept, list | dict | bool):
        return kept
    try:
        return field.type.read(field, kept)
    except Unreadable:  # the field has another type by now; saving will say so
        return None
