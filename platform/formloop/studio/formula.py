"""The formula editor: what may be named, what functions there are, what is wrong, and the result on a sample."""

import re
from dataclasses import dataclass

from formloop.access.actor import Actor
from formloop.core.definitions import Path
from formloop.core.errors import FormloopError, Problem
from formloop.core.expression import BOOL, FUNCTIONS, EvaluationError, Expression, Type
from formloop.core.expression import check as check_expression
from formloop.core.text import M, Message, translate
from formloop.definitions import library
from formloop.forms import listing
from formloop.forms.fields.switch import NO, YES
from formloop.forms.kind import get_form
from formloop.forms.links import Links
from formloop.forms.names import context_of
from formloop.forms.reading import OWN, line_names, names_of
from formloop.studio.pickers import Around, Option, fields_of, find_newest
from formloop.studio.shapes import mapping

CONDITIONS = ("x-visible", "x-required", "x-readonly", "when", "where", "holds")  # give yes or no
OPERATORS: tuple[tuple[str, Message, str], ...] = (
    ("is", M("is"), "{field} = {value}"),
    ("is_not", M("is not"), "{field} <> {value}"),
    ("more", M("is more than"), "{field} > {value}"),
    ("least", M("is at least"), "{field} >= {value}"),
    ("less", M("is less than"), "{field} < {value}"),
    ("most", M("is at most"), "{field} <= {value}"),
    ("empty", M("is empty"), "ISBLANK({field})"),
    ("filled", M("is filled in"), "NOT(ISBLANK({field}))"),
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an expression comes to: problems with their place, or the value for a sample record."""

    problems: list[Problem]
    result: str = ""
    sample: str = ""


def names_at(around: Around, at: Path) -> dict[str, Type]:
    """What an expression at a place can name."""
    form = around.form
    if around.kind.name == "form" and len(at) >= 5 and at[2:4] == ("items", "properties"):
        return line_names(around.doc, at[1], lambda key: find_newest("form", key))
    names = names_of(form, lambda key: find_newest("form", key))
    if at and at[-1] == "where" and around.doc is not form:
        own = names_of(around.doc, lambda key: find_newest("form", key))
        return {**own, **names, OWN: own.get("id", BOOL)}
    return names


def fields_at(around: Around, at: Path) -> list[Option]:
    """The fields to pick, with their words."""
    found = fields_of(around.form, around.locale)
    if around.kind.name == "form" and len(at) >= 5 and at[2:4] == ("items", "properties"):
        prefix = f"{at[1]}."
        found = [(name.removeprefix(prefix), word) for name, word in found]
    return found


def functions() -> list[tuple[str, list[tuple[str, str, str, str]]]]:
    """Every function by group: name, signature, and what it does in both languages."""
    found: dict[str, list[tuple[str, str, str, str]]] = {}
    for each in FUNCTIONS.values():
        found.setdefault(each.group, []).append((each.name, each.signature, each.says, each.says_chinese))
    return list(found.items())


def sentence(field: str, operator: str, value: str, around: Around) -> str:
    """The expression of a rule given as field, operator and value; empty where it is none."""
    pattern = next((text for name, _, text in OPERATORS if name == operator), "")
    if not field or not pattern:
        return ""
    schema = mapping(mapping(around.form.get("properties")).get(field))
    return pattern.format(field=field, value=_literal(schema.get("type"), value.strip()))


def read_sentence(source: str) -> tuple[str, str, str]:
    """Field, operator and value of an expression that is such a rule; empty texts where it is more."""
    for name, _, text in OPERATORS:
        pattern = (
            re.escape(text).replace(r"\{field\}", r"([\w.]+)").replace(r"\{value\}", r"('[^']*'|[\w.-]+)")
        )
        found = re.fullmatch(pattern, source.strip())
        if found:
            return found[1], name, found[2].strip("'") if found.re.groups == 2 else ""
    return "", "", ""


def _literal(json_type: object, value: str) -> str:
    if json_type in ("number", "integer"):
        return value or "0"
    if json_type == "boolean":
        return "true" if value.lower() in ("1", "true", "yes", "是") else "false"
    return "'" + value.replace("'", "''") + "'"


def judge(actor: Actor, around: Around, at: Path, source: str) -> Verdict:
    """Whether the expression can be understood, and what it gives for the newest record."""
    expects = BOOL if at and at[-1] in CONDITIONS else None
    found, problems = check_expression(source, names_at(around, at), expects)
    if found is None:
        return Verdict(problems)
    return _tried(actor, around, found)


def _tried(actor: Actor, around: Around, expression: Expression) -> Verdict:
    """The value for the newest record that the builder may see, where the form is published."""
    key = str(around.form.get("x-key", ""))
    if library.find_document("form", key) is None:
        return Verdict([])
    try:
        spec = get_form(key)
        rows = listing.list_records(actor, spec, listing.Query(sort=("-id",))).rows
        if not rows:
            return Verdict([])
        values = dict(rows[0])
        env = Links(actor, spec, [values]).environment(spec, values)
        value = expression.evaluate(env, context_of(actor))
    except (EvaluationError, FormloopError, KeyError, TypeError):
        return Verdict([])
    said = translate((YES if value else NO).msgid, around.locale) if isinstance(value, bool) else value
    name = values.get(spec.title_field) or values["id"]
    return Verdict([], str(said if said is not None else "–"), str(name))
