"""Sample data of a pack: records that name what they point to by a unique field.

`{"form": "customer", "by": "code", "records": [{"name": "…", "currency": {"$find": "currency", "code": "CNY"}}]}`

A record may also say its state (`"$state": "confirmed"`) and the account of its owner (`"$owner": "seller"`).
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, Table, delete, func, insert, select, union_all

from formloop.access import people
from formloop.access.actor import SYSTEM, Actor
from formloop.core.errors import Invalid, Problem
from formloop.db import connection, reading, transactional
from formloop.events import Cause
from formloop.forms import service
from formloop.forms.kind import get_form
from formloop.forms.service import Draft, How
from formloop.forms.spec import FormSpec
from formloop.packs.finding import Resolver, find_form
from formloop.packs.reading import Pack, Sample
from formloop.packs.sample_rules import check_sample
from formloop.packs.tables import sample


@transactional
def add(actor: Actor, pack: Pack) -> int:
    """Save the sample records that are not there yet; returns how many. Invalid says what may not be, by file."""
    return sum(_add_file(actor, pack, part) for part in pack.samples)


def _add_file(actor: Actor, pack: Pack, part: Sample) -> int:
    own = frozenset(doc["x-key"] for doc in pack.documents.values() if doc["x-kind"] == "form")
    free = pack.shipped or actor.administrator
    if problems := check_sample(actor, pack, part, own, free):
        raise Invalid(part.locate(problems))
    spec = get_form(part.form)
    missing = _not_there(spec, part)
    saver = SYSTEM if free or part.form in own else actor
    try:
        resolve = Resolver(missing, SYSTEM if free else actor, own)
    except Invalid as error:
        raise Invalid(part.locate(error.problems)) from error
    drafts = [
        Draft(resolve(record), state=record.get("$state"), **_owner(record)) for record in missing.values()
    ]
    if not drafts:
        return 0
    how = How(trusted=True, unlocked=True) if saver is SYSTEM else How()
    saved = service.save_many(saver, spec.key, drafts, Cause((f"pack:{pack.key}",)), how)
    wrong = [
        Problem(problem.code, f"{at}.{problem.at}".rstrip("."), problem.message)
        for at, each in zip(missing, saved, strict=True)
        for problem in each.problems
    ]
    if wrong:
        raise Invalid(part.locate(wrong))
    connection().execute(
        insert(sample),
        [{"pack": pack.key, "form": spec.key, "record": each.id, "revision": 1} for each in saved],
    )
    return len(saved)


def _not_there(spec: FormSpec, part: Sample) -> dict[str, Mapping[str, Any]]:
    """The records that are not there yet, by their places in the file."""
    field = spec.fields[part.by]
    wanted = {field.type.read(field, record[part.by]): i for i, record in enumerate(part.records)}
    column = spec.table.c[part.by]
    there = set(connection().execute(select(column).where(column.in_(wanted))).scalars())
    return {f"records.{i}": part.records[i] for value, i in wanted.items() if value not in there}


def _owner(record: Mapping[str, Any]) -> dict[str, Any]:
    """Whose a sample record is: of the account it names, where there is such a person."""
    found = people.find_person(str(record["$owner"])) if "$owner" in record else None
    return {"owner": found.id, "department": found.department} if found else {}


def count(pack: str) -> int:
    """How many sample records of a pack are still there."""
    return count_all()[pack]


def count_all() -> Counter[str]:
    """How many sample records of each pack are still there; those in the recycle bin do not count."""
    with reading() as conn:
        forms = conn.execute(select(sample.c.form).distinct()).scalars().all()
        tables = {form: spec.table for form in forms if (spec := find_form(form))}
        if not tables:
            return Counter()
        there = union_all(*(_there(form, table) for form, table in tables.items())).subquery()
        query = select(there.c.pack, func.count()).group_by(there.c.pack)
        return Counter({row[0]: row[1] for row in conn.execute(query)})


def _there(form: str, table: Table) -> Select[tuple[str]]:
    return (
        select(sample.c.pack)
        .join(table, table.c.id == sample.c.record)
        .where(sample.c.form == form, table.c.deleted_at.is_(None))
    )


@transactional
def remove(actor: Actor, pack: str) -> tuple[int, int]:
    """Put the sample records nobody has changed into the recycle bin; returns how many went and how many stayed."""
    gone = kept = 0
    rows = (
        connection()
        .execute(select(sample).where(sample.c.pack == pack).order_by(sample.c.record.desc()))
        .all()
    )
    for form in dict.fromkeys(row.form for row in rows):
        spec = get_form(form)
        ids = {row.record: row.revision for row in rows if row.form == form}
        query = select(spec.table.c.id, spec.table.c.revision).where(
            spec.table.c.id.in_(ids), spec.table.c.deleted_at.is_(None)
        )
        for row in connection().execute(query).all():
            if row.revision == ids[row.id]:
                service.delete_record(actor, form, row.id, cause=Cause((f"pack:{pack}",)), even_if_used=True)
                gone += 1
            else:
                kept += 1
    connection().execute(delete(sample).where(sample.c.pack == pack))
    return gone, kept
