"""The inbox, the page of a task, and what a record's own page says about its approval."""

from typing import Any

from flask import Blueprint, Flask, Response, request, url_for

from formloop.access import gate, people
from formloop.access.actor import Actor
from formloop.access.signing import current, find_current
from formloop.core.errors import Conflict, Invalid, Problem
from formloop.core.text import M, Message
from formloop.forms import permits, posted
from formloop.forms import views as forms_views
from formloop.forms.kind import get_form
from formloop.forms.names import context_of
from formloop.forms.spec import FormSpec, Values
from formloop.web import htmx, navigation, page, viewer
from formloop.web.routes import route
from formloop.workflows import (
    administration,
    cases,
    hearing,
    inbox,
    publisher_rights,
    service,
    task_page,
    timeline,
    watching,
)
from formloop.workflows.kind import find_workflow
from formloop.workflows.state import ENDED

blueprint = Blueprint("workflows", __name__)
DONE = {
    "approve": M("Approved."),
    "reject": M("Rejected."),
    "return": M("Returned."),
    "transfer": M("Transferred."),
}
QUESTIONS = {
    "reject": (M("Reject"), M("Why do you reject this?")),
    "return": (M("Return"), M("What should be corrected?")),
    "transfer": (M("Transfer"), M("What should this person know?")),
    "comment": (M("Comment"), M("Your comment")),
}
STATUS = {
    "open": (M("In approval"), "orange", "clock"),
    "stuck": (M("Stuck"), "red", "alert-triangle"),
    "returned": (M("Returned"), "orange", "arrow-back-up"),
    "approved": (M("Approved"), "green", "check"),
    "rejected": (M("Rejected"), "red", "x"),
    "withdrawn": (M("Withdrawn"), "secondary", "arrow-back-up"),
    "voided": (M("Voided"), "red", "ban"),
    "draft": (M("Draft"), "secondary", "pencil"),
}


def init_app(app: Flask) -> None:
    """Add the room's pages, the inbox with its count to the menu, and its part of every record's page."""
    app.register_blueprint(blueprint)
    hearing.start()
    publisher_rights.enroll()
    with app.app_context():
        watching.plan()
    if "inbox" in navigation.navigation:
        return
    entry = navigation.Entry(
        M("To do"),
        "inbox",
        "workflows.show_inbox",
        10,
        navigation.WORK,
        badge=_waiting,
        urgent=True,
        phone=True,
    )
    navigation.navigation.add("inbox", entry)
    navigation.home.add("inbox", navigation.Slot("workflows/_home.html", _home, order=100))
    forms_views.record_panels += [_submit_panel, _way_panel]


def _waiting() -> int:
    actor = find_current()
    return inbox.count_todo(actor) if actor else 0


def _home() -> dict[str, Any] | None:
    actor = current()
    found = inbox.list_tab(actor, "todo", viewer.locale(), limit=5)
    return {"rows": found.rows, "count": inbox.count_todo(actor), "status": STATUS}


@route(blueprint, "/inbox", permission="signed-in")
def show_inbox() -> Response:
    """One tab of the inbox."""
    return _inbox_page(current(), request.args)


def _inbox_page(actor: Actor, args: Any, status: int = 200) -> Response:
    tab, search = args.get("tab", "todo"), args.get("q", "")[:200]
    found = inbox.list_tab(actor, tab, viewer.locale(), search, args.get("after", type=int))
    more = (
        url_for("workflows.show_inbox", tab=tab, q=search or None, after=found.next) if found.next else None
    )
    count = inbox.count_todo(actor)
    tabs = [
        {
            "label": title,
            "url": url_for("workflows.show_inbox", tab=key),
            "count": count if key == "todo" else 0,
        }
        for key, title in inbox.TABS.items()
    ]
    return page.render(
        "workflows/inbox.html",
        "workflows/_rows.html" if args.get("after") else "workflows/_inbox.html",
        status=status,
        tab=tab,
        title=inbox.TABS[tab],
        tabs=tabs,
        here=url_for("workflows.show_inbox", tab=tab),
        rows=found.rows,
        more=more,
        search=search,
        count=count,
        status_of=STATUS,
    )


