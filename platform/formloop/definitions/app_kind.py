"""The kind of definition "app": an application's names, icon, colour, menu and what it opens with."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from formloop.core.definitions import (
    ABSENT,
    Change,
    Doc,
    Kind,
    Label,
    Shape,
    kinds,
    load_schema,
    name_pattern,
)
from formloop.core.definitions.shape import called
from formloop.core.text import M, Message, Titled, join_words, localized
from formloop.definitions import library
from formloop.definitions.apps import ORDER, App, Page

MENU = "menu"


def references(doc: Doc) -> set[tuple[str, str]]:
    """What it opens with. Its menu is an order only: what is not there any more is left out."""
    return {read_page(doc["home"])} if "home" in doc else set()


def prepare(doc: Doc, _version: int) -> App:
    """What runs of an application."""
    return App(
        doc["x-key"],
        localized(doc, "title", "en"),
        localized(doc, "title", "zh-CN"),
        doc.get("order", ORDER),
        doc.get("icon", "apps"),
        doc.get("color", "blue"),
        read_page(doc["home"]) if "home" in doc else None,
        tuple(map(read_page, doc.get("menu", ()))),
        (localized(doc, "description", "en"), localized(doc, "description", "zh-CN")),
    )


def read_page(said: str) -> Page:
    """Kind and key of a page, said as "form:order"."""
    kind, _, key = said.partition(":")
    return kind, key


def tell_menu(old: Doc, new: Doc, shape: Shape) -> Iterator[Change]:
    """What came into the menu and what went, and its order where that is another."""
    was, now = (list[str](each.get(MENU, ())) for each in (old, new))
    one, other = old.get(MENU, ABSENT), new.get(MENU, ABSENT)
    what = "added" if one is ABSENT else "removed" if other is ABSENT else "changed"
    label = Label(MENU, None, shape)
    yield Change((MENU,), what, one, other, (label,), said=partial(_say_menu, was, now))


def _page_title(name: str, locale: str) -> str:
    """What a page is called; one that is not published by its key."""
    kind, key = read_page(name)
    entry = library.find_entry(kind, key)
    return entry.name(locale) if entry else key


def _say_menu(was: list[str], now: list[str], locale: str) -> Message:
    def pages(names: list[str]) -> str:
        return join_words((f"“{_page_title(name, locale)}”" for name in names), locale)

    came, went = [each for each in now if each not in was], [each for each in was if each not in now]
    stayed = [each for each in now if each in was]
    said = []
    if came and was:
        said.append(M("{pages} came into the menu.", pages=pages(came)))
    if went and now:
        said.append(M("{pages} went out of the menu.", pages=pages(went)))
    if not now:
        said.append(M("The menu has no order of its own any more."))
    elif not was or stayed != [each for each in was if each in now]:
        said.append(M("The order of the menu is now: {pages}.", pages=pages(now)))
    return Titled({"title": " ".join(each.render(locale) for each in said)})


called.add("app_page", _page_title)
APP = kinds.add(
    "app",
    Kind(
        name="app",
        title=M("Application"),
        schema=load_schema("app", Path(__file__).with_name("app_schema.json")),
        references=references,
        prepare=prepare,
        identities={MENU: ""},
        tells={MENU: tell_menu},
    ),
)

name_pattern(
    r"^[a-z0-9-]{1,40}$",
    M("“{value}” is no icon."),
)
name_pattern(
    r"^(form|dataset):[a-z][a-z0-9_]{0,40}$",
    M("“{value}” is neither a form nor a dataset."),
)
