"""The page of guided tours, and the box that goes along with whoever takes one."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, request, session, url_for

from formloop.access import signing
from formloop.core.text import M, Message
from formloop.studio import tours
from formloop.web import navigation, page, viewer
from formloop.web.routes import route

blueprint = Blueprint("studio_tours", __name__, url_prefix="/studio/tours")
DESIGN = ("design", "definition")
TAKEN = "tour"  # the tour under way, in the session of the browser


def enroll() -> None:
    """Add the tours to the menu, and their box to every page."""
    if "studio_tours" not in navigation.navigation:
        entry = navigation.Entry(
            M("Guided tours"),
            "school",
            "studio_tours.list_all",
            order=290,
            group=navigation.BUILD,
            permission=DESIGN,
        )
        navigation.navigation.add("studio_tours", entry)
        navigation.companions.add("studio_tours", navigation.Slot("studio/_tour.html", _under_way))


@route(blueprint, "", permission=DESIGN)
def list_all() -> Response:
    """All tours, with how far the person has come."""
    progress = tours.list_progress(signing.current())
    steps = [(each, progress[each.name].step if each.name in progress else None) for each in tours.tours]
    return page.render("studio/tours.html", tours=steps)


@route(blueprint, "/<name>", permission=DESIGN, methods=["POST"])
def start(name: str) -> Response:
    """Take a tour, from the beginning or from where it was left."""
    tour, progress = tours.tours.get(name), tours.list_progress(signing.current()).get(name)
    if "again" in request.form:
        tours.keep_progress(signing.current(), name, 0)
        progress = None
    session[TAKEN] = name
    return page.redirect(progress.page if progress and progress.page else url_for(tour.start, **tour.values))


@route(blueprint, "/<name>/step", permission=DESIGN, methods=["POST"])
def step(name: str) -> Response:
    """Remember the step; a tour that is done, or left, goes along no longer."""
    number = request.form.get("step", 0, type=int)
    there = page.local_path(request.form.get("page"), "")
    tours.keep_progress(signing.current(), name, number, there[:500])
    if "leave" in request.form or number >= len(tours.tours.get(name).steps):
        session.pop(TAKEN, None)
    return Response(status=204)


def _under_way() -> Mapping[str, Any] | None:
    tour = tours.tours.find(session.get(TAKEN, ""))
    if tour is None:
        return None
    progress = tours.list_progress(signing.current()).get(tour.name)
    number = min(progress.step if progress else 0, len(tour.steps) - 1)
    return {"tour": tour, "number": number, "words": _words}


def _words(message: Message) -> list[str]:
    """A sentence in parts: every second one is *what stands on the screen*."""
    return message.render(viewer.locale()).split("*")
