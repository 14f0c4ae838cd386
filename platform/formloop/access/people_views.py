"""Pages to administer people: the list, one person, their roles, sessions and password link."""

from typing import Any

from flask import Blueprint, Response, current_app, request, url_for

from formloop.access import leaving, people, roles, sessions, signing
from formloop.core.errors import Invalid, NotFound, Problem
from formloop.core.text import M
from formloop.db import reading
from formloop.web import page
from formloop.web.routes import may, route

blueprint = Blueprint("people", __name__, url_prefix="/people")
MANAGE = ("manage", "people")
MOST = 200
FIELDS = ("account", "name", "email", "phone")


@route(blueprint, "", permission=MANAGE)
def list_all() -> Response:
    """People by name, filtered by department, role and whether they are active."""
    wanted = {key: request.args.get(key, "") for key in ("q", "role", "department", "state")}
    with reading():
        found = people.list_people(
            wanted["q"].strip(),
            wanted["role"] or None,
            {"inactive": False, "all": None}.get(wanted["state"], True),
            MOST + 1,
            request.args.get("department", type=int),
        )
        return page.render(
            "access/people.html",
            "access/_people.html",
            people=found[:MOST],
            more=len(found) > MOST,
            held=roles.roles_of(row.id for row in found),
            roles={each.key: each for each in roles.list_roles()},
            departments={row.id: row for row in people.list_departments()},
            wanted=wanted,
        )


@route(blueprint, "/new", permission=MANAGE)
def new() -> Response:
    """The form for a new person."""
    return _form(None, {"roles": [], "active": True})


@route(blueprint, "/new", permission=MANAGE, methods=["POST"])
def add() -> Response:
    """Add a person; their page then offers the link by which they choose a password."""
    given = _given()
    try:
        person_id = people.add_person(
            signing.current(),
            given["account"],
            given["name"],
            email=given["email"],
            phone=given["phone"],
            department_id=given["department"],
            roles=given["roles"],
            administrator=given["administrator"],
        )
    except Invalid as error:
        return _form(None, given, error.problems)
    message = M("{name} is added. Make a link so that they can choose a password.", name=given["name"])
    return page.redirect(url_for("people.show", person_id=person_id), message)


@route(blueprint, "/<int:person_id>", permission=MANAGE)
def show(person_id: int) -> Response:
    """One person with everything that can be changed."""
    return _form(person_id)


@route(blueprint, "/<int:person_id>", permission=MANAGE, methods=["POST"])
def change(person_id: int) -> Response:
    """Save a person."""
    given = _given()
    before = people.get_person(person_id)
    problems = people.check_person(given["account"], given["name"], person_id)
    if problems:
        return _form(person_id, given, problems)
    changed: dict[str, Any] = {
        key: given[key] for key in (*FIELDS, "department") if given[key] != before._mapping[key]
    }
    if given["administrator"] != before.administrator:
        changed["administrator"] = given["administrator"]
    if sorted(given["roles"]) != roles.roles_of([person_id])[person_id]:
        changed["roles"] = given["roles"]
    try:
        if changed:
            people.change_person(signing.current(), person_id, **changed)
    except Invalid as error:
        return _form(person_id, given, error.problems)
    return page.redirect(url_for("people.show", person_id=person_id), M("Saved."))


@route(blueprint, "/<int:person_id>/leave", permission=MANAGE)
def ask_leave(person_id: int) -> Response:
    """What a person would leave behind, before they are deactivated."""
    row = people.get_person(person_id)
    left = leaving.list_left(row)
    return page.render("access/leave.html", "access/_leave.html", person=row, left=left)


@route(blueprint, "/<int:person_id>/active", permission=MANAGE, methods=["POST"])
def set_active(person_id: int) -> Response:
    """Let a person in, or keep them out from their next request on."""
    active = request.form.get("active") == "yes"
    row = people.get_person(person_id)
    try:
        people.change_person(signing.current(), person_id, active=active)
    except Invalid as error:
        return page.redirect(url_for("people.show", person_id=person_id), error.message, "danger")
    message = (
        M("{name} can sign in again.", name=row.name)
        if active
        else M("{name} cannot sign in any more. Hand over the tasks that wait for them.", name=row.name)
    )
    return page.redirect(url_for("people.show", person_id=person_id), message)


@route(blueprint, "/<int:person_id>/sessions/end", permission=MANAGE, methods=["POST"])
def end_sessions(person_id: int) -> Response:
    """Sign a person out everywhere."""
    people.get_person(person_id)
    sessions.sign_out_everywhere(signing.current(), person_id)
    return page.redirect(url_for("people.show", person_id=person_id), M("All sessions are ended."))


@route(blueprint, "/<int:person_id>/link", permission=MANAGE, methods=["POST"])
def make_link(person_id: int) -> Response:
    """A one-time link to choose a password; this page is the only one that ever shows it."""
    try:
        secret = sessions.add_password_link(signing.current(), person_id)
    except Invalid as error:
        return page.redirect(url_for("people.show", person_id=person_id), error.message, "danger")
    site = current_app.config["SETTINGS"].public_url or request.host_url
    response = _form(person_id, link=site.rstrip("/") + url_for("access.open_link", secret=secret))
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _given() -> dict[str, Any]:
    form = request.form
    return {
        "account": form.get("account", "").strip().lower()[:80],
        "name": form.get("name", "").strip()[:80],
        "email": form.get("email", "").strip()[:200],
        "phone": form.get("phone", "").strip()[:40],
        "department": form.get("department", type=int),
        "roles": sorted(set(form.getlist("roles"))),
        "administrator": form.get("administrator") == "yes",
    }


def _form(
    person_id: int | None,
    given: dict[str, Any] | None = None,
    problems: list[Problem] | None = None,
    link: str = "",
) -> Response:
    with reading():
        row = people.get_person(person_id) if person_id is not None else None
        if row is None and person_id is not None:
            raise NotFound
        held = roles.roles_of([person_id])[person_id] if person_id is not None else []
        values = given or ({**row._mapping, "roles": held} if row is not None else {})
        every = roles.list_roles()
        heads = people.heads_above(person_id) if person_id is not None else []
        return page.render(
            "access/person.html",
            status=422 if problems else 200,
            person=row,
            values=values,
            roles=every,
            # roles whose definition is not here (yet) are kept, not lost by saving
            strange=[key for key in values["roles"] if key not in {each.key for each in every}],
            departments=people.list_departments(),
            heads=[people.names_of(heads)[each] for each in heads if each in people.names_of(heads)],
            sessions=sessions.list_sessions(person_id) if person_id is not None else [],
            problems=problems or [],
            wrong={each.at: each.message for each in problems or ()},
            link=link,
            may_audit=may(("manage", "audit")),
            # of who is active it is asked when they are to be deactivated
            left=leaving.list_left(row) if row is not None and not row.active else [],
        )
