"""A number for each request, on the response, on error pages and in every log line; logs are JSON lines."""

import logging
import re
import sys
import time
from typing import Any

import structlog
from flask import Flask, Response, g, request

from formloop.core import clock
from formloop.web import viewer

_ACCEPTABLE = re.compile(r"[A-Za-z0-9-]{8,64}")
_log = structlog.get_logger("formloop.web")


def start_logging(level: int = logging.INFO) -> None:
    """Write one JSON object a line to standard error, whichever library says it."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    lines = logging.StreamHandler(sys.stderr)
    lines.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    logging.basicConfig(handlers=[lines], level=level, force=True)


def init_app(app: Flask) -> None:
    """Number and log the requests of `app`."""
    app.before_request(_begin)
    app.after_request(_finish)
    app.jinja_env.globals["request_id"] = request_id


def request_id() -> str:
    """The number of the present request."""
    return str(g.get("request_id", ""))


def _begin() -> None:
    given = request.headers.get("X-Request-ID", "")
    g.request_id = given if _ACCEPTABLE.fullmatch(given) else f"{clock.new_id():x}"
    g.began = time.perf_counter()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request=g.request_id)


def _finish(response: Response) -> Response:
    response.headers["X-Request-ID"] = request_id()
    if request.endpoint != "statics.serve":
        took = (time.perf_counter() - g.get("began", time.perf_counter())) * 1000
        _log.info(
            "request",
            method=request.method,
            path=request.path,
            status=response.status_code,
            ms=round(took, 1),
            person=viewer.viewer().person_id,
        )
    return response
