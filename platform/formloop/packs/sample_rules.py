"""What sample data may be: where they go, in which state, and whose they are."""

from collections.abc import Iterator, Mapping
from typing import Any

from formloop.access import gate
from formloop.access.actor import Actor
from formloop.core.errors import Problem
from formloop.core.text import M
from formloop.definitions import library
from formloop.forms.spec import FormSpec, Unreadable, no_form
from formloop.packs.finding import find_form
from formloop.packs.reading import Pack, Sample

_SAID = ("$state", "$owner")  # what a record says besides its values


def check_sample(actor: Actor, pack: Pack, part: Sample, own: frozenset[str], free: bool) -> list[Problem]:
    """What keeps a file of sample data from being saved by `actor`, by place in the file.

    They go into the pack's `own` forms, or into those of the packs it needs where the actor may create records.
    Who is not `free` (an upload, brought by somebody who is no administrator) gets every record in the first
    state and without an owner: sample data approve nothing and speak for nobody.
    """
    spec = find_form(part.form)
    if spec is None:
        return [no_form("form", part.form[:80])]
    if part.form not in own and (wrong := _check_place(actor, pack, spec)):
        return [wrong]
    by = spec.fields.get(part.by)
    if by is None or not by.type.stored or by.type.multiple:
        text = M("The form “{form}” has no field “{field}”.", form=spec.key, field=part.by[:80])
        return [Problem("no_field", "by", text)]
    return [
        problem
        for index, record in enumerate(part.records)
        for problem in _check_record(spec, part.by, f"records.{index}", record, free)
    ]


def _check_place(actor: Actor, pack: Pack, spec: FormSpec) -> Problem | None:
    entry = library.find_entry("form", spec.key)
    if entry is None or entry.app not in pack.needs:
        text = M("“{form}” belongs neither to this pack nor to one that it needs.", form=spec.key)
        return Problem("other_form", "form", text)
    if not pack.shipped and not gate.allows(actor, "create", spec.resource):
        return Problem("forbidden", "form", M("You may not create records of “{form}”.", form=spec.key))
    return None


def _check_record(
    spec: FormSpec, by: str, at: str, record: Mapping[str, Any], free: bool
) -> Iterator[Problem]:
    for key in record:
        if key not in spec.fields and key not in _SAID:
            text = M("The form “{form}” has no field “{field}”.", form=spec.key, field=key[:80])
            yield Problem("no_field", f"{at}.{key}", text)
    try:
        if isinstance(record[by], Mapping | list):
            raise Unreadable(M("Records are told apart by a plain value."))
        spec.fields[by].type.read(spec.fields[by], record[by])
    except Unreadable as error:
        yield Problem("unreadable", f"{at}.{by}", error.message)
    state = record.get("$state", spec.initial_state)
    if not isinstance(state, str) or state not in spec.states:
        text = M("The form has no state “{state}”.", state=str(state)[:80])
        yield Problem("state", f"{at}.$state", text)
    elif state != spec.initial_state and not free:
        text = M("Sample data begin in the state “{state}”.", state=spec.initial_state)
        yield Problem("state", f"{at}.$state", text)
    if "$owner" in record and not free:
        yield Problem("owner", f"{at}.$owner", M("Sample data of an uploaded pack belong to nobody."))
