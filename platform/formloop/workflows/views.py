"""The room's place in menus and on the start page, and what a record's own page says about its approval."""

from typing import Any

from flask import Flask, request, url_for

from formloop.access import gate, people
from formloop.access import leaving as access_leaving
from formloop.access.actor import Actor
from formloop.access.signing import current
from formloop.core.text import M, Message
from formloop.db import reading
from formloop.definitions import library
from formloop.definitions import service as definitions
from formloop.definitions import views as definition_views
from formloop.forms import fill_in, list_views
from formloop.forms import kind as form_kind
from formloop.forms import views as forms_views
from formloop.forms.spec import FormSpec, Values
from formloop.web import navigation, viewer
from formloop.workflows import (
    carrying,
    case_views,
    cases,
    delegation_views,
    desk,
    desk_views,
    diagram,
    hearing,
    hiding,
    in_notices,
    in_use,
    inbox,
    inbox_views,
    leaving,
    publisher_rights,
    removed,
    sight,
    simulation_views,
    task_page,
    task_views,
    timeline,
    version_views,
    watching,
)
from formloop.workflows.amendments import proposals
from formloop.workflows.amendments import views as amendment_views
from formloop.workflows.kind import find_workflow, get_version, list_under_way
from formloop.workflows.pages import MOST_PEOPLE, STATUS, blueprint
from formloop.workflows.partaking import takes_part
from formloop.workflows.standing import list_states
from formloop.workflows.state import ENDED

PAGES = (
    inbox_views,
    task_views,
    case_views,
    desk_views,
    delegation_views,
    simulation_views,
    version_views,
    amendment_views,
    in_notices,
)


ENTRIES = {
    "inbox": navigation.Entry(
        M("To do"),
        "inbox",
        "workflows.show_inbox",
        10,
        navigation.WORK,
        badge=inbox.COUNT_TODO,
        urgent=True,
        phone=True,
    ),
    "cases": navigation.Entry(
        M("Approvals to repair"),
        "arrows-exchange",
        "workflows.list_cases",
        310,
        navigation.SITE,
        permission=desk_views.REPAIR,
        badge=desk.COUNT_STUCK,
        urgent=True,
    ),
    "days": navigation.Entry(
        M("Working days"),
        "calendar",
        "workflows.list_days",
        320,
        navigation.SITE,
        permission=("manage", "site"),
    ),
}


def init_app(app: Flask) -> None:
    """Add the room's pages, the inbox with its count to the menu, and its part of every record's page."""
    app.register_blueprint(blueprint)
    hearing.start()
    carrying.start()
    hiding.start()
    removed.start()
    publisher_rights.enroll()
    if list_under_way not in form_kind.looks:
        form_kind.looks.append(list_under_way)
    if "workflows" not in access_leaving.rooms:
        access_leaving.rooms.add("workflows", leaving.list_left)
    if "workflow" not in definition_views.openers:
        definition_views.openers.add("workflow", _list_of)
    with app.app_context():
        watching.plan()
    if "inbox" not in navigation.navigation:
        _join_menus()
        _join_pages()


def _join_menus() -> None:
    """The room's lines in the menus, and the inbox on the start page."""
    for key, entry in ENTRIES.items():
        navigation.navigation.add(key, entry)
    deputies = navigation.Entry(M("My deputy"), "users", "workflows.list_deputies", order=56)
    navigation.person_menu.add("deputies", deputies)
    navigation.home.add("inbox", navigation.Slot("workflows/_home.html", _home, order=100))


def _join_pages() -> None:
    """The room's parts of the pages of definitions, of what is being filled in, and of records."""
    definition_views.links.add("workflow", _links)
    definition_views.standing.add("workflow", _standing)
    definition_views.followups.add("workflow", version_views.follow)
    if simulation_views.play_tool not in fill_in.tools:
        fill_in.tools.append(simulation_views.play_tool)
    forms_views.record_panels += [
        _submit_panel,
        amendment_views.chance_panel,
        _way_panel,
        amendment_views.changes_panel,
    ]


