"""What roles grant, in sentences, and why a person can or cannot do something."""

from flask import Blueprint, Response, current_app, request, url_for

from formloop.access import people, roles, signing, why, words
from formloop.access.actor import get_actor
from formloop.access.gate import RECORD_ACTIONS, SITE_ACTIONS, Grant
from formloop.core import clock
from formloop.core.errors import NotFound
from formloop.core.text import M, join_words
from formloop.db import reading
from formloop.web import page
from formloop.web.routes import route
from formloop.web.viewer import locale

blueprint = Blueprint("rights", __name__)
MANAGE = ("manage", "people")


@route(blueprint, "/roles", permission=MANAGE)
def list_roles() -> Response:
    """Every role with its grants as sentences."""
    with reading():
        return page.render(
            "access/roles.html",
            roles=roles.list_roles(),
            parts=parts_of,
            definition_url=definition_url,
        )


def parts_of(grant: Grant) -> dict[str, str]:
    """A grant in words: on what, which actions, which rows, which fields."""
    said = locale()

    def names(fields: frozenset[str]) -> str:
        return join_words((why.field_title(grant.resource, each, said) for each in sorted(fields)), said)

    if "*" not in grant.fields:
        fields = M("only the fields {fields}", fields=names(grant.fields)).render(said)
    elif grant.except_fields:
        fields = M("all fields except {fields}", fields=names(grant.except_fields)).render(said)
    else:
        fields = ""
    return {
        "resource": why.title_of(grant.resource, said),
        "actions": words.list_actions(grant.actions, said),
        "rows": grant.condition or "",
        "fields": fields,
    }


def definition_url(definition: str) -> str | None:
    """The page of a role's definition, on sites that have one and for those who may open it."""
    if "definitions.history" not in current_app.view_functions:
        return None
    return url_for("definitions.history", definition_id=definition)


@route(blueprint, "/why", permission=MANAGE)
def ask() -> Response:
    """Why this person can or cannot do this: the question and, once asked, the answer."""
    asked = {key: request.args.get(key, "").strip() for key in ("person", "action", "resource", "record")}
    said = locale()
    forms = [each for room in why.explainers for each in room.list_resources(said)]
    with reading():
        answer = _answer(asked) if asked["person"] and asked["action"] and asked["resource"] else None
        return page.render(
            "access/why.html",
            "access/_why.html",
            asked=asked,
            answer=answer,
            people=people.list_people(active=None, limit=5_000),
            forms=forms,
            site=words.SITE_TITLES,
            record_actions=[(each, words.action_title(each)) for each in RECORD_ACTIONS],
            site_actions=[(each, words.action_title(each)) for each in SITE_ACTIONS],
            parts=parts_of,
            roles={each.key: each for each in roles.list_roles()},
            definition_url=definition_url,
        )


def _answer(asked: dict[str, str]) -> why.Explanation:
    person = people.get_person(clock.find_id(asked["person"]) or 0)
    if not person.active:
        return why.Explanation(False, M("{name} is not active and cannot sign in.", name=person.name))
    try:
        return why.explain(
            signing.current(),
            get_actor(person.id),
            asked["action"],
            asked["resource"],
            asked["record"],
            locale(),
        )
    except NotFound as error:
        return why.Explanation(False, error.message)
