"""The web process of a site: gunicorn, or waitress on Windows, until told to stop."""

import gc
import sys
from collections.abc import Callable
from typing import Any

import click
from flask import Flask

from formloop import db
from formloop.access import sessions
from formloop.app import create_app
from formloop.core import clock
from formloop.core.text import M
from formloop.db.migrations import take_node
from formloop.settings import Settings
from formloop.terminal import tell
from formloop.web.pacing import in_turn
from formloop.web.tracing import start_logging


def run(settings: Settings, host: str, port: int, processes: int, threads: int) -> None:
    """Answer requests; SIGTERM lets those under way finish."""
    start_logging()
    app = create_app(settings)

    def ready(_server: object = None) -> None:
        _welcome(app, settings, f"http://{host}:{port}")

    if sys.platform == "win32":
        ready()
        _serve_on_windows(app, host, port, threads)
    else:
        _serve(app, {**_options(host, port, processes, threads), "when_ready": ready})


def _welcome(app: Flask, settings: Settings, address: str) -> None:
    """Say where the site is, once it listens there."""
    click.echo()
    tell(M("Formloop is ready: {address}", address=address))
    with app.app_context():
        if settings.demo:
            tell(M("Sign in as one of the demo's people with one click."))
        elif sessions.needs_administrator():
            link = sessions.add_link("first_administrator")
            link = f"{address}/link/{link}"
            tell(M("First administrator, once, within 48 hours: {link}", link=link))
    click.echo()


def _serve(app: Flask, options: dict[str, Any]) -> None:
    from gunicorn.app.base import BaseApplication  # not importable on Windows

    class Server(BaseApplication):
        def load_config(self) -> None:
            for name, value in options.items():
                self.cfg.set(name, value)

        def load(self) -> Callable[..., Any]:
            return in_turn(app.wsgi_app)

    Server().run()


def _options(host: str, port: int, processes: int, threads: int) -> dict[str, Any]:
    return {
        "bind": f"{host}:{port}",
        "workers": processes,
        "threads": threads,
        "worker_class": "gthread",
        "preload_app": True,
        "post_fork": _after_fork,
        "limit_request_line": 8190,  # the most it takes: lists carry their filters in their address
        "graceful_timeout": 25,
        "timeout": 120,
        "keepalive": 30,
        "loglevel": "warning",
        "control_socket_disable": True,
    }


def _after_fork(_server: Any, _worker: Any) -> None:
    """Each web process has connections and a node number of its own."""
    db.engine().dispose(close=False)
    with db.begin_writing(db.engine()) as conn:
        clock.set_node(take_node(conn))
    gc.collect()
    gc.freeze()  # what was loaded stays; looking through it for what can go would hold requests up for 70 ms


def _serve_on_windows(app: Flask, host: str, port: int, threads: int) -> None:
    from waitress import serve as waitress_serve

    waitress_serve(app, host=host, port=port, threads=threads)
