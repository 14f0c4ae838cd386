"""The audit trail as a page: newest first, filtered by person, object and time."""

from collections.abc import Callable, Mapping
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
Namer = Callable[[set[str], str], Mapping[str, str]]


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
        who = people.names_of({row.person for row in shown if row.person is not None})
        kept = {key: value for key, value in wanted.items() if value}
        return page.render(
            "access/audit.html",
            "access/_audit.html",
            rows=shown,
            names=who,
            called=_objects_called({row.object for row in shown}),
            deed=words.deed_title,
            wanted=wanted,
            people=people.list_people(active=None, limit=5_000),
            older=_address({**kept, "before": str(shown[-1].id)}) if len(rows) > PAGE else None,
            newest=_address(kept) if request.args.get("before") else None,
        )


def _address(kept: dict[str, str]) -> str:
    return f"{url_for('audit.list_all')}?{urlencode(kept)}"


def name_objects(kind: str, find: Namer) -> None:
    """Let `find(ids, locale)` say what audited objects `kind:<id>` are called."""
    _namers[kind] = find


def _objects_called(objects: set[str]) -> dict[str, str]:
    by_kind: dict[str, set[str]] = {}
    for each in objects:
        kind, _, id = each.partition(":")
        by_kind.setdefault(kind, set()).add(id)
    return {
        f"{kind}:{id}": name
        for kind, ids in by_kind.items()
        if kind in _namers
        for id, name in _namers[kind](ids, viewer().locale).items()
    }


def _people_called(ids: set[str], _locale: str) -> dict[str, str]:
    numbers = (number for each in ids if (number := clock.find_id(each)) is not None)
    return {str(id): name for id, name in people.names_of(numbers).items()}


def _departments_called(ids: set[str], _locale: str) -> dict[str, str]:
    numbers = [number for each in ids if (number := clock.find_id(each)) is not None]
    return {str(id): name for id, name in people.department_names(numbers).items()}


_namers: dict[str, Namer] = {"person": _people_called, "department": _departments_called}


def _midnight(day: str, after: bool = False) -> datetime | None:
    """The beginning (or with `after` the end) of a day on the viewer's calendar; None for what is no day."""
    try:
        start = datetime.combine(datetime.fromisoformat(day).date(), time(), ZoneInfo(viewer().zone))
    except ValueError:
        return None
    return (start + timedelta(days=1 if after else 0)).astimezone(UTC)
