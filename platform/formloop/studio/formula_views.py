"""The dialog of formulas and conditions: a condition is a sentence first, its text stands behind a button."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, jsonify, request

from formloop.access import signing
from formloop.access.actor import Actor
from formloop.core.definitions import Path
from formloop.core.errors import Invalid, NotFound, Problem
from formloop.core.expression import BOOL
from formloop.core.text import M, Message
from formloop.definitions.views import DESIGN
from formloop.forms import live
from formloop.forms.fields import types
from formloop.forms.fields.switch import NO, YES
from formloop.forms.spec import Field, Relation
from formloop.studio import conditions, drafting, formula
from formloop.studio.conditions import Rule, Sentence
from formloop.studio.designer import Designer, Gesture, Made, designer_of
from formloop.studio.formula import Scope, Verdict
from formloop.studio.operations import Operation, apply, find, read_path, write_path
from formloop.studio.pickers import Around
from formloop.studio.shapes import mapping
from formloop.studio.vocabulary import Group, Vocabulary
from formloop.web import page, viewer
from formloop.web.routes import route

blueprint = Blueprint("studio_formula", __name__, url_prefix="/studio")


@route(blueprint, "/<definition_id>/formula", permission=DESIGN)
def show(definition_id: str) -> Response:
    """The expression at a place: a condition as a sentence where it may be one, else its text."""
    at, given = read_path(request.args.get("at", "")), request.args
    found, scope = _formula_at(definition_id, at)
    words = Vocabulary(scope, viewer.locale(), signing.current())
    source = given.get("source", found if isinstance(found, str) else "")
    if "join" in given:  # the sentence as it stands in the dialog is to be seen as text
        source = conditions.read_posted(given).written(words.names)
    condition = formula.expected_at(at) is not None
    sentence = words.read(source) if condition else None
    sayable = condition and bool(words.groups)
    more = sentence is None or not conditions.fits(sentence, words.names)
    if more or given.get("text") or not sayable:
        return _text("studio/_formula.html", definition_id, at, scope, source, condition, sayable, more)
    return _sentence(definition_id, at, words, sentence or Sentence())


@route(blueprint, "/<definition_id>/formula", permission=DESIGN, methods=["POST"])
def judge(definition_id: str) -> Response:
    """What is wrong with an expression, or what it gives; of a sentence also what it says."""
    form = request.form
    at = read_path(form.get("at", ""))
    _, scope = _formula_at(definition_id, at)
    if "join" not in form:
        return _text("studio/_verdict.html", definition_id, at, scope, form.get("source", ""))
    return _verdict(scope, conditions.read_posted(form))


@route(blueprint, "/<definition_id>/formula/choices", permission=DESIGN)
def choices(definition_id: str) -> Response:
    """The records, people or departments that a field may be compared with and that fit what was typed."""
    actor, given = signing.current(), request.args
    _, scope = _formula_at(definition_id, read_path(given.get("at", "")))
    source = Vocabulary(scope, viewer.locale(), actor).source(given.get("thing", ""))
    return jsonify(_found_in(actor, source, given.get("q", "")[:100]))


def _found_in(actor: Actor, source: str, text: str) -> list[dict[str, Any]]:
    name = source.removeprefix("@") if source in ("@person", "@department") else "relation"
    kind = types.get({"person": "member"}.get(name, name))
    field = Field("", "", kind, {}, relation=Relation(source) if name == "relation" else None)
    with suppress(NotFound):  # a form that is not published yet has no records
        return live.choices(actor, None, field, text) if source else []
    return []


def write_condition(designer: Designer, gesture: Gesture) -> Made:
    """Keep the sentence that was sent as the condition at a place."""
    around, at = gesture.around, gesture.at
    beside = mapping(find(around.doc, at[:-1], around.kind.identities))
    scope = designer.scope(replace(around, beside=beside), at)
    names, sentence = Vocabulary(scope, around.locale).names, conditions.read_posted(gesture.given)
    if problems := sentence.problems(names):
        raise Invalid(problems)
    source = sentence.written(names)
    if not source:
        raise Invalid([Problem("empty", "", M("Choose a field to compare."))])
    return apply(around.doc, [Operation("set", at, source)], around.kind.identities)


def _formula_at(definition_id: str, at: Path) -> tuple[Any, Scope]:
    """What stands at a place of the draft, and what an expression may be there."""
    desk = drafting.open_desk(signing.current(), definition_id)
    designer = designer_of(desk.kind.name)
    doc = designer.opened(desk.doc)
    beside = mapping(find(doc, at[:-1], desk.kind.identities))
    around = Around(desk.kind, doc, viewer.locale(), beside)
    return find(doc, at, desk.kind.identities), designer.scope(around, at)


def _text(
    template: str,
    definition_id: str,
    at: Path,
    scope: Scope,
    source: str,
    condition: bool = False,
    sayable: bool = False,
    more: bool = False,
) -> Response:
    verdict = formula.judge(signing.current(), scope, source, viewer.locale(), _given())
    return page.render_part(
        template,
        definition_id=definition_id,
        at=write_path(at),
        source=source,
        beginning=types.get("calculation").sample["x-formula"],
        reworded=formula.reworded(scope, source) if verdict.problems else "",
        condition=condition,
        sayable=sayable,
        more=more,
        fields=[*scope.own, *scope.fields],
        functions=formula.functions(),
        verdict=verdict,
    )


def _sentence(definition_id: str, at: Path, words: Vocabulary, sentence: Sentence) -> Response:
    source = sentence.written(words.names)
    known = {thing for group in words.groups for thing, _ in group.things}
    there = dict.fromkeys(each.field for each in sentence.rules if each.field and each.field not in known)
    groups = [*words.groups, Group("", [(each, words.word(each)) for each in there])]
    likes = {_like(thing, words): _compared(thing, words) for thing in ["", *known, *there]}
    rules = [_drawn(each, words, likes) for each in sentence.rules or (Rule("", "is"),)]
    return page.render_part(
        "studio/_condition.html",
        definition_id=definition_id,
        at=write_path(at),
        source=source,
        said=words.say(source),
        rules=rules,
        fresh=_drawn(Rule("", "is"), words, likes),
        join=sentence.join,
        joins=[(key, said) for key, (_, said, _) in conditions.JOINS.items()],
        groups=groups,
        like_of=lambda thing: _like(thing, words),
        likes=likes,
        bare=conditions.WITHOUT_VALUE,
        verdict=_judged(words, sentence, source),
    )


def _verdict(scope: Scope, sentence: Sentence) -> Response:
    words = Vocabulary(scope, viewer.locale(), signing.current())
    source = sentence.written(words.names)
    verdict = _judged(words, sentence, source)
    wrong = verdict is not None and bool(verdict.problems)
    return page.render_part(
        "studio/_verdict.html", source=source, said="" if wrong else words.say(source), verdict=verdict
    )


def _given() -> dict[str, str]:
    """The values that were typed to try an expression with, by path."""
    return {
        name.removeprefix("sample."): text[:500]
        for name, text in request.form.items()
        if name.startswith("sample.")
    }


def _judged(words: Vocabulary, sentence: Sentence, source: str) -> Verdict | None:
    """What is wrong with a sentence, or what it gives; nothing where it says nothing yet."""
    if problems := sentence.problems(words.names):
        return Verdict(problems)
    return formula.judge(words.actor, words.scope, source, words.locale, _given()) if source else None


def _like(thing: str, words: Vocabulary) -> str:
    """Things of one kind are compared alike; one of choices has its own, and sums are never empty."""
    if words.options(thing):
        return f"={thing}"
    kind = conditions.type_of(thing, words.names)
    named = f"{kind.name} {words.source(thing)}".strip() if kind else ""
    return f"sum {named}" if conditions.aggregate_of(thing) else named


def _compared(thing: str, words: Vocabulary) -> dict[str, Any]:
    """What something can be compared with: a thing that stands for all that are compared alike."""
    kind = conditions.type_of(thing, words.names)
    options: list[tuple[str, Message | str]] = [*words.options(thing)]
    if kind == BOOL:
        options = [("true", YES), ("false", NO)]
    names = conditions.operators_for(thing, words.names) or ("is",)
    return {
        "kind": kind.name if kind else "",
        "thing": thing,
        "searched": bool(words.source(thing)) and "empty" in names and len(names) > 2,
        "operators": [(each, conditions.OPERATORS[each][0]) for each in names],
        "options": options,
        "others": words.others(thing),
    }


def _drawn(rule: Rule, words: Vocabulary, likes: Mapping[str, Any]) -> dict[str, Any]:
    like = likes[_like(rule.field, words)]
    called = words.called(rule.field, rule.value) if rule.value else ""
    others = [*like["others"]]
    if rule.other and rule.other not in dict(others):
        others.append((rule.other, words.word(rule.other)))
    return {
        "field": rule.field,
        "operator": rule.operator,
        "value": rule.value,
        "called": called or f"#{rule.value}",
        "other": rule.other,
        "like": {**like, "others": others},
    }
