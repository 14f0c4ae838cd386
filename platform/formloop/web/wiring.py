"""Puts the shell into a Flask application, in the order in which requests pass through it."""

from flask import Flask, request

from formloop.settings import Settings
from formloop.web import faults, health, navigation, security, start, statics, tracing, viewer, words
from formloop.web.routes import require_declared

__all__ = ["init_app", "require_declared"]


def init_app(app: Flask, settings: Settings) -> None:
    """Add the shell to `app`; `require_declared(app)` belongs after the last room."""
    health.init_app(app)
    tracing.init_app(app)
    app.before_request(lambda: viewer.see_as(_guest(settings)))
    security.init_app(app, settings)
    words.init_app(app)
    faults.init_app(app)
    statics.init_app(app, settings.statics)
    app.register_blueprint(start.blueprint)
    app.jinja_env.globals.update(
        draw_menu_link=navigation.draw_link,
        list_navigation=navigation.list_shown,
        list_person_menu=lambda: navigation.list_shown(navigation.person_menu),
        find_search=navigation.find_search,
        list_companions=lambda: navigation.list_slots(navigation.companions),
    )


def _guest(settings: Settings) -> viewer.Guest:
    theme = request.cookies.get(start.COOKIES["theme"], "auto")
    accepted = [tag for tag, _quality in request.accept_languages]
    return viewer.Guest(
        locale=viewer.choose_locale(request.cookies.get(start.COOKIES["locale"]), accepted, settings.locale),
        zone=settings.zone,
        theme=theme if theme in viewer.THEMES else "auto",
    )
