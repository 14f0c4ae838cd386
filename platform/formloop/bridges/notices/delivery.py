"""Letters on their way: one for each notice that presses, and a digest a day for what can wait."""

from typing import Any

from flask import current_app
from sqlalchemy import select

from formloop.access.tables import person
from formloop.bridges.connectors import Channel, Letter, channels
from formloop.bridges.notices.service import KINDS, TOPIC, ready_channels, remember_sent
from formloop.bridges.notices.tables import choice, digest, notice
from formloop.core.text import M
from formloop.db import connection, reading, transactional
from formloop.events import outbox, reasons, schedule
from formloop.events.outbox import Delivery, Topic
from formloop.settings import Settings

DAILY, MORNING = "notice.daily", "0 8 * * *"
MOST_LINES = 100


def start(settings: Settings) -> None:
    """Deliver letters, and plan the daily one for the morning of the site's time zone."""
    if TOPIC not in outbox.topics:
        outbox.topics.add(TOPIC, Topic(deliver, title=M("Letter to a person")))
        outbox.topics.add(DAILY, Topic(_put_digests, title=M("Daily letters")))
    schedule.plan_once("notices.daily", MORNING, DAILY, {}, settings.zone)


def deliver(delivery: Delivery) -> None:
    """Send one letter; what its person has read in the meantime is left out."""
    payload = delivery.payload
    channel = channels.get(payload["channel"])
    with reading() as conn:
        row = conn.execute(select(person).where(person.c.id == payload["person"])).one_or_none()
        query = select(notice).where(notice.c.id.in_(payload["notices"])).order_by(notice.c.id)
        found = [each for each in conn.execute(query) if each.read_at is None or not KINDS[each.kind].in_app]
    if row is None or not row.active or not found or not channel.reaches(row.email, row.phone):
        return
    settings: Settings = current_app.config["SETTINGS"]
    channel.send(settings, write(settings, row, found, delivery.msg_id))


def write(settings: Settings, row: Any, found: list[Any], key: str) -> Letter:
    """The letter to a person about some notices, in their language."""
    locale = row.locale or settings.locale
    said = [(reasons.read(each.said, locale), _address(settings, each.link)) for each in found]
    if len(said) == 1:
        subject = said[0][0]
    else:
        subject = M("{count} {count:thing concerns|things concern} you", count=len(said)).render(locale)
    lines = [f"{text}\n{address}" if address else text for text, address in said]
    text = "\n\n".join(lines if len(said) == 1 else [subject, *lines])
    return Letter(subject, f"{text}\n\n— Formloop", key, row.email, row.phone)


def _address(settings: Settings, link: str) -> str:
    return f"{settings.public_url.rstrip('/')}{link}" if settings.public_url and link else ""


def _put_digests(_delivery: Delivery) -> None:
    put_digests()


@transactional
def put_digests() -> int:
    """Promise every person who wants it a letter with what came since the last one; returns how many."""
    count = 0
    for channel in ready_channels():
        for row, ids in _waiting(channel):
            part = ids[:MOST_LINES]  # the rest comes with the next one
            payload = {"channel": channel.name, "person": row.id, "notices": part}
            outbox.put(TOPIC, f"{channel.name}:{row.id}", payload)
            remember_sent(row.id, channel.name, part[-1])
            count += 1
    return count


def _waiting(channel: Channel) -> list[tuple[Any, list[int]]]:
    """Who has notices for a digest over this channel, and which."""
    wanted = select(choice.c.person, choice.c.kind).where(
        choice.c.channel == channel.name, choice.c.how == "daily"
    )
    chosen = {(row.person, row.kind) for row in connection().execute(wanted)}
    people = {each for each, _ in chosen}
    query = (
        select(notice.c.id, notice.c.person, notice.c.kind)
        .outerjoin(digest, (digest.c.person == notice.c.person) & (digest.c.channel == channel.name))
        .where(notice.c.person.in_(people), (digest.c.last.is_(None)) | (notice.c.id > digest.c.last))
        .order_by(notice.c.id)
    )
    found: dict[int, list[int]] = {}
    for row in connection().execute(query):
        if (row.person, row.kind) in chosen:
            found.setdefault(row.person, []).append(row.id)
    rows = connection().execute(select(person).where(person.c.id.in_(found), person.c.active))
    return [(row, found[row.id]) for row in rows]
