"""Writing notices, reading one's own, and choosing the ways they come."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import current_app, has_app_context
from sqlalchemy import ColumnElement, Select, delete, insert, literal, select, update

from formloop.access.actor import Actor
from formloop.access.tables import person
from formloop.bridges.connectors import Channel, channels
from formloop.bridges.notices.tables import choice, digest, notice
from formloop.core import clock
from formloop.core.errors import Invalid, NotFound, Problem
from formloop.core.registry import Registry
from formloop.core.text import M, Message
from formloop.db import Prepared, connection, reading, transactional
from formloop.db.counting import VIEWER, count_up_to
from formloop.events import outbox, reasons

TOPIC = "notice"
PAGE, MOST_COUNTED = 50, 100
APP = "app"  # what stands in the app, beside the channels that letters leave by
SHOWN = (APP, "at_once")
HOW: Mapping[str, Message] = {
    "off": M("Not at all"),
    "at_once": M("At once"),
    "daily": M("Once a day"),
}
IN_APP: Mapping[str, Message] = {how: HOW[how] for how in ("at_once", "off")}


@dataclass(frozen=True, slots=True)
class Kind:
    """What a notice is about. `in_app`: it is written to be read in the app; of others a `Source` shows what is there."""

    title: Message
    icon: str
    in_app: bool = True
    pressing: bool = True  # worth a letter at once, unless its person chose otherwise


KINDS: Mapping[str, Kind] = {
    "task": Kind(M("Work that waits for me"), "inbox", in_app=False),
    "copy": Kind(M("Copies to me"), "copy", in_app=False, pressing=False),
    "outcome": Kind(M("Decisions on what I submitted"), "circle-check"),
    "message": Kind(M("Messages of workflows"), "message"),
    "urge": Kind(M("Somebody urges me"), "bell-ringing"),
    "overdue": Kind(M("Something is overdue"), "clock"),
    "repair": Kind(M("Something needs repair"), "lifebuoy"),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A notice as its person reads it. `own`: its link leads to it and counts as having read it."""

    id: int
    kind: Kind
    text: str
    link: str
    made_at: datetime
    unread: bool
    own: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """Notices of a kind that are nowhere written as such, because the room they come from has a table of them.

    `count` counts those the viewer has not read, `find` gives those older than a mark, newest first, and `read`
    marks all of somebody's as read.
    """

    count: Select[int]
    find: Callable[[Actor, str, int | None, int], list[Shown]]
    read: Callable[[Actor], int]


sources: Registry[Source] = Registry("kind of notice")

_ADD = Prepared(insert(notice), ("id", "person", "kind", "said", "link", "made_at", "read_at"))


def tell(people: Iterable[int], kind: str, text: Message | str, link: str = "") -> None:
    """Tell people something, inside the open transaction; `link` is a path on this site.

    It is in their list at once (kinds with a list of their own aside) and leaves for the channels they chose once
    the transaction is committed. Somebody named twice is told once.
    """
    told = {each: clock.new_id() for each in dict.fromkeys(people)}
    if not told or not is_told(kind):
        return
    now, said = clock.now(), reasons.written(text)
    common = {"kind": kind, "said": said, "link": link, "made_at": now}
    common["read_at"] = None if KINDS[kind].in_app else now
    _ADD.run(connection(), [{"id": id, "person": each, **common} for each, id in told.items()])
    for each, channel in _at_once(told, kind):
        payload = {"channel": channel, "person": each, "notices": [told[each]]}
        outbox.put(TOPIC, f"{channel}:{each}", payload)


def is_told(kind: str) -> bool:
    """Whether anything comes of telling a kind: work with a list of its own is not noted where no letters go out."""
    return KINDS[kind].in_app or bool(ready_channels())


def _at_once(people: Collection[int], kind: str) -> list[tuple[int, str]]:
    """Who of them wants a letter of this kind now, and over what."""
    ready = ready_channels()
    if not ready:
        return []
    chosen = _choices(people, kind)
    query = select(person.c.id, person.c.email, person.c.phone).where(
        person.c.id.in_(people), person.c.active
    )
    return [
        (row.id, channel.name)
        for row in connection().execute(query)
        for channel in ready
        if channel.reaches(row.email, row.phone)
        and chosen.get((row.id, kind, channel.name), at_first(kind, channel)) == "at_once"
    ]


def ready_channels() -> list[Channel]:
    """The channels this site has been set up for; none outside of an application."""
    if not has_app_context():
        return []
    settings = current_app.config["SETTINGS"]
    return [channel for channel in channels if channel.is_set_up(settings)]


def at_first(kind: str, channel: Channel) -> str:
    """How notices of a kind come over a channel as long as nobody has chosen."""
    return channel.how_at_first if KINDS[kind].pressing else "off"


def _choices(people: Collection[int], kind: str | None = None) -> dict[tuple[int, str, str], str]:
    query = select(choice).where(choice.c.person.in_(people))
    if kind is not None:
        query = query.where(choice.c.kind == kind)
    with reading() as conn:
        return {(row.person, row.kind, row.channel): row.how for row in conn.execute(query)}


