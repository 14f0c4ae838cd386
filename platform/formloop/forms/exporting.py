"""Exports: what a list shows, as a workbook or CSV, made by a job for the person who asked, with their rights."""

import csv
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from formloop.access import gate
from formloop.access.actor import SYSTEM, Actor
from formloop.core.text import M
from formloop.db import reading
from formloop.forms import files, jobs, listing, permits, screen
from formloop.forms.fields.datetime import clock_zone
from formloop.forms.jobs import Job
from formloop.forms.kind import get_form
from formloop.forms.links import Links
from formloop.forms.list_query import read_query
from formloop.forms.names import context_of
from formloop.forms.reads import project
from formloop.forms.resolving import BETWEEN, unique_keys
from formloop.forms.spec import Field, FormSpec, Values
from formloop.forms.workbooks import Book
from formloop.web import viewer

FORMATS = ("xlsx", "csv")
PAGE = 500
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r")


def start(actor: Actor, form: str, args: Mapping[str, Any], kind: str, locale: str) -> int:
    """Begin an export of the list that `args` describe; Forbidden without the right."""
    gate.require(actor, "export", get_form(form).resource)
    payload = {
        "form": form,
        "args": dict(args),
        "kind": kind if kind in FORMATS else "xlsx",
        "locale": locale,
    }
    return jobs.start(actor, "export", payload)


def _step(job: Job, actor: Actor) -> bool:
    spec, said = get_form(job.payload["form"]), job.payload
    name = f"{spec.key}.{said['kind']}"
    with viewer.seen_by(actor), tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        query = read_query(spec, _args(said["args"]))
        job.total = listing.count_records(actor, spec, query)
        job.done = write(actor, spec, query, path, said["locale"], lambda n: _tell(job, n))
        stored = files.keep(actor, name, path)
    job.result = {"file": stored.key, "name": name, "rows": job.done, "size": stored.size}
    job.total = job.done
    return True


def _args(args: Mapping[str, Any]) -> MultiDict[str, str]:
    return MultiDict({k: v if isinstance(v, list) else [v] for k, v in args.items()})


def _tell(job: Job, done: int) -> None:
    job.done = done
    job.alive()


if jobs.kinds.find("export") is None:
    jobs.kinds.add("export", _step)


def export_file(form: str, path: Path, actor: Actor = SYSTEM, locale: str = "en") -> int:
    """Export a whole form here and now; returns how many records there were."""
    spec = get_form(form)
    return write(actor, spec, listing.Query(sort=("id",)), path, locale, lambda _: None)


def write(
    actor: Actor, spec: FormSpec, query: listing.Query, path: Path, locale: str, tell: Callable[[int], None]
) -> int:
    """Write the records of a list into `path`, by its ending a workbook or CSV; returns how many there were.

    Lines stand beside their record, whose own cells are repeated, so that the file can be imported again.
    """
    fields = _fields(actor, spec)
    columns = [_label(spec, f, locale) for f in fields] + [M("State").render(locale)]
    counter = _Counter(tell)
    rows = _rows(actor, spec, query, fields, locale, counter)
    if path.suffix == ".csv":
        _write_csv(path, columns, rows)
    else:
        with Book(path) as book:
            book.sheet(spec.title(locale) or spec.key, columns, rows)
    return counter.count


class _Counter:
    def __init__(self, tell: Callable[[int], None]) -> None:
        self.tell, self.count = tell, 0

    def add(self, count: int) -> None:
        self.count += count
        self.tell(self.count)


def _fields(actor: Actor, spec: FormSpec) -> list[Field]:
    """The fields that may leave the house: seen and exportable, lines of the first subform last."""
    seen = permits.require_permit(actor, "view", spec).anywhere
    paths = permits.require_permit(actor, "export", spec).anywhere & seen
    own = [f for f in spec.stored if f.path in paths]
    lines = [c for s in spec.subforms[:1] for c in s.children if c.type.stored and c.path in paths]
    return own + lines


