"""An import is taken back as far as nobody has changed or locked what it wrote."""

import pytest
from sqlalchemy import select

from formloop.access.actor import SYSTEM
from formloop.db import reading
from formloop.events import jobs
from formloop.forms import drafts, importing, service, staging, taking_back
from formloop.forms.kind import get_form
from formloop.settings import Settings
from forms.conftest import form, publish, text
from forms.imports.bringing import Write, brought_in, records, stopped


def test_an_import_is_taken_back_except_what_somebody_changed_since(site: Settings, write: Write) -> None:
    service.create(SYSTEM, "partner", {"name": "Old", "code": "O1"})
    path = write(["Name", "Code"], ["New", "O1"], ["Acme", "A1"], ["Bolt", "B1"])
    said = {"columns": {"Name": "name", "Code": "code"}, "by": "code"}
    batch = importing.begin(SYSTEM, "partner", path.name, path, said)
    for part in ("import_check", "import_run"):
        jobs.run(importing.start(SYSTEM, batch, part, now=True))
    bolt = next(r for r in records("partner") if r["code"] == "B1")
    service.change_record(SYSTEM, "partner", bolt["id"], {"region": "West"})
    jobs.run(importing.start(SYSTEM, batch, "import_undo", now=True))
    assert staging.counts(batch) == {"undone": 2, "kept": 1}
    assert {r["name"] for r in records("partner")} == {"Old", "Bolt"}
    told = [(bolt["id"], "Row 4: It has been changed since the import.")]
    assert importing.list_kept(batch, "en", 9) == told


def test_an_import_whose_job_failed_can_be_taken_back(
    site: Settings, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = stopped(site, write, monkeypatch)
    jobs.run(importing.start(SYSTEM, batch, "import_undo", now=True))
    assert staging.counts(batch) == {"undone": 2, "good": 3} and records("partner") == []


def test_how_far_taking_back_is_counts_also_what_a_killed_worker_did(
    site: Settings, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking_back, "CHUNK", 3)
    path = write(["Name", "Code"], *(["New", f"N{n}"] for n in range(4)))
    batch = brought_in(SYSTEM, path, Name="name")
    job = importing.start(SYSTEM, batch, "import_undo", now=True)
    taking_back.undo_step(jobs.get_job(job), SYSTEM)  # the worker dies before it says how far it is
    jobs.run(job)
    ended = jobs.get_job(job)
    assert (ended.state, ended.done, ended.total) == ("done", 4, 4)


def test_records_are_asked_about_together(site: Settings, write: Write, statements: list[str]) -> None:
    asked = []
    for count in (2, 40):
        path = write(["Name", "Code"], *(["New", f"N{count}-{n}"] for n in range(count)))
        batch = brought_in(SYSTEM, path, Name="name")
        statements.clear()
        jobs.run(importing.start(SYSTEM, batch, "import_undo", now=True))
        asked.append(len([each for each in statements if each.startswith("SELECT")]))
        assert staging.counts(batch) == {"undone": count}
    assert asked[1] < asked[0] + 10


def test_one_that_is_used_stays_and_the_others_go(site: Settings, write: Write) -> None:
    path = write(["Name", "Code"], *(["New", f"N{n}"] for n in range(4)))
    batch = brought_in(SYSTEM, path, Name="name")
    used = next(each["id"] for each in records("partner") if each["code"] == "N2")
    service.create(SYSTEM, "rate", {"partner": used, "price": "1"})
    jobs.run(importing.start(SYSTEM, batch, "import_undo", now=True))
    assert importing.list_kept(batch, "en", 9) == [(used, "Row 4: This is used by others: 1 × Rate.")]
    assert [each["id"] for each in records("partner")] == [used]


STAMPED = form(
    "stamped",
    {
        "code": text("Code", **{"x-unique": True}),
        "stamp": text("Stamp", readOnly=True),
        "lines": {
            "type": "array",
            "title": "Lines",
            "items": {
                "type": "object",
                "properties": {"part": text("Part"), "mark": text("Mark", readOnly=True)},
            },
        },
    },
)


def restamped(write: Write) -> int:
    """An import that changes what only programs may change, in the record and in its lines."""
    publish(STAMPED)
    lines = [{"part": "a", "mark": "old"}, {"part": "b", "mark": "old"}]
    service.create(
        SYSTEM, "stamped", {"code": "S1", "stamp": "old", "lines": lines}, how=service.How(trusted=True)
    )
    path = write(["Code", "Stamp", "Part", "Mark"], ["S1", "new", "a", "new"])
    said = {
        "columns": {"Code": "code", "Stamp": "stamp", "Part": "lines.part", "Mark": "lines.mark"},
        "by": "code",
    }
    batch = importing.begin(SYSTEM, "stamped", path.name, path, said)
    for part in ("import_check", "import_run"):
        jobs.run(importing.start(SYSTEM, batch, part, now=True))
    assert staging.counts(batch) == {"updated": 1} and records("stamped")[0]["stamp"] == "new"
    return batch


def marks() -> list[tuple[str, str]]:
    table = get_form("stamped").line_tables["lines"]
    with reading() as conn:
        return [(r.part, r.mark) for r in conn.execute(select(table).order_by(table.c.position))]


def test_what_only_programs_change_is_taken_back_too(site: Settings, write: Write) -> None:
    batch = restamped(write)
    jobs.run(importing.start(SYSTEM, batch, "import_undo", now=True))
    assert staging.counts(batch) == {"undone": 1}
    assert records("stamped")[0]["stamp"] == "old" and marks() == [("a", "old"), ("b", "old")]


def test_what_would_not_be_as_before_is_kept_and_said_to_be(
    site: Settings, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = restamped(write)
    monkeypatch.setattr(taking_back, "_HOW", service.How(asks="import"))  # read-only values are passed over
    jobs.run(importing.start(SYSTEM, batch, "import_undo", now=True))
    assert staging.counts(batch) == {"kept": 1}
    assert records("stamped")[0]["stamp"] == "new" and marks() == [("a", "new")]


def test_what_is_locked_meanwhile_is_not_taken_back(
    site: Settings, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.create(SYSTEM, "partner", {"name": "Old", "code": "A1"})
    batch = brought_in(SYSTEM, write(["Code", "Name"], ["A1", "New"], ["B1", "Bolt"]), Name="name")
    bolt = next(r for r in records("partner") if r["code"] == "B1")
    service.change_record(
        SYSTEM, "partner", bolt["id"], {"region": "West"}
    )  # as a posting changes what it locks
    monkeypatch.setattr(drafts, "_guards", [lambda spec, record: True])
    jobs.run(importing.start(SYSTEM, batch, "import_undo", now=True))
    reason = "Row 3: This record is under approval or approved; cancel it instead of deleting it."
    assert (bolt["id"], reason) in importing.list_kept(batch, "en", 9)
    assert staging.counts(batch) == {"kept": 2} and {r["name"] for r in records("partner")} == {"New", "Bolt"}
