"""Pages of imports and exports: choose a file, say what its columns mean, check, run, take back; download."""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, Response, request, send_file, url_for

from formloop.access.actor import Actor
from formloop.access.signing import current
from formloop.core.errors import Conflict, Invalid, NotFound, Problem
from formloop.core.text import M
from formloop.events import heartbeat, jobs
from formloop.forms import exporting, files, import_turns, importing, mapping_page, staging, workbooks
from formloop.forms.kind import get_form
from formloop.forms.list_query import address_args, read_query
from formloop.forms.mapping import read_document, read_mapping, require_shape
from formloop.forms.spec import FormSpec
from formloop.forms.staging import Batch
from formloop.web import page, viewer
from formloop.web.routes import route

blueprint = Blueprint("imports", __name__)
TOLD, READ = 20, 1_000  # reasons shown, rows read to count them
MOST_OF_A_MAPPING = 1_000_000


def init_app(app: Flask) -> None:
    """Add the pages."""
    app.register_blueprint(blueprint)


@route(blueprint, "/f/<form>/import", permission=("import", "form:{form}"))
def start_page(form: str) -> Response:
    """Choose a file; earlier imports below."""
    return _start_page(get_form(form), [])


def _start_page(spec: FormSpec, problems: list[Problem], status: int = 200) -> Response:
    return page.render(
        "forms/import.html",
        status=status,
        spec=spec,
        title=spec.title(viewer.locale()),
        problems=problems,
        batches=staging.list_batches(current(), spec.key),
    )


@route(
    blueprint, "/f/<form>/import", permission=("import", "form:{form}"), methods=["POST"], endpoint="upload"
)
def upload(form: str) -> Response:
    """Take the file in and guess what its columns mean."""
    actor, spec = current(), get_form(form)
    file, lines = request.files.get("file"), request.files.get("lines")
    if file is None or not file.filename:
        return _start_page(spec, [Problem("required", "file", M("Choose a file first."))], 422)
    kept = _kept(actor, file)
    kept_lines = _kept(actor, lines) if lines and lines.filename else None
    batch = staging.add_batch(
        actor,
        form,
        kept.name,
        kept.path,
        kept_lines.path if kept_lines else None,
        kept_lines.name if kept_lines else "",
    )
    try:
        staging.set_batch(batch, mapping=_first_mapping(actor, spec, batch))
    except Invalid as error:
        return _start_page(spec, error.problems, 422)
    return page.redirect(url_for("imports.batch_page", form=form, batch=batch))


def _first_mapping(actor: Actor, spec: FormSpec, batch: int) -> dict[str, Any]:
    """What a mapping file says, else what the columns' names suggest; Invalid when the file does not fit."""
    guess = importing.guessed(spec, staging.get_batch(batch))
    given = request.files.get("mapping")
    if given is None or not given.filename:
        return guess
    said = {**guess, **read_document(given.read(MOST_OF_A_MAPPING), given.filename)}
    require_shape(said)
    staging.set_batch(batch, mapping=said)
    importing.set_mapping(actor, batch, said)
    found = staging.get_batch(batch)
    sheet, lines = staging.open_sheets(spec, found)
    staging.require_columns(read_mapping(spec, said)[0], sheet.columns, lines.columns if lines else ())
    return dict(found.mapping)


def _kept(actor: Actor, file: Any) -> files.Stored:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "upload"
        file.save(path)
        return files.keep(actor, Path(file.filename).name, path)


def _mine(form: str, batch: int) -> tuple[FormSpec, Batch]:
    found = staging.get_batch(batch, current())
    if found.form != form:
        raise NotFound
    return get_form(form), found


@route(blueprint, "/f/<form>/import/<int:batch>", permission=("import", "form:{form}"))
def batch_page(form: str, batch: int) -> Response:
    """Where an import stands: its mapping, its check, its progress, its result."""
    spec, found = _mine(form, batch)
    return _batch_page(spec, found, [])


def _batch_page(spec: FormSpec, batch: Batch, problems: list[Problem], status: int = 200) -> Response:
    return page.render(
        "forms/import_batch.html",
        "forms/_import_batch.html",
        status=status,
        **_shown(spec, batch),
        problems=problems,
    )


