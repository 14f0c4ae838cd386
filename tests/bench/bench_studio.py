"""An edit in the designer on a form of 200 fields: the whole request, with undo kept and the draft checked; the same
on a published form on which much rests, and asking all of that whether it would still work; and publishing a change over a million records (FORMLOOP_BENCH_RECORDS) while others save."""

import logging
import time
from collections.abc import Callable
from typing import Any

from bench import large_form
from bench.shop import SYSTEM, median_ms, site
from formloop.access import people, sessions, signing
from formloop.definitions import library
from formloop.definitions import service as definitions
from formloop.studio import drafting
from formloop.web.tracing import start_logging

FIELDS = 200
FORM = {
    "x-kind": "form",
    "x-id": "0000b0b0",
    "x-key": "wide_form",
    "title": "Wide form",
    "type": "object",
    "properties": {
        f"field_{n}": {"type": "number", "title": f"Field {n}", **({"x-formula": f"field_{n - 1} * 2"} if n % 5 == 4 else {})}
        for n in range(FIELDS)
    },
}  # fmt: skip


def run() -> dict[str, Any]:
    """Milliseconds of an edit by a panel, of adding and moving a field, of undo and of opening the page; of publishing, see there."""
    found: dict[str, Any] = {"fields": FIELDS}
    for database in ("sqlite", "postgresql"):
        with site(database) as app:
            app.config["WTF_CSRF_ENABLED"] = False
            made = definitions.save_draft(SYSTEM, "form", dict(FORM))
            client = app.test_client()
            client.set_cookie(signing.COOKIE, sessions.open_session(people.find_person("administrator").id))
            figures = _measure(client, made.id) | _measure_rested_upon(client)
            found |= {f"{database} {key}": value for key, value in figures.items()}
            if database == "postgresql":  # on SQLite one writes at a time anyway
                found |= {f"{database} {k}": v for k, v in large_form.measure(app.config["SETTINGS"]).items()}
    return found


def _doing(client: Any, definition: str, statuses: set[int]) -> Callable[..., None]:
    def do(act: str, **values: Any) -> None:
        revision = drafting.definitions.get_definition(definition).draft_revision
        answer = client.post(
            f"/studio/{definition}/do/{act}",
            data={"revision": revision, **values},
            headers={"Origin": "http://localhost", "HX-Request": "true"},
        )
        statuses.add(answer.status_code)

    return do


def _measure_rested_upon(client: Any) -> dict[str, Any]:
    """The demo's items: nearly everything steps into them."""
    start_logging(logging.WARNING)
    item, statuses, turn = library.published("form", "item").document, set[int](), iter(range(1_000_000))
    do = _doing(client, item["x-id"], statuses)
    rest = len(library.list_dependents_however_far([("form", "item")]))
    edit = median_ms(lambda: do("fill", at="", keep=1, **{"v-description": f"Said {next(turn)}"}), 31)
    definitions.save_draft(SYSTEM, "form", {**item, "required": []})

    def ask() -> None:
        statuses.add(client.get(f"/studio/{item['x-id']}/check").status_code)

    begin = time.perf_counter()
    ask()
    first = (time.perf_counter() - begin) * 1000
    return {
        f"ms, a panel's change where {rest} rest on it": edit,
        "ms, asking them whether they would work": first,
        "ms, asking again": median_ms(ask, 31),
        "statuses there": sorted(statuses),
    }


def _measure(client: Any, definition: str) -> dict[str, Any]:
    start_logging(logging.WARNING)
    turn, statuses = iter(range(1_000_000)), set[int]()
    do = _doing(client, definition, statuses)
    at = "properties/field_7"
    return {
        "ms, a panel's change": median_ms(
            lambda: do("fill", at=at, keep=1, **{"v-description": f"Hint {next(turn)}"}), 31
        ),
        "ms, a field moved": median_ms(lambda: do("field-shift", at=at, by=1), 31),
        "ms, undo": median_ms(lambda: do("undo", at=at), 31),
        "ms, the page": median_ms(lambda: client.get(f"/studio/{definition}?at={at}"), 31),
        "statuses": sorted(statuses),
    }


if __name__ == "__main__":
    print(run())
