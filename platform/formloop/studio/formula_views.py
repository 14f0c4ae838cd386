"""The dialog of formulas and conditions: a condition is a sentence first, its text stands behind a button."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, jsonify, request, url_for

from formloop.access import signing
from formloop.access.actor import Actor
from formloop.core.definitions import Path
from formloop.core.errors import Invalid, NotFound, Problem
from formloop.core.text import M
from formloop.definitions.views import DESIGN
from formloop.forms import live
from formloop.forms.fields import types
from formloop.forms.spec import Field, Relation
from formloop.studio import conditions, drafting, formula
from formloop.studio.conditions import Rule, Sentence
from formloop.studio.designer import Designer, Gesture, Made, designer_of
from formloop.studio.formula import Verdict
from formloop.studio.list_filters import ListFilters
from formloop.studio.operations import Operation, apply, find, read_path, write_path
from formloop.studio.pickers import Around
from formloop.studio.places import schema_at
from formloop.studio.samples import BESIDE
from formloop.studio.shapes import mapping
from formloop.studio.vocabulary import Group, Vocabulary
from formloop.web import page, viewer
from formloop.web.routes import route

blueprint = Blueprint("studio_formula", __name__, url_prefix="/studio")


Words = Vocabulary | ListFilters


@route(blueprint, "/<definition_id>/formula", permission=DESIGN)
def show(definition_id: str) -> Response:
    """The expression at a place: a condition as a sentence where it may be one, else its text."""
    at, given = read_path(request.args.get("at", "")), request.args
    found, words = _words_at(definition_id, at)
    if isinstance(words, ListFilters):
        return _sentence(definition_id, at, words, words.read(found))
    source = given.get("source", found if isinstance(found, str) else "")
    if "join" in given:  # the sentence as it stands in the dialog is to be seen as text
        source = words.written(conditions.read_posted(given))
    condition = formula.expected_at(at) is not None
    sentence = words.read(source) if condition else None
    sayable = condition and bool(words.groups)
    more = sentence is None or not conditions.fits(sentence, words.names)
    if more or given.get("text") or not sayable:
        return _text("studio/_formula.html", definition_id, at, words, source, condition, sayable, more)
    return _sentence(definition_id, at, words, sentence or Sentence())


@route(blueprint, "/<definition_id>/formula", permission=DESIGN, methods=["POST"])
def judge(definition_id: str) -> Response:
    """What is wrong with an expression, or what it gives; of a sentence also what it says."""
    form = request.form
    at = read_path(form.get("at", ""))
    _, words = _words_at(definition_id, at)
    if isinstance(words, Vocabulary) and "join" not in form:
        return _text("studio/_verdict.html", definition_id, at, words, form.get("source", ""))
    told = _told(words, conditions.read_posted(form))
    return page.render_part("studio/_verdict.html", **told, choices_of=_choices_of(definition_id, at))


@route(blueprint, "/<definition_id>/formula/choices", permission=DESIGN)
def choices(definition_id: str) -> Response:
    """The records, people or departments that a field may be compared with and that fit what was typed."""
    actor, given = signing.current(), request.args
    _, words = _words_at(definition_id, read_path(given.get("at", "")))
    source = words.source(given.get("thing", "")) if isinstance(words, Vocabulary) else ""
    return jsonify(_found_in(actor, source, given.get("q", "")[:100]))


def _found_in(actor: Actor, source: str, text: str) -> list[dict[str, Any]]:
    name = source.removeprefix("@") if source in ("@person", "@department") else "relation"
    kind = types.get({"person": "member"}.get(name, name))
    field = Field("", "", kind, {}, relation=Relation(source) if name == "relation" else None)
    with suppress(NotFound):  # a form that is not published yet has no records
        return live.choices(actor, None, field, text) if source else []
    return []


def words_for(designer: Designer, around: Around, at: Path) -> Words:
    """What a sentence at a place can speak of: what an expression can name there, or what a list is filtered by."""
    schema = schema_at(around.kind.schema, around.doc, at)
    if schema is not None and schema.get("x-pick") == "filters":
        return ListFilters(around)
    beside = mapping(find(around.doc, at[:-1], around.kind.identities))
    part = schema_at(around.kind.schema, around.doc, at[:-1]) or {}
    scope = designer.scope(around.inside(part, beside), at)
    return Vocabulary(scope, around.locale, signing.current())


def write_condition(designer: Designer, gesture: Gesture) -> Made:
    """Keep the sentence that was sent as what stands at a place."""
    around, at = gesture.around, gesture.at
    words, sentence = words_for(designer, around, at), conditions.read_posted(gesture.given)
    if problems := words.problems(sentence):
        raise Invalid(problems)
    source = words.written(sentence)
    if not source:
        raise Invalid([Problem("empty", "", M("Choose a field to compare."))])
    return apply(around.doc, [Operation("set", at, source)], around.kind.identities)


def _words_at(definition_id: str, at: Path) -> tuple[Any, Words]:
    """What stands at a place of the draft, and what it can speak of."""
    desk = drafting.open_desk(signing.current(), definition_id)
    designer = designer_of(desk.kind.name)
    around = Around(desk.kind, designer.opened(desk.doc), viewer.locale(), {})
    return find(around.doc, at, desk.kind.identities), words_for(designer, around, at)


def _text(
    template: str,
    definition_id: str,
    at: Path,
    words: Vocabulary,
    source: str,
    condition: bool = False,
    sayable: bool = False,
    more: bool = False,
) -> Response:
    scope, verdict = words.scope, _judged(words, source)
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
        beside=BESIDE,
        choices_of=_choices_of(definition_id, at),
    )


def _sentence(definition_id: str, at: Path, words: Words, sentence: Sentence) -> Response:
    known = {thing for group in words.groups for thing, _ in group.things}
    there = dict.fromkeys(each.field for each in sentence.rules if each.field and each.field not in known)
    groups = [*words.groups, Group("", [(each, words.word(each)) for each in there])]
    likes = {words.like(thing): words.compared(thing) for thing in ["", *known, *there]}
    rules = [_drawn(each, words, likes) for each in sentence.rules or (Rule("", "is"),)]
    return page.render_part(
        "studio/_condition.html",
        definition_id=definition_id,
        at=write_path(at),
        rules=rules,
        fresh=_drawn(Rule("", "is"), words, likes),
        join=sentence.join,
        joins=[(key, said) for key, (_, said, _) in conditions.JOINS.items()] if words.joins else [],
        groups=groups,
        like_of=words.like,
        likes=likes,
        bare=words.bare,
        choices_of=_choices_of(definition_id, at),
        **_told(words, sentence),
    )


def _choices_of(definition_id: str, at: Path) -> Callable[[str], str]:
    """Where the page asks what something may be compared with."""
    return lambda thing: url_for(
        "studio_formula.choices", definition_id=definition_id, at=write_path(at), thing=thing
    )


def _judged(words: Vocabulary, source: str) -> Verdict:
    """What an expression comes to; the values that it asks for are chosen where they can be."""
    verdict = formula.judge(words.actor, words.scope, source, words.locale, _given())
    asks = [
        replace(
            each,
            title=words.word(each.path),
            options=words.options(each.path),
            searched=not each.several and words.source(each.path) not in ("", conditions.FILES),
            called=words.called(each.path, each.value),
        )
        for each in verdict.asks
    ]
    return replace(verdict, asks=asks)


def _told(words: Words, sentence: Sentence) -> dict[str, Any]:
    """What a sentence comes to, in words, and what is wrong with it."""
    problems = words.problems(sentence)
    verdict = Verdict(problems) if problems else None
    if isinstance(words, ListFilters):
        kept = words.written(sentence)
        return {
            "source": " ".join(kept),
            "said": "" if problems else words.say(kept),
            "verdict": verdict,
            "beside": BESIDE,
        }
    source = words.written(sentence)
    if source and not problems:
        verdict = _judged(words, source)
    wrong = verdict is not None and bool(verdict.problems)
    return {
        "source": source,
        "said": "" if wrong else words.say(source),
        "verdict": verdict,
        "beside": BESIDE,
    }


def _given() -> dict[str, str]:
    """The values that were typed to try an expression with, by path."""
    return {
        name.removeprefix("sample."): text[:500]
        for name, text in request.form.items()
        if name.startswith("sample.")
    }


def _drawn(rule: Rule, words: Words, likes: Mapping[str, Any]) -> dict[str, Any]:
    like = likes[words.like(rule.field)]
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
