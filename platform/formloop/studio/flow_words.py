"""What the card of a step says: who is asked, and from the schema of its kind everything else that is set."""

from collections.abc import Iterator, Mapping
from typing import Any

from formloop.access import signing
from formloop.access.actor import SYSTEM
from formloop.core.text import M, localized
from formloop.studio.formula import scope_at
from formloop.studio.inputs import spoken_duration
from formloop.studio.pickers import Around, offered
from formloop.studio.shapes import listing, mapping, texts
from formloop.studio.vocabulary import Vocabulary
from formloop.workflows.assignees import rules
from formloop.workflows.nodes import nodes
from formloop.workflows.spec import Node

MOST = 3  # settings on a card besides who is asked
NAMED = 3  # of several values that are named
LONGEST = 80  # characters of one setting
CONDITIONS = ("until", "while")
OWN = ("who", "mode", "branches", "steps", "fields")  # said in other words, or drawn


def say_step(step: Mapping[str, Any], around: Around) -> str:
    """Who is asked, how they decide, and what the step does."""
    node = nodes.find(str(step.get("node")))
    parts = [*_asked(step, around), *(_set(node, step, around) if node else ())]
    if "branches" in step:
        parts.append(
            M("{count} {count:branch|branches}", count=len(listing(step["branches"]))).render(around.locale)
        )
    if node is not None and not parts and not node.required:
        parts.append(node.title.render(around.locale))  # there is nothing that must be said
    return " · ".join(parts)


def _asked(step: Mapping[str, Any], around: Around) -> Iterator[str]:
    for rule in listing(step.get("who")):
        known = rules.find(str(mapping(rule).get("rule")))
        if known is not None:
            detail = [
                word for key, each in known.schema.items() for word in _named(each, rule.get(key), around)
            ]
            named = known.title.render(around.locale)
            yield f"{named}: {', '.join(detail)}" if detail else named
    node = nodes.find(str(step.get("node")))
    modes = mapping(mapping(node.schema.get("mode")).get("x-titles")) if node else {}
    if step.get("mode") in modes:
        yield localized(modes[step["mode"]], "title", around.locale)


def _set(node: Node, step: Mapping[str, Any], around: Around) -> list[str]:
    """What is set, in the order of the schema: the essential alone, the rest by its name."""
    beside = Around(around.kind, around.doc, around.locale, step)
    found = []
    for key, schema in node.schema.items():
        if key in OWN or key not in step or step[key] == schema.get("default"):
            continue
        word = _word(key, schema, step[key], beside)
        title = localized(schema, "title", around.locale)
        if word:
            found.append(word if key in node.required or not title else f"{title}: {word}")
        elif step[key] is True:
            found.append(title)
    return found[:MOST]


def _word(key: str, schema: Mapping[str, Any], value: Any, around: Around) -> str:
    """A value as people know it; nothing where it has no words."""
    if isinstance(value, str) and value in mapping(schema.get("x-titles")):
        return localized(schema["x-titles"][value], "title", around.locale)
    if "x-pairs" in schema:
        return _pairs(schema["x-pairs"], mapping(value), around)
    if "properties" in schema:
        inner = mapping(schema["properties"])
        words = [
            _word(name, each, mapping(value)[name], around)
            for name, each in inner.items()
            if name in mapping(value)
        ]
        return ", ".join(each for each in words if each)
    if schema.get("x-pick") == "duration":
        return spoken_duration(value)
    if schema.get("x-pick", "expression") == "expression" and isinstance(value, str):
        return _expression(key, value, around)
    words = _named(schema, value, around)
    return _short(", ".join(words)) if words else str(value) if type(value) is int else ""


def _pairs(said: Mapping[str, Any], value: Mapping[str, Any], around: Around) -> str:
    names = _named(mapping(said.get("name")), list(value), around)
    more = [f"+{len(names) - NAMED}"] if len(names) > NAMED else []
    return ", ".join([*names[:NAMED], *more])


def _expression(key: str, value: str, around: Around) -> str:
    scope = scope_at(Around(around.kind, around.doc, around.locale, {}), ("when",))
    if key in CONDITIONS:
        return _short(Vocabulary(scope, around.locale, signing.find_current() or SYSTEM).say(value))
    plain = value[1:-1] if value[:1] == value[-1:] == "'" and "'" not in value[1:-1] else value
    return _short(dict(scope.fields).get(value, plain))


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _named(schema: Mapping[str, Any], value: Any, around: Around) -> list[str]:
    """What people call the things a setting names."""
    chosen = [value] if isinstance(value, str) else texts(value)
    word = schema.get("x-pick")
    if not chosen or word in (None, "expression"):
        return chosen
    known = dict(offered(str(word), around, chosen))
    return [known.get(each, each) for each in chosen]
