"""Work in a child process that can be killed before any of its statements: for proofs that nothing is half done."""

import os
import signal
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask
from sqlalchemy import event

from formloop.db.engines import engine

KILLED = -1


def in_child(
    create_app: Callable[[], Flask],
    environment: Mapping[str, str],
    work: Callable[[], int | None],
    at: int = 0,
) -> int:
    """What `work` returned in a site of its own, as a small number; KILLED when it was before its `at`-th statement."""
    child = os.fork()
    if child == 0:
        try:
            os.environ.clear()
            os.environ.update(environment)
            with create_app().app_context():
                if at:
                    die_before(at)
                os._exit(work() or 0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        return KILLED
    if os.WEXITSTATUS(status) == 1:
        raise RuntimeError("the child failed")
    return os.WEXITSTATUS(status)


def die_before(at: int) -> None:
    """Let this process be killed before its `at`-th statement from now."""
    left = at

    def before(*_: Any) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(engine(), "before_cursor_execute", before)
