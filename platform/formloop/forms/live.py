"""Answers while somebody fills in a form: calculated values, what is shown and required, what fits a search."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from formloop.access import people
from formloop.access.actor import Actor
from formloop.core import clock
from formloop.core.errors import NotFound, Problem
from formloop.core.expression import Context
from formloop.forms import engine, listing, permits, screen
from formloop.forms.choices import drop_unseen
from formloop.forms.elsewhere import fitting, list_options, own_reads
from formloop.forms.kind import get_form
from formloop.forms.links import Links
from formloop.forms.names import context_of
from formloop.forms.reads import visible_in
from formloop.forms.spec import Field, FormSpec, Values
from formloop.web import viewer

MOST_CHOICES = 30


@dataclass(frozen=True, slots=True)
class Typed:
    """A record with what stands on a page laid over it, everything calculated; `filled` are the inputs that
    something chosen has filled in."""

    values: Values
    env: Values
    problems: list[Problem]
    filled: set[str]


def answer(
    actor: Actor,
    spec: FormSpec,
    raw: dict[str, Any],
    before: Values | None,
    changed: Sequence[str],
    locale: str,
    action: str | None = None,
) -> dict[str, Any]:
    """Values, hidden and required names, and problems for the page as it stands. `action` is the right that
    counts, as for `reach`; `changed` as for `lay_over`."""
    typed = lay_over(actor, spec, raw, before, changed)
    visible, editable = reach(actor, spec, before, action)
    shown = screen.build(
        spec,
        typed.values,
        typed.env,
        context_of(actor),
        locale,
        visible,
        editable,
        typed.problems,
        screen.names_for(actor, spec, [typed.values]),
    )
    return tell(shown, typed, locale)


def lay_over(
    actor: Actor, spec: FormSpec, raw: dict[str, Any], before: Values | None, changed: Sequence[str] = ()
) -> Typed:
    """What is typed, laid over the record `before` and calculated.

    `changed` names the inputs changed since the last answer: what a record chosen there brings along replaces
    what stood there, but not what was typed in the same pause.
    """
    context = context_of(actor)
    given = engine.read_given(spec, raw)
    values = engine.laid_over(spec, before, given.values)
    links = Links(actor, spec, [values])
    links.linkages.prepare([values], again=True)
    drop_unseen(spec, [(before, values, given)], links)
    filled: set[str] = set()
    for name in changed:
        typed = frozenset(changed)
        filled |= _fill(spec, values, links, name, typed, context) | _look_up_again(
            spec, values, links, name, typed
        )
    env = engine.complete(spec, values, given, links, context, before)
    problems = engine.with_first(given.problems, engine.check(spec, values, env, context))
    return Typed(values, env, problems, filled)


def tell(shown: screen.Screen, typed: Typed, locale: str) -> dict[str, Any]:
    """What changed of a page, for the page: only of the fields that `shown` has."""
    cells = [*shown.cells(), *(c for top in shown.cells() for line in top.lines for c in line.cells)]
    seen = {cell.name for cell in cells}
    return {
        "values": {
            c.name: {"input": c.input, "text": c.text}
            for c in cells
            if c.field.formula is not None or (c.readonly and _says(c)) or c.name in typed.filled
        },
        "notes": {c.name: c.note for c in cells if c.field.type.name == "amount"},
        "hidden": [c.name for c in cells if not c.shown],
        "required": [c.name for c in cells if c.required],
        "later": [c.name for c in cells if c.later],
        "problems": {p.at: p.message.render(locale) for p in reversed(typed.problems) if p.at in seen},
    }


def _says(cell: screen.Cell) -> bool:
    """Whether the page learns something of a cell that is only read: not of lines, nor of a number still to be given."""
    return not cell.field.children and (cell.field.type.name != "serial" or bool(cell.text))


def reach(
    actor: Actor, spec: FormSpec, before: Values | None, action: str | None = None
) -> tuple[frozenset[str], frozenset[str]]:
    """The paths shown and those that may be filled in, of a new record or of this very one.

    `action` is the right that counts: to create or to edit, unless it is said.
    """
    action = action or ("create" if before is None else "edit")
    permit = permits.require_permit(actor, action, spec)
    seen = permits.find_permit(actor, "view", spec)
    if before is None:
        return permit.anywhere | (seen.anywhere if seen else frozenset()), permit.anywhere
    editable = visible_in(actor, spec, before, action)
    return editable | visible_in(actor, spec, before), editable


def _fill(
    spec: FormSpec, values: Values, links: Links, changed: str, typed: frozenset[str], context: Context
) -> set[str]:
    """Lay what the record chosen in `changed` brings along over the values; returns the names it touched."""
    parts = changed.split(".")
    field = spec.find(".".join([parts[0], parts[2]]) if len(parts) == 3 else changed)
    if field is None or field.relation is None:
        return set()
    row, prefix, index = values, "", None
    if len(parts) == 3:
        lines = values.get(parts[0]) or []
        index = clock.find_id(parts[1])
        if index is None or index >= len(lines):
            return set()
        row, prefix = lines[index], f"{parts[0]}.{parts[1]}."
    record = getattr(links.linked(field, row.get(field.key)), "record", None)
    beside = spec.fields[parts[0]].columns if index is not None else spec.fields
    links.add(spec, [values])
    env = links.environment(spec, values)
    scope = env if index is None else {**env, **env[parts[0]][index]}
    again = dict(engine.begun_with(beside, field.key, scope, context))
    if (
        record is None
    ):  # nothing is chosen any more: what stands there stays, unless it begins with something else
        brought = {own: value for own, value in again.items() if value is not None}
    else:
        filled = {own: theirs for own, theirs in field.relation.fill.items() if own in beside}
        brought = {
            own: engine.brought_along(beside[own], record.get(theirs)) for own, theirs in filled.items()
        }
        brought |= again
    touched = {own for own in brought if prefix + own not in typed}
    row.update({own: brought[own] for own in touched})
    return {prefix + own for own in touched}


def _look_up_again(
    spec: FormSpec, values: Values, links: Links, changed: str, typed: frozenset[str]
) -> set[str]:
    """Lay what other forms have over the values whose look-up reads the input that was changed last."""
    parts = changed.split(".")
    touched = set()
    env = links.environment(spec, values) if links.linkages.fields else {}
    for field in links.linkages.fields:
        if parts[-1] not in own_reads(spec, field, "x-linkage"):
            continue
        for index, scope in enumerate(env.get(field.subform) or () if field.subform else (env,)):
            if field.subform and len(parts) == 3 and parts[:2] != [field.subform, str(index)]:
                continue
            row = values[field.subform][index] if field.subform else values
            name = f"{field.subform}.{index}.{field.key}" if field.subform else field.key
            if name in typed:
                continue
            if field.subform and len(parts) == 1 and row.get(field.key) is not None:
                continue  # what stands in a line was agreed or typed; only a change in the line itself asks anew
            found = links.linkages.find(field, {**env, **scope})
            row[field.key] = None if found is None else field.type.read(field, found)
            touched.add(name)
    return touched


def choices(
    actor: Actor, spec: FormSpec | None, field: Field, text: str, own: Values | None = None
) -> list[dict[str, Any]]:
    """Up to 30 records, people or departments that may be chosen and fit `text`, by their names.

    Without `spec`, the form it is a field of, nothing is offered from elsewhere. `own` are the values of the
    record, in lines with the line's, that a condition names as `this`; without them it narrows nothing.
    """
    if field.type.name == "member":
        return [{"value": str(p.id), "text": p.name} for p in people.list_people(text, limit=MOST_CHOICES)]
    if field.type.name == "department":
        found = [d for d in people.list_departments() if text.lower() in d.name.lower() or text in d.name_zh]
        return [{"value": str(d.id), "text": people.department_title(d)} for d in found[:MOST_CHOICES]]
    if "x-options" in field.schema and spec is not None:
        options = list_options(actor, spec, field, text, MOST_CHOICES)
        return [{"value": each, "text": each} for each in options]
    if field.relation is None:
        return []
    return _records(actor, get_form(field.relation.form), field, text, _allowed(actor, spec, field, own))


def _records(actor: Actor, target: FormSpec, field: Field, text: str, allowed: Any) -> list[dict[str, Any]]:
    assert field.relation is not None
    if permits.find_permit(actor, "view", target) is None:
        return []
    shown = [target.title_field, *(k for k in field.relation.show if k != target.title_field)]
    if len(shown) == 1:
        shown += [f.key for f in target.stored if f.type.searchable and f.key != shown[0]][:1]
    query = listing.Query(
        search=text, sort=_by_title(actor, target), limit=MOST_CHOICES, columns=tuple(shown)
    )
    found = listing.list_records(actor, target, query, also=allowed)
    rows, locale = [], viewer.locale()
    fields, names = [target.fields[k] for k in shown], screen.names_for(actor, target, found.rows)
    for row in found.rows:
        title, *hints = (screen.shown_text(f, row.get(f.key), locale, names) for f in fields)
        hint = " · ".join(filter(None, hints))
        rows.append({"value": str(row["id"]), "text": title or f"#{row['id']}", "hint": hint})
    return rows


def _by_title(actor: Actor, target: FormSpec) -> tuple[str, ...]:
    permit = permits.require_permit(actor, "view", target)
    field = target.fields.get(target.title_field)
    known = field is not None and field.type.sortable and field.key in permit.anywhere
    return (target.title_field,) if known else ()


def choices_on_page(
    actor: Actor, spec: FormSpec, path: str, asked: Mapping[str, str]
) -> list[dict[str, Any]]:
    """What a field of a page that fills in a record offers for `q`; NotFound where there is no such field.

    `asked` also has what the page says of that record, as `this.customer`; pages that fill in none say nothing.
    """
    field = spec.find(path)
    if field is None:
        raise NotFound
    typed = {key.removeprefix("this."): v for key, v in asked.items() if key.startswith("this.")}
    reads = typed and field.relation is not None and field.relation.reads
    own = read_own(spec, field, typed) if reads else None
    return choices(actor, spec, field, asked.get("q", "")[:100], own)


def read_own(spec: FormSpec, field: Field, typed: Mapping[str, str]) -> Values:
    """What `this` means for a field on a page that says so: the values of the record, over them those of the line."""
    columns = {c.key for c in spec.fields[field.subform].children} if field.subform else set()
    raw: dict[str, Any] = {key: value for key, value in typed.items() if key not in columns}
    if field.subform:
        raw[field.subform] = [{key: value for key, value in typed.items() if key in columns}]
    values = engine.read_given(spec, raw, trusted=True).values
    line = values.pop(field.subform)[0] if field.subform else {}
    return {**values, **line}


def _allowed(actor: Actor, spec: FormSpec | None, field: Field, own: Values | None) -> Any:
    if spec is None or field.relation is None or (field.relation.reads and own is None):
        return None
    return fitting(actor, spec, field, "x-relation", own or {})
