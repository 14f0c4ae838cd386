"""The audit trail as a page: newest first, filtered by person, object and time."""

from datetime import UTC, datetime, time, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request, url_for

from formloop.access import audit, people, words
from formloop.core import clock
from formloop.db import reading
from formloop.web import page
from formloop.web.routes import route
from formloop.web.viewer import viewer

blueprint = Blueprint("audit", __name__, url_prefix="/audit")
PAGE = 50


@route(blueprint, "", permission=("manage", "audit"))
def list_all() -> Response:
    """One page of the trail; `before` is the id below which it begins."""
    wanted = {key: request.args.get(key, "").strip() for key in ("person", "object", "from", "to")}
    with reading():
        rows = audit.list_rows(
            wanted["object"] or None,
            request.args.get("before", type=int),
            PAGE + 1,
            person_id=request.args.get("person", type=int),
            since=_midnight(wanted["from"]),
            until=_midnight(wanted["to"], after=True),
        )
        shown = rows[:PAGE]
        ids = {row.person for row in shown} | {_person_of(row.object) for row in shown}
        kept = {key: value for key, value in wanted.items() if value}
        return page.render(
            "access/audit.html",
            "access/_audit.html",
            rows=shown,
            names=people.names_of(each for each in ids if each is not None),
            person_of=_person_of,
            deed=words.deed_title,
            wanted=wanted,
            people=people.list_people(active=None, limit=5_000),
            older=_address({**kept, "before": str(shown[-1].id)}) if len(rows) > PAGE else None,
            newest=_address(kept) if request.args.get("before") else None,
        )


def _address(kept: dict[str, str]) -> str:
    return f"{url_for('audit.list_all')}?{urlencode(kept)}"


def _person_of(about: str) -> int | None:
    kind, _, number = about.partition(":")
    return clock.find_id(number) if kind == "person" else None


def _midnight(day: str, after: bool = False) -> datetime | None:
    """The beginning (or with `after` the end) of a day on the viewer's calendar; None for what is no day."""
    try:
        start = datetime.combine(datetime.fromisoformat(day).date(), time(), ZoneInfo(viewer().zone))
    except ValueError:
        return None
    return (start + timedelta(days=1 if after else 0)).astimezone(UTC)
