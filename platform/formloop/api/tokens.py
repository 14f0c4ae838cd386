"""A person's own tokens: each is shown once, when it is made, and can be revoked at any time."""

from typing import Any

from flask import Blueprint, Flask, Response, request, url_for
from sqlalchemy import select
from sqlalchemy.engine import Row

from formloop.access import sessions
from formloop.access.actor import Actor
from formloop.access.signing import current
from formloop.access.tables import token
from formloop.core import clock
from formloop.core.errors import Invalid, Problem
from formloop.core.text import M
from formloop.db import reading
from formloop.web import navigation, page
from formloop.web.routes import route

blueprint = Blueprint("tokens", __name__, url_prefix="/me/tokens")
DAYS = (30, 90, 365)


def init_app(app: Flask) -> None:
    """Add the page and its entry in the person's menu."""
    app.register_blueprint(blueprint)
    if "tokens" not in navigation.person_menu:
        entry = navigation.Entry(M("API tokens"), "api", "tokens.list_own", order=60)
        navigation.person_menu.add("tokens", entry)


def list_tokens(actor: Actor) -> list[Row[Any]]:
    """The tokens of a person that still work, newest first."""
    query = select(token.c.id, token.c.name, token.c.made_at, token.c.used_at, token.c.ends_at).where(
        token.c.person == actor.person_id,
        ~token.c.revoked,
        token.c.ends_at.is_(None) | (token.c.ends_at > clock.now()),
    )
    with reading() as conn:
        return list(conn.execute(query.order_by(token.c.id.desc())))


@route(blueprint, "", permission="signed-in")
def list_own() -> Response:
    """One's own tokens, and the form for a new one."""
    return _page()


@route(blueprint, "", permission="signed-in", methods=["POST"])
def add() -> Response:
    """A new token; the only page that ever shows its secret."""
    days = request.form.get("days", type=int)
    try:
        secret = sessions.add_token(
            current(), request.form.get("name", "")[:80], days if days in DAYS else DAYS[1]
        )
    except Invalid as error:
        return _page(problems=error.problems, status=422)
    response = _page(secret=secret, status=201)
    response.headers["Cache-Control"] = "private, no-store"
    return response


@route(blueprint, "/<int:token_id>/revoke", permission="signed-in", methods=["POST"])
def revoke(token_id: int) -> Response:
    """Make a token useless at once."""
    sessions.revoke_token(current(), token_id)
    return page.redirect(url_for("tokens.list_own"), M("The token does not work any more."))


def _page(secret: str | None = None, problems: list[Problem] | None = None, status: int = 200) -> Response:
    return page.render(
        "api/tokens.html",
        status=status,
        tokens=list_tokens(current()),
        secret=secret,
        problems=problems or [],
        days=DAYS,
        name=request.form.get("name", "") if problems else "",
    )
