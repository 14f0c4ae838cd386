"""Making the record that a field is to point to from where it is chosen: its name is typed, the rest comes along."""

from collections.abc import Mapping
from typing import Any

from formloop.access import gate
from formloop.access.actor import Actor
from formloop.core.errors import Invalid, NotFound, Problem
from formloop.core.text import M
from formloop.forms import service
from formloop.forms.engine import REQUIRED
from formloop.forms.kind import get_form
from formloop.forms.spec import Field, FormSpec


def may_make(actor: Actor, field: Field) -> bool:
    """Whether the person makes records from this field: its relation says `new`, and what they are called can be typed."""
    if field.relation is None or field.relation.new is None:
        return False
    target = get_form(field.relation.form)
    title = target.fields.get(target.title_field)
    named = title is not None and title.type.name == "text" and title.formula is None
    return named and gate.allows(actor, "create", target.resource)


def make(actor: Actor, spec: FormSpec, path: str, asked: Mapping[str, str]) -> dict[str, Any]:
    """Make a record called `q` with what `new` takes of the page, said as `this.…`; it can be chosen then.

    Raises Invalid with what is wrong with it.
    """
    field = spec.find(path)
    if field is None or field.relation is None or not may_make(actor, field):
        raise NotFound
    target = get_form(field.relation.form)
    given = {theirs: asked.get(f"this.{own}", "") for theirs, own in (field.relation.new or {}).items()}
    called = asked.get("q", "").strip()
    if not called:  # also where the form itself asks for none: nobody could tell which it is
        raise Invalid([Problem("required", target.title_field, REQUIRED)])
    saved = service.create(actor, target.key, {target.title_field: called, **given})
    return {"value": str(saved["id"]), "text": str(saved[target.title_field])}


def reason(spec: FormSpec, path: str, error: Invalid, locale: str) -> str:
    """What is wrong with the record that was to be made, and in which of its fields."""
    first, field = error.problems[0], spec.find(path)
    there = get_form(field.relation.form).find(first.at) if field and field.relation else None
    said = first.message.render(locale)
    return M("{field}: {problem}", field=there.title(locale), problem=said).render(locale) if there else said
