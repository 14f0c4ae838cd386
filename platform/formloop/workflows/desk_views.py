"""Pages of the repair desk of cases, handing over, and versions of running cases."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask import Response, request, url_for

from formloop.access import people
from formloop.access.actor import Actor
from formloop.access.signing import current
from formloop.core.errors import Conflict, Invalid
from formloop.core.text import M, Message
from formloop.definitions import library
from formloop.web import page, viewer
from formloop.web.routes import route
from formloop.workflows import administration, case_views, desk, diagram, moving, narrowing, timeline
from formloop.workflows.actions.administering import list_unasked
from formloop.workflows.batches import Batch, say, try_each
from formloop.workflows.kind import get_version
from formloop.workflows.pages import MOST_PEOPLE, STATUS, blueprint, number, numbers
from formloop.workflows.state import ENDED, State

REPAIR = ("repair", "site")


@route(blueprint, "/cases", permission=REPAIR)
def list_cases() -> Response:
    """Cases that are stuck, overdue, under way or finished."""
    tab, locale = request.args.get("tab", "stuck"), viewer.locale()
    workflow, before = request.args.get("workflow", ""), request.args.get("before", type=int)
    items, following = desk.list_items(current(), tab, locale, workflow, before)
    args: dict[str, Any] = {"tab": tab, "workflow": workflow or None}
    return page.render(
        "workflows/desk.html",
        "workflows/_desk_rows.html" if before else None,
        items=items,
        tab=tab,
        tabs=[
            {"label": title, "url": url_for("workflows.list_cases", tab=key)}
            for key, title in desk.TABS.items()
        ],
        here=url_for("workflows.list_cases", tab=tab),
        workflow=workflow,
        workflows=narrowing.list_workflows(locale),
        more=url_for("workflows.list_cases", **args, before=following) if following else None,
        status_of=STATUS,
        people=people.list_people(limit=MOST_PEOPLE),
    )


@route(blueprint, "/cases/<int:case>", permission=REPAIR)
def show_case(case: int) -> Response:
    """One case with everything an administrator may do to it."""
    return _case_page(current(), case)


def _case_page(actor: Actor, case: int, problem: Message | None = None, status: int = 200) -> Response:
    found, locale = case_views.get_seen(actor, case), viewer.locale()
    workflow = get_version(found.workflow, found.version)
    (item,) = desk.describe(actor, [found], locale)
    steps = [s for s in workflow.steps.values() if not s.blocks]
    titles = {s.id: s.title(locale) for s in workflow.steps.values()}
    waiting = desk.open_tasks([case]).get(case, [])
    return page.render(
        "workflows/desk_case.html",
        status=status,
        case=found,
        item=item,
        problem=problem,
        ended=found.status in ENDED,
        offer=administration.find_offer(found),
        way=timeline.build(found, locale),
        tree=diagram.draw(found, locale),
        steps=[(each.id, each.title(locale)) for each in steps],
        newer=_is_older(found),
        waiting=waiting,
        lacks=[titles.get(each.at, "") for each in list_unasked(workflow, State.from_json(found.state))],
        names=people.names_of(each.person for each in waiting),
        people=people.list_people(limit=MOST_PEOPLE),
        case_status=STATUS[found.status],
    )


def _is_older(found: Any) -> bool:
    entry = library.find_entry("workflow", found.workflow)
    return entry is not None and entry.version != found.version and found.status not in ENDED


DOES: Mapping[str, tuple[Callable[[Actor, int, str, str], object], Message]] = {
    "resume": (lambda a, case, to, why: administration.resume(a, case, to or None, why), M("Tried again.")),
    "skip": (lambda a, case, to, why: administration.skip(a, case, why), M("Passed over.")),
    "end": (lambda a, case, to, why: administration.end(a, case, why), M("Ended as approved.")),
    "void": (lambda a, case, to, why: administration.void(a, case, why), M("Voided.")),
    "reactivate": (
        lambda a, case, to, why: administration.reactivate(a, case, to or None, why),
        M("It goes on."),
    ),
    "restart": (
        lambda a, case, to, why: moving.restart(a, case, why),
        M("Begun again by the newest version."),
    ),
    "assign": (
        lambda a, case, to, why: administration.assign(a, case, number("to"), why),
        M("Somebody was named; it goes on."),
    ),
    "reassign": (
        lambda a, case, to, why: administration.reassign(a, number("task"), number("to"), why),
        M("Given to somebody else."),
    ),
}


@route(
    blueprint,
    "/cases/<int:case>/<any(resume, skip, end, void, reactivate, restart, assign, reassign):action>",
    permission=REPAIR,
    methods=["POST"],
)
def repair_case(case: int, action: str) -> Response:
    """Do one thing to a case; what is refused is said on its page."""
    actor, (do, said) = current(), DOES[action]
    case_views.get_seen(actor, case)
    try:
        do(actor, case, request.form.get("to", ""), request.form.get("comment", ""))
    except Invalid as error:
        return _case_page(actor, case, error.problems[0].message, 422)
    except Conflict as error:
        return _case_page(actor, case, error.message, 409)
    return page.redirect(url_for("workflows.show_case", case=case), said)


@route(blueprint, "/cases/chosen", permission=REPAIR, methods=["POST"])
def repair_many() -> Response:
    """Try the chosen cases again, pass over where they are stuck, or give them to somebody: what waits, or lacks people."""
    actor, action = current(), request.form.get("action", "")
    chosen, why = numbers(request.form.getlist("case")), request.form.get("comment", "")
    if not chosen:
        return page.redirect(_back(), M("Nothing was chosen."), "warning")
    if action == "reassign":
        batch = _give(actor, chosen, number("to"), why)
    elif action == "skip":
        batch = try_each(chosen, lambda case: administration.skip(actor, case, why))
    else:
        batch = try_each(chosen, lambda case: administration.resume(actor, case))
    return page.redirect(_back(), *say(batch))


def _give(actor: Actor, chosen: Sequence[int], to: int, why: str) -> Batch:
    """What waits in the chosen cases goes to somebody; where nobody was found they are named."""
    waiting = desk.open_tasks(chosen)
    tasks = [each.id for found in waiting.values() for each in found]
    given = administration.reassign_many(actor, tasks, to, why)
    lacking = desk.list_unasked(chosen)
    named = try_each(
        [each for each in chosen if each in lacking or each not in waiting],
        lambda case: administration.assign(actor, case, to, why),
    )
    return Batch(given.done + named.done, [*given.refused, *named.refused])


def _back() -> str:
    return page.local_path(request.form.get("back"), url_for("workflows.list_cases"))


@route(blueprint, "/cases/hand-over", permission=REPAIR)
def show_hand_over() -> Response:
    """Whose open tasks go to whom."""
    whose = request.args.get("person", type=int)
    return page.render(
        "workflows/hand_over.html",
        people=people.list_people(limit=MOST_PEOPLE, active=None),
        takers=people.list_people(limit=MOST_PEOPLE),
        whose=whose,
        count=administration.count_left(whose) if whose is not None else 0,
    )


@route(blueprint, "/cases/hand-over", permission=REPAIR, methods=["POST"])
def hand_over() -> Response:
    """Give every open task of a person to somebody else."""
    whose = number("person")
    batch = administration.hand_over(current(), whose, number("to"), request.form.get("comment", ""))
    return page.redirect(url_for("workflows.show_hand_over", person=whose), *say(batch))
