"""Who looks at the page: name, language, time zone and colours. `access` says it for each request."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol

from formloop.core.text import LOCALES

THEMES = ("light", "dark", "auto")


class Viewer(Protocol):
    """What the shell needs to know of the person in front of the screen; an actor of `access` has it all."""

    @property
    def person_id(self) -> int | None: ...
    @property
    def name(self) -> str: ...
    @property
    def locale(self) -> str: ...
    @property
    def zone(self) -> str: ...
    @property
    def theme(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody not signed in: what their browser says of them."""

    locale: str = "en"
    zone: str = "UTC"
    theme: str = "auto"
    person_id: int | None = None
    name: str = ""


_current: ContextVar[Viewer | None] = ContextVar("viewer", default=None)
_NOBODY = Guest()


def see_as(who: Viewer) -> None:
    """Say who looks, for the rest of this request."""
    _current.set(who)


@contextmanager
def seen_by(who: Viewer) -> Iterator[None]:
    """Render for `who` inside the block: mails, exports and prints made by a job."""
    token = _current.set(who)
    try:
        yield
    finally:
        _current.reset(token)


def viewer() -> Viewer:
    """Who looks; a guest when nobody has said so."""
    return _current.get() or _NOBODY


def locale() -> str:
    """The language of the page, one of LOCALES."""
    return viewer().locale


def choose_locale(wished: str | None, accepted: list[str], otherwise: str) -> str:
    """The first language we have: the wished one, then the browser's in their order, then the site's."""
    for tag in (wished or "", *accepted):
        for ours in LOCALES:
            if tag.lower().split("-")[0] == ours.lower().split("-")[0]:
                return ours
    return otherwise
