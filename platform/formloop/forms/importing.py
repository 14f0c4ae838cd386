"""Imports: stage the rows, check them all without writing, write the good ones, take it all back.

Each chunk of rows is written in one transaction that also marks them, so an import that was killed goes on where
it stopped and makes nothing twice. Everything is saved by the service that pages use.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from formloop.access import gate
from formloop.access.actor import SYSTEM, Actor
from formloop.core.errors import Conflict, Forbidden, Invalid, NotFound, Problem
from formloop.core.text import M, Message
from formloop.db import look_over, transactional
from formloop.events import Cause, jobs
from formloop.events.jobs import Job, Work
from formloop.forms import import_owner, import_turns, permits, service, staging
from formloop.forms.acting import acting
from formloop.forms.guessing import guess
from formloop.forms.import_turns import FormTaken
from formloop.forms.import_work import ImportWork
from formloop.forms.kind import get_form
from formloop.forms.mapping import Drawn, read_document, read_mapping, require_shape
from formloop.forms.service import Draft, How, Outcome
from formloop.forms.spec import FormSpec
from formloop.forms.staging import Batch
from formloop.forms.taking_back import undo_step

CHUNK = 500
SUBMITTED = 100  # in one transaction where each record is also submitted: others wait for it to end
CHECKED_AT_ONCE = 2_000
WAIT = 0.5  # seconds until an import that waits for another one into the same form asks again
MANY = 1_000  # imported records after which the database looks its tables over
_OF_ONE_ROW = (Invalid, Conflict, Forbidden, NotFound)  # what a row can be refused for; the others go on


def begin(
    actor: Actor, form: str, name: str, file: Path, mapping: Mapping[str, Any], lines_file: Path | None = None
) -> int:
    """Begin an import with a mapping; Invalid when the mapping cannot be used, Forbidden without the right."""
    gate.require(actor, "import", get_form(form).resource)
    batch = staging.add_batch(actor, form, name, file, lines_file)
    set_mapping(actor, batch, mapping)
    return batch


def guessed(spec: FormSpec, batch: Batch, update_by: str | None = None) -> dict[str, Any]:
    """The mapping that the files' column names suggest."""
    sheet, lines = staging.open_sheets(spec, batch)
    found: dict[str, Any] = {"columns": guess(spec, sheet.columns, apart=lines is not None)}
    if update_by:
        found["by"] = update_by
    elif key := next((f.key for f in spec.stored if f.unique and f.formula), None):
        found["by"] = key  # what tells records apart is calculated of several columns
    elif lines or any("." in path for path in found["columns"].values()):
        own = [spec.fields[p] for p in found["columns"].values() if "." not in p]
        found["by"] = next((f.path for f in own if f.unique or f.type.name == "serial"), None)
    if lines and spec.subforms:
        into = spec.subforms[0].key
        shared = next((c for c in lines.columns if c in sheet.columns), lines.columns[0])
        inner = guess(spec, lines.columns, into)
        columns = {name: path.removeprefix(f"{into}.") for name, path in inner.items()}
        found["lines"] = {"into": into, "parent": shared, "of": shared, "columns": columns}
    return found


@transactional
def set_guess(actor: Actor, batch_id: int, document: Mapping[str, Any]) -> None:
    """Keep a mapping that somebody will look through; what was checked with another one does not count any more."""
    import_turns.take(actor, batch_id, "import_check")
    staging.set_batch(batch_id, mapping=dict(document), state="mapping")


@transactional
def set_mapping(actor: Actor, batch_id: int, document: Mapping[str, Any]) -> None:
    """Keep the mapping of an import; Invalid when it cannot be used, Conflict when the import cannot be checked now."""
    require_shape(document)
    batch = import_turns.take(actor, batch_id, "import_check")
    spec = get_form(batch.form)
    mapping, problems = read_mapping(spec, document)
    permit = permits.require_permit(actor, "import", spec)
    paths = [*mapping.columns.values(), *mapping.constants]
    if mapping.lines:
        paths += [f"{mapping.lines.into}.{p}" for p in mapping.lines.columns.values()]
    for path in paths:
        if spec.find(path) is not None and path not in permit.anywhere:
            text = M("You may not change “{field}”.", field=path)
            problems.append(Problem("forbidden", path, text))
    if not paths:
        problems.append(Problem("empty", "columns", M("Say for at least one column which field it fills.")))
    problems += import_owner.check_owner(actor, spec, mapping)
    if problems:
        raise Invalid(problems)
    owner = import_owner.find_owner(actor, spec, mapping).person
    staging.set_batch(batch_id, mapping=mapping.document(), state="mapped", owner=owner)


@transactional
def check(actor: Actor, batch_id: int, document: Mapping[str, Any]) -> int:
    """Keep the mapping of an import and begin to check all rows by it: nobody else's comes between."""
    set_mapping(actor, batch_id, document)
    return start(actor, batch_id, "import_check")