def _shown(spec: FormSpec, batch: Batch) -> dict[str, Any]:
    locale = viewer.locale()
    job = jobs.get_job(batch.job) if batch.job else None
    again = request.args.get("columns") and batch.state in ("checked", "undone")
    choosing = (batch.state in ("mapping", "mapped", "checking") or again) and (job is None or job.over)
    return {
        "spec": spec,
        "batch": batch,
        "job": job,
        "running": bool(job and not job.over),
        "waiting": waiting(job),
        "may": {what: import_turns.may(batch, f"import_{what}") for what in ("run", "undo")},
        "choosing": choosing,
        "title": batch.name,
        **(mapping_page.shown(spec, batch, locale) if choosing else _result(spec, batch, locale)),
        "failed": job.reason(locale) if job else "",
    }


def _result(spec: FormSpec, batch: Batch, locale: str) -> dict[str, Any]:
    """What the check or the writing came to, with the first reasons and how many more there are."""
    counts = staging.counts(batch.id)
    reasons = importing.list_reasons(batch.id, locale, READ)
    changing, same = staging.count_known(batch.id) if counts.get("good") else (0, 0)
    unread = max(counts.get("bad", 0) + counts.get("failed", 0) - READ, 0)
    return {
        "counts": counts,
        "changing": changing,
        "same": same,
        "reasons": reasons[:TOLD],
        "more_reasons": max(len(reasons) - TOLD, 0) + unread,
        "unread": unread,
        "kept": importing.list_kept(batch.id, locale, TOLD) if counts.get("kept") else [],
        "twice": _twice(batch),
        "left_out": mapping_page.left_out(spec, batch) if batch.state == "checked" else [],
    }


def _twice(batch: Batch) -> Mapping[str, Any]:
    """What the check has found of rows that are the same as one above; nothing once they are written."""
    job = jobs.get_job(batch.job) if batch.job else None
    return job.result if job and job.kind == "import_check" and "twice" in job.result else {}


def waiting(job: jobs.Job | None) -> str:
    """Why a job that has not begun stands still, in words; "" when it goes on."""
    stuck = job is not None and not job.over and heartbeat.is_missing()
    return heartbeat.ADVICE.render(viewer.locale()) if stuck else ""


def _refused(spec: FormSpec, batch: int, error: Conflict) -> Response:
    """The page of an import as it stands now, and why what was pressed cannot be done with it."""
    said = [Problem(error.code, "", error.message)]
    return _batch_page(spec, staging.get_batch(batch, current()), said, error.status)


@route(
    blueprint, "/f/<form>/import/<int:batch>/sheet", permission=("import", "form:{form}"), methods=["POST"]
)
def choose_sheet(form: str, batch: int) -> Response:
    """Read another sheet of the workbook, and guess anew what its columns mean."""
    spec, found = _mine(form, batch)
    wanted = {"sheet": request.form.get("sheet", "")}
    try:
        guess = importing.guessed(spec, replace(found, mapping=wanted))
        importing.set_guess(current(), batch, {**guess, **wanted})
    except Invalid as error:
        return _batch_page(spec, found, error.problems, 422)
    except Conflict as error:
        return _refused(spec, batch, error)
    return page.redirect(url_for("imports.batch_page", form=form, batch=batch))


@route(
    blueprint, "/f/<form>/import/<int:batch>/check", permission=("import", "form:{form}"), methods=["POST"]
)
def check(form: str, batch: int) -> Response:
    """Keep the mapping as chosen and check all rows; nothing is written."""
    spec, found = _mine(form, batch)
    try:
        importing.check(current(), batch, mapping_page.posted(spec, found, request.form))
    except Invalid as error:
        return _batch_page(spec, found, error.problems, 422)
    except Conflict as error:
        return _refused(spec, batch, error)
    return page.redirect(url_for("imports.batch_page", form=form, batch=batch))


