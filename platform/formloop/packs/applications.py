"""Applications as their builders see them: made, shown, filled, emptied and removed; what they hold."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from formloop.access import gate
from formloop.access.actor import Actor
from formloop.core import clock
from formloop.core.definitions import Doc
from formloop.core.errors import Invalid, NotFound, Problem
from formloop.core.keys import suggest_key
from formloop.core.text import M, titled
from formloop.db import reading, transactional
from formloop.definitions import apps, library
from formloop.definitions import service as definitions
from formloop.definitions.apps import App
from formloop.definitions.service import Definition
from formloop.packs.service import OWN_FORMS, app_of_pack, list_shipped
from formloop.packs.tables import shipped


@dataclass(frozen=True, slots=True)
class Application:
    """An application with what belongs to it, by kind and key. `definition` shapes it, where there is one."""

    app: App
    contents: tuple[Definition, ...]
    definition: Definition | None

    @property
    def key(self) -> str:
        """The word for it in addresses; what belongs to no application has one, too."""
        return self.app.key or OWN_FORMS


def list_applications() -> list[Application]:
    """Every application that is known or holds something, in the order of the menu."""
    known = apps.list_apps()
    held: dict[str, list[Definition]] = {key: [] for key in known}
    own: dict[str, Definition] = {}
    for each in definitions.list_definitions():
        if each.archived:
            continue
        if each.kind == "app":
            own[each.key] = each
            held.setdefault(each.key, [])
        else:
            held.setdefault(each.app, []).append(each)
    found = [Application(apps.app_of(key, known), tuple(held[key]), own.get(key)) for key in held]
    return sorted(found, key=lambda each: (each.app.order, each.app.title))


def get_application(key: str) -> Application:
    """An application by its word in addresses, or NotFound."""
    found = next((each for each in list_applications() if each.key == key), None)
    if found is None:
        raise NotFound(M("There is no application “{app}”.", app=key))
    return found


def free_key(title: str) -> str:
    """A key for a new application that nothing has, neither here nor among the shipped packs."""
    taken = {each.key for each in list_applications()} | {each.app for each in definitions.list_definitions()}
    taken |= {each.key for each in definitions.list_definitions("app")}
    return suggest_key(title, taken | {OWN_FORMS, "new"} | {pack.key for pack in list_shipped()}, "app")


def document_of(key: str) -> Doc:
    """The definition of an application; one that a pack brought along by its manifest gets a first one."""
    there = library.find_document("app", app_of_pack(key))
    if there is not None:
        return there
    app = get_application(key).app
    return {
        "x-kind": "app",
        "x-id": clock.new_key(),
        "x-key": app.key or OWN_FORMS,
        **titled(app.title, app.title_zh),
        **({"description": app.text[0]} if app.text[0] else {}),
        **({"x-description": {"zh-CN": app.text[1]}} if app.text[1] else {}),
        "icon": app.icon,
        "color": app.color,
        **({"order": app.order} if app.order < apps.ORDER else {}),
    }


@transactional
def create(actor: Actor, title: str, title_zh: str, icon: str, color: str) -> str:
    """Make an application with nothing in it; returns its key."""
    key = free_key(title)
    doc: Doc = {"x-kind": "app", "x-id": clock.new_key(), "x-key": key, **titled(title, title_zh)}
    definitions.publish_many(
        actor, [{**doc, "icon": icon, "color": color}], M("made here").render(actor.locale), app=key
    )
    return key


@transactional
def shape(actor: Actor, key: str) -> str:
    """The id of the definition that shapes an application; it is made when there is none yet."""
    found = get_application(key)
    if found.definition is not None:
        return found.definition.id
    if not found.app.key:
        raise NotFound
    return definitions.save_draft(actor, "app", document_of(key), app=found.app.key).id


@transactional
def move(actor: Actor, ids: Sequence[str], key: str) -> None:
    """Let definitions belong to another application, or to none; those that a pack brought stay with it."""
    target = get_application(key)
    ids = [each.id for app in list_applications() for each in app.contents if each.id in ids]
    if brought(ids):
        text = M("What a pack brought along stays in its application. Copy the application instead.")
        raise Invalid([Problem("of_pack", "", text)])
    definitions.move(actor, ids, target.app.key)


def brought(ids: Sequence[str]) -> set[str]:
    """Those of these definitions that packs brought along."""
    with reading() as conn:
        query = select(shipped.c.definition).where(shipped.c.definition.in_(ids))
        return set(conn.execute(query).scalars())


@transactional
def remove(actor: Actor, key: str) -> None:
    """Take an application out of use that has nothing in it."""
    gate.require(actor, "design", "definition")
    found = get_application(key)
    if found.contents:
        text = M("“{app}” is not empty. Move or take out of use what is in it first.", app=found.app.title)
        raise Invalid([Problem("not_empty", "", text)])
    if found.definition is None:
        raise NotFound
    definitions.archive(actor, found.definition.id)


def by_kind(contents: Iterable[Definition]) -> dict[str, list[Definition]]:
    """What an application holds, by kind."""
    found: dict[str, list[Definition]] = {}
    for each in contents:
        found.setdefault(each.kind, []).append(each)
    return found
