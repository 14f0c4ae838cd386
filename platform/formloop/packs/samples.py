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
from formloop.core.text import M
from formloop.db import connection, reading, transactional
from formloop.definitions import library
from formloop.events import Cause
from formloop.forms import service
from formloop.forms.kind import get_form
from formloop.forms.service import Draft, How
from formloop.forms.spec import FormSpec
from formloop.packs.reading import Pack
from formloop.packs.tables import sample


@transactional
def add(pack: Pack) -> int:
    """Save the sample records that are not there yet; returns how many."""
    return sum(_add_file(pack.key, part) for part in pack.samples)


def _add_file(pack: str, part: Mapping[str, Any]) -> int:
    spec, by = get_form(part["form"]), part["by"]
    if by not in spec.table.c:
        text = M("The form “{form}” has no field “{field}”.", form=spec.key, field=by)
        raise Invalid([Problem("no_field", f"{spec.key}: by", text)])
    wanted = {str(record[by]): record for record in part["records"]}
    column = spec.table.c[by]
    there = set(connection().execute(select(column).where(column.in_(wanted))).scalars())
    resolve = Resolver(part["records"])
    drafts = [
        Draft(resolve(record), state=record.get("$state"), **_owner(record))
        for key, record in wanted.items()
        if key not in there
    ]
    if not drafts:
        return 0
    saved = service.save_many(
        SYSTEM, spec.key, drafts, Cause((f"pack:{pack}",)), How(trusted=True, unlocked=True)
    )
    wrong = [Problem(p.code, f"{part['form']}: {p.at}", p.message) for each in saved for p in each.problems]
    if wrong:
        raise Invalid(wrong)
    connection().execute(
        insert(sample),
        [{"pack": pack, "form": spec.key, "record": each.id, "revision": 1} for each in saved],
    )
    return len(saved)


def _owner(record: Mapping[str, Any]) -> dict[str, Any]:
    """Whose a sample record is: of the account it names, where there is such a person."""
    found = people.find_person(str(record["$owner"])) if "$owner" in record else None
    return {"owner": found.id, "department": found.department} if found else {}


class Resolver:
    """Replaces `{"$find": form, field: value}` by the id of that record, one query for each form and field."""

    def __init__(self, records: list[Mapping[str, Any]]) -> None:
        wanted: dict[tuple[str, str], set[str]] = {}
        for record in records:
            for form, field, value in _finds(record):
                wanted.setdefault((form, field), set()).add(value)
        self._ids: dict[tuple[str, str, str], int] = {}
        with reading() as conn:
            for (form, field), values in wanted.items():
                table = get_form(form).table
                query = select(table.c[field], table.c.id).where(
                    table.c[field].in_(values), table.c.deleted_at.is_(None)
                )
                self._ids |= {(form, field, str(row[0])): row[1] for row in conn.execute(query)}

    def __call__(self, value: Any) -> Any:
        """`value` with everything found in place."""
        if isinstance(value, Mapping) and "$find" in value:
            form, field, wanted = _find(value)
            if (form, field, wanted) not in self._ids:
                text = M(
                    "There is no {form} whose {field} is “{value}”.", form=form, field=field, value=wanted
                )
                raise Invalid([Problem("not_found", form, text)])
            return self._ids[form, field, wanted]
        if isinstance(value, Mapping):
            return {k: self(v) for k, v in value.items() if not k.startswith("$")}
        return [self(each) for each in value] if isinstance(value, list) else value


def _finds(value: Any) -> list[tuple[str, str, str]]:
    if isinstance(value, Mapping):
        if "$find" in value:
            return [_find(value)]
        return [found for each in value.values() for found in _finds(each)]
    return [found for each in value for found in _finds(each)] if isinstance(value, list) else []


def _find(value: Mapping[str, Any]) -> tuple[str, str, str]:
    field = next(key for key in value if key != "$find")
    return str(value["$find"]), field, str(value[field])


def count(pack: str) -> int:
    """How many sample records of a pack are still there."""
    return count_all()[pack]


def count_all() -> Counter[str]:
    """How many sample records of each pack are still there; those in the recycle bin do not count."""
    with reading() as conn:
        forms = conn.execute(select(sample.c.form).distinct()).scalars().all()
        tables = {form: spec.table for form in forms if (spec := _find_form(form))}
        if not tables:
            return Counter()
        there = union_all(*(_there(form, table) for form, table in tables.items())).subquery()
        query = select(there.c.pack, func.count()).group_by(there.c.pack)
        return Counter({row[0]: row[1] for row in conn.execute(query)})


def _find_form(key: str) -> FormSpec | None:
    found = library.find_published("form", key)
    return found if isinstance(found, FormSpec) else None


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
