"""A new form from a workbook or CSV file: what its columns seem to hold, corrected by a click; its rows come in later."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, cast

from flask import Blueprint, Response, request, url_for

from formloop.access import signing
from formloop.access.actor import Actor
from formloop.core.definitions import kinds
from formloop.core.errors import Invalid, NotFound, Problem
from formloop.core.text import M, Message
from formloop.definitions import editor, library
from formloop.definitions import service as definitions
from formloop.definitions import views as definition_views
from formloop.definitions.views import DESIGN
from formloop.forms import files, from_table, importing, staging
from formloop.forms.from_table import Column, Guess
from formloop.forms.kind import get_form
from formloop.forms.sheets import Row, Sheet, open_sheet
from formloop.forms.staging import Batch
from formloop.forms.starting import STARTS
from formloop.web import page, viewer
from formloop.web.routes import route

blueprint = Blueprint("studio_file", __name__, url_prefix="/studio/file")
MOST_BYTES = 50 * 1024 * 1024
SAMPLES = 3
EACH = ""  # every row is a record of its own


def enroll() -> None:
    """Offer the rows of the file on the page of a form that was made from one."""
    if "studio_file.bring_rows" not in definition_views.offers:
        definition_views.offers.add("studio_file.bring_rows", _offer)


@route(blueprint, "", permission=DESIGN)
def choose() -> Response:
    """Choose the file."""
    return _file_page([])


@route(blueprint, "", permission=DESIGN, methods=["POST"], endpoint="upload")
def upload() -> Response:
    """Take the file in; what cannot be read as a table is said at once."""
    file = request.files.get("file")
    try:
        if file is None or not file.filename:
            raise Invalid([Problem("required", "file", M("Choose a file first."))])
        kept = files.keep_upload(signing.current(), file.filename, cast(BinaryIO, file.stream), MOST_BYTES)
        _read(open_sheet(kept.path, kept.name))
    except Invalid as error:
        return _file_page(error.problems)
    return page.redirect(url_for("studio_file.columns", key=kept.key, app=_app() or None))


@route(blueprint, "/<key>", permission=DESIGN)
def columns(key: str) -> Response:
    """What the columns seem to hold."""
    kept = _mine(key)
    try:
        sheet = open_sheet(kept.path, kept.name, sheet=request.args.get("sheet", ""))
        rows = _read(sheet)
    except Invalid as error:
        return _file_page(error.problems)
    guess = from_table.guess(sheet.columns, [cells for _, cells in rows])
    name = Path(kept.name).stem if len(sheet.others) < 2 else f"{Path(kept.name).stem} {sheet.name}"
    return _columns_page(kept, sheet, rows, guess, name)


@route(blueprint, "/<key>", permission=DESIGN, methods=["POST"], endpoint="make")
def make(key: str) -> Response:
    """Make the form as a draft, and keep the file for the import once it is published."""
    actor, kept = signing.current(), _mine(key)
    name = request.form.get("name", "").strip()[:200]
    sheet = open_sheet(kept.path, kept.name, sheet=request.form.get("sheet", ""))
    rows = _read(sheet)
    guess = _chosen(from_table.guess(sheet.columns, [cells for _, cells in rows]), request.form)
    started = editor.start(kinds.get("form"), name or Path(kept.name).stem)
    doc, problems = from_table.form_of(started, guess)
    if not name:
        problems.insert(0, Problem("required", "name", M("Give it a name.")))
    if problems:
        return _columns_page(kept, sheet, rows, guess, name, problems)
    made = definitions.save_draft(actor, "form", doc, app=_app())
    batch = staging.add_batch(actor, made.key, kept.name, kept.path)
    staging.set_batch(batch, mapping={"sheet": sheet.name})
    return page.redirect(url_for("studio.design", definition_id=made.id))


@route(blueprint, "/rows/<definition_id>", permission=DESIGN, methods=["POST"])
def bring_rows(definition_id: str) -> Response:
    """Begin the import of the rows that the form was made from."""
    actor, found = signing.current(), definitions.get_definition(definition_id)
    batch = _waiting(actor, found)
    if batch is None:
        raise NotFound
    guess = importing.guessed(get_form(found.key), batch)
    staging.set_batch(batch.id, mapping={**guess, "sheet": batch.mapping.get("sheet", "")})
    return page.redirect(url_for("imports.batch_page", form=found.key, batch=batch.id))


def _offer(found: definitions.Definition) -> tuple[Message, str] | None:
    batch = _waiting(signing.current(), found) if found.version and not found.archived else None
    if batch is None:
        return None
    said = M("Bring in the rows of “{file}”", file=batch.name)
    return said, url_for("studio_file.bring_rows", definition_id=found.id)


def _waiting(actor: Actor, found: definitions.Definition) -> Batch | None:
    """The import that waits for the form to be published."""
    if found.kind != "form":
        return None
    batches = [row for row in staging.list_batches(actor, found.key) if row.state == "mapping"]
    return next((staging.get_batch(row.id) for row in batches if "columns" not in row.mapping), None)


def _mine(key: str) -> files.Stored:
    found = files.get_file(key)
    if found.person != signing.current().person_id:
        raise NotFound
    return found


def _read(sheet: Sheet) -> list[Row]:
    rows = list(islice(sheet.rows, from_table.READ))
    if not rows:
        raise Invalid([Problem("empty", "file", M("The file has column names but no rows."))])
    return rows


def _chosen(guess: Guess, form: Mapping[str, str]) -> Guess:
    """The guess as it was corrected in the page."""
    by = form.get("by", EACH)
    place = int(by) if by.isdecimal() and int(by) < len(guess.columns) else None
    return Guess(tuple(_corrected(each, form, place) for each in guess.columns), place)


def _corrected(column: Column, form: Mapping[str, str], by: int | None) -> Column:
    kind = form.get(f"kind.{column.place}", "")
    return replace(
        column,
        title=form.get(f"title.{column.place}", "").strip()[:200],
        kind=kind if kind in from_table.KINDS else "",
        line=f"line.{column.place}" in form and column.place != by,
    )


def _app() -> str:
    """The application that the form is to belong to; nothing where it was begun outside of any."""
    found = library.find_entry("app", request.values.get("app", ""))
    return found.key if found else ""


def _file_page(problems: list[Problem]) -> Response:
    return page.render("studio/file.html", status=422 if problems else 200, problems=problems, app=_app())


def _columns_page(
    kept: files.Stored,
    sheet: Sheet,
    rows: list[Row],
    guess: Guess,
    name: str,
    problems: list[Problem] | None = None,
) -> Response:
    chinese = viewer.locale() == "zh-CN"
    samples: list[list[Any]] = [
        list(
            dict.fromkeys(str(cells[c.place])[:40] for _, cells in rows if cells[c.place] not in ("", None))
        )[:SAMPLES]
        for c in guess.columns
    ]
    return page.render(
        "studio/columns.html",
        status=422 if problems else 200,
        app=_app(),
        kept=kept,
        sheet=sheet,
        guess=guess,
        samples=samples,
        name=name,
        total=max(sheet.total, len(rows)),
        kinds=[(each, STARTS[each][0][0] if chinese else each.capitalize()) for each in from_table.KINDS],
        problems=problems or [],
        wrong={problem.at: problem.message for problem in problems or []},
    )