@route(
    blueprint,
    "/f/<form>/import/<int:batch>/<any(run,undo):what>",
    permission=("import", "form:{form}"),
    methods=["POST"],
)
def go_on(form: str, batch: int, what: str) -> Response:
    """Write the good rows, or take back what was written; what is under way already is shown."""
    spec, _ = _mine(form, batch)
    try:
        importing.start(current(), batch, f"import_{what}")
    except Conflict as error:
        if not import_turns.is_under_way(staging.get_batch(batch), f"import_{what}"):
            return _refused(spec, batch, error)
    return page.redirect(url_for("imports.batch_page", form=form, batch=batch))


@route(blueprint, "/f/<form>/import/<int:batch>/progress", permission=("import", "form:{form}"))
def progress(form: str, batch: int) -> Response:
    """How far it is, asked each second."""
    spec, found = _mine(form, batch)
    shown = _shown(spec, found)
    return page.render_progress(
        "forms/_import_batch.html", finished=not shown["running"], **shown, problems=[]
    )


@route(blueprint, "/f/<form>/import/<int:batch>/mapping", permission=("import", "form:{form}"))
def save_mapping(form: str, batch: int) -> Response:
    """The mapping as a file: for the command line, or for the next import."""
    spec, found = _mine(form, batch)
    answer = Response(
        json.dumps(found.mapping, indent=2, ensure_ascii=False, default=str), mimetype="application/json"
    )
    answer.headers.set("Content-Disposition", "attachment", filename=f"{spec.key}.mapping.json")
    return answer


@route(blueprint, "/f/<form>/import/<int:batch>/mend", permission=("import", "form:{form}"))
def mend(form: str, batch: int) -> Response:
    """The rows that cannot be imported, as a workbook with the reasons."""
    _, found = _mine(form, batch)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.xlsx"
        workbooks.write_errors(path, found, viewer.locale())
        stored = files.keep(current(), f"{Path(found.name).stem}-check.xlsx", path)
    return sent(stored)


def sent(stored: files.Stored) -> Response:
    """A file for downloading."""
    answer = send_file(stored.path, stored.kind, as_attachment=True, download_name=stored.name)
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@route(blueprint, "/f/<form>/export", permission=("export", "form:{form}"), methods=["POST"])
def export(form: str) -> Response:
    """Begin an export of the list as it stands."""
    spec = get_form(form)
    args = address_args(read_query(spec, request.form))
    job = exporting.start(current(), form, args, request.form.get("kind", "xlsx"), viewer.locale())
    return page.redirect(url_for("imports.export_page", form=form, job=job))


@route(blueprint, "/f/<form>/export", permission=("export", "form:{form}"), endpoint="export_choice")
def export_choice(form: str) -> Response:
    """Choose the kind of file for the list whose address arguments these are."""
    spec = get_form(form)
    query = read_query(spec, request.args)
    args = address_args(query)
    pairs = [(k, one) for k, v in args.items() for one in (v if isinstance(v, list) else [v])]
    locale = viewer.locale()
    return page.render(
        "forms/export.html",
        spec=spec,
        title=spec.title(locale),
        back_url=url_for("lists.list_page", form=form),
        action=url_for("imports.export", form=form),
        pairs=pairs,
        job=None,
        chosen=bool(query.columns),
        left_out=", ".join(exporting.left_out(current(), spec, query, "csv", locale)),
    )


@route(blueprint, "/f/<form>/export/<int:job>", permission=("export", "form:{form}"))
def export_page(form: str, job: int) -> Response:
    """How far an export is, then its file."""
    spec = get_form(form)
    found = jobs.get_job(job, current())
    values: dict[str, Any] = {
        "title": spec.title(viewer.locale()),
        "job": found,
        "waiting": waiting(found),
        "back_url": url_for("lists.list_page", form=form),
        "progress_url": url_for("imports.export_page", form=form, job=job, poll=1),
        "file_url": url_for("imports.export_file", form=form, job=job),
    }
    if request.args.get("poll"):
        return page.render_progress("forms/_export.html", finished=found.over, **values)
    return page.render("forms/export.html", **values)


@route(blueprint, "/f/<form>/export/<int:job>/file", permission=("export", "form:{form}"))
def export_file(form: str, job: int) -> Response:
    """The file that an export made, for the person who asked for it."""
    found = jobs.get_job(job, current())
    if found.kind != "export" or "file" not in found.result:
        raise NotFound
    return sent(files.get_file(found.result["file"]))
