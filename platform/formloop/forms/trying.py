"""A form that is tried out: filled in and calculated, never saved.

What records of other forms say is told only to those who see them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from formloop.access.actor import Actor
from formloop.core.errors import Problem
from formloop.forms import choices, engine, live, screen
from formloop.forms.links import Links
from formloop.forms.names import context_of
from formloop.forms.spec import FormSpec, Values


def every_path(spec: FormSpec) -> frozenset[str]:
    """All fields of a form that nobody has rights on yet: those are given when it is there."""
    return frozenset(each.path for top in spec.fields.values() for each in (top, *top.children))


def show(
    actor: Actor,
    spec: FormSpec,
    raw: Mapping[str, Any],
    locale: str,
    paths: frozenset[str],
    one_more: str = "",
) -> screen.Screen:
    """These fields with what was filled in so far, and their defaults; `one_more` names lines that get another one."""
    given = engine.read_given(spec, raw)
    for subform in spec.subforms:
        if subform.key == one_more or not given.values.get(subform.key):
            engine.add_line(given.values, given, subform.key)
    values = engine.laid_over(spec, None, given.values)
    links = Links(actor, spec, [values])
    choices.drop_unseen(spec, [(None, values, given)], links)
    env = engine.complete(spec, values, given, links, context_of(actor), None)
    return _drawn(actor, spec, values, env, given.problems, locale, paths)


def answer(
    actor: Actor,
    spec: FormSpec,
    raw: dict[str, Any],
    changed: Sequence[str],
    locale: str,
    paths: frozenset[str],
) -> dict[str, Any]:
    """What formulas, rules and look-ups make of it, for the page; `changed` as for `live.lay_over`."""
    typed = live.lay_over(actor, spec, raw, None, changed)
    return live.tell(
        _drawn(actor, spec, typed.values, typed.env, typed.problems, locale, paths), typed, locale
    )


def _drawn(
    actor: Actor,
    spec: FormSpec,
    values: Values,
    env: Values,
    problems: list[Problem],
    locale: str,
    paths: frozenset[str],
) -> screen.Screen:
    names = screen.names_for(actor, spec, [values])
    return screen.build(spec, values, env, context_of(actor), locale, paths, paths, problems, names)
