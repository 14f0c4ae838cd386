"""The applications that definitions belong to: definitions themselves, or known by a room that brings them along."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from formloop.core.text import M
from formloop.definitions import library

ORDER = 1_000  # of an application that says nothing of its place
Page = tuple[str, str]  # kind and key of what can be opened


@dataclass(frozen=True, slots=True)
class App:
    """An application: its key, its names, its place among the others, its face, its menu and what it says."""

    key: str
    title: str
    title_zh: str = ""
    order: int = ORDER
    icon: str = "apps"
    color: str = "blue"
    home: Page | None = None
    menu: tuple[Page, ...] = ()
    text: tuple[str, str] = ("", "")  # Markdown, in English and Chinese

    def name(self, locale: str) -> str:
        """What it is called in a language."""
        return self.title_zh if locale.startswith("zh") and self.title_zh else self.title

    def said(self, locale: str) -> str:
        """What it says of itself in a language."""
        return self.text[locale.startswith("zh")] or self.text[0]

    def place(self, kind: str, key: str) -> int:
        """The place of a page in its menu; what it does not name comes after what it does."""
        return self.menu.index((kind, key)) if (kind, key) in self.menu else len(self.menu)


_lists: list[Callable[[], Mapping[str, App]]] = []


def known_by(list_apps: Callable[[], Mapping[str, App]]) -> None:
    """Let `list_apps()` say which applications there are besides the definitions; saying it twice counts once."""
    if list_apps not in _lists:
        _lists.append(list_apps)


def list_apps() -> dict[str, App]:
    """The applications that are known, by key; a definition says more than who brought it along."""
    brought = {key: app for each in _lists for key, app in each().items()}
    return brought | {app.key: app for app in library.all_published("app")}


def app_of(key: str, known: Mapping[str, App]) -> App:
    """The application called `key`; one that nobody brought along goes by its key."""
    return known.get(key) or App(key, key)


class Named(Protocol):
    """A definition as it is listed, whether it is published or not."""

    @property
    def key(self) -> str:
        """What formulas and other definitions call it."""

    @property
    def app(self) -> str:
        """The key of its application."""

    def name(self, locale: str) -> str:
        """Its title in a language."""


def names_apart(found: Iterable[Named], locale: str) -> dict[str, str]:
    """What definitions of one kind are called, by key: of one name with their application, else with their key."""
    listed, known = list(found), list_apps()
    words = {each.key: each.name(locale) for each in listed}
    for tell in (
        lambda each: app_of(each.app, known).name(locale) if each.app else "",
        lambda each: each.key,
    ):
        often = Counter(words.values())
        more = {each.key: tell(each) for each in listed if often[words[each.key]] > 1}
        words |= {
            key: M("{name} ({which})", name=words[key], which=said).render(locale)
            for key, said in more.items()
            if said
        }
    return words
