"""Who looks at the page: name, language, time zone and colours. `access` says it for each request."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace

from formloop.core.text import LOCALES

THEMES = ("light", "dark", "auto")


@dataclass(frozen=True, slots=True)
class Viewer:
    """The person in front of the screen; without `person_id` somebody not signed in."""

    person_id: int | None = None
    name: str = ""
    locale: str = "en"
    zone: str = "UTC"
    theme: str = "auto"


_current: ContextVar[Viewer | None] = ContextVar("viewer", default=None)
_NOBODY = Viewer()


def see_as(who: Viewer) -> None:
    """Say who looks, for the rest of this request."""
    _current.set(who)


def recognise(person_id: int, name: str, *, locale: str | None = None, theme: str | None = None) -> None:
    """Say that the guest is this person; what they never chose stays as their browser asked for it."""
    guest = viewer()
    see_as(
        replace(
            guest, person_id=person_id, name=name, locale=locale or guest.locale, theme=theme or guest.theme
        )
    )


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