@transactional
def start(actor: Actor, batch_id: int, what: str, now: bool = False) -> int:
    """Begin one part of an import as a job: `import_check`, `import_run` or `import_undo`.

    Conflict while another part is under way, and where this one has no place after what was done.
    """
    batch = import_turns.take(actor, batch_id, what)
    gate.require(actor, "import", get_form(batch.form).resource)
    job = jobs.start(actor, what, {"batch": batch_id}, now=now)
    staging.set_batch(batch_id, job=job)
    return job


def _check_step(job: Job, actor: Actor) -> bool:
    """Stage at the first step, then check a part of the rows at each."""
    batch = import_turns.batch_of(job)
    if batch.state == "checked" and job.total:
        return True  # the worker died before it could say so
    if batch.state != "checking":
        _stage(job, batch)
        return False
    rows = staging.list_rows(batch.id, ("new",), limit=CHECKED_AT_ONCE)
    _together_or_alone(_check_rows, ImportWork(actor, batch), rows, "bad")
    job.done += len(rows)
    if len(rows) < CHECKED_AT_ONCE:
        import_turns.move(batch, "checked")
        return True
    return False


def _stage(job: Job, batch: Batch) -> None:
    spec = get_form(batch.form)
    batch = import_turns.move(batch, "mapped")
    job.total, twice = staging.stage(spec, batch, read_mapping(spec, batch.mapping)[0])
    if twice.count:
        job.result = {"twice": twice.count, "rows": twice.rows}
    if not job.total:
        raise Invalid([Problem("empty", "", M("The file has column names but no rows."))])
    import_turns.move(batch, "checking")


@transactional
def _check_rows(work: ImportWork, rows: list[Any]) -> None:
    rows = import_turns.still_waiting(work.batch, rows)
    if not rows:
        return
    drafts, drawn, keys = work.drafts(rows, dry=True)
    marked = work.tell_same(rows, drawn, keys)
    outcomes = _save(work, drafts, dry=True)
    marks = []
    for row, draft, each, outcome, key in zip(rows, drafts, drawn, outcomes, marked, strict=True):
        problems = _all_problems(each, outcome)
        told = work.told(row, each, problems) if problems else None
        state = "bad" if problems else "good"
        same = outcome.values["revision"] if outcome.action == "unchanged" and not problems else None
        marks.append(
            {
                "number": row.number,
                "state": state,
                "problems": told,
                "record": draft.id,
                "revision": same,
                "key": key,
            }
        )
    staging.mark(work.batch.id, marks)


def _all_problems(drawn: Drawn, outcome: Outcome) -> list[Problem]:
    """Those of the mapping, and those of saving; what could not be read is not also told to be missing."""
    places = {p.at for p in drawn.problems}
    return [*drawn.problems, *(p for p in outcome.problems if p.at not in places)]


def _save(work: ImportWork, drafts: list[Draft], dry: bool) -> list[Outcome]:
    cause = Cause(("import", f"import:{work.batch.id}"))
    how = How(trusted=True, asks="import", dry=dry)
    return service.save_many(work.actor, work.spec.key, drafts, cause, how, all_or_nothing=False)


def _run_step(job: Job, actor: Actor) -> bool:
    """Write one chunk of the good rows."""
    batch = import_turns.batch_of(job)
    gate.require(actor, "import", get_form(batch.form).resource)
    if batch.state == "done":
        job.result = staging.counts(batch.id)
        return True  # the worker died before it could say so
    work = ImportWork(actor, batch)  # before anything moves: who may not submit any more is told so
    if batch.state != "running":
        work.batch = batch = import_turns.move(batch, "running")
    if not job.done:  # the first step, also of a job that goes on where an earlier one failed
        job.total = staging.counts(batch.id).get("good", 0)
    size = SUBMITTED if work.mapping.submit else CHUNK
    rows = staging.list_rows(batch.id, ("good",), limit=size)
    try:
        _together_or_alone(_write_rows, work, rows, "failed")
    except FormTaken:
        job.pause = WAIT
        return False
    job.done += len(rows)
    if len(rows) < size:
        import_turns.move(batch, "done")
        job.result = staging.counts(batch.id)
        if job.done >= MANY:
            spec = get_form(batch.form)
            look_over(spec.table, *spec.line_tables.values())
        return True
    return False


def _together_or_alone(
    step: Callable[[ImportWork, list[Any]], None], work: ImportWork, rows: list[Any], refused: str
) -> None:
    """Do a step with all rows at once, or one by one where one of them is refused only while it is written.

    Two rows may hold what may occur only once, somebody may change a record meanwhile, and a ledger may object.
    """
    try:
        step(work, rows)
        return
    except _OF_ONE_ROW:
        pass
    for row in rows:
        try:
            step(work, [row])
        except _OF_ONE_ROW as error:
            said = error.problems if isinstance(error, Invalid) else []
            told = work.told(
                row, work.drawing.draw(row.raw), said or [Problem(error.code, "", error.message)]
            )
            _refuse(work, row, refused, told)


