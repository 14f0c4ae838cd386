"""Pages of running cases and versions: where they stand, and what becomes of those of older versions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response, request, url_for

from formloop.access import gate, people
from formloop.access.signing import current
from formloop.core.text import M, Message, Titled
from formloop.definitions import library
from formloop.definitions import service as definitions
from formloop.definitions import views as definition_views
from formloop.web import page, viewer
from formloop.web.routes import route
from formloop.workflows import cases, desk, moving
from formloop.workflows.batches import say
from formloop.workflows.desk_views import REPAIR
from formloop.workflows.kind import get_version
from formloop.workflows.pages import blueprint
from formloop.workflows.spec import Workflow
from formloop.workflows.standing import count_running
from formloop.workflows.timeline import listed

NAMED = 3  # cases that are named of those with which the same would happen


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a move would come to for some cases that stand alike; `named` are the first of them."""

    count: int
    version: int
    step: str
    said: Message
    stays: bool
    named: list[desk.Item]


@route(blueprint, "/cases/versions/<workflow>", permission=REPAIR)
def show_versions(workflow: str) -> Response:
    """How many running cases wait at each step, by version, and what may become of those of older versions."""
    return _versions_page(workflow, None)


def _versions_page(
    key: str, moves: list[moving.Move] | None, mapping: Mapping[str, str] | None = None
) -> Response:
    locale = viewer.locale()
    new: Workflow = library.published("workflow", key)
    waiting = [
        (each, get_version(key, each.version).steps.get(each.step)) for each in moving.list_waiting(key)
    ]
    options = [(each.id, each.title(locale)) for each in new.steps.values()]
    branches = [
        (b.id, Titled(b.document, b.id).render(locale)) for s in new.steps.values() for b in s.branches
    ]
    return page.render(
        "workflows/versions.html",
        key=key,
        title=new.title(locale),
        version=new.version,
        definition=new.id,
        waiting=[(w.version, w.step, s.title(locale) if s else "", w.count) for w, s in waiting],
        lost=[
            (each.id, each.called.render(locale), branches if each.branch else options)
            for each in moving.list_lost(key)
        ],
        mapping=mapping or {},
        foreseen=_foreseen(key, moves, locale) if moves is not None else None,
        older=moving.count_older(key),
    )


def _foreseen(key: str, moves: Sequence[moving.Move], locale: str) -> list[Foreseen]:
    """What would happen, once for all cases with which the same would."""
    alike: dict[Any, list[moving.Move]] = {}
    for each in moves:
        reasons = tuple(problem.render(locale) for problem in each.problems)
        alike.setdefault((each.version, each.step, reasons, each.asked, each.left), []).append(each)
    rows = cases.list_by_id([each.case for some in alike.values() for each in some[:NAMED]])
    items = {each.id: each for each in desk.describe(current(), rows, locale)}
    names = people.names_of(p for each in moves for p in (*each.asked, *each.left))
    found = []
    for some in alike.values():
        step = get_version(key, some[0].version).steps.get(some[0].step)
        title = step.title(locale) if step is not None else ""
        named = [items[each.case] for each in some[:NAMED] if each.case in items]
        said = _said(some[0], names)
        found.append(Foreseen(len(some), some[0].version, title, said, bool(some[0].problems), named))
    return found


def _said(move: moving.Move, names: Mapping[int, str]) -> Message:
    asked, left = (listed([names.get(each, "") for each in who]) for who in (move.asked, move.left))
    if move.problems:
        return move.problems[0]
    if asked and left:
        return M("Asks {asked} from now on, and {left} no longer.", asked=asked, left=left)
    if asked:
        return M("Asks {asked} from now on.", asked=asked)
    return M("No longer asks {left}.", left=left) if left else M("Asks the same people.")


@route(blueprint, "/cases/versions/<workflow>", permission=REPAIR, methods=["POST"])
def move_versions(workflow: str) -> Response:
    """Try to move the running cases of older versions, move those that fit, or let all of them begin again."""
    actor, action, here = (
        current(),
        request.form.get("action"),
        url_for("workflows.show_versions", workflow=workflow),
    )
    if action == "restart":
        batch = moving.restart_cases(actor, workflow, request.form.get("comment", ""))
        return page.redirect(here, *say(batch, M("{count} begun again.")))
    mapping = {
        name.removeprefix("map."): value
        for name, value in request.form.items()
        if name.startswith("map.") and value
    }
    if action != "move":
        return _versions_page(workflow, moving.try_move(actor, workflow, mapping), mapping)
    moves = moving.move_cases(actor, workflow, mapping)
    stayed = sum(1 for each in moves if each.problems)
    said = M("{count} moved, {stayed} stay as they are.", count=len(moves) - stayed, stayed=stayed)
    return page.redirect(here, said)


def follow(definition: definitions.Definition) -> definition_views.Followup | None:
    """What is to be chosen for running cases once another version of their workflow is published."""
    count = count_running(definition.key) if definition.version is not None else 0
    if not count:
        return None
    if gate.allows(current(), "repair", "site"):
        return definition_views.Followup(
            M(
                "Once it is published you choose what becomes of them: they finish as they began, move, or begin again."
            ),
            M(
                "{count} {count:approval is|approvals are} running. Choose what becomes of those of older versions.",
                count=count,
            ),
            url_for("workflows.show_versions", workflow=definition.key),
        )
    names = people.names_of(gate.list_holders("repair", "site"))
    who = listed(sorted(names.values()))
    text = M(
        "They finish as they began, unless they are moved or begun again. Who may do that: {people}",
        people=who,
    )
    return definition_views.Followup(text, text, None)
