"""`formloop serve`: the processes of a site on this machine, kept running.

Loads nothing of the site itself, so that the processes it starts are ready sooner and it stays small.
"""

import socket
import sys

from formloop.core.errors import Invalid, Problem, Unavailable
from formloop.core.text import M
from formloop.events import queue_server
from formloop.settings import Settings
from formloop.supervising import Part, keep_running


def serve(
    settings: Settings, host: str, port: int, processes: int, threads: int, with_worker: bool = True
) -> None:
    """Serve until told to stop; SIGTERM lets requests and deliveries under way finish."""
    if not settings.public_url and host not in ("127.0.0.1", "localhost", "::1"):
        text = M("Set FORMLOOP_PUBLIC_URL to the address people use before listening beyond this machine.")
        raise Invalid([Problem("public_url", "", text)])
    _require_free(host, port)
    options = [f"--host={host}", f"--port={port}", f"--processes={processes}", f"--threads={threads}"]
    formloop = [sys.executable, "-m", "formloop.cli"]
    parts = [Part("web", [*formloop, "web", *options], leads=True)]
    if with_worker:
        parts.append(Part("worker", [*formloop, "worker", "--kept"], after=1.0))
    server = queue_server.start_server(settings)
    try:
        code = keep_running(parts)
    finally:
        if server is not None:
            server.stop()
    sys.exit(code)


def _require_free(host: str, port: int) -> None:
    """Say at once, and before anything is started, when another program has the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            text = M(
                "Port {port} of {host} cannot be used: {reason}. Choose another with --port.",
                port=port,
                host=host,
                reason=error.strerror,
            )
            raise Unavailable(text) from error
