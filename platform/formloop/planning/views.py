"""Pages of plans: which there are, run one or try it, what became of each run."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Flask, Response, jsonify, request, url_for

from formloop.access import people
from formloop.access.actor import Actor
from formloop.access.signing import current
from formloop.core.errors import FormloopError, Invalid, NotFound, Problem
from formloop.core.text import M, Message
from formloop.definitions import apps, library
from formloop.definitions import views as definition_views
from formloop.events import heartbeat, jobs
from formloop.forms import live, permits, screen
from formloop.forms.filters import Filter
from formloop.forms.kind import get_form
from formloop.forms.list_views import filter_box
from formloop.forms.listing import Query
from formloop.forms.spec import Field
from formloop.planning import publisher_rights, service
from formloop.planning.kind import get_plan
from formloop.planning.spec import Output, PlanSpec, Row, Run
from formloop.web import navigation, page, viewer
from formloop.web.routes import route

blueprint = Blueprint("planning", __name__, url_prefix="/plans")
STATES: dict[str, tuple[Message, str, str]] = {
    "running": (M("Running"), "orange", "clock"),
    "done": (M("Run finished"), "green", "check"),
    "failed": (M("Failed"), "red", "alert-triangle"),
}
COUNTS = {
    "created": M("New"),
    "changed": M("Changed"),
    "unchanged": M("Unchanged"),
    "removed": M("Removed"),
    "kept": M("Left alone"),
}


def init_app(app: Flask) -> None:
    """Add the pages, and a line of the menu for whom there is a plan to run."""
    app.register_blueprint(blueprint)
    publisher_rights.enroll()
    if "plan" not in definition_views.openers:
        definition_views.openers.add("plan", lambda key: url_for("planning.plan_page", key=key))
    if "plans" not in navigation.navigation:
        navigation.navigation.add("plans", _menu)


def _menu() -> list[navigation.Entry]:
    if not service.list_plans(current()):
        return []
    return [navigation.Entry(M("Plans"), "calculator", "planning.list_page", order=91)]


def may_run(key: str, **_: Any) -> None:
    """The permission of a plan's pages: to create what it writes."""
    service.require_may_run(current(), get_plan(key))


@route(blueprint, "", permission="signed-in")
def list_page() -> Response:
    """The plans this person may run, by application, with their last run."""
    actor, locale, known = current(), viewer.locale(), apps.list_apps()
    found, last = [], service.list_last_runs(actor)
    for entry in service.list_plans(actor):
        plan, app = get_plan(entry.key), apps.app_of(entry.app, known)
        found.append((app.order, app.name(locale), plan.title(locale), plan, last.get(plan.key)))
    return page.render("planning/list.html", found=sorted(found, key=lambda each: each[:3]), states=STATES)


@route(blueprint, "/<key>", permission=may_run)
def plan_page(key: str) -> Response:
    """One plan: its parameters, what it reads and writes, its last runs."""
    return _page(get_plan(key), {}, [])


def _page(
    plan: PlanSpec,
    given: dict[str, str],
    problems: list[Problem],
    tried: Run | None = None,
    status: int = 200,
) -> Response:
    locale, runs = viewer.locale(), service.list_runs(current(), plan.key)
    preset = service.read_parameters(plan, {})
    return page.render(
        "planning/plan.html",
        status=status,
        plan=plan,
        title=plan.title(locale),
        parameters=[_parameter(plan, field, preset, given, locale) for field in plan.parameters.values()],
        reads=[
            (plan.operator.ports[p].title, library.find_entry("dataset", d)) for p, d in plan.ports.items()
        ],
        writes=[(plan.operator.outputs[o.name].title, get_form(o.form)) for o in plan.outputs],
        problems=problems,
        tried=None if tried is None else tell_try(current(), plan, tried),
        runs=[_shown(plan, each) for each in runs],
        people=people.names_of({each.person for each in runs if each.person is not None}),
        states=STATES,
        counts=COUNTS,
    )


def _parameter(
    plan: PlanSpec, field: Field, preset: dict[str, Any], given: dict[str, str], locale: str
) -> dict[str, Any]:
    value = preset[field.key]
    text = given.get(field.key, "" if value is None else field.type.input_text(field, value))
    query = Query(filters=(Filter(field.key, "is", text),) if text else ())
    choices = screen.choices_of(field, locale)
    if field.type.name == "switch":
        choices = [("1", M("Yes").render(locale)), ("0", M("No").render(locale))]
    search = url_for("planning.choices", key=plan.key, path=field.key)
    shown = _named(field, text, locale)
    box = filter_box(field, field.key, field.title(locale), query, choices, shown, search)
    return {**box, "natural": "is", "operator": "is"}


