"""The departments as a tree, each with its head."""

from typing import Any

from flask import Blueprint, Response, request, url_for
from sqlalchemy import func, select
from sqlalchemy.engine import Row

from formloop.access import people, signing
from formloop.access.tables import person
from formloop.core.errors import Invalid, NotFound, Problem
from formloop.core.text import M
from formloop.db import reading
from formloop.web import page
from formloop.web.routes import route

blueprint = Blueprint("departments", __name__, url_prefix="/departments")
MANAGE = ("manage", "people")


@route(blueprint, "", permission=MANAGE)
def list_all() -> Response:
    """The whole tree."""
    with reading() as conn:
        rows = people.list_departments()
        counted = select(person.c.department, func.count().label("members")).where(person.c.active)
        members = {r.department: r.members for r in conn.execute(counted.group_by(person.c.department))}
        heads = people.names_of(row.head for row in rows if row.head is not None)
        return page.render("access/departments.html", tree=list_tree(rows), members=members, heads=heads)


def list_tree(rows: list[Row[Any]]) -> list[tuple[Row[Any], int]]:
    """The departments in the order of the tree, each with its depth."""
    below: dict[int | None, list[Row[Any]]] = {}
    known = {row.id for row in rows}
    for row in rows:
        below.setdefault(row.parent if row.parent in known else None, []).append(row)
    found: list[tuple[Row[Any], int]] = []

    def walk(parent: int | None, depth: int) -> None:
        for row in below.get(parent, ()):
            found.append((row, depth))
            walk(row.id, depth + 1)

    walk(None, 0)
    return found


@route(blueprint, "/new", permission=MANAGE)
def new() -> Response:
    """The form for a new department."""
    return _form(None, {"parent": request.args.get("parent", type=int)})


@route(blueprint, "/new", permission=MANAGE, methods=["POST"])
def add() -> Response:
    """Add a department."""
    given = _given()
    try:
        people.add_department(
            signing.current(),
            request.form.get("key", "")[:41],
            given["name"],
            name_zh=given["name_zh"],
            parent=given["parent"],
            head=given["head"],
        )
    except Invalid as error:
        return _form(None, given, error.problems)
    return page.redirect(url_for("departments.list_all"), M("Saved."))


@route(blueprint, "/<int:department_id>", permission=MANAGE)
def show(department_id: int) -> Response:
    """One department."""
    return _form(department_id)


@route(blueprint, "/<int:department_id>", permission=MANAGE, methods=["POST"])
def change(department_id: int) -> Response:
    """Save a department: its names, what it stands below, its head."""
    given = _given()
    try:
        people.change_department(signing.current(), department_id, **given)
    except Invalid as error:
        return _form(department_id, given, error.problems)
    return page.redirect(url_for("departments.list_all"), M("Saved."))


@route(blueprint, "/<int:department_id>/archive", permission=MANAGE, methods=["POST"])
def archive(department_id: int) -> Response:
    """Take an empty department out of use."""
    try:
        people.change_department(signing.current(), department_id, archived=True)
    except Invalid as error:
        return page.redirect(url_for("departments.list_all"), error.message, "danger")
    return page.redirect(url_for("departments.list_all"), M("The department is out of use."))


def _given() -> dict[str, Any]:
    form = request.form
    return {
        "name": form.get("name", "").strip()[:80],
        "name_zh": form.get("name_zh", "").strip()[:80],
        "parent": form.get("parent", type=int),
        "head": form.get("head", type=int),
    }


def _form(
    department_id: int | None, given: dict[str, Any] | None = None, problems: list[Problem] | None = None
) -> Response:
    with reading():
        rows = people.list_departments()
        row = next((each for each in rows if each.id == department_id), None)
        if row is None and department_id is not None:
            raise NotFound
        return page.render(
            "access/department.html",
            status=422 if problems else 200,
            department=row,
            values=given or (row._mapping if row is not None else {}),
            tree=[(each, depth) for each, depth in list_tree(rows) if each.id != department_id],
            people=people.list_people(limit=5_000),
            problems=problems or [],
            wrong={each.at: each.message for each in problems or ()},
        )
