"""What a person may see and fill in of a record because a step of a workflow asks them.

The task gives the row. The fields come from the person's own grants on the form, whatever rows those are for,
and from the step's field rights: view, edit and require show a field, hide hides it.
"""

from collections.abc import Mapping
from typing import Any

from formloop.access.actor import Actor
from formloop.core.errors import Problem
from formloop.core.expression import Context
from formloop.forms import permits
from formloop.forms.engine import REQUIRED
from formloop.forms.names import context_of
from formloop.forms.screen import holds
from formloop.forms.spec import Field, FormSpec, Values
from formloop.workflows import cases
from formloop.workflows.spec import Step

WRITES = ("edit", "require")


def visible_paths(
    actor: Actor, spec: FormSpec, step: Step | None, record: int | None = None
) -> frozenset[str]:
    """The paths a person sees at a step; without a step those that their grants give at all.

    Of `record` nothing is shown without its step that another one, which asks this person, hides.
    """
    permit = permits.find_permit(actor, "view", spec)
    granted = permit.anywhere if permit else frozenset()
    if step is None or not step.fields:
        return granted - permits.hidden_of(actor, spec, record)
    rights = rights_of(step, spec)
    shown = {path for path, right in rights.items() if right != "hide"}
    hidden = {path for path, right in rights.items() if right == "hide"}
    return (granted | shown) - hidden


def gives_row(actor: Actor, action: str, spec: FormSpec, record: int) -> bool:
    """Whether somebody's own rights allow an action on this very record, whatever tasks they have."""
    permit = permits.find_permit(actor, action, spec)
    return permit is not None and cases.record_is_seen(spec, record, permit.where(context_of(actor)))


def editable_paths(spec: FormSpec, step: Step | None) -> frozenset[str]:
    """The paths that may be filled in at a step."""
    if step is None or not step.fields:
        return frozenset()
    fields = {path: right for path, right in rights_of(step, spec).items() if right in WRITES}
    return frozenset(path for path in fields if (f := spec.find(path)) and not f.computed and not f.readonly)


def rights_of(step: Step, spec: FormSpec) -> Mapping[str, str]:
    """The right of every path that the step says something about: its own, its subform's, or that of `*`."""
    said = step.fields
    found = {}
    for top in spec.fields.values():
        for each in (top, *top.children):
            right = said.get(each.path) or (said.get(top.key) if each is not top else None) or said.get("*")
            if right is not None:
                found[each.path] = right
    for top in spec.subforms:  # a column that is shown brings its subform along
        if any(found.get(c.path, "hide") != "hide" for c in top.children) and said.get(top.key) != "hide":
            found.setdefault(top.key, "view")
    return found


def find_missing(spec: FormSpec, step: Step, values: Values, env: Values, context: Context) -> list[Problem]:
    """The fields this step requires that are still empty, of those that are shown at all."""
    problems = []
    for path, right in rights_of(step, spec).items():
        field = spec.find(path)
        if right != "require" or field is None or field.computed or field.readonly:
            continue
        for at, value, scope in _places(spec, field, values, env):
            if value in (None, "", []) and (field.visible is None or holds(field.visible, scope, context)):
                problems.append(Problem("required", at, REQUIRED))
    return problems


def _places(spec: FormSpec, field: Field, values: Values, env: Values) -> list[tuple[str, Any, Values]]:
    if field.subform is None:
        return [(field.key, values.get(field.key), env)]
    lines, scopes = values.get(field.subform) or [], env.get(field.subform) or []
    return [
        (f"{field.subform}.{i}.{field.key}", line.get(field.key), {**env, **scope})
        for i, (line, scope) in enumerate(zip(lines, scopes, strict=False))
    ]
