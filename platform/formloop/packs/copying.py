"""A second application like a first one: new ids and keys, and what pointed inside points inside again."""

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from functools import partial
from typing import Any

from formloop.access.actor import Actor
from formloop.core import clock
from formloop.core.definitions import Doc, Reference, kinds
from formloop.core.errors import FormloopError, Invalid, Problem
from formloop.core.keys import suggest_key
from formloop.core.text import M, Titled, titled
from formloop.db import transactional
from formloop.definitions import service as definitions
from formloop.forms import first_rights
from formloop.packs import applications
from formloop.packs.service import documents_of

Names = Mapping[Reference, str]  # the new keys of what is copied
_IDENTITY = ("x-kind", "x-id", "x-key", "title")
_PROBE = "zz_neither_here_nor_there"


@transactional
def copy(actor: Actor, app: str, title: str, title_zh: str = "") -> str:
    """Publish a copy of an application under another name; returns its key. Its records stay with the first."""
    key = applications.free_key(title)
    docs = [doc for doc in documents_of(app) if doc["x-kind"] != "app"]
    names = _new_names(docs)
    face = applications.document_of(app)
    menu = [f"{kind}:{names.get((kind, name), name)}" for kind, name in _pages(face)]
    unnamed = {word: said for word, said in face.items() if word != "x-title"}
    own = {**unnamed, "x-id": clock.new_key(), "x-key": key, **titled(title, title_zh)}
    if "menu" in face:
        own["menu"] = menu
    if "home" in face:
        kind, _, name = face["home"].partition(":")
        own["home"] = f"{kind}:{names.get((kind, name), name)}"
    called = {each.title for each in definitions.list_definitions("role")}
    copies = [own, *(_with_own_title(_copied(doc, names), called) for doc in docs)]
    definitions.publish_many(
        actor, copies, M("copy of {app}", app=Titled(face)).render(actor.locale), app=key
    )
    for doc in copies:
        if doc["x-kind"] == "form":
            first_rights.give(actor, doc["x-key"])
    return key


def list_roles(app: str) -> list[Titled]:
    """The roles of an application, of which a copy has its own."""
    return [Titled(doc) for doc in documents_of(app) if doc["x-kind"] == "role"]


def _with_own_title(doc: Doc, called: set[str]) -> Doc:
    """A role by a name of its own, since people are given roles by name."""
    if doc["x-kind"] != "role":
        return doc
    said, number = M("{name} (copy)", name=Titled(doc)), 1
    while said.render("en") in called:
        number += 1
        said = M("{name} (copy {number})", name=Titled(doc), number=number)
    chinese = {"x-title": {**doc["x-title"], "zh-CN": said.render("zh-CN")}} if "x-title" in doc else {}
    return {**doc, "title": said.render("en"), **chinese}


def _pages(face: Doc) -> Iterator[Reference]:
    for said in face.get("menu", ()):
        kind, _, key = said.partition(":")
        yield kind, key


def _new_names(docs: list[Doc]) -> Names:
    taken: dict[str, set[str]] = {}
    for each in definitions.list_definitions():
        taken.setdefault(each.kind, set()).add(each.key)
    names = {}
    for doc in docs:
        kind, key = doc["x-kind"], doc["x-key"]
        names[kind, key] = suggest_key(key, taken[kind], kind)
        taken[kind].add(names[kind, key])
    return names


def _copied(doc: Doc, names: Names) -> Doc:
    kind = kinds.get(doc["x-kind"])
    made = deepcopy(doc)
    named = {key for _, key in names}
    made |= {"x-id": clock.new_key(), "x-key": names[kind.name, doc["x-key"]]}
    for holder, place, value in list(_texts(made)):
        holder[place] = _in_expressions(value, kind.spaces, names)
        if (holder is made and place in _IDENTITY) or value not in named:
            continue
        if (found := _kind_named(made, holder, place)) is not None:
            holder[place] = names.get((found, value), value)
    wanted = {(name, names.get((name, key), key)) for name, key in kind.references(doc)}
    if kind.references(made) != wanted:
        text = M("“{title}” cannot be copied: what it refers to is not found again.", title=Titled(doc))
        raise Invalid([Problem("copy", doc["x-key"], text)])
    return made


def _texts(value: Any) -> Iterator[tuple[Any, Any, str]]:
    """Every text in a document with where it stands."""
    members = value.items() if isinstance(value, dict) else enumerate(value)
    for place, each in members:
        if isinstance(each, str):
            yield value, place, each
        elif isinstance(each, dict | list):
            yield from _texts(each)


def _in_expressions(text: str, spaces: Mapping[str, str], names: Names) -> str:
    """A text with the definitions that it names behind a space called by their new keys."""
    for space, kind in spaces.items():
        if f"{space}." in text:
            renamed = partial(_renamed, kind, names)
            text = re.sub(rf"\b({space}\.)(\w+)", renamed, text)
    return text


def _renamed(kind: str, names: Names, found: "re.Match[str]") -> str:
    return found[1] + names.get((kind, found[2]), found[2])


def _kind_named(doc: Doc, holder: Any, place: Any) -> str | None:
    """The kind of definition that a text names: it names one when with another text other ones are needed."""
    value = holder[place]
    holder[place] = _PROBE
    try:
        return next((kind for kind, key in kinds.get(doc["x-kind"]).references(doc) if key == _PROBE), None)
    except FormloopError:
        return None  # the text is a word of the kind itself
    finally:
        holder[place] = value