def _label(spec: FormSpec, field: Field, locale: str) -> str:
    label = field.title(locale)
    return f"{spec.fields[field.subform].title(locale)} · {label}" if field.subform else label


def _rows(
    actor: Actor,
    spec: FormSpec,
    query: listing.Query,
    fields: Sequence[Field],
    locale: str,
    counter: _Counter,
) -> Iterator[list[Any]]:
    subform = next((f.subform for f in fields if f.subform), None)
    own = tuple(f.key for f in fields if not f.subform)
    after = ""
    while True:
        wanted = listing.Query(query.filters, query.sort, query.search, after, PAGE, query.deleted, own)
        page = listing.list_records(actor, spec, wanted, action="export")
        records = _seen(actor, spec, page, subform)
        names = _told_apart(actor, spec, screen.names_for(spec, list(records)))
        for record in records:
            for line in (record.get(subform) or [{}]) if subform else [{}]:
                cells = [_cell(f, (line if f.subform else record).get(f.key), locale, names) for f in fields]
                state = spec.states.get(record["state"])
                yield [*cells, state.title(locale) if state else ""]
        counter.add(len(records))
        if page.next is None:
            return
        after = page.next


def _told_apart(actor: Actor, spec: FormSpec, names: screen.Names) -> screen.Names:
    """Names of other records with what tells them apart in front, since two customers may have one name."""
    forms = {f.relation.form for top in spec.fields.values() for f in (top, *top.children) if f.relation}
    found = dict(names)
    for form in sorted(forms):
        target = get_form(form)
        permit = permits.find_permit(actor, "view", target)
        seen = permit.everywhere if permit else frozenset()
        key = next((k for k in unique_keys(target) if k != target.title_field and k in seen), None)
        ids = [record for source, record in names if source == form]
        if key is None or not ids:
            continue
        column = target.table.c[key]
        with reading() as conn:
            for record, code in conn.execute(
                select(target.table.c.id, column).where(target.table.c.id.in_(ids))
            ):
                if code is not None:
                    found[form, record] = f"{code}{BETWEEN}{names[form, record]}"
    return found


def _seen(actor: Actor, spec: FormSpec, page: listing.Page, subform: str | None) -> list[Values]:
    """Records with what both rights give, for exporting and for viewing; their lines added in one query."""
    view = permits.require_permit(actor, "view", spec)
    records = [dict(row) for row in page.rows]
    if subform and records:
        _add_lines(spec, subform, records)
    context, links = context_of(actor), Links(actor, spec, records)
    found = []
    for record, exported in zip(records, page.visible, strict=True):
        env = links.environment(spec, record)
        if view.giving(env, context):
            found.append(project(spec, record, exported & view.visible(env, context)))
    return found


def _add_lines(spec: FormSpec, subform: str, records: list[Values]) -> None:
    table = spec.line_tables[subform]
    by_id: dict[int, list[Values]] = {record["id"]: [] for record in records}
    with reading() as conn:
        query = (
            select(table).where(table.c.record.in_(list(by_id))).order_by(table.c.record, table.c.position)
        )
        for row in conn.execute(query).mappings():
            by_id[row["record"]].append(dict(row))
    for record in records:
        record[subform] = by_id[record["id"]]


def _cell(field: Field, value: Any, locale: str, names: screen.Names) -> Any:
    if value is None:
        return None
    if field.type.numeric or isinstance(value, bool):
        return value if not isinstance(value, bool) else field.type.show(field, value, locale)
    if isinstance(value, datetime):
        return value.astimezone(clock_zone())
    return value if field.type.name == "datetime" else screen.shown_text(field, value, locale, names)


def _write_csv(path: Path, columns: Sequence[str], rows: Iterator[list[Any]]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows([_harmless(cell) for cell in row] for row in rows)


def _harmless(cell: Any) -> Any:
    """Text that a spreadsheet would take for a formula gets an apostrophe in front."""
    if isinstance(cell, datetime):
        return cell.strftime("%Y-%m-%d %H:%M")
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_DANGEROUS) else cell
