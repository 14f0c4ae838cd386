"""The page of a task, the questions before a decision, and the decisions."""

from collections.abc import Mapping
from typing import Any

from flask import Response, jsonify, request, url_for

from formloop.access import people
from formloop.access.actor import Actor
from formloop.access.signing import current
from formloop.core import clock
from formloop.core.errors import Conflict, Invalid, NotFound, Problem
from formloop.core.text import M, Message
from formloop.forms import files, posted
from formloop.forms.kind import get_form
from formloop.forms.spec import FormSpec, Values
from formloop.web import htmx, page, viewer
from formloop.web.routes import route
from formloop.workflows import case_views, cases, inbox_views, service, sight, stashes, task_page
from formloop.workflows.amendments import applying
from formloop.workflows.pages import MOST_PEOPLE, STATUS, blueprint, chosen_people, numbers

MOST_BYTES = 20 * 1024 * 1024  # of one file beside a comment
DONE = {
    "approve": M("Approved."),
    "reject": M("Rejected."),
    "return": M("Returned."),
    "transfer": M("Transferred."),
    "add_signer": M("Asked to sign too."),
}
QUESTIONS = {
    "reject": (M("Reject"), M("Why do you reject this?")),
    "return": (M("Return"), M("What should be corrected?")),
    "transfer": (M("Transfer"), M("What should this person know?")),
    "add_signer": (M("Add a signer"), M("What should this person know?")),
    "copy": (M("Copy to"), M("What should they know?")),
    "comment": (M("Comment"), M("Your comment")),
}


@route(blueprint, "/inbox/<int:task>", permission="signed-in")
def show_task(task: int) -> Response:
    """A task with its record and its way; it counts as seen from now on."""
    actor = current()
    found = task_page.get_task(actor, task)
    if found.task_state == "open" and (found.seen_at is None or found.kind != "todo"):
        service.mark_seen(actor, task)
    if not task_page.is_there(found):
        return page.render("workflows/gone.html", **task_page.show_gone(found, viewer.locale()))
    if cases.is_lost(found):
        return _lost_page(actor, found)
    kept = stashes.find(task)
    return _task_page(actor, found, kept.raw if kept else None, comment=kept.comment if kept else "")


def _lost_page(actor: Actor, found: Any, status: int = 200) -> Response:
    shown = task_page.show_lost(actor, found, viewer.locale())
    unsent = stashes.find_unsent(found.task)
    names = task_page.own_files(actor, unsent) if unsent is not None else {}
    return page.render("workflows/gone.html", status=status, **shown, unsent=unsent, unsent_files=names)


def _unsent(actor: Actor, found: Any) -> Response:
    """A task was taken from somebody while they wrote: what they wrote is kept for them, and shown."""
    raw, attached = posted.raw_values(get_form(found.form), request.form), request.form.getlist("attached")
    service.keep_unsent(actor, found.task, request.form.get("comment", ""), raw, attached)
    if htmx.wants_part():
        said = M("This step does not wait for you any more. What you wrote was not sent.")
        return page.redirect(url_for("workflows.show_task", task=found.task), said, "warning")
    return _lost_page(actor, found, 409)


def _task_page(
    actor: Actor,
    found: Any,
    raw: Values | None = None,
    problems: list[Problem] | None = None,
    status: int = 200,
    comment: str = "",
) -> Response:
    shown = task_page.show(actor, found, viewer.locale(), raw, problems)
    spec: FormSpec = shown["spec"]
    return page.render(
        "workflows/task.html",
        "workflows/_task.html",
        status=status,
        **shown,
        title=task_page.title_of(actor, found),
        problems=shown["screen"].problems if problems else [],
        problem={p.at: p.message for p in problems or ()},
        comment=request.form.get("comment", comment),
        case_status=STATUS[found.status],
        may_open=sight.gives_row(actor, "view", spec, found.record),
        people=people.list_people(limit=MOST_PEOPLE) if shown["picks"] else [],
    )


@route(
    blueprint,
    "/inbox/<int:task>/<any(reject, return, transfer, add_signer, copy, comment):action>",
    permission="signed-in",
)
def ask(task: int, action: str) -> Response:
    """The question before a decision: the reason, where to, or to whom."""
    actor = current()
    found = task_page.get_task(actor, task)
    if cases.is_lost(found):
        return _lost_page(actor, found, 409)
    return _question(actor, found, action)


def _question(
    actor: Actor, found: Any, action: str, problems: list[Problem] | None = None, status: int = 200
) -> Response:
    word, question = QUESTIONS[action]
    shown = task_page.ways_back(actor, found, viewer.locale()) if action == "return" else {}
    return page.render(
        "workflows/decide.html",
        "workflows/_decide.html",
        status=status,
        found=found,
        title=task_page.title_of(actor, found),
        action=action,
        word=word,
        question=question,
        people=people.list_people(limit=MOST_PEOPLE) if action in ("transfer", "add_signer", "copy") else [],
        problem={p.at: p.message for p in problems or []},
        chosen=request.form.getlist("to"),
        how=request.form.get("how", shown.get("how", "")),
        targets=shown.get("targets", []),
        comment=request.values.get("comment", ""),
    )


