"""`formloop serve`: web processes, the site's own queue server, and a worker beside them."""

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from flask import Flask

from formloop import db
from formloop.access import sessions
from formloop.app import create_app
from formloop.core import clock
from formloop.db.migrations import take_node
from formloop.events import queue
from formloop.settings import Settings
from formloop.web.tracing import start_logging

_log = logging.getLogger("formloop.serving")


def serve(
    settings: Settings, host: str, port: int, processes: int | None, threads: int, with_worker: bool = True
) -> None:
    """Serve until told to stop; SIGTERM lets requests and deliveries under way finish."""
    if not settings.public_url and host not in ("127.0.0.1", "localhost", "::1"):
        sys.exit("Set FORMLOOP_PUBLIC_URL to the address people use before listening beyond this machine.")
    start_logging()
    server = queue.start_server(settings)
    app = create_app(settings)
    worker = _start_worker() if with_worker else None
    address = f"http://{host}:{port}"
    _welcome(app, settings, address)
    try:
        if sys.platform == "win32":
            _serve_on_windows(app, host, port, threads)
        else:
            _serve(app, host, port, processes or (1 if settings.on_sqlite else 2), threads)
    finally:
        if worker is not None:
            worker.send_signal(signal.SIGTERM)
            worker.wait(timeout=30)
        if server is not None:
            server.stop()


def _start_worker() -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-m", "formloop.cli", "worker"], env=dict(os.environ))


def _welcome(app: Flask, settings: Settings, address: str) -> None:
    print(f"\nFormloop is ready: {address}", flush=True)
    with app.app_context():
        if settings.demo:
            print("Sign in as one of the demo's people with one click.\n", flush=True)
        elif sessions.needs_administrator():
            link = sessions.add_link("first_administrator")
            print(f"First administrator, once, within 48 hours: {address}/link/{link}\n", flush=True)


def _serve(app: Flask, host: str, port: int, processes: int, threads: int) -> None:
    from gunicorn.app.base import BaseApplication  # not importable on Windows

    class Server(BaseApplication):
        def load_config(self) -> None:
            for name, value in _options(host, port, processes, threads).items():
                self.cfg.set(name, value)

        def load(self) -> Callable[..., Any]:
            return app

    Server().run()


def _options(host: str, port: int, processes: int, threads: int) -> dict[str, Any]:
    return {
        "bind": f"{host}:{port}",
        "workers": processes,
        "threads": threads,
        "worker_class": "gthread",
        "preload_app": True,
        "post_fork": _after_fork,
        "graceful_timeout": 25,
        "timeout": 120,
        "keepalive": 30,
        "loglevel": "warning",
        "control_socket_disable": True,
    }


def _after_fork(_server: Any, _worker: Any) -> None:
    """Each web process has connections and a node number of its own."""
    db.engine().dispose(close=False)
    with db.engine().connect().execution_options(writes=True) as conn, conn.begin():
        clock.set_node(take_node(conn))


def _serve_on_windows(app: Flask, host: str, port: int, threads: int) -> None:
    from waitress import serve as waitress_serve

    waitress_serve(app, host=host, port=port, threads=threads)