def _list_of(workflow: str) -> str | None:
    """The list of the records that a workflow is about."""
    return list_views.list_url(library.published("workflow", workflow).form)


def _links(definition: definitions.Definition) -> list[definition_views.Link]:
    """From the page of a workflow: play a case of it, and see its running ones by version."""
    found, key = [], definition.key
    if library.published("workflow", key).amends is None and _list_of(key):
        found.append((M("Play a case"), "player-play", url_for("workflows.show_play", workflow=key)))
    if gate.allows(current(), "repair", "site"):
        running = url_for("workflows.show_versions", workflow=key)
        found.append((M("Versions of running ones"), "git-branch", running))
    return found


def _standing(definition: definitions.Definition) -> Message | None:
    """What the page of a workflow says of its running cases, before and after it is taken out of use."""
    with reading() as conn:
        count = len(list_states(conn, definition.key))
    if not count:
        return None
    if definition.archived:
        return M(
            "Out of use: {count} running {count:approval goes on to its|approvals go on to their} end. No new ones begin.",
            count=count,
        )
    return M(
        "{count} {count:approval is|approvals are} running. Out of use, they go on to their end and no new ones begin.",
        count=count,
    )


def _home() -> dict[str, Any] | None:
    actor = current()
    found = inbox.list_tab(actor, "todo", viewer.locale(), limit=5)
    return {"rows": found.rows, "count": inbox.count_todo(actor), "status": STATUS}


def _submit_panel(actor: Actor, spec: FormSpec, record: Values) -> tuple[str, dict[str, Any]] | None:
    """On top of a record's page: submit it, or see that it is under approval."""
    running = cases.find_open(spec.key, record["id"])
    workflow = find_workflow(spec.key) if running is None else get_version(running.workflow, running.version)
    if workflow is None or (
        running is not None and workflow.amends is not None and running.status == "returned"
    ):
        return None  # a proposed change that came back is renewed otherwise
    picks = task_page.picks_of(workflow, None, viewer.locale())
    shown = {
        "place": "top",
        "spec": spec,
        "record": record,
        "picks": picks,
        "people": people.list_people(limit=MOST_PEOPLE) if picks else [],
    }
    if running is None:
        ready = record["state"] in in_use.free_states(spec)
        if not ready or not sight.gives_row(actor, "submit", spec, record["id"]):
            return None
        return "workflows/_submit.html", {**shown, "again": False}
    if running.status == "returned":
        if cases.find_own_task(running.id, actor.person_id) is None:
            return None
        back = timeline.find_return(running, viewer.locale())
        return "workflows/_submit.html", {**shown, "again": True, "back": back}
    mine = cases.find_own_task(running.id, actor.person_id)
    stop = timeline.find_stop(running.id, viewer.locale()) if running.status == "stuck" else ""
    if mine is None and not stop:
        return None
    return "workflows/_waits.html", {"place": "top", "task": mine.id if mine else None, "stop": stop}


def _way_panel(actor: Actor, spec: FormSpec, record: Values) -> tuple[str, dict[str, Any]] | None:
    """Below a record: the way of its latest case."""
    known = cases.list_cases(spec.key, record["id"])
    running_now = [each for each in known if each.status not in ENDED]
    own = [each for each in known if get_version(each.workflow, each.version).amends is None]
    found = next(iter([*running_now, *own]), None)
    if found is None:
        return None
    running, repairs = found.status not in ENDED, gate.allows(actor, "repair", "site")
    part = running and takes_part(actor, found)
    return "workflows/_way_panel.html", {
        "place": "bottom",
        "case": found,
        "changes": found not in own,
        "cancels": proposals.cancels(get_version(found.workflow, found.version), found.id),
        "way": timeline.build(found, viewer.locale()),
        "tree": diagram.draw(found, viewer.locale()),
        "status": STATUS[found.status],
        "may": task_page.list_allowed(actor, found),
        "may_repair": repairs,
        "may_resume": found.status == "stuck" and repairs,
        "may_comment": running,
        "people": people.list_people(limit=MOST_PEOPLE) if part else [],
        "back": request.full_path.rstrip("?"),
    }
