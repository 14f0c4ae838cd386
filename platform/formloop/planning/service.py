"""Running plans: by a job with progress, inside a workflow's transaction, or as a try of which nothing stays."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.engine import Row as TableRow

from formloop.access import gate
from formloop.access.actor import SYSTEM, Actor
from formloop.core import clock
from formloop.core.definitions import Doc
from formloop.core.errors import Conflict, Invalid, NotFound, Problem
from formloop.core.text import M
from formloop.datasets import service as datasets
from formloop.datasets.kind import get_dataset
from formloop.datasets.statement import complete_fields
from formloop.db import connection, is_sqlite, reading, transactional, undone
from formloop.definitions import library
from formloop.events import Cause, jobs
from formloop.events.jobs import Job, Work
from formloop.forms.acting import acting
from formloop.forms.names import context_of
from formloop.forms.spec import Unreadable
from formloop.planning import publisher_rights
from formloop.planning.kind import get_plan
from formloop.planning.outputs import Tell, Writer
from formloop.planning.spec import PlanSpec, Row, Run, checked
from formloop.planning.tables import run as runs

JOB = "plan"
MOST_WITHIN = 5_000  # rows that a run inside another transaction may write
FIRST_ROWS = 10  # that a try shows of each output
BUSY = M("This plan is being run right now. Try again when it has ended.")
Given = Mapping[str, Any]


def may_run(actor: Actor, plan: PlanSpec) -> bool:
    """Whether a person may run a plan and see its runs: who may create what it writes."""
    return all(gate.allows(actor, "create", f"form:{output.form}") for output in plan.outputs)


def require_may_run(actor: Actor, plan: PlanSpec) -> None:
    """Forbidden, with the reason, for everybody else."""
    for output in plan.outputs:
        gate.require(actor, "create", f"form:{output.form}")


def list_plans(actor: Actor) -> list[library.Entry]:
    """The published plans that a person may run; one whose calculation this program does not have is left out."""
    return [each for each in library.list_entries("plan") if _runs(actor, each.key)]


def _runs(actor: Actor, key: str) -> bool:
    try:
        return may_run(actor, get_plan(key))
    except NotFound:
        return False


def read_parameters(plan: PlanSpec, given: Given) -> dict[str, Any]:
    """The values of all parameters: those given, else the plan's own, else the presets; Invalid with what is wrong."""
    found, problems = dict(plan.values), list[Problem]()
    for key, raw in given.items():
        known = plan.parameters.get(key)
        if known is None:
            text = M("The plan “{plan}” has no parameter “{key}”.", plan=plan.key, key=key)
            problems.append(Problem("no_parameter", f"parameters.{key}", text))
            continue
        try:
            found[key] = None if raw in (None, "") else known.type.read(known, raw)
        except Unreadable as error:
            problems.append(Problem("unreadable", f"parameters.{key}", error.message))
            continue
        wrong = known.type.check(known, found[key]) if found[key] is not None else None
        if wrong is not None:
            problems.append(Problem("unreadable", f"parameters.{key}", wrong))
    if problems:
        raise Invalid(problems)
    return complete_fields(plan.parameters, found, context_of(SYSTEM))


def start(actor: Actor, key: str, given: Given | None = None) -> int:
    """Begin a run as a job; returns the job. Forbidden without the right, Invalid for parameters that cannot be."""
    plan = get_plan(key)
    require_may_run(actor, plan)
    read_parameters(plan, given or {})
    kept = {name: str(raw) for name, raw in (given or {}).items() if raw is not None}
    return jobs.start(actor, JOB, {"plan": key, "parameters": kept})


def _step(job: Job, actor: Actor) -> bool:
    plan = get_plan(job.payload["plan"])
    require_may_run(actor, plan)
    parameters = read_parameters(plan, job.payload["parameters"])
    run = _begin(plan, actor, parameters, job.id)

    def tell(rows: int) -> None:
        job.done += rows
        job.alive()

    def begin_writing(rows: int) -> None:
        job.done, job.total = 0, rows
        job.alive()

    try:
        _carry_out(plan, actor, parameters, Cause(("plan", f"plan:{plan.key}")), run, tell, begin_writing)
    except Exception as error:  # whatever it is, the record of the run tells it too
        _end(run, "failed", [jobs.said(problem) for problem in jobs.problems_of(error)])
        raise
    _end(run, "done")
    job.result = {"run": run.id, "written": run.written}
    return True


jobs.enroll(JOB, Work(acting(_step), alone=True))


@transactional
def run_within(actor: Actor, key: str, given: Given, cause: Cause) -> Run:
    """Run a plan in the open transaction: all of it happens, or Invalid says why not and nothing does."""
    plan = get_plan(key)
    parameters = read_parameters(plan, given)
    run = _begin(plan, actor, parameters, None)

    def limit(rows: int) -> None:
        if rows > MOST_WITHIN:
            text = M(
                "This run gives {rows} rows; {most} are the limit for a try or a step of a workflow.",
                rows=rows,
                most=MOST_WITHIN,
            )
            raise Invalid([Problem("too_many", "outputs", text)])

    _carry_out(plan, actor, parameters, cause.then(f"plan:{plan.key}"), run, lambda _: None, limit)
    _end(run, "done")
    return run


def try_run(actor: Actor, key: str, given: Given | None = None) -> Run:
    """What a run would write; nothing of it stays."""
    require_may_run(actor, get_plan(key))

    return undone(lambda: run_within(actor, key, given or {}, Cause(("plan",))))


