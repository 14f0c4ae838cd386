"""The page on which a record is filled in: a new one, one to change, or one whose change is proposed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Response, request, url_for

from formloop.access.actor import Actor
from formloop.core.errors import Forbidden, NotFound, Problem
from formloop.core.text import Message
from formloop.forms import choices, engine, fills, live, made_there, reads, screen, service
from formloop.forms.links import Links
from formloop.forms.names import context_of
from formloop.forms.spec import FormSpec, Values
from formloop.web import page, viewer


@dataclass(frozen=True, slots=True)
class Tool:
    """A button beside Save that posts what is being filled in to `url` and shows the answer in the dialog."""

    label: Message
    icon: str
    url: str


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a page is for that a room above lets people fill in.

    `right` is asked instead of create or edit; `is_held` says which paths stay as they are; `part` is a template
    with `shown`, put in front of the fields.
    """

    right: str
    heading: Message
    save: Message
    icon: str
    back: str
    part: str
    shown: Mapping[str, Any] = field(default_factory=dict)
    is_held: Callable[[str], bool] = lambda path: False
    tools: tuple[Tool, ...] = ()


tools: list[Callable[[Actor, FormSpec, Values | None], Tool | None]] = []  # rooms above add theirs


def show(
    actor: Actor,
    spec: FormSpec,
    values: Values,
    given: engine.Given,
    before: Values | None,
    problems: list[Problem],
    status: int = 200,
    conflict: Any = None,
    purpose: Purpose | None = None,
    action: str = "",
) -> Response:
    """The page with these values; `before` is the record that is changed, None for a new one. It is sent to `action`,
    if that is not its own address."""
    if before is None:
        values = _begin(spec, values, given)
    return page.render(
        "forms/edit.html",
        "forms/_form.html",
        status=status,
        spec=spec,
        screen=_draw(actor, spec, values, given, before, problems, purpose),
        before=before,
        problems=problems,
        conflict=conflict,
        title=spec.title(viewer.locale()),
        name=str((before or {}).get(spec.title_field) or ""),
        action=action or request.path,
        kept=fills.find(actor, spec.key, (before or {}).get("id")) if request.method == "GET" else None,
        purpose=purpose,
        tools=purpose.tools if purpose else [tool for each in tools if (tool := each(actor, spec, before))],
        **_addresses(spec, before, purpose),
    )


def _begin(spec: FormSpec, values: Values, given: engine.Given) -> Values:
    """A new record with what its form begins with, and one empty line in each subform."""
    values = engine.laid_over(spec, None, values)
    for subform in spec.subforms:
        if not values.get(subform.key):
            engine.add_line(values, given, subform.key)
    return values


def _draw(
    actor: Actor,
    spec: FormSpec,
    values: Values,
    given: engine.Given,
    before: Values | None,
    problems: list[Problem],
    purpose: Purpose | None,
) -> screen.Screen:
    """What stands on the page: everything calculated, and as much of it as this person sees and may type."""
    links, context = Links(actor, spec, [values]), context_of(actor)
    choices.drop_unseen(spec, [(before, values, given)], links)
    env = engine.complete(spec, values, given, links, context, before)
    visible, editable = live.reach(actor, spec, before, purpose.right if purpose else None)
    names = screen.names_for(actor, spec, [values])
    shown = screen.build(spec, values, env, context, viewer.locale(), visible, editable, problems, names)
    for cell in shown.all_cells():
        cell.makes = made_there.may_make(actor, cell.field)
    if purpose is not None:
        _hold(shown, purpose)
    return shown


def _hold(shown: screen.Screen, purpose: Purpose) -> None:
    """What is held cannot be typed in, but in new lines; problems of the purpose's own inputs are told by its part."""
    for cell in shown.cells():
        of_lines = [each for line in cell.lines if line.id is not None for each in line.cells]
        for each in (cell, *of_lines):
            each.readonly = each.readonly or purpose.is_held(each.field.path)
    shown.problems = [each for each in shown.problems if not each.at.startswith("_")]


def _addresses(spec: FormSpec, before: Values | None, purpose: Purpose | None) -> dict[str, str]:
    """Where the page asks for live answers, keeps drafts, and goes back to."""
    asked: dict[str, Any] = {"form": spec.key, "record": (before or {}).get("id")}
    if purpose is not None and purpose.right == "amend":
        asked["amend"] = 1
    back = url_for("lists.list_page", form=spec.key)
    if before is not None:
        back = url_for("forms.record_page", form=spec.key, record=before["id"])
    return {
        "fill": url_for("forms.keep_fill", **asked),
        "live": url_for("forms.live_values", **asked),
        "back": purpose.back if purpose else back,
    }


def show_wrong(actor: Actor, spec: FormSpec, record: int, problems: list[Problem]) -> Response | None:
    """The page to correct a record on, told what is wrong with it; None for whoever may not change it now."""
    try:
        values = reads.look(actor, spec.key, record, "edit").record
    except (Forbidden, NotFound):
        return None
    if service.is_locked(spec, values):
        return None
    action = url_for("forms.edit_page", form=spec.key, record=record)
    nothing = engine.Given({}, frozenset(), {})
    return show(actor, spec, values, nothing, values, problems, 422, action=action)


def show_one_more(
    actor: Actor,
    spec: FormSpec,
    raw: dict[str, Any],
    before: Values | None,
    key: str,
    purpose: Purpose | None = None,
) -> Response:
    """The page as it was posted, with one more line in the subform `key`."""
    given = engine.read_given(spec, raw)
    if key in spec.line_tables:
        engine.add_line(given.values, given, key)
    return show(actor, spec, engine.laid_over(spec, before, given.values), given, before, [], purpose=purpose)