@transactional
def _refuse(work: ImportWork, row: Any, state: str, told: list[dict[str, Any]]) -> None:
    if import_turns.still_waiting(work.batch, [row]):
        staging.mark(work.batch.id, [{"number": row.number, "state": state, "problems": told}])


@transactional
def _write_rows(work: ImportWork, rows: list[Any]) -> None:
    rows = import_turns.still_waiting(work.batch, rows)
    if not rows:
        return
    if work.mapping.by:
        import_turns.take_form(work.spec.key)
    drafts, drawn, _ = work.drafts(rows)
    broken = [bool(each.problems) for each in drawn]
    outcomes = iter(_save(work, [d for d, bad in zip(drafts, broken, strict=True) if not bad], dry=False))
    marks = []
    for row, each, bad in zip(rows, drawn, broken, strict=True):
        outcome = Outcome(None, {}, []) if bad else next(outcomes)
        if outcome.action == "created" and work.mapping.submit:
            work.submit(int(outcome.id or 0))
        problems = _all_problems(each, outcome)
        state = "failed" if problems else outcome.action
        told = work.told(row, each, problems) if problems else None
        revision = outcome.values.get("revision") if not problems else None
        marks.append(
            {
                "number": row.number,
                "state": state,
                "problems": told,
                "record": outcome.id,
                "revision": revision,
            }
        )
    staging.mark(work.batch.id, marks)


for _name, _kind in (("import_check", _check_step), ("import_run", _run_step), ("import_undo", undo_step)):
    jobs.enroll(_name, Work(acting(_kind)))


@dataclass(slots=True)
class Result:
    """What an import on the command line did."""

    counts: dict[str, int]
    problems: list[str] = field(default_factory=list)
    twice: int = 0  # rows of the file that are the same as one above
    owned: bool = False  # whether new records have an owner

    def summary(self) -> Message:
        """One line of figures."""
        words = ("created", "updated", "unchanged", "bad", "failed")
        return M(
            "{created} created, {updated} updated, {unchanged} unchanged, {bad} bad, {failed} failed",
            **{word: self.counts.get(word, 0) for word in words},
        )


def import_file(
    form: str,
    file: Path,
    mapping_file: Path | None = None,
    update_by: str | None = None,
    lines_file: Path | None = None,
    actor: Actor = SYSTEM,
    locale: str = "en",
    owner: str = "",
) -> Result:
    """Import a file here and now: check all rows, write the good ones, report the others."""
    spec = get_form(form)
    document = read_document(mapping_file.read_bytes(), mapping_file.name) if mapping_file else {}
    document |= {word: said for word, said in (("by", update_by), ("owner", owner)) if said}
    require_shape(document)
    said = (document.get("lines") or {}).get("file")
    if lines_file is None and said:
        lines_file = file.parent / said
    batch = staging.add_batch(
        actor, form, file.name, file.resolve(), lines_file.resolve() if lines_file else None
    )
    if "columns" not in document:
        said_so_far = replace(staging.get_batch(batch), mapping=document)
        document = {**guessed(spec, said_so_far, update_by), **document}
    set_mapping(actor, batch, document)
    checked = jobs.run(start(actor, batch, "import_check", now=True))
    checked.require_done()
    jobs.run(start(actor, batch, "import_run", now=True)).require_done()
    twice = int(checked.result.get("twice", 0))
    owned = bool(owner or document.get("owner") or actor.person_id)
    return Result(staging.counts(batch), list_reasons(batch, locale), twice, owned)


def list_reasons(batch: int, locale: str = "en", limit: int = 1_000) -> list[str]:
    """Row, column and reason of what is not or was not imported, as sentences."""
    found = []
    for row in staging.list_rows(batch, ("bad", "failed"), limit=limit):
        for problem in row.problems or ():
            reason = str(problem[locale])
            found.append(_sentence(problem, reason, locale).render(locale))
    return found


def list_kept(batch: int, locale: str, limit: int) -> list[tuple[int, str]]:
    """The records that stay though their import was taken back, each with its row and the reason."""
    return [
        (row.record, _sentence(problem, str(problem[locale]), locale).render(locale))
        for row in staging.list_rows(batch, ("kept",), limit=limit)
        for problem in row.problems or ()
    ]


def _sentence(problem: Mapping[str, Any], reason: str, locale: str) -> Message:
    places = {"row": problem["row"], "reason": reason, "file": problem.get("file", "")}
    named = problem["column"] or problem["field"][locale]
    if named and problem.get("line"):
        named = M("{field} ({line})", field=named, line=problem["line"])
    if named and places["file"]:
        return M("{file}, row {row}, {column}: {reason}", column=named, **places)
    if places["file"]:
        return M("{file}, row {row}: {reason}", **places)
    if named:
        return M("Row {row}, {column}: {reason}", column=named, **places)
    return M("Row {row}: {reason}", **places)