def try_draft(actor: Actor, doc: Doc) -> Run:
    """What a run of a sound draft would write, for who could publish it; nothing of it stays."""
    entry = library.find_entry("plan", doc["x-key"])

    def work() -> Run:
        library.overlay().put("plan", doc["x-key"], doc, entry.version if entry else 0)
        require_may_run(actor, get_plan(doc["x-key"]))
        if problems := publisher_rights.check_rights(actor, get_plan(doc["x-key"])):
            raise Invalid(problems)
        return run_within(actor, doc["x-key"], {}, Cause(("plan",)))

    return undone(work)


def _carry_out(
    plan: PlanSpec,
    actor: Actor,
    parameters: Mapping[str, Any],
    cause: Cause,
    run: Run,
    tell: Tell,
    before_writing: Callable[[int], None],
) -> None:
    """Read, calculate, write; `run` has the counts then."""
    wanted = frozenset(output.name for output in plan.outputs)
    read = _read(plan, parameters, run)
    try:
        result = plan.operator.calculate(read, parameters, wanted)
    except ArithmeticError as error:
        text = M("The calculation gives a number that is too large.")
        raise Invalid([Problem("too_large", "outputs", text)]) from error
    if any(problem.severity == "error" for problem in result.problems):
        raise Invalid(list(result.problems))
    run.problems = [jobs.said(problem) for problem in result.problems]
    context = context_of(actor)
    writers = [Writer(plan, output, actor, context, cause, parameters) for output in plan.outputs]
    values = [writer.values_of(result.outputs.get(writer.output.name, ())) for writer in writers]
    run.first = {writer.output.name: rows[:FIRST_ROWS] for writer, rows in zip(writers, values, strict=True)}
    before_writing(sum(len(each) for each in values))
    for writer, rows in zip(writers, values, strict=True):
        run.written[writer.output.name] = asdict(writer.write(rows, tell))


def _read(plan: PlanSpec, parameters: Mapping[str, Any], run: Run) -> dict[str, list[Row]]:
    """The rows of every port, checked. A plan reads the whole of its datasets, whoever runs it."""
    found: dict[str, list[Row]] = {}
    problems: list[Problem] = []
    for name, port in plan.operator.ports.items():
        rows = []
        if name in plan.ports:
            dataset = get_dataset(plan.ports[name])
            given = {key: parameters[key] for key in dataset.parameters}
            rows = datasets.read_all(SYSTEM, dataset.key, given)
        run.read[name] = len(rows)
        found[name], wrong = checked(name, port, rows)
        problems += wrong
    if problems:
        raise Invalid(problems)
    return found


@transactional
def _begin(plan: PlanSpec, actor: Actor, parameters: Mapping[str, Any], job: int | None) -> Run:
    """The record of a run; Conflict while another one of the same plan is under way."""
    conn = connection()
    if not is_sqlite():
        conn.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"plan:{plan.id}", 0))))
    running = select(runs).where(runs.c.plan == plan.key, runs.c.state == "running")
    for row in conn.execute(running).all():
        if row.job is not None and row.job != job and not jobs.get_job(row.job).over:
            raise Conflict(BUSY)
        _close(row.id, "failed", [])  # its worker ended before it did
    shown = {
        key: plan.parameters[key].type.input_text(plan.parameters[key], v) for key, v in parameters.items()
    }
    run = Run(
        clock.new_id(), plan.key, plan.version, actor.person_id, "running", shown, job=job, at=clock.now()
    )
    own = {"id": run.id, "plan": run.plan, "version": run.version, "person": run.person, "job": job}
    left = {"state": run.state, "parameters": shown, "read": {}, "written": {}, "problems": [], "at": run.at}
    conn.execute(insert(runs).values(**own, **left))
    return run


@transactional
def _end(run: Run, state: str, problems: list[dict[str, str]] | None = None) -> None:
    run.state, run.ended_at = state, clock.now()
    run.problems += problems or []
    connection().execute(update(runs).where(runs.c.id == run.id).values(read=run.read, written=run.written))
    _close(run.id, state, run.problems)


def _close(run: int, state: str, problems: list[dict[str, str]]) -> None:
    values = {"state": state, "problems": problems, "ended_at": clock.now()}
    connection().execute(update(runs).where(runs.c.id == run).values(**values))


def list_runs(actor: Actor, key: str, job: int | None = None) -> list[Run]:
    """The last 20 runs of a plan, newest first, or those of one job."""
    require_may_run(actor, get_plan(key))
    query = select(runs).where(runs.c.plan == key).order_by(runs.c.id.desc()).limit(20)
    if job is not None:
        query = query.where(runs.c.job == job)
    with reading() as conn:
        return [_run(row) for row in conn.execute(query)]


def list_last_runs(actor: Actor) -> dict[str, Run]:
    """The last run of each plan that somebody may run, by the plan's key."""
    keys = [entry.key for entry in list_plans(actor)]
    newest = select(func.max(runs.c.id)).where(runs.c.plan.in_(keys)).group_by(runs.c.plan)
    with reading() as conn:
        return {row.plan: _run(row) for row in conn.execute(select(runs).where(runs.c.id.in_(newest)))}


def get_run(actor: Actor, run: int) -> Run:
    """One run, for whoever may run its plan."""
    with reading() as conn:
        row = conn.execute(select(runs).where(runs.c.id == run)).one_or_none()
    if row is None or not may_run(actor, get_plan(row.plan)):
        raise NotFound
    return _run(row)


def _run(row: TableRow[Any]) -> Run:
    return Run(**row._mapping)
