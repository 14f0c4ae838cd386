"""What sample data and stories say otherwise than by a value.

`{"$find": "currency", "code": "CNY"}` is the record with this field, `{"$day": -3}` the day three days ago.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from formloop.access.actor import SYSTEM, Actor
from formloop.core.errors import Invalid, Problem
from formloop.core.json_text import dumps
from formloop.core.text import M
from formloop.db import reading
from formloop.definitions import library
from formloop.forms import permits
from formloop.forms.names import context_of
from formloop.forms.spec import FormSpec, Unreadable, no_form

_FIND = "$find"
_DAY = "$day"
FARTHEST = 36_500  # days


class Resolver:
    """Replaces what is said otherwise than by a value; records are found by one query for each form and field.

    Invalid names all that cannot be found, by the places of the records. What `actor` may not see is not found
    either, unless it is in one of the `own` forms.
    """

    def __init__(
        self, records: Mapping[str, Any], actor: Actor = SYSTEM, own: frozenset[str] = frozenset()
    ) -> None:
        self._ids: dict[str, int] = {}
        problems: list[Problem] = []
        groups: dict[tuple[str, str], list[_Wanted]] = {}
        for at, record in records.items():
            for place, said in _said(at, record):
                if _DAY in said:
                    problems += _check_day(place, said[_DAY])
                    continue
                wanted = _read(place, said)
                if isinstance(wanted, Problem):
                    problems.append(wanted)
                else:
                    groups.setdefault((wanted.spec.key, wanted.field), []).append(wanted)
        for (form, field), asked in groups.items():
            there = _records(asked[0].spec, field, {each.value for each in asked}, actor, form in own)
            self._ids |= {each.text: there[each.value] for each in asked if each.value in there}
            problems += [_missing(each) for each in asked if each.value not in there]
        if problems:
            raise Invalid(problems)

    def __call__(self, value: Any) -> Any:
        """`value` with everything found in place; what is said besides the values (`$…`) is left out."""
        if isinstance(value, Mapping) and _FIND in value:
            return self._ids[dumps(dict(value))]
        if isinstance(value, Mapping) and _DAY in value:
            return (context_of(SYSTEM).today + timedelta(days=value[_DAY])).isoformat()
        if isinstance(value, Mapping):
            return {k: self(v) for k, v in value.items() if not k.startswith("$")}
        return [self(each) for each in value] if isinstance(value, list) else value


@dataclass(frozen=True, slots=True)
class _Wanted:
    at: str
    text: str
    spec: FormSpec
    field: str
    value: Any


def find_form(key: object) -> FormSpec | None:
    """The published form of this key, if there is one."""
    found = library.find_published("form", key) if isinstance(key, str) else None
    return found if isinstance(found, FormSpec) else None


def _said(at: str, value: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(value, Mapping) and (_FIND in value or _DAY in value):
        yield at, value
    elif isinstance(value, Mapping | list):
        for key, each in value.items() if isinstance(value, Mapping) else enumerate(value):
            yield from _said(f"{at}.{key}".lstrip("."), each)


def _check_day(at: str, days: Any) -> Iterator[Problem]:
    if type(days) is not int or abs(days) > FARTHEST:
        text = M("“$day” is a whole number of days from today, at most {most}.", most=FARTHEST)
        yield Problem("day", at, text)


def _read(at: str, said: Mapping[str, Any]) -> "_Wanted | Problem":
    names = [key for key in said if key != _FIND]
    if len(names) != 1:
        return Problem("find", at, M("“$find” names a form and exactly one field with its value."))
    spec, name = find_form(said[_FIND]), names[0]
    if spec is None:
        return no_form(at, str(said[_FIND])[:80])
    field = spec.fields.get(name)
    if field is None or not field.type.stored or field.type.multiple:
        text = M("The form “{form}” has no field “{field}”.", form=spec.key, field=name[:80])
        return Problem("no_field", at, text)
    try:
        return _Wanted(at, dumps(dict(said)), spec, name, field.type.read(field, said[name]))
    except Unreadable as error:
        return Problem("unreadable", at, error.message)


def _records(spec: FormSpec, field: str, values: set[Any], actor: Actor, own: bool) -> dict[Any, int]:
    column, ident = spec.table.c[field], spec.table.c.id
    query = select(column, ident).where(column.in_(values), spec.table.c.deleted_at.is_(None))
    if not own:
        permit = permits.find_permit(actor, "view", spec)
        if permit is None or field not in permit.everywhere:
            return {}
        if (where := permit.where(context_of(actor))) is not None:
            query = query.where(where)
    with reading() as conn:
        return {row[0]: row[1] for row in conn.execute(query)}


def _missing(each: _Wanted) -> Problem:
    text = M(
        "There is no {form} whose {field} is “{value}”.",
        form=each.spec.key,
        field=each.field,
        value=str(each.value)[:80],
    )
    return Problem("not_found", each.at, text)
