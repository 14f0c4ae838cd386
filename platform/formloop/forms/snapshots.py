"""What an example keeps of a record: what people entered, and of related records what is read of them."""

from collections.abc import Iterable, Mapping
from typing import Any

from formloop.access.actor import Actor
from formloop.core.expression import Linked, Path
from formloop.core.json_text import plain
from formloop.forms import permits
from formloop.forms.kind import get_form
from formloop.forms.links import Links
from formloop.forms.reads import list_titles
from formloop.forms.spec import Field, FormSpec, Values

Names = Mapping[tuple[str, int], str]
Known = Mapping[tuple[str, int], Mapping[str, Any]]  # related records that are imagined already


def given_of(
    actor: Actor,
    spec: FormSpec,
    record: Values,
    also: Iterable[Path] = (),
    known: Known | None = None,
) -> dict[str, Any]:
    """What an example gives that is made of a record: what people entered, and of related records what is read.

    `also` are paths that somebody else reads; `known` are related records that are imagined already.
    """
    also, known = tuple(also), known or {}
    stored = {key: value for key, value in record.items() if key in spec.fields}
    links = Links(actor, spec, [_without(spec, stored, known)], also=also, every=True)
    names = _names(links)
    made = _given(spec.fields, stored, links, known, names)
    for subform in spec.subforms:
        columns = {each.key: each for each in subform.children}
        lines = [_given(columns, line, links, known, names) for line in stored.get(subform.key) or ()]
        made.pop(subform.key, None)
        if lines:
            made[subform.key] = lines
    return made


def _given(
    fields: Mapping[str, Field],
    values: Mapping[str, Any],
    links: Links,
    known: Known,
    names: Names,
) -> dict[str, Any]:
    brought = {own for f in fields.values() if f.relation and values.get(f.key) for own in f.relation.fill}
    made: dict[str, Any] = {}
    for key, field in fields.items():
        value = values.get(key)
        if value in (None, [], "") or field.computed or field.children or not field.type.stored:
            continue
        if field.readonly and key in brought:
            continue
        if field.relation is None:
            made[key] = plain(value)
        elif (said := known.get((field.relation.form, int(value)))) is not None:
            made[key] = dict(said)
        elif (found := links.records.get((field.relation.form, int(value)))) and found["_seen"]:
            made[key] = _snapshot(links.actor, field.relation.form, int(value), found, names)
    return made


def _snapshot(actor: Actor, form: str, record: int, found: Mapping[str, Any], names: Names) -> dict[str, Any]:
    """Of a related record what was read of it and the actor may see, and what it is called."""
    target = get_form(form)
    permit = permits.find_permit(actor, "view", target)
    seen = permit.everywhere if permit else frozenset()
    name = names.get((form, record))
    made: dict[str, Any] = {target.title_field: name} if name else {}
    for key, value in found.items():
        if value is None or key not in seen or key not in target.fields:
            continue
        relation = target.fields[key].relation
        if relation is None:
            made[key] = plain(value)
        elif isinstance(value, Linked) and isinstance(value.record, Mapping) and value.record.get("_seen"):
            made[key] = _snapshot(actor, relation.form, int(value), value.record, names)
    return made


def _names(links: Links) -> Names:
    """What everything that is pointed to is called, as far as the actor may know; one query a form."""
    ids: dict[str, list[int]] = {}
    for form, record in links.records:
        ids.setdefault(form, []).append(record)
    found: dict[tuple[str, int], str] = {}
    for form, records in ids.items():
        target = get_form(form)
        titles = list_titles(links.actor, target, target.table.c.id.in_(records), len(records))
        found |= {(form, record): title for record, title in titles.items()}
    return found


def _without(spec: FormSpec, values: Values, known: Known) -> Values:
    """The values without relations to imagined records, which no table has."""

    def kept(fields: Iterable[Field], row: Mapping[str, Any]) -> Values:
        gone = {f.key for f in fields if f.relation and (f.relation.form, row.get(f.key)) in known}
        return {key: value for key, value in row.items() if key not in gone}

    made = kept(spec.fields.values(), values)
    for subform in spec.subforms:
        made[subform.key] = [kept(subform.children, line) for line in values.get(subform.key) or ()]
    return made