@route(blueprint, "/inbox/approve", permission="signed-in", methods=["POST"])
def approve_many() -> Response:
    """Approve the chosen tasks, each on its own; what was refused is told."""
    actor = current()
    chosen = [int(each) for each in request.form.getlist("task") if each.isdecimal()][:200]
    batch = service.approve_many(actor, chosen, request.form.get("comment", ""))
    if not chosen:
        return _after(actor, M("Choose the tasks to approve first."), "warning")
    if not batch.refused:
        return _after(actor, M("{count} approved.", count=batch.done))
    first = batch.refused[0][1].message
    said = M(
        "{count} approved, {refused} not: {reason}",
        count=batch.done,
        refused=len(batch.refused),
        reason=first,
    )
    return _after(actor, said, "warning")


def _after(actor: Actor, said: Message, kind: str = "success") -> Response:
    """Back in the inbox: the list anew for htmx, the page otherwise."""
    if htmx.wants_part() and request.headers.get("HX-Target") == "inbox":
        return htmx.toast(_inbox_page(actor, request.args), said, kind)
    return page.redirect(url_for("workflows.show_inbox"), said, kind)


@route(blueprint, "/inbox/<int:task>", permission="signed-in")
def show_task(task: int) -> Response:
    """A task with its record and its way; a copy counts as read from now on."""
    actor = current()
    found = task_page.get_task(actor, task)
    if found.kind != "todo" and found.task_state == "open":
        service.mark_read(actor, task)
    return _task_page(actor, found)


def _task_page(
    actor: Actor,
    found: Any,
    raw: Values | None = None,
    problems: list[Problem] | None = None,
    status: int = 200,
) -> Response:
    shown = task_page.show(actor, found, viewer.locale(), raw, problems)
    spec: FormSpec = shown["spec"]
    return page.render(
        "workflows/task.html",
        "workflows/_task.html",
        status=status,
        **shown,
        title=task_page.title_of(actor, found),
        form_title=spec.title(viewer.locale()),
        problems=shown["screen"].problems if problems else [],
        comment=request.form.get("comment", ""),
        case_status=STATUS[found.status],
        may_open=gate.allows(actor, "view", spec.resource) and _sees_row(actor, spec, found.record),
    )


def _sees_row(actor: Actor, spec: FormSpec, record: int) -> bool:
    permit = permits.find_permit(actor, "view", spec)
    return permit is not None and cases.record_is_seen(spec, record, permit.where(context_of(actor)))


@route(blueprint, "/inbox/<int:task>/<any(reject, return, transfer, comment):action>", permission="signed-in")
def ask(task: int, action: str) -> Response:
    """The question before a decision: the reason, where to, or to whom."""
    actor = current()
    return _question(actor, task_page.get_task(actor, task), action)


def _question(
    actor: Actor, found: Any, action: str, problems: list[Problem] | None = None, status: int = 200
) -> Response:
    word, question = QUESTIONS[action]
    shown = task_page.show(actor, found, viewer.locale()) if action == "return" else {}
    return page.render(
        "workflows/decide.html",
        "workflows/_decide.html",
        status=status,
        found=found,
        title=task_page.title_of(actor, found),
        action=action,
        word=word,
        question=question,
        targets=shown.get("targets", []),
        people=people.list_people() if action == "transfer" else [],
        problem={p.at: p.message for p in problems or []},
        chosen=request.form.get("to", ""),
        comment=request.form.get("comment", ""),
    )


@route(blueprint, "/inbox/<int:task>/decide", permission="signed-in", methods=["POST"])
def decide(task: int) -> Response:
    """Carry a decision out. What is wrong comes back on the page or in the dialog it was sent from."""
    actor, action = current(), request.form.get("action", "approve")
    found = task_page.get_task(actor, task)
    comment, to = request.form.get("comment", ""), request.form.get("to")
    try:
        if action == "comment":
            service.add_comment(actor, found.id, comment)
            return page.redirect(url_for("workflows.show_task", task=task), M("Your comment was added."))
        if action == "approve":
            return _approve(actor, found, comment)
        target: Any = int(to) if action == "transfer" and to and to.isdecimal() else to
        service.decide(actor, task, action, comment, to=target)
    except Invalid as error:
        if action not in QUESTIONS:
            raise
        return _question(actor, found, action, error.problems, 422)
    except Conflict as error:
        return _too_late(actor, task, error)
    return _after(actor, DONE[action])