def get_choices(person_id: int) -> dict[tuple[str, str], str]:
    """How each kind of notice comes to a person in the app and over each channel that is set up."""
    chosen = _choices([person_id])
    in_app = {(kind, APP): chosen.get((person_id, kind, APP), "at_once") for kind in KINDS}
    return in_app | {
        (kind, channel.name): chosen.get((person_id, kind, channel.name), at_first(kind, channel))
        for kind in KINDS
        for channel in ready_channels()
    }


@transactional
def choose(person_id: int, wanted: Mapping[tuple[str, str], str]) -> None:
    """Keep how a person wants to be told; Invalid for what does not exist."""
    if any(
        kind not in KINDS or how not in (IN_APP if name == APP else HOW if name in channels else ())
        for (kind, name), how in wanted.items()
    ):
        raise Invalid([Problem("choice", "how", M("There is no such way to be told."))])
    conn = connection()
    for kind, name in wanted:
        mine = (choice.c.person == person_id, choice.c.kind == kind, choice.c.channel == name)
        conn.execute(delete(choice).where(*mine))
    rows = [{"person": person_id, "kind": k, "channel": c, "how": how} for (k, c), how in wanted.items()]
    if rows:
        conn.execute(insert(choice), rows)
    for channel in {name for (_, name), how in wanted.items() if how == "daily"}:  # never in the app
        known = select(digest.c.last).where(digest.c.person == person_id, digest.c.channel == channel)
        if conn.execute(known).first() is None:  # the first letter begins with what comes from now on
            remember_sent(person_id, channel, clock.new_id())


def remember_sent(person_id: int, channel: str, last: int) -> None:
    """The newest notice that a person need not be written about in a daily letter any more."""
    mine = (digest.c.person == person_id, digest.c.channel == channel)
    if not connection().execute(update(digest).where(*mine).values(last=last)).rowcount:
        connection().execute(insert(digest).values(person=person_id, channel=channel, last=last))


def list_notices(actor: Actor, locale: str, before: int | None = None) -> tuple[list[Shown], int | None]:
    """A page of one's own notices, newest first, and the mark of the next page."""
    wanted = [
        name for (name, where), how in get_choices(actor.person_id or 0).items() if (where, how) == SHOWN
    ]
    listed = [name for name in wanted if KINDS[name].in_app]
    query = select(notice).where(notice.c.person == actor.person_id, notice.c.kind.in_(listed))
    if before is not None:
        query = query.where(notice.c.id < before)
    with reading() as conn:
        found = [
            _shown(row, locale) for row in conn.execute(query.order_by(notice.c.id.desc()).limit(PAGE + 1))
        ]
    for name in wanted:
        source = sources.find(name)
        found += source.find(actor, locale, before, PAGE + 1) if source is not None else ()
    found.sort(key=lambda each: each.id, reverse=True)
    return found[:PAGE], found[PAGE - 1].id if len(found) > PAGE else None


def _shown(row: Any, locale: str) -> Shown:
    text = reasons.read(row.said, locale)
    return Shown(row.id, KINDS[row.kind], text, row.link, row.made_at, row.read_at is None)


def is_wanted(kind: ColumnElement[str]) -> ColumnElement[bool]:
    """The condition that the viewer wants a kind of notice in the app."""
    unwanted = select(literal(1)).where(
        choice.c.person == VIEWER, choice.c.kind == kind, choice.c.channel == APP, choice.c.how == "off"
    )
    return ~unwanted.exists()


def counting() -> Select[int]:
    """The statement that counts what the viewer has not read, of all kinds."""
    own = count_up_to(
        notice,
        notice.c.person == VIEWER,
        notice.c.read_at.is_(None),
        is_wanted(notice.c.kind),
        most=MOST_COUNTED,
    )
    counts = [own, *(source.count for source in sources)]
    return select(sum((each.scalar_subquery() for each in counts), literal(0)))


def count_unread(actor: Actor) -> int:
    """How many notices a person has not read; 100 means that many or more."""
    if actor.person_id is None:
        return 0
    with reading() as conn:
        return conn.execute(counting(), {VIEWER.key: actor.person_id}).scalar_one()


@transactional
def open_notice(actor: Actor, id: int) -> str:
    """Mark a notice as read; returns where it leads. NotFound for somebody else's."""
    mine = (notice.c.id == id, notice.c.person == actor.person_id)
    link = connection().execute(select(notice.c.link).where(*mine)).scalar_one_or_none()
    if link is None:
        raise NotFound
    unread = update(notice).where(*mine, notice.c.read_at.is_(None))
    connection().execute(unread.values(read_at=clock.now()))
    return str(link)


def forget(people: Collection[int], link: str) -> None:
    """Take away what people were told of something that is no longer there, inside the open transaction."""
    connection().execute(delete(notice).where(notice.c.person.in_(people), notice.c.link == link))


def note_seen(person_id: int, link: str) -> None:
    """Somebody has come, by whatever way, to what they were told of; inside the open transaction."""
    mine = update(notice).where(notice.c.person == person_id, notice.c.read_at.is_(None))
    connection().execute(mine.where(notice.c.link == link).values(read_at=clock.now()))


@transactional
def read_all(actor: Actor) -> int:
    """Mark all of one's notices as read; returns how many were not."""
    unread = update(notice).where(notice.c.person == actor.person_id, notice.c.read_at.is_(None))
    count = connection().execute(unread.values(read_at=clock.now())).rowcount
    return count + sum(source.read(actor) for source in sources)
