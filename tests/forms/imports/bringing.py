"""What the tests of imports say again and again."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from formloop.access import people
from formloop.access.actor import SYSTEM, Actor, get_actor
from formloop.core.errors import Unavailable
from formloop.db import reading
from formloop.events import jobs
from formloop.forms import importing, listing, rows, staging
from formloop.forms.kind import get_form
from formloop.settings import Settings
from forms.conftest import publish, role

Write = Callable[..., Path]


def mapping(folder: Path, **document: Any) -> Path:
    path = folder / "mapping.json"
    path.write_text(json.dumps(document))
    return path


def records(form: str) -> list[dict[str, Any]]:
    columns = tuple(f.key for f in get_form(form).stored)
    return listing.list_records(
        SYSTEM, get_form(form), listing.Query(sort=("id",), columns=columns, limit=999)
    ).rows


def lines_of(form: str) -> list[dict[str, Any]]:
    """The lines of all records of a form."""
    ids = [record["id"] for record in records(form)]
    with reading() as conn:
        return [line for each in rows.load(conn, get_form(form), ids).values() for line in each["lines"]]


def person(*grants: dict[str, Any]) -> Actor:
    """Somebody with a role of these grants."""
    publish(role("importer", *grants))
    return get_actor(people.add_person(SYSTEM, "importer", "Importer", roles=["importer"]))


def brought_in(actor: Actor, path: Path, by: str | None = "code", **columns: str) -> int:
    """A file as an import of partners, checked and written; returns the import."""
    said = {"columns": {"Code": "code", **columns}} | ({"by": by} if by else {})
    batch = importing.begin(actor, "partner", path.name, path, said)
    for part in ("import_check", "import_run"):
        assert jobs.run(importing.start(actor, batch, part, now=True)).state == "done"
    return batch


def stopped(site: Settings, write: Write, monkeypatch: pytest.MonkeyPatch) -> int:
    """An import whose job failed after its first chunk."""
    monkeypatch.setattr(importing, "CHUNK", 2)
    path = write(["Name"], *([f"P{n}"] for n in range(5)))
    batch = importing.begin(SYSTEM, "partner", path.name, path, {"columns": {"Name": "name"}})
    jobs.run(importing.start(SYSTEM, batch, "import_check", now=True))
    job = importing.start(SYSTEM, batch, "import_run", now=True)
    jobs.step(jobs.get_job(job))
    with monkeypatch.context() as broken:
        broken.setattr(importing, "_write_rows", _unavailable)
        assert jobs.run(job).state == "failed" and staging.get_batch(batch).state == "running"
    return batch


def _unavailable(*_: Any) -> None:
    raise Unavailable