@route(blueprint, "/inbox/<int:task>/decide", permission="signed-in", methods=["POST"])
def decide(task: int) -> Response:
    """Carry a decision out. What is wrong comes back on the page or in the dialog it was sent from."""
    actor, action = current(), request.form.get("action", "approve")
    found = task_page.get_task(actor, task)
    if cases.is_lost(found):
        return _unsent(actor, found)
    try:
        if action == "approve":
            return _approve(actor, found)
        if action in STAYS:
            return page.redirect(url_for("workflows.show_task", task=task), STAYS[action](actor, found))
        service.decide(
            actor,
            task,
            action,
            request.form.get("comment", ""),
            to=_target(action),
            how=request.form.get("how", ""),
            attached=request.form.getlist("attached"),
        )
    except Invalid as error:
        if action not in QUESTIONS:
            raise
        return _question(actor, found, action, error.problems, 422)
    except Conflict as error:
        return _too_late(actor, task, error)
    return inbox_views.after(actor, DONE[action])


def _target(action: str) -> Any:
    to = request.form.get("to")
    person = clock.find_id(to) if action in ("transfer", "add_signer") else None
    return to if person is None else person


def _say(actor: Actor, found: Any) -> Message:
    service.add_comment(actor, found.id, request.form.get("comment", ""), request.form.getlist("attached"))
    return M("Your comment was added.")


def _copy(actor: Actor, found: Any) -> Message:
    to = numbers(request.form.getlist("to"))
    service.copy_to(actor, found.id, to, request.form.get("comment", ""))
    return M("Copies were sent.")


def _put_by(actor: Actor, found: Any) -> Message:
    raw = posted.raw_values(get_form(found.form), request.form)
    service.put_by(actor, found.task, request.form.get("comment", ""), raw)
    return M("Put by. It waits here until you decide.")


STAYS: Mapping[str, Any] = {"comment": _say, "copy": _copy, "stash": _put_by}  # the task stays open


def _too_late(actor: Actor, task: int, error: Conflict) -> Response:
    """Somebody was faster: say so beside what it is like now."""
    target, now = (
        request.headers.get("HX-Target") if htmx.wants_part() else "",
        task_page.get_task(actor, task),
    )
    if target == "inbox":
        return htmx.toast(inbox_views.inbox_page(actor, request.args, 409), error.message, "warning")
    if cases.is_lost(now):
        return _unsent(actor, now)
    if target == "fl-dialog":
        return page.redirect(url_for("workflows.show_task", task=task), error.message, "warning")
    return _task_page(actor, now, problems=[Problem("conflict", "", error.message)], status=409)


def _approve(actor: Actor, found: Any) -> Response:
    raw = posted.raw_values(get_form(found.form), request.form)
    from_inbox = htmx.wants_part() and request.headers.get("HX-Target") == "inbox"
    try:
        done = service.decide(
            actor,
            found.task,
            "approve",
            request.form.get("comment", ""),
            raw=raw or None,
            revision=request.form.get("revision", type=int),
            chosen=chosen_people(),
            attached=request.form.getlist("attached"),
            signature=request.form.getlist("signature"),
        )
    except Invalid as error:
        if from_inbox:  # there is nowhere to fill it in
            return page.redirect(url_for("workflows.show_task", task=found.task), error.message, "warning")
        return _task_page(actor, found, raw, error.problems, 422)
    said = task_page.step_of(found)
    word = said.node.agreed if said is not None else DONE["approve"]
    if done.status == "returned":  # what was proposed no longer fits its record
        return inbox_views.after(actor, applying.OUTDATED)
    return inbox_views.after(actor, M("You had approved this already.") if done.repeated else word)


@route(blueprint, "/inbox/<int:task>/live", permission="signed-in", methods=["POST"])
def live_values(task: int) -> Response:
    """What formulas and rules make of what is filled in at a task, while it is typed."""
    actor = current()
    found = task_page.get_task(actor, task)
    raw, changed = posted.raw_values(get_form(found.form), request.form), request.form.get("_changed", "")
    return jsonify(task_page.answer(actor, found, raw, changed.split(","), viewer.locale()))


@route(blueprint, "/inbox/<int:task>/file", permission="signed-in", methods=["POST"])
def upload(task: int) -> Response:
    """Keep files that go with a comment or a decision; they belong to the case once that is sent."""
    actor = current()
    kept = []
    try:
        if cases.is_lost(task_page.get_task(actor, task)):
            raise Invalid(
                [Problem("lost", "", M("This step does not wait for you any more; the file was not kept."))]
            )
        for each in request.files.getlist("file"):
            stored = files.keep_upload(actor, each.filename or "", each.stream, MOST_BYTES)  # type: ignore[arg-type]
            kept.append({"key": stored.key, "name": stored.name, "size": stored.size})
    except Invalid as error:
        answer = jsonify(message=error.problems[0].message.render(viewer.locale()))
        answer.status_code = 422
        return answer
    return jsonify(files=kept)


@route(blueprint, "/inbox/<int:task>/file/<key>", permission="signed-in")
def download_unsent(task: int, key: str) -> Response:
    """One's own file that was to go with what came too late."""
    actor, unsent = current(), stashes.find_unsent(task_page.get_task(current(), task).task)
    if unsent is None or key not in task_page.own_files(actor, unsent):
        raise NotFound
    return case_views.send(files.get_file(key))
