"""Pages: who stands in for me, and which days are worked on."""

from datetime import date

from flask import Response, request, url_for

from formloop.access import gate, people
from formloop.access.actor import Actor
from formloop.access.signing import current
from formloop.core.errors import Invalid, Problem
from formloop.core.text import M
from formloop.web import page
from formloop.web.routes import route
from formloop.workflows import calendar, delegations
from formloop.workflows.pages import MOST_PEOPLE, blueprint, number


@route(blueprint, "/deputies", permission="signed-in")
def list_deputies() -> Response:
    """Who stands in for a person and when: oneself, or for administrators anybody."""
    return _deputies_page(current(), _whose(current()), [])


def _whose(actor: Actor) -> int:
    asked = request.values.get("person", type=int)
    mine = actor.person_id or 0
    return asked if asked is not None and gate.allows(actor, "repair", "site") else mine


def _deputies_page(actor: Actor, whose: int, problems: list[Problem], status: int = 200) -> Response:
    found = delegations.list_of(whose)
    return page.render(
        "workflows/deputies.html",
        status=status,
        found=found,
        names=people.names_of({whose, *(each.deputy for each in found)}),
        whose=whose,
        people=people.list_people(limit=MOST_PEOPLE),
        may_choose=gate.allows(actor, "repair", "site"),
        problem={each.at: each.message for each in problems},
        given=request.form,
    )


@route(blueprint, "/deputies", permission="signed-in", methods=["POST"])
def add_deputy() -> Response:
    """Let somebody stand in from day to day."""
    actor = current()
    whose, deputy = _whose(actor), number("deputy")
    days = [_day(request.form.get(name, "")) for name in ("first", "last")]
    missing = [name for name, day in zip(("first", "last"), days, strict=True) if day is None]
    try:
        if missing:
            raise Invalid([Problem("day", name, M("Please choose a day.")) for name in missing])
        delegations.add(actor, whose, deputy, days[0] or date.min, days[1] or date.min)
    except Invalid as error:
        return _deputies_page(actor, whose, error.problems, 422)
    return page.redirect(url_for("workflows.list_deputies", person=request.form.get("person")), M("Saved."))


@route(blueprint, "/deputies/<int:delegation>/remove", permission="signed-in", methods=["POST"])
def remove_deputy(delegation: int) -> Response:
    """End it."""
    delegations.remove(current(), delegation)
    return page.redirect(url_for("workflows.list_deputies", person=request.form.get("person")), M("Ended."))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


@route(blueprint, "/working-days", permission=("manage", "site"))
def list_days() -> Response:
    """Days that are not as their weekday says."""
    return page.render("workflows/working_days.html", days=sorted(calendar.list_days().items(), reverse=True))


@route(blueprint, "/working-days", permission=("manage", "site"), methods=["POST"])
def set_day() -> Response:
    """Say whether a day is worked on, or leave it to its weekday again."""
    day, works = _day(request.form.get("day", "")), request.form.get("works", "")
    if day is None:
        return page.redirect(url_for("workflows.list_days"), M("Please choose a day."), "warning")
    calendar.set_day(current(), day, {"yes": True, "no": False}.get(works))
    return page.redirect(url_for("workflows.list_days"), M("Saved."))
