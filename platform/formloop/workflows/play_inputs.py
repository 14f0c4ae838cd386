"""What the page of a play asks for, and how it is read.

The page has the fields of the form under their own names, so everything else on it begins with an underscore, as no
field does.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from flask import request, url_for
from werkzeug.datastructures import MultiDict

from formloop.access.actor import Actor
from formloop.core import clock
from formloop.core.errors import Invalid, NotFound, Problem
from formloop.core.json_text import loads
from formloop.core.text import M
from formloop.forms import choices, engine, posted, screen, trying
from formloop.forms.links import Links
from formloop.forms.names import context_of
from formloop.forms.permits import find_permit
from formloop.forms.screen import Cell, Screen
from formloop.forms.spec import FormSpec
from formloop.workflows import play_words, sight
from formloop.workflows.plays import Answer, Deed
from formloop.workflows.spec import Step, Workflow

STATUSES = ("200", "400", "404", "500", "none")  # what an address may answer in a play
HEARD = ("_wait.", "_status.", "_answer.")
KEEPING = ("files", "signature")  # widgets that keep at once what is put in
TOO_LARGE = ("subform", *KEEPING, "rich_text")  # widgets for what is on a record's own page


def read_answers(workflow: Workflow) -> dict[str, Answer]:
    """What the steps without people are to hear, where somebody chose; Invalid where it is no JSON."""
    found, problems = {}, []
    for step in of_kind(workflow, "wait"):
        if chosen := request.form.get(f"_wait.{step.id}"):
            found[step.id] = Answer(comes=chosen == "over")
    for step in of_kind(workflow, "http"):
        status, text = request.form.get(f"_status.{step.id}", ""), request.form.get(f"_answer.{step.id}", "")
        try:
            body = loads(text) if text.strip() else {}
        except (ValueError, RecursionError):
            problems.append(Problem("json", f"_answer.{step.id}", M("This is no JSON.")))
            continue
        if status in STATUSES or text.strip():
            found[step.id] = Answer(status != "none", int(status) if status.isdecimal() else 200, body)
    if problems:
        raise Invalid(problems)
    return found


def read_fills(workflow: Workflow, spec: FormSpec) -> dict[str, dict[str, Any]]:
    """What is filled in at each step: `_fill.<step>.<field>` of the posted form."""
    found = {}
    for step in workflow.steps.values():
        raw = posted.raw_values(spec, _named(f"_fill.{step.id}."))
        found[step.id] = {key: value for key, value in raw.items() if value not in ("", [], None)}
    return {step: raw for step, raw in found.items() if raw}


def read_deed(text: str) -> Deed:
    """What a button says: `<person>:<action>:<step>`."""
    person, action, step = (*text.split(":", 2), "", "")[:3]
    who = clock.find_id(person)
    if who is None or action not in play_words.OFFERED:
        raise NotFound
    return Deed(who, action, to="initiator" if action == "return" else None, step=step)


def was_said(*starts: str) -> bool:
    """Whether anything was chosen under names that begin so."""
    return any(request.form.get(name) for name in request.form if name.startswith(starts))


def of_kind(workflow: Workflow, kind: str) -> list[Step]:
    """The steps of one kind."""
    return [step for step in workflow.steps.values() if step.node.name == kind]


def list_paths(actor: Actor, spec: FormSpec, is_new: bool) -> frozenset[str]:
    """What may be typed instead of a record, but for files: of a form that is there, what this person sees or fills in."""
    fields = {path: spec.find(path) for path in trying.every_path(spec)}
    paths = frozenset(path for path, each in fields.items() if each and each.type.widget not in KEEPING)
    if is_new:
        return paths
    permits = (find_permit(actor, action, spec) for action in ("view", "create"))
    return paths & frozenset[str]().union(*(permit.anywhere for permit in permits if permit))


def read_values(actor: Actor, spec: FormSpec, is_new: bool) -> dict[str, Any]:
    """What was typed instead of a record; what the page does not ask this person for is left out."""
    paths, typed = list_paths(actor, spec, is_new), dict[str, Any]()
    for key, value in posted.raw_values(spec, request.form).items():
        if spec.fields[key].children:
            lines = [{name: v for name, v in line.items() if f"{key}.{name}" in paths} for line in value]
            typed |= {key: lines} if any(lines) else {}
        elif key in paths:
            typed[key] = value
    return typed


def draw_form(actor: Actor, spec: FormSpec, workflow: str, paths: frozenset[str], locale: str) -> Screen:
    """The form with what was filled in so far."""
    raw, one_more = posted.raw_values(spec, request.form), request.form.get("_add", "")
    shown = trying.show(actor, spec, raw, locale, paths, one_more)
    _search(shown.all_cells(), workflow)
    return shown


def draw_fills(
    actor: Actor, tried: Workflow, spec: FormSpec, workflow: str, locale: str
) -> list[tuple[str, list[Cell]]]:
    """The inputs of what may be filled in at each step, but for lines and files, with what was filled in so far."""
    given, found = read_fills(tried, spec), []
    for step in tried.steps.values():
        cells = _cells(actor, spec, locale, step, given.get(step.id, {}))
        _search(cells, workflow)
        if cells:
            found.append((step.title(locale), cells))
    return found


def _cells(actor: Actor, spec: FormSpec, locale: str, step: Step, raw: Mapping[str, Any]) -> list[Cell]:
    given, paths = engine.read_given(spec, raw), sight.editable_paths(spec, step)
    values = dict.fromkeys(spec.fields) | given.values
    choices.drop_unseen(spec, [(None, values, given)], Links(actor, spec, [values]))
    names = screen.names_for(actor, spec, [values])
    shown = screen.build(spec, values, values, context_of(actor), locale, paths, paths, [], names)
    cells = [each for each in shown.cells() if not (each.readonly or each.field.type.widget in TOO_LARGE)]
    for cell in cells:
        cell.name = f"_fill.{step.id}.{cell.field.path}"
        cell.required = sight.rights_of(step, spec)[cell.field.path] == "require"
    return cells


def _search(cells: Iterable[Cell], workflow: str) -> None:
    """Let choices be asked for at the play, which knows forms that were never published."""
    for cell in cells:
        cell.search = url_for("workflows.play_choices", workflow=workflow, path=cell.field.path)


def _named(start: str) -> "MultiDict[str, str]":
    """What was posted under names that begin so, by the rest of the name."""
    names = [name for name in request.form if name.startswith(start)]
    return MultiDict((name.removeprefix(start), v) for name in names for v in request.form.getlist(name))
