"""The record of a task as its person sees it and fills it in there: by the field rights of its step alone."""

from collections.abc import Mapping
from typing import Any

from formloop.access.actor import Actor
from formloop.core.errors import Problem
from formloop.forms import engine, live, screen
from formloop.forms.links import Links
from formloop.forms.names import context_of
from formloop.forms.spec import FormSpec, Values
from formloop.workflows import sight
from formloop.workflows.spec import Step


def build(
    actor: Actor,
    spec: FormSpec,
    record: Values,
    step: Step | None,
    locale: str,
    *,
    writes: bool = False,
    raw: Mapping[str, Any] | None = None,
    problems: list[Problem] | None = None,
) -> screen.Screen:
    """The record at `step`, filled in there if `writes`; `raw` is what was filled in and is not saved yet."""
    if writes and raw:
        typed = live.lay_over(actor, spec, _only_editable(spec, step, record, raw), record)
        return _build(actor, spec, typed.values, typed.env, step, writes, locale, problems or [])
    env = Links(actor, spec, [record]).environment(spec, record)
    return _build(actor, spec, record, env, step, writes, locale, problems or [])


def answer(
    actor: Actor,
    spec: FormSpec,
    record: Values,
    step: Step,
    raw: Mapping[str, Any],
    changed: list[str],
    locale: str,
) -> dict[str, Any]:
    """What becomes of the page while its person types: only what the step shows them, from what it lets them say."""
    typed = live.lay_over(actor, spec, _only_editable(spec, step, record, raw), record, changed)
    missing = sight.find_missing(spec, step, typed.values, typed.env, context_of(actor))
    typed.problems[:] = engine.with_first(typed.problems, missing)
    shown = _build(actor, spec, typed.values, typed.env, step, True, locale, typed.problems)
    return live.tell(shown, typed, locale)


def every_cell(shown: screen.Screen) -> list[screen.Cell]:
    """The cells of the record and of its lines."""
    found = []
    for top in shown.cells():
        found += [cell for line in top.lines for cell in line.cells] if top.field.children else [top]
    return found


def _only_editable(
    spec: FormSpec, step: Step | None, record: Values, raw: Mapping[str, Any]
) -> dict[str, Any]:
    """Of what was sent, what the step lets its person fill in: nothing else is calculated with.

    Every line stays, so that no sum can be asked of some of them.
    """
    editable = sight.editable_paths(spec, step)
    kept: dict[str, Any] = {}
    for key, value in raw.items():
        field = spec.fields.get(key)
        if field is None or not field.children:
            kept |= {key: value} if key in editable else {}
            continue
        columns = {column.key for column in field.children if column.path in editable}
        sent = {str(line.get("id")): line for line in value}
        kept[key] = [
            {"id": line["id"]} | {k: v for k, v in sent.get(str(line["id"]), {}).items() if k in columns}
            for line in record.get(key) or ()
        ]
    return kept


def _build(
    actor: Actor,
    spec: FormSpec,
    values: Values,
    env: Values,
    step: Step | None,
    writes: bool,
    locale: str,
    problems: list[Problem],
) -> screen.Screen:
    shown = screen.build(
        spec,
        values,
        env,
        context_of(actor),
        locale,
        sight.visible_paths(actor, spec, step, values["id"]),
        sight.editable_paths(spec, step if writes else None),
        problems,
        screen.names_for(actor, spec, [values]),
    )
    rights = sight.rights_of(step, spec) if step is not None and writes else {}
    for cell in every_cell(shown):
        wanted = cell.required or rights.get(cell.field.path) == "require"
        cell.required = not cell.readonly and wanted
    return shown
