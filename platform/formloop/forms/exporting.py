"""Exports: what a list shows, as a workbook or CSV, made by a job for the person who asked, with their rights."""

import csv
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from werkzeug.datastructures import MultiDict

from formloop.access import gate
from formloop.access.actor import SYSTEM, Actor
from formloop.events import jobs
from formloop.events.jobs import Job, Work
from formloop.forms import export_rows, files, listing
from formloop.forms.acting import acting
from formloop.forms.kind import get_form
from formloop.forms.list_query import read_query
from formloop.forms.spec import FormSpec
from formloop.forms.workbooks import Book
from formloop.web import viewer

FORMATS = ("xlsx", "csv")
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
        query = read_query(spec, read_args(said["args"]))
        job.total = listing.count_records(actor, spec, query)
        job.done = write(actor, spec, query, path, said["locale"], lambda n: _tell(job, n))
        stored = files.keep(actor, name, path)
        missing = left_out(actor, spec, query, said["kind"], said["locale"])
    job.result = {
        "file": stored.key,
        "name": name,
        "rows": job.done,
        "size": stored.size,
        "left_out": ", ".join(missing),
    }
    job.total = job.done
    return True


def read_args(args: Mapping[str, Any]) -> MultiDict[str, str]:
    """Arguments of an address as they were kept with a job."""
    return MultiDict({k: v if isinstance(v, list) else [v] for k, v in args.items()})


def _tell(job: Job, done: int) -> None:
    job.done = done
    job.alive()


jobs.enroll("export", Work(acting(_step)))


def export_file(form: str, path: Path, actor: Actor = SYSTEM, locale: str = "en") -> int:
    """Export a whole form here and now; returns how many records there were."""
    spec = get_form(form)
    return write(actor, spec, listing.Query(sort=("id",)), path, locale, lambda _: None)


def not_in_file(form: str, path: Path, locale: str = "en") -> list[str]:
    """The subforms of a form that `export_file` could not write into this file."""
    return left_out(SYSTEM, get_form(form), listing.Query(), path.suffix.removeprefix("."), locale)


def write(
    actor: Actor, spec: FormSpec, query: listing.Query, path: Path, locale: str, tell: Callable[[int], None]
) -> int:
    """Write the records of a list into `path`, by its ending a workbook or CSV; returns how many there were.

    Lines of the first subform stand beside their record, whose own cells are repeated, so that the file can
    be imported again; a workbook has one more sheet for each further subform, CSV has no place for those.
    """
    chosen, counter = export_rows.plan(actor, spec, query), _Counter(tell)
    columns = [export_rows.label(spec, f, locale) for f in (*chosen.own, *chosen.first)]
    rows = export_rows.own_rows(actor, spec, query, chosen, locale, counter.set)
    if path.suffix == ".csv":
        write_csv(path, columns, rows)
        return counter.count
    with Book(path) as book:
        name = sheet_name(spec.title(locale) or spec.key, set())
        book.sheet(name, columns, rows)
        taken = {name.casefold()}
        for subform, children in chosen.subforms[1:]:
            name = sheet_name(subform.title(locale) or subform.key, taken)
            taken.add(name.casefold())
            heads = [export_rows.label(spec, chosen.key, locale), *(f.title(locale) for f in children)]
            lines = export_rows.line_rows(
                actor, spec, query, chosen, subform, children, locale, counter.alive
            )
            book.sheet(name, heads, lines)
    return counter.count


def left_out(actor: Actor, spec: FormSpec, query: listing.Query, kind: str, locale: str) -> list[str]:
    """The subforms whose lines a file of this kind has no place for, by their titles."""
    if kind != "csv":
        return []
    return [subform.title(locale) for subform, _ in export_rows.plan(actor, spec, query).subforms[1:]]


class _Counter:
    def __init__(self, tell: Callable[[int], None]) -> None:
        self.tell, self.count = tell, 0

    def set(self, count: int) -> None:
        self.count = count
        self.alive()

    def alive(self) -> None:
        self.tell(self.count)


def sheet_name(title: str, taken: set[str]) -> str:
    """A title as spreadsheets allow it for a sheet, another one than those taken."""
    plain = re.sub(r"[\[\]:*?/\\]", " ", title)[:31].strip(" '") or "1"
    name, number = plain, 1
    while name.casefold() in taken:
        number += 1
        name = f"{plain[:27]} {number}"
    return name


def write_csv(path: Path, columns: Sequence[str], rows: Iterator[list[Any]]) -> None:
    """Write rows below their heads, as spreadsheets read them in every language."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows([_harmless(cell) for cell in row] for row in rows)


def _harmless(cell: Any) -> Any:
    """Text that a spreadsheet would take for a formula gets an apostrophe in front."""
    if isinstance(cell, datetime):
        return cell.strftime("%Y-%m-%d %H:%M")
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_DANGEROUS) else cell
