"""What the applications are called that definitions belong to: the room that brings them along says so."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

ORDER = 1_000  # of an application that says nothing of its place


@dataclass(frozen=True, slots=True)
class App:
    """An application: its key, its names, and its place among the others."""

    key: str
    title: str
    title_zh: str = ""
    order: int = ORDER

    def name(self, locale: str) -> str:
        """What it is called in a language."""
        return self.title_zh if locale.startswith("zh") and self.title_zh else self.title


_lists: list[Callable[[], Mapping[str, App]]] = []


def known_by(list_apps: Callable[[], Mapping[str, App]]) -> None:
    """Let `list_apps()` say which applications there are, by key; saying it twice counts once."""
    if list_apps not in _lists:
        _lists.append(list_apps)


def list_apps() -> dict[str, App]:
    """The applications that are known, by key."""
    return {key: app for each in _lists for key, app in each().items()}


def app_of(key: str, known: Mapping[str, App]) -> App:
    """The application called `key`; one that nobody brought along goes by its key."""
    return known.get(key) or App(key, key)
