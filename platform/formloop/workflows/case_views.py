"""What is done with a case outside of a task: submit, withdraw, take back, urge; its links, files and print."""

from typing import Any

from flask import Response, request, send_file, url_for
from sqlalchemy.engine import Row

from formloop.access.actor import Actor
from formloop.access.signing import current
from formloop.core.errors import Conflict, Invalid, NotFound, Problem
from formloop.core.text import M, Message
from formloop.forms import files, fill_in
from formloop.forms.kind import get_form
from formloop.web import page, viewer
from formloop.web.routes import route
from formloop.workflows import administration, cases, service, task_page, timeline
from formloop.workflows.pages import STATUS, blueprint, chosen_people, numbers
from formloop.workflows.partaking import may_see_case

MOST_REASONS = 5


@route(blueprint, "/f/<form>/<int:record>/submit", permission="signed-in", methods=["POST"])
def submit(form: str, record: int) -> Response:
    """Send a record into its workflow; the service asks who may, since whoever it was given to may too."""
    try:
        done = service.submit(current(), form, record, request.form.get("comment", ""), chosen_people())
    except Invalid as error:
        said = M("Not submitted. {reasons}", reasons=_reasons(form, error))
        return _correct(form, record, error) or page.redirect(_back(form, record), said, "danger")
    if done.status == "stuck":
        reason = timeline.find_stop(done.case, viewer.locale())
        return page.redirect(
            _back(form, record), M("Submitted, but it waits: {reason}", reason=reason), "warning"
        )
    return page.redirect(_back(form, record), M("Submitted."))


@route(blueprint, "/f/<form>/<int:record>/submit", permission="signed-in")
def submitted(form: str, record: int) -> Response:
    """The address of a page that told what stood against it, opened again: the record."""
    return page.redirect(url_for("forms.record_page", form=form, record=record))


def _correct(form: str, record: int, error: Invalid) -> Response | None:
    """The page to correct the record on, if what stands against it is told of fields."""
    if not any(each.at for each in error.problems):
        return None
    todo = Problem(
        "not_submitted", "", M("Not submitted. Correct what is marked and save it; then submit it.")
    )
    return fill_in.show_wrong(current(), get_form(form), record, [todo, *error.problems])


def _reasons(form: str, error: Invalid) -> str:
    """What stands against it, by the names of the fields; the page it is told on is the record's."""
    spec, locale = get_form(form), viewer.locale()
    told = []
    for each in error.problems[:MOST_REASONS]:
        field = spec.find(".".join(part for part in each.at.split(".") if not part.isdecimal()))
        text = each.message.render(locale)
        told.append(f"{field.title(locale)}: {text}" if field else text)
    return " ".join(dict.fromkeys(told)) or error.message.render(locale)


def _back(form: str, record: int) -> str:
    return page.local_path(request.form.get("back"), url_for("forms.record_page", form=form, record=record))


@route(blueprint, "/t/<int:task>", permission="signed-in")
def share(task: int) -> Response:
    """A link to pass on: each reader lands on their own part of the task's case."""
    found = cases.find_task(task, current().person_id)
    if found is not None:
        return page.redirect(url_for("workflows.show_task", task=task))
    case = cases.find_case_of(task)
    if case is None:
        raise NotFound
    return open_case(case)


@route(blueprint, "/case/<int:case>", permission="signed-in")
def open_case(case: int) -> Response:
    """To what waits here for the reader, else their own record, else their newest task or copy, else the record."""
    actor = current()
    mine = cases.find_newest_task(case, actor.person_id)
    found = cases.get_case(case) if mine is not None else get_seen(actor, case)
    if found is None:
        raise NotFound
    if not task_page.is_there(found):
        return page.render("workflows/gone.html", **task_page.show_gone(found, viewer.locale()))
    waits = cases.find_own_task(case, actor.person_id) is not None
    if mine is not None and (waits or found.initiator != actor.person_id):
        return page.redirect(url_for("workflows.show_task", task=mine))
    return page.redirect(url_for("forms.record_page", form=found.form, record=found.record))


def get_seen(actor: Actor, case: int) -> Row[Any]:
    """A case its reader takes part in, or may see the record of; NotFound otherwise."""
    found = cases.get_case(case)
    if found is None or not may_see_case(actor, found):
        raise NotFound
    return found


@route(
    blueprint,
    "/case/<int:case>/<any(withdraw, take_back, urge, copy, comment, resume):action>",
    permission="signed-in",
    methods=["POST"],
)
def change_case(case: int, action: str) -> Response:
    """Withdraw a case, take an approval back, remind, copy, say something, or try a stuck one again."""
    actor = current()
    found = get_seen(actor, case)
    target = _back(found.form, found.record)
    try:
        return page.redirect(target, DOES[action](actor, case, request.form.get("comment", "")))
    except Conflict as error:
        return page.redirect(target, error.message, "warning")


def _withdraw(actor: Actor, case: int, comment: str) -> Message:
    service.withdraw(actor, case, comment)
    return M("Withdrawn. You can change it now and submit it again.")


def _take_back(actor: Actor, case: int, comment: str) -> Message:
    service.take_back(actor, case, comment)
    return M("Taken back. You can decide again.")


def _urge(actor: Actor, case: int, comment: str) -> Message:
    service.urge(actor, case, comment)
    return M("Whoever is asked was reminded.")


def _copy(actor: Actor, case: int, comment: str) -> Message:
    service.copy_to(actor, case, numbers(request.form.getlist("to")), comment)
    return M("Copies were sent.")


def _comment(actor: Actor, case: int, comment: str) -> Message:
    service.add_comment(actor, case, comment)
    return M("Your comment was added.")


def _resume(actor: Actor, case: int, comment: str) -> Message:
    stuck = administration.resume(actor, case).status == "stuck"
    return M("Still nobody is found.") if stuck else M("The approval goes on.")


DOES = {
    "withdraw": _withdraw,
    "take_back": _take_back,
    "urge": _urge,
    "copy": _copy,
    "comment": _comment,
    "resume": _resume,
}


@route(blueprint, "/case/<int:case>/file/<key>", permission="signed-in")
def download(case: int, key: str) -> Response:
    """A file of a case's history, for those who see the case; or one's own that was not sent yet."""
    actor = current()
    get_seen(actor, case)
    stored = files.get_file(key)
    sent = {each for note in cases.list_notes(case) for each in note.detail.get("files", ())}
    if key not in sent and (stored.person is None or stored.person != actor.person_id):
        raise NotFound
    return send(stored)


def send(stored: files.Stored) -> Response:
    """The content of a file, to be kept and never shown as a page."""
    answer = send_file(stored.path, stored.kind, as_attachment=True, download_name=stored.name, max_age=0)
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Cache-Control"] = "private, max-age=600"
    return answer


@route(blueprint, "/case/<int:case>/print", permission="signed-in")
def print_case(case: int) -> Response:
    """Record, decisions and signatures on paper."""
    actor = current()
    found = get_seen(actor, case)
    shown = task_page.show_print(actor, found, viewer.locale())
    return page.render("workflows/print.html", **shown, case_status=STATUS[found.status])
