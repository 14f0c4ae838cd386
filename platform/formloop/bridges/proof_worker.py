"""The workers of the proof: a process that starts one worker after another, each to be killed.

Run as a program. It forks a worker for each line it reads, which writes its number as soon as it works; a
loaded process is forked because starting Python a thousand times would take the proof's whole minute.
"""

import os
import sys
import threading

from flask import Flask

from formloop import db
from formloop.bridges import kind, service
from formloop.core import clock
from formloop.db.migrations import take_node
from formloop.events import outbox
from formloop.settings import read_settings

WARM = 5
KINDS = (kind.BRIDGE,)  # importing it makes it known


def start_site(environment: dict[str, str]) -> Flask:
    """A site with forms and bridges, and nothing else."""
    app = Flask("formloop")
    db.start(app, read_settings(environment))
    service.start()
    return app


def main() -> None:
    """Serve lines until there are no more."""
    app = start_site(dict(os.environ))
    worker = 0
    with app.app_context():
        outbox.drain(most=WARM)  # so that a short life is spent on deliveries, not on reading definitions
        db.engine().dispose()
        for _line in sys.stdin:
            if worker:
                os.waitpid(worker, 0)
            worker = os.fork()
            if worker == 0:
                _work()


def _work() -> None:
    """What `formloop worker` does, without waiting between two looks at the outbox."""
    with db.begin_writing(db.engine()) as conn:
        clock.set_node(take_node(conn))
    print(os.getpid(), flush=True)  # from here on it may be killed
    pause = threading.Event()
    while True:
        outbox.release_dead()
        outbox.drain()
        pause.wait(0.001)


if __name__ == "__main__":
    main()
