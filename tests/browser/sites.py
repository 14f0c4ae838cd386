"""What browser tests are given."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flask import Flask
from playwright.sync_api import Page
from werkzeug.serving import make_server

Photograph = Callable[[Page, str], Path]


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """The address of an application that a thread of this process serves."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


@dataclass(frozen=True)
class Site:
    """The whole product as people run it: `formloop serve` with the demo, in a folder of its own."""

    address: str
    instance: Path

    def run(self, *command: str) -> None:
        """`formloop …` on this site, which must succeed."""
        own = {**os.environ, "FORMLOOP_INSTANCE": str(self.instance)}
        subprocess.run([sys.executable, "-m", "formloop.cli", *command], env=own, check=True, timeout=120)
