"""Who a request comes from, and whether they may do what its route declares."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from flask import Flask, Response, current_app, g, request

from formloop.access import gate, sessions
from formloop.access.actor import Actor
from formloop.core.errors import SignInNeeded
from formloop.web import navigation, routes, viewer

COOKIE = "formloop"
_on_epochs: list[Callable[[int], None]] = []


def on_definitions_epoch(refresh: Callable[[int], None]) -> None:
    """Let `refresh(epoch)` be called with the epoch of the definitions at the start of every request."""
    if refresh not in _on_epochs:
        _on_epochs.append(refresh)


def init_app(app: Flask) -> None:
    """Identify the person at the start of each request and judge the permissions of routes."""
    app.before_request(_identify)
    routes.use_check(_judge)


def _identify() -> None:
    g.actor = None
    if request.endpoint == "static" or request.path.startswith("/static/"):
        return
    bearer = request.headers.get("Authorization", "")
    if request.path.startswith("/api/") and bearer.startswith("Bearer "):
        found = sessions.find_signed_in(bearer.removeprefix("Bearer ").strip(), by_token=True)
    else:
        secret = request.cookies.get(COOKIE)
        found = sessions.find_signed_in(secret) if secret else None
    if found is None:
        return
    gate.refresh(found.access_epoch)
    for refresh in _on_epochs:
        refresh(found.definitions_epoch)
    zone, locale = current_app.config["ZONE"], found.actor.locale or viewer.locale()
    g.actor = replace(found.actor, zone=zone, locale=locale)
    viewer.see_as(g.actor)
    navigation.remember_as((g.actor.person_id, found.epoch, found.access_epoch, found.definitions_epoch))


def _judge(permission: routes.Permission, arguments: Mapping[str, Any]) -> None:
    actor = find_current()
    if actor is None:
        raise SignInNeeded
    if permission == "signed-in":
        return
    if callable(permission):
        permission(**arguments)
    elif isinstance(permission, tuple):
        gate.require(actor, permission[0], permission[1].format_map(arguments))


def find_current() -> Actor | None:
    """Who is signed in, if anybody."""
    actor: Actor | None = g.get("actor")
    return actor


def current() -> Actor:
    """Who is signed in; SignInNeeded when nobody is."""
    actor = find_current()
    if actor is None:
        raise SignInNeeded
    return actor


def keep(response: Response, secret: str) -> Response:
    """Give the browser the secret of its session."""
    response.set_cookie(
        COOKIE,
        secret,
        max_age=sessions.SESSION_DAYS * 24 * 3600,
        secure=request.is_secure,
        httponly=True,
        samesite="Lax",
    )
    return response
