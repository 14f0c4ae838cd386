"""Writing what a run gives into forms: found again by key or made anew, and what it no longer gives goes.

Only records that the plan has made itself are taken away; those that `keep` names, that are under approval or that
others point to stay as they are.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Select, and_, delete, func, insert, literal, select

from formloop.access.actor import SYSTEM, Actor
from formloop.bridges.engine import fitting
from formloop.core.errors import Forbidden, Invalid, Problem
from formloop.core.expression import Context, EvaluationError, to_sql
from formloop.core.text import M, Message
from formloop.datasets.spec import PARAMETERS
from formloop.db import connection, engine, reading, transactional
from formloop.events import Cause
from formloop.forms import service as records
from formloop.forms.kind import get_form
from formloop.forms.names import FormNames
from formloop.forms.service import Draft, How
from formloop.forms.uses import InUse
from formloop.planning.spec import Output, PlanSpec, Row, Written
from formloop.planning.tables import made

BATCH = 500
TRUSTED = How(trusted=True)
Key = tuple[Any, ...]
Tell = Callable[[int], None]  # so many more rows are done


@dataclass(frozen=True, slots=True)
class _There:
    """A record that is there already."""

    id: int
    key: Key
    kept: bool


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes one output of one run. Outside of a transaction each batch is one of its own."""

    plan: PlanSpec
    output: Output
    actor: Actor
    context: Context
    cause: Cause
    parameters: Mapping[str, Any]

    def values_of(self, rows: Iterable[Row]) -> list[dict[str, Any]]:
        """What the records are to hold; Invalid when that cannot be calculated or two would be the same."""
        fields = get_form(self.output.form).fields
        found, problems = [], list[Problem]()
        for row in rows:
            values = {}
            for name, expression in self.output.values.items():
                try:
                    value = expression.evaluate({**row, PARAMETERS: self.parameters}, self.context)
                    values[name] = fitting(fields[name], value)
                except EvaluationError as error:
                    problems.append(self._problem("value", f"map.{name}", error.message))
            found.append(values)
        if problems := problems or list(self._same_keys(found)):
            raise Invalid(problems[:20])
        return found

    def _same_keys(self, rows: Iterable[Mapping[str, Any]]) -> Iterator[Problem]:
        keys = set[Key]()
        for values in rows if self.output.by else ():
            key = self._key(values)
            if key in keys:
                shown = ", ".join(str(each) for each in key)
                text = M(
                    "Two rows of “{output}” have the same key: {key}.", output=self.output.name, key=shown
                )
                yield self._problem("same_key", "by", text)
            keys.add(key)

    def _problem(self, code: str, at: str, message: Message) -> Problem:
        return Problem(code, f"outputs.{self.output.name}.{at}", message)

    def write(self, wanted: Sequence[dict[str, Any]], tell: Tell) -> Written:
        """Make the form hold exactly these, and what is kept."""
        done = Written()
        if not self.output.by:
            self._remove(list(self._made()), done)
        there = {each.key: each for each in self._made()} if self.output.by else {}
        for part in _parts(wanted):
            known = {**self._others(part), **there}
            self._save(part, known, done)
            tell(len(part))
        if self.output.by:
            keys = {self._key(values) for values in wanted}
            self._remove([each for key, each in there.items() if key not in keys], done)
        return done

    def _key(self, values: Mapping[str, Any]) -> Key:
        return tuple(values[name] for name in self.output.by)

    @transactional
    def _save(self, part: Sequence[dict[str, Any]], there: Mapping[Key, _There], done: Written) -> None:
        found = [there.get(self._key(values)) if self.output.by else None for values in part]
        drafts = [
            Draft(values, known.id if known else None)
            for values, known in zip(part, found, strict=True)
            if known is None or not known.kept
        ]
        outcomes = records.save_many(self.actor, self.output.form, drafts, self.cause, TRUSTED)
        problems = [replace(p, at=f"outputs.{self.output.name}.{p.at}") for o in outcomes for p in o.problems]
        if problems:
            raise Invalid(problems[:20])
        new = [int(o.values["id"]) for o, draft in zip(outcomes, drafts, strict=True) if draft.id is None]
        self._remember(new)
        done.created += len(new)
        done.changed += sum(o.action not in ("created", "unchanged") for o in outcomes)
        done.unchanged += sum(o.action == "unchanged" for o in outcomes)
        done.kept += len(part) - len(drafts)

    def _remember(self, ids: Sequence[int]) -> None:
        own = {"plan": self.plan.id, "output": self.output.name, "form": self.output.form}
        if ids:
            connection().execute(insert(made), [{**own, "record": each} for each in ids])

    def _remove(self, there: Sequence[_There], done: Written) -> None:
        for part in _parts(there):
            self._remove_part(part, done)

    @transactional
    def _remove_part(self, part: Sequence[_There], done: Written) -> None:
        gone = []
        for each in part:
            if each.kept:
                done.kept += 1
                continue
            try:
                records.delete_record(SYSTEM, self.output.form, each.id, None, self.cause)
            except (InUse, Forbidden):
                done.kept += 1
            else:
                gone.append(each.id)
        if gone:
            own = and_(
                made.c.plan == self.plan.id, made.c.output == self.output.name, made.c.record.in_(gone)
            )
            connection().execute(delete(made).where(own))
        done.removed += len(gone)

    def _made(self) -> Iterator[_There]:
        """The records that earlier runs made and that are still there."""
        table = get_form(self.output.form).table
        own = and_(made.c.plan == self.plan.id, made.c.output == self.output.name, made.c.form == table.name)
        query = self._looked().join(made, and_(own, made.c.record == table.c.id))
        with reading() as conn:
            found = [self._there(row) for row in conn.execute(query.order_by(table.c.id))]
        return iter(found)

    def _others(self, part: Sequence[Mapping[str, Any]]) -> dict[Key, _There]:
        """Records with one of these keys, whoever made them; a key with an empty part finds none."""
        if not self.output.by:
            return {}
        table = get_form(self.output.form).table
        asked = [table.c[name].in_({values[name] for values in part}) for name in self.output.by]
        with reading() as conn:
            rows = conn.execute(self._looked().where(*asked).order_by(table.c.id.desc()))
            return {each.key: each for each in map(self._there, rows)}

    def _looked(self) -> Select[Any]:
        spec = get_form(self.output.form)
        kept: Any = literal(False)
        if self.output.keep is not None:
            said = to_sql(self.output.keep, FormNames(spec), self.context, engine().dialect.name)
            kept = func.coalesce(said, False)
        keys = [spec.table.c[name] for name in self.output.by]
        columns = [spec.table.c.id, spec.table.c.state, kept.label("kept"), *keys]
        return select(*columns).where(spec.table.c.deleted_at.is_(None))

    def _there(self, row: Any) -> _There:
        locked = records.is_locked(get_form(self.output.form), {"id": row[0], "state": row[1]})
        return _There(row[0], tuple(row[3:]), bool(row[2]) or locked)


def _parts(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(rows), BATCH):
        yield rows[start : start + BATCH]
