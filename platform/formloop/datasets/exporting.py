"""Exports of datasets: all rows that somebody may see and export, as a workbook or CSV, made by a job."""

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from formloop.access.actor import Actor
from formloop.datasets.addresses import read_address
from formloop.datasets.document import names_in
from formloop.datasets.kind import get_dataset
from formloop.datasets.service import Reading
from formloop.events import jobs
from formloop.events.jobs import Job, Work
from formloop.forms import exporting, files
from formloop.forms.acting import acting
from formloop.forms.export_rows import cell
from formloop.forms.listing import Query
from formloop.forms.workbooks import Book
from formloop.web import viewer

ACTIONS = ("view", "export")
JOB = "export_dataset"
PAGE = 500


def start(actor: Actor, key: str, args: Mapping[str, Any], kind: str, locale: str) -> int:
    """Begin an export of what `args` describe; Forbidden where nothing may be exported."""
    Reading(actor, get_dataset(key), actions=ACTIONS)
    kind = kind if kind in exporting.FORMATS else "xlsx"
    return jobs.start(actor, JOB, {"dataset": key, "args": dict(args), "kind": kind, "locale": locale})


def _step(job: Job, actor: Actor) -> bool:
    said = job.payload
    dataset = get_dataset(said["dataset"])
    query, given = read_address(dataset, exporting.read_args(said["args"]))
    name = f"{dataset.key}.{said['kind']}"
    with viewer.seen_by(actor), tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        found = Reading(actor, dataset, given, ACTIONS)
        job.total = found.count(query)
        write(job, actor, found, query, path, said["locale"])
        stored = files.keep(actor, name, path)
    job.result = {"file": stored.key, "name": name, "rows": job.done, "size": stored.size}
    job.total = job.done
    return True


jobs.enroll(JOB, Work(acting(_step)))


def write(job: Job, actor: Actor, found: Reading, query: Query, path: Path, locale: str) -> None:
    """Write the rows into `path`, by its ending a workbook or CSV."""
    columns = [f for key, f in found.fields.items() if not query.columns or key in query.columns]
    heads = [field.title(locale) for field in columns]

    def rows() -> Iterator[list[Any]]:
        for page in _pages(found, query):
            names = names_in(actor, columns, page, locale)
            for row in page:
                yield [cell(field, row[field.key], locale, names) for field in columns]
            job.done += len(page)
            job.alive()

    if path.suffix == ".csv":
        exporting.write_csv(path, heads, rows())
        return
    with Book(path) as book:
        book.sheet(exporting.sheet_name(found.dataset.title(locale), set()), heads, rows())


def _pages(found: Reading, query: Query) -> Iterator[list[dict[str, Any]]]:
    query = replace(query, after="", limit=PAGE)
    while True:
        page = found.page(query)
        yield page.rows
        if page.next is None:
            return
        query = replace(query, after=page.next)
