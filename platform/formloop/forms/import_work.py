"""What the rows of an import would save: raw values by the mapping, names turned into ids, records found again."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from formloop.access.actor import Actor
from formloop.core.errors import Problem
from formloop.core.text import LOCALES, M, Message
from formloop.db import reading
from formloop.forms import engine, permits, staging, submitting
from formloop.forms.import_owner import find_owner
from formloop.forms.kind import get_form
from formloop.forms.links import Links
from formloop.forms.mapping import OF_RECORD, ColumnMap, Drawing, Drawn, read_mapping
from formloop.forms.names import context_of
from formloop.forms.resolving import CHUNK, Resolver
from formloop.forms.service import Draft
from formloop.forms.spec import Unreadable, Values
from formloop.forms.staging import Batch


class ImportWork:
    """What every chunk of one import needs, made once for each step."""

    def __init__(self, actor: Actor, batch: Batch) -> None:
        self.actor, self.batch, self.spec = actor, batch, get_form(batch.form)
        self.mapping: ColumnMap = read_mapping(self.spec, batch.mapping)[0]
        self.drawing = Drawing(self.spec, self.mapping, batch.columns, batch.line_columns)
        self.resolver = Resolver(actor, self.spec, self.mapping.relations)
        self.owner = find_owner(actor, self.spec, self.mapping, batch.owner)

    def drafts(self, rows: Sequence[Any], dry: bool = False) -> tuple[list[Draft], list[Drawn], list[Any]]:
        """What the rows would save, with the problems that were found on the way, and by what records are found.

        Those that will be submitted are checked (`dry`) as what they are then: more has to be filled in.
        """
        drawn = [self.drawing.draw(row.raw) for row in rows]
        self.resolver.resolve([d.raw for d in drawn], [d.problems for d in drawn])
        keys = self._keys(drawn)
        there = self._there(drawn, keys)
        state = submitting.state_of(self.spec.key) if dry and self.mapping.submit else None
        drafts = [self._draft(each, there.get(key), state) for each, key in zip(drawn, keys, strict=True)]
        return drafts, drawn, keys

    def tell_same(self, rows: Sequence[Any], drawn: Sequence[Drawn], keys: Sequence[Any]) -> list[str | None]:
        """Say of rows which one above would change the same record; returns what stands for the keys of all."""
        marks = [None if key in (None, "") else hashlib.sha256(str(key).encode()).hexdigest() for key in keys]
        first = staging.first_rows(self.batch.id, sorted({*filter(None, marks)}), rows[0].number)
        for row, each, mark, key in zip(rows, drawn, marks, keys, strict=True):
            above = first.setdefault(mark, row.number) if mark else row.number
            if above != row.number:
                said = {"value": str(key)[:80], "row": above}
                each.problems.append(
                    Problem(
                        "same_key",
                        self.mapping.by or "",
                        M(
                            "“{value}” stands in row {row} already; only the first row with it is imported. "
                            "Join them, or leave one out.",
                            **said,
                        ),
                    )
                )
        return marks

    def _keys(self, drawn: Sequence[Drawn]) -> list[Any]:
        """What each row has in the field that records are found by; a formula is calculated of what the row says."""
        by = self.mapping.by
        if not by:
            return [None] * len(drawn)
        field = self.spec.fields[by]
        if field.formula is None:
            return [_read(field, each.raw.get(by)) for each in drawn]
        given = [engine.read_given(self.spec, each.raw, trusted=True) for each in drawn]
        values = [engine.laid_over(self.spec, None, each.values) for each in given]
        links = Links(self.actor, self.spec, values)
        links.linkages.prepare(values)
        for each, said in zip(values, given, strict=True):
            engine.complete(self.spec, each, said, links, context_of(self.actor), None)
        return [each.get(by) for each in values]

    def _there(self, drawn: Sequence[Drawn], keys: Sequence[Any]) -> dict[Any, Values]:
        """The records that these rows would change, by the value of the field they are found by."""
        by, values = self.mapping.by, {key for key in keys if key is not None}
        if not by or not values:
            return {}
        column, where = self.spec.table.c[by], self._may_change()
        found: dict[Any, Values] = {}
        several: set[Any] = set()
        ordered = sorted(values, key=str)
        with reading() as conn:
            for start_ in range(0, len(ordered), CHUNK):
                query = select(column, self.spec.table.c.id).where(
                    column.in_(ordered[start_ : start_ + CHUNK]), self.spec.table.c.deleted_at.is_(None)
                )
                for value, record in conn.execute(query if where is None else query.where(where)):
                    if value in found:
                        several.add(value)
                    found[value] = {"id": record, "lines": []}
        for each, key in zip(drawn, keys, strict=True):
            if key in several:
                each.problems.append(
                    Problem(
                        "several",
                        by,
                        M(
                            "More than one record has “{value}” there. "
                            "Find records by a field that tells them apart.",
                            value=str(key)[:80],
                        ),
                    )
                )
        self._add_lines({v["id"]: v["lines"] for v in found.values()})
        return found

    def _may_change(self) -> Any:
        return permits.require_permit(self.actor, "import", self.spec).where(context_of(self.actor))

    def _add_lines(self, lines: dict[int, list[Values]]) -> None:
        if not lines or self.drawing.subform is None:
            return
        table, ids = self.spec.line_tables[self.drawing.subform], list(lines)
        with reading() as conn:
            for start_ in range(0, len(ids), CHUNK):
                query = select(table).where(table.c.record.in_(ids[start_ : start_ + CHUNK]))
                for row in conn.execute(query.order_by(table.c.record, table.c.position)).mappings():
                    lines[row["record"]].append(dict(row))

    def submit(self, record: int) -> None:
        """Send a new record into its workflow, in the name of its owner."""
        submitting.submit(self.owner.submitter, self.spec.key, record)

    def _draft(self, drawn: Drawn, old: Values | None, state: str | None) -> Draft:
        if old is None:
            return Draft(drawn.raw, state=state, **self.owner.values)
        if self.drawing.subform and drawn.raw.get(self.drawing.subform):
            self._name_lines(drawn.raw[self.drawing.subform], old["lines"])
        return Draft(drawn.raw, old["id"])

    def _name_lines(self, lines: list[Values], old: list[Values]) -> None:
        """Give lines that are there already their ids: by their own field, else by their place."""
        key = self.mapping.lines.by if self.mapping.lines else None
        if key is None:
            for line, known in zip(lines, old, strict=False):
                line["id"] = known["id"]
            return
        column = next(c for c in self.spec.fields[self.drawing.subform or ""].children if c.key == key)
        ids = {known[key]: known["id"] for known in old}
        for line in lines:
            found = ids.get(_read(column, line.get(key)))
            if found is not None:
                line["id"] = found

    def told(self, row: Any, drawn: Drawn, problems: Sequence[Problem]) -> list[dict[str, Any]]:
        """Problems with the row and column of the file that they come from."""
        found = []
        for problem in problems:
            parts = problem.at.split(".")
            line = ".".join(parts[:2]) if len(parts) > 1 and parts[1].isdecimal() else ""
            about_line = line and parts[2:] != [self.drawing.calling] and OF_RECORD not in parts
            number = drawn.rows.get(line, drawn.rows[""])
            found.append(
                {
                    "file": self._file(in_lines=line in drawn.rows and line != ""),
                    "row": number,
                    "column": self.drawing.column_of(problem.at),
                    "at": problem.at,
                    "field": {locale: self._title(problem.at, locale) for locale in LOCALES},
                    "line": drawn.called.get(line, "") if about_line else "",
                    **_said(problem.message),
                }
            )
        return found if self.batch.lines_file else [*found, *_staying_out(drawn, found)]

    def _file(self, in_lines: bool) -> str:
        """Which of two files a row is in; nothing where there is only one."""
        if not self.batch.lines_file:
            return ""
        return self.batch.lines_name if in_lines else self.batch.name

    def _title(self, at: str, locale: str) -> str:
        known = self.spec.find(".".join(part for part in at.split(".") if not part.isdecimal()))
        return known.title(locale) if known else ""


def _staying_out(drawn: Drawn, told: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """The other rows of a record that stays out because of one of its lines, in one entry."""
    wrong = {each["row"] for each in told if each["at"].partition(".")[0] in drawn.raw and "." in each["at"]}
    others = sorted({*drawn.rows.values()} - {each["row"] for each in told})
    if wrong and others:
        text = M("Not imported either, as part of the same record as row {rows}.", rows=spans(sorted(wrong)))
        place = {"row": spans(others), "column": "", "at": "", "field": dict.fromkeys(LOCALES, "")}
        yield {"file": "", **place, **_said(text)}


def spans(numbers: Sequence[int]) -> str:
    """Rising numbers as people write them: 2, 4–6."""
    found: list[list[int]] = []
    for each in numbers:
        if found and each == found[-1][-1] + 1:
            found[-1] = [found[-1][0], each]
        else:
            found.append([each])
    return ", ".join("–".join(map(str, each)) for each in found)


def _said(message: Message) -> dict[str, str]:
    return {locale: message.render(locale) for locale in LOCALES}


def _read(known: Any, raw: Any) -> Any:
    try:
        return None if raw is None else known.type.read(known, raw)
    except Unreadable:
        return None