def _too_late(actor: Actor, task: int, error: Conflict) -> Response:
    """Somebody was faster: say so beside what it is like now."""
    target = request.headers.get("HX-Target") if htmx.wants_part() else ""
    if target == "inbox":
        return htmx.toast(_inbox_page(actor, request.args, 409), error.message, "warning")
    if target == "fl-dialog":
        return page.redirect(url_for("workflows.show_task", task=task), error.message, "warning")
    now = task_page.get_task(actor, task)
    return _task_page(actor, now, problems=[Problem("conflict", "", error.message)], status=409)


def _approve(actor: Actor, found: Any, comment: str) -> Response:
    spec = get_form(found.form)
    raw = posted.raw_values(spec, request.form)
    revision = request.form.get("revision", type=int)
    try:
        done = service.decide(actor, found.task, "approve", comment, raw=raw or None, revision=revision)
    except Invalid as error:
        if (
            htmx.wants_part() and request.headers.get("HX-Target") == "inbox"
        ):  # there is nowhere to fill it in
            return page.redirect(url_for("workflows.show_task", task=found.task), error.message, "warning")
        return _task_page(actor, found, raw, error.problems, 422)
    return _after(actor, M("You had approved this already.") if done.repeated else DONE["approve"])


@route(blueprint, "/f/<form>/<int:record>/submit", permission=("submit", "form:{form}"), methods=["POST"])
def submit(form: str, record: int) -> Response:
    """Send a record into its workflow."""
    service.submit(current(), form, record, request.form.get("comment", ""))
    return page.redirect(_back(form, record), M("Submitted."))


def _back(form: str, record: int) -> str:
    return page.local_path(request.form.get("back"), url_for("forms.record_page", form=form, record=record))


@route(
    blueprint,
    "/case/<int:case>/<any(withdraw, comment, resume):action>",
    permission="signed-in",
    methods=["POST"],
)
def change_case(case: int, action: str) -> Response:
    """Withdraw a case, say something in it, or try a stuck one again."""
    actor, comment = current(), request.form.get("comment", "")
    if action == "withdraw":
        service.withdraw(actor, case, comment)
        said = M("Withdrawn. You can change it now and submit it again.")
    elif action == "comment":
        service.add_comment(actor, case, comment)
        said = M("Your comment was added.")
    else:
        result = administration.resume(actor, case)
        stuck = result.status == "stuck"
        said = M("Still nobody is found.") if stuck else M("The approval goes on.")
    found = cases.get_case(case)
    target = _back(found.form, found.record) if found else url_for("workflows.show_inbox")
    return page.redirect(target, said)


def _submit_panel(actor: Actor, spec: FormSpec, record: Values) -> tuple[str, dict[str, Any]] | None:
    """On top of a record's page: submit it, or see that it is under approval."""
    workflow = find_workflow(spec.key)
    if workflow is None:
        return None
    running = cases.find_open(spec.key, record["id"])
    if running is None:
        ready = record["state"] in (workflow.states["returned"], workflow.states["rejected"])
        if not ready or not _may_submit(actor, spec, record["id"]):
            return None
        return "workflows/_submit.html", {"place": "top", "spec": spec, "record": record, "again": False}
    if running.status == "returned":
        if running.initiator != actor.person_id:
            return None
        return "workflows/_submit.html", {"place": "top", "spec": spec, "record": record, "again": True}
    mine = cases.find_own_task(running.id, actor.person_id)
    if mine is None:
        return None
    return "workflows/_waits.html", {"place": "top", "task": mine.id}


def _may_submit(actor: Actor, spec: FormSpec, record: int) -> bool:
    permit = permits.find_permit(actor, "submit", spec)
    return permit is not None and cases.record_is_seen(spec, record, permit.where(context_of(actor)))


def _way_panel(actor: Actor, spec: FormSpec, record: Values) -> tuple[str, dict[str, Any]] | None:
    """Below a record: the way of its latest case."""
    found = next(iter(cases.list_cases(spec.key, record["id"])), None)
    if found is None:
        return None
    state = found.state
    undecided = found.status in ("open", "stuck") and not state["decided"]
    return "workflows/_way_panel.html", {
        "place": "bottom",
        "case": found,
        "way": timeline.build(found, viewer.locale()),
        "status": STATUS[found.status],
        "may_withdraw": found.initiator == actor.person_id and (undecided or found.status == "returned"),
        "may_resume": found.status == "stuck" and gate.allows(actor, "repair", "site"),
        "may_comment": found.status not in ENDED,
        "back": request.full_path.rstrip("?"),
    }