def _named(field: Field, text: str, locale: str) -> str:
    source = field.type.source(field)
    if source is None or not text.isdecimal():
        return ""
    names = screen.names_of(current(), {source: {int(text)}}, asked=True)
    return screen.shown_text(field, int(text), locale, names)


def _shown(plan: PlanSpec, run: Run) -> dict[str, Any]:
    """A run with titles instead of names; one whose outputs are called otherwise by now keeps the names."""
    locale = viewer.locale()
    outputs = plan.operator.outputs
    written = [
        (outputs[name].title if name in outputs else name, counts) for name, counts in run.written.items()
    ]
    return {"run": run, "written": written, "problems": [each[locale] for each in run.problems]}


def tell_try(actor: Actor, plan: PlanSpec, run: Run) -> dict[str, Any]:
    """What a try came to, with the first rows for whoever sees every record of their form."""
    first = [(output, run.first.get(output.name, ())) for output in plan.outputs]
    drawn = [_first(actor, plan, output, rows) for output, rows in first if rows and _sees_all(actor, output)]
    return {**_shown(plan, run), "first": drawn}


def _sees_all(actor: Actor, output: Output) -> bool:
    permit = permits.find_permit(actor, "view", get_form(output.form))
    return permit is not None and None in permit.conditions


def _first(actor: Actor, plan: PlanSpec, output: Output, rows: Sequence[Row]) -> dict[str, Any]:
    form, locale = get_form(output.form), viewer.locale()
    permit = permits.find_permit(actor, "view", form)
    shown = [form.fields[key] for key in output.values if permit and key in permit.everywhere]
    wanted: dict[str, set[Any]] = {}
    for field in shown:
        if source := field.type.source(field):
            wanted.setdefault(source, set()).update(
                row[field.key] for row in rows if row[field.key] is not None
            )
    names = screen.names_of(actor, wanted, asked=True)
    return {
        "title": plan.operator.outputs[output.name].title,
        "columns": [{"label": field.title(locale), "number": field.type.numeric} for field in shown],
        "rows": [
            [screen.shown_text(field, row[field.key], locale, names) for field in shown] for row in rows
        ],
    }


@route(blueprint, "/<key>/choices/<path>", permission=may_run)
def choices(key: str, path: str) -> Response:
    """What a parameter offers for what was typed, as JSON for the select."""
    found = get_plan(key).parameters.get(path)
    if found is None:
        raise NotFound
    return jsonify(live.choices(current(), None, found, request.args.get("q", "")[:100]))


@route(blueprint, "/<key>", permission=may_run, methods=["POST"], endpoint="start")
def start(key: str) -> Response:
    """Run the plan, or try it."""
    actor, plan = current(), get_plan(key)
    given = {name: request.form.get(name, "")[:4_000] for name in plan.parameters}
    try:
        if "try" in request.form:
            return _page(plan, given, [], service.try_run(actor, key, given))
        job = service.start(actor, key, given)
    except Invalid as error:
        return _page(plan, given, list(error.problems), status=422)
    except FormloopError as error:
        return _page(plan, given, [Problem(error.code, "", error.message)], status=error.status)
    return page.redirect(url_for("planning.job_page", key=key, job=job))


@route(blueprint, "/<key>/jobs/<int:job>", permission=may_run)
def job_page(key: str, job: int) -> Response:
    """How far a run is, then what it did."""
    plan, found = get_plan(key), jobs.get_job(job, current())
    run = next(iter(service.list_runs(current(), key, job)), None)
    stuck = not found.over and heartbeat.is_missing()
    values: dict[str, Any] = {
        "plan": plan,
        "title": plan.title(viewer.locale()),
        "job": found,
        "shown": _shown(plan, run) if run else None,
        "waiting": heartbeat.ADVICE.render(viewer.locale()) if stuck else "",
        "counts": COUNTS,
    }
    if request.args.get("poll"):
        return page.render_progress("planning/_job.html", finished=found.over, **values)
    return page.render("planning/job.html", **values)
