"""What nobody gives by hand: calculated, numbered and read-only values, and lines of other records.

A value that stands there already may come along, so that what was read can be sent back as it was.
"""

from collections.abc import Iterator
from typing import Any

from formloop.access.actor import Actor
from formloop.core.errors import Problem
from formloop.core.expression import Context, EvaluationError
from formloop.core.text import M
from formloop.forms.reads import visible_in
from formloop.forms.spec import Field, FormSpec, Unreadable, Values
from formloop.forms.writing import Work


def check_fixed(actor: Actor, spec: FormSpec, work: Work, context: Context) -> list[Problem]:
    """The problems of values that were given where the program, or a rule, holds the value."""
    problems = []
    if work.given.passed:
        # whoever may not see a value must not learn by trying which one it is
        seen = visible_in(actor, spec, work.before) if work.before else frozenset()
        for at, raw in work.given.passed.items():
            field, standing = _place(spec, work.before, work.after, at)
            new = standing is None and raw in (None, "")
            if not new and not (field.path in seen and _means(field, raw, (standing or {}).get(field.key))):
                problems.append(_problem(field, at))
    if work.before is not None:
        problems += [_problem(field, at) for at, field in _held(spec, work, context)]
    return problems


def check_lines(spec: FormSpec, work: Work) -> list[Problem]:
    """The problems of lines that name an id which none of the record's lines has, or another line as well."""
    problems = []
    for subform in spec.subforms:
        if subform.key not in work.given.line_keys:
            continue
        own = {line["id"] for line in (work.before or {}).get(subform.key) or ()}
        for index, line in enumerate(work.after.get(subform.key) or ()):
            if "id" not in line:
                continue
            if line["id"] not in own:
                text = M("This is not a line of this record. Leave the id out to add a line.")
                problems.append(Problem("unknown_line", f"{subform.key}.{index}.id", text))
            own.discard(line["id"])
    return problems


def _place(spec: FormSpec, before: Values | None, after: Values, at: str) -> tuple[Field, Values | None]:
    """The field that `at` names, and the record or line as it stands, None for a new one."""
    parts = at.split(".")
    if len(parts) == 1:
        return spec.fields[at], before
    field = spec.find(f"{parts[0]}.{parts[2]}")
    assert field is not None
    named = after[parts[0]][int(parts[1])].get("id")
    return field, next((line for line in (before or {}).get(parts[0]) or () if line["id"] == named), None)


def _means(field: Field, raw: Any, standing: Any) -> bool:
    try:
        return field.type.stored and (None if raw is None else field.type.read(field, raw)) == standing
    except Unreadable:
        return False


def _problem(field: Field, at: str) -> Problem:
    if field.computed:
        return Problem(
            "computed", at, M("The program gives “{field}” its value. Leave it out.", field=field.key)
        )
    return Problem("read_only", at, M("“{field}” cannot be changed here.", field=field.key))


def _held(spec: FormSpec, work: Work, context: Context) -> Iterator[tuple[str, Field]]:
    """Changed values of fields that a rule (`x-readonly`) holds as the record would be."""
    before, after = work.before or {}, work.after
    for top in spec.fields.values():
        if top.key not in work.given.keys:
            continue
        if _is_held(top, work.env, context) and after.get(top.key) != before.get(top.key):
            yield top.key, top
        held = [c for c in top.children if c.readonly_when is not None]
        was = {line["id"]: line for line in before.get(top.key) or ()} if held else {}
        for index, line in enumerate(after.get(top.key) or ()) if held else ():
            old = was.get(line.get("id"))
            for column in held if old is not None else ():
                given = column.key in work.given.line_keys[top.key][index]
                changed = given and line.get(column.key) != (old or {}).get(column.key)
                if changed and _is_held(column, {**work.env, **work.env[top.key][index]}, context):
                    yield f"{top.key}.{index}.{column.key}", column


def _is_held(field: Field, env: Values, context: Context) -> bool:
    try:
        return field.readonly_when is not None and field.readonly_when.evaluate(env, context) is True
    except EvaluationError:
        return False
