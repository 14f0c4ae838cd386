"""The side bar, the bottom bar of phones, the person's menu and the start page: rooms add to them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from flask import current_app, g, request, url_for
from markupsafe import Markup, escape
from sqlalchemy import Select, select

from formloop.core.registry import Registry
from formloop.core.text import Message
from formloop.db import reading
from formloop.db.counting import VIEWER
from formloop.web import viewer
from formloop.web.routes import Permission, may
from formloop.web.statics import draw_icon
from formloop.web.words import finalize

Badge = Select[int]
WORK, APPS, BUILD, SITE = "work", "apps", "build", "site"
GROUPS = (WORK, APPS, BUILD, SITE)
MENUS = 2_000  # remembered, for as many people and languages


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a menu. `title` is a Message, or plain text that people gave (the name of an app).

    `section` is the heading it stands under, shown where it changes, `place` its place there. `badge` is the
    statement that counts what waits for the viewer (`db.counting.VIEWER`; 0 shows nothing); `urgent` shows the count
    in red. `phone` puts the entry into the bottom bar. `post` makes it a button that sends a form, as signing out must.
    """

    title: Message | str
    icon: str
    endpoint: str
    order: int = 100
    group: str = WORK
    permission: Permission = "signed-in"
    values: Mapping[str, Any] = field(default_factory=dict, hash=False)
    badge: Badge | None = None
    urgent: bool = False
    phone: bool = False
    post: bool = False
    section: str = ""
    place: int = 0

    @property
    def url(self) -> str:
        """Where the entry leads."""
        return url_for(self.endpoint, **self.values)


Source = Callable[[], Iterable[Entry]]


@dataclass(frozen=True, slots=True)
class Slot:
    """One part of the start page or of every page: a template and what fills it; None leaves the part out."""

    template: str
    values: Callable[[], Mapping[str, Any] | None]
    order: int = 100
    permission: Permission = "signed-in"
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Search:
    """Where the search box of the top bar sends its text, as `q`."""

    endpoint: str
    hint: Message
    permission: Permission = "signed-in"


navigation: Registry[Entry | Source] = Registry("menu entry")
person_menu: Registry[Entry] = Registry("menu entry")
home: Registry[Slot] = Registry("part of the start page")
companions: Registry[Slot] = Registry("companion of every page")
searches: Registry[Search] = Registry("search box")


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry as this viewer sees it on this page."""

    title: Message | str
    icon: str
    url: str
    group: str
    current: bool
    count: int
    urgent: bool
    phone: bool
    post: bool
    section: str


def remember_as(stamp: tuple[Any, ...]) -> None:
    """What a viewer may open need not be asked again while `stamp` stays the same.

    It says who looks and which state of rights and definitions counts.
    """
    g.menu_stamp = stamp


def list_shown(registry: Registry[Any] = navigation) -> list[Shown]:
    """What this viewer may open, in order, with the entry of the present page marked."""
    allowed = _remembered(registry)
    current = _closest([url for _, url in allowed], request.path)
    counts = _count(allowed)
    return [
        Shown(
            title=entry.title,
            icon=entry.icon,
            url=url,
            group=entry.group,
            current=url == current,
            count=counts.get(entry.badge, 0),
            urgent=entry.urgent,
            phone=entry.phone,
            post=entry.post,
            section=entry.section,
        )
        for entry, url in allowed
    ]


def draw_link(entry: Shown, css: str) -> Markup:
    """One line of a menu as markup, with the class `css`; drawn once for each look, since every page shows dozens."""
    title = str(finalize(entry.title))
    draw = _line if entry.post else _drawn  # a form carries the token of its own page
    return draw(
        title, draw_icon(entry.icon), entry.url, css, entry.current, entry.count, entry.urgent, entry.post
    )


def _line(
    title: str, icon: Markup, url: str, css: str, current: bool, count: int, urgent: bool, post: bool
) -> Markup:
    line = current_app.jinja_env.get_template("web/_menu_link.html")
    return escape(
        line.make_module(
            {
                "title": title,
                "icon": icon,
                "url": url,
                "css": css,
                "current": current,
                "count": count,
                "urgent": urgent,
                "post": post,
            }
        )
    )


_drawn = lru_cache(maxsize=4_000)(_line)


def _count(allowed: Iterable[tuple[Entry, str]]) -> dict[Badge | None, int]:
    """What each badge counts for this viewer, asked by one statement."""
    badges = tuple(entry.badge for entry, _ in allowed if entry.badge is not None)
    if not badges:
        return {}
    with reading() as conn:
        counts = conn.execute(_together(badges), {VIEWER.key: viewer.viewer().person_id}).one()
    return dict(zip(badges, counts, strict=True))


@lru_cache(maxsize=64)  # as many as there are ways to be allowed some of the menu
def _together(badges: tuple[Badge, ...]) -> Select[Any]:
    return select(*(badge.scalar_subquery() for badge in badges))


def _remembered(registry: Registry[Any]) -> list[tuple[Entry, str]]:
    stamp = g.get("menu_stamp")
    if stamp is None:
        return _allowed(registry)
    menus = current_app.extensions.setdefault("formloop.menus", {})
    key = (registry, viewer.locale(), request.script_root, stamp)
    if key not in menus:
        if len(menus) >= MENUS:
            menus.clear()
        menus[key] = _allowed(registry)
    found: list[tuple[Entry, str]] = menus[key]
    return found


def _allowed(registry: Registry[Any]) -> list[tuple[Entry, str]]:
    here = current_app.view_functions  # a process may hold several sites with different rooms
    allowed = [e for e in _entries(registry) if e.endpoint in here and may(e.permission, **e.values)]
    allowed.sort(key=lambda entry: (GROUPS.index(entry.group), entry.order, entry.section, entry.place))
    return [(entry, entry.url) for entry in allowed]


def _entries(registry: Iterable[Entry | Source]) -> Iterable[Entry]:
    for each in registry:
        if isinstance(each, Entry):
            yield each
        else:
            yield from each()


def _closest(urls: Sequence[str], path: str) -> str | None:
    """The longest address that `path` lies at or below; the start page only matches itself."""
    inside = [u for u in urls if path == u or (u != "/" and path.startswith(u.rstrip("/") + "/"))]
    return max(inside, key=len, default=None)


def find_search() -> Search | None:
    """The search box, if a room offers one and this viewer may use it."""
    return next((search for search in searches if may(search.permission)), None)


def list_slots(registry: Registry[Slot]) -> list[tuple[Slot, Mapping[str, Any]]]:
    """The parts of the start page, or of every page, that have something to say to this viewer."""
    allowed = sorted((slot for slot in registry if may(slot.permission)), key=lambda slot: slot.order)
    filled = [(slot, slot.values()) for slot in allowed]
    return [(slot, values) for slot, values in filled if values is not None]
