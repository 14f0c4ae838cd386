"""Signing in: sessions on the server, one-time links, tokens for the API, and limits on guessing.

What a browser holds is a secret; the database holds only its hash.
"""

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, bindparam, delete, func, insert, select, update
from sqlalchemy.engine import Row

from formloop.access import audit, granting, people
from formloop.access.actor import SYSTEM, Actor, remembered_actor
from formloop.access.roles import roles_of
from formloop.access.tables import attempt, link, person, session, token
from formloop.core import clock
from formloop.core.errors import (
    Conflict,
    Invalid,
    Problem,
    SignInNeeded,
    StorageFull,
    TooMany,
    Unavailable,
)
from formloop.core.text import M
from formloop.db import connection, counter, is_sqlite, just_seen, patience, reading, transactional

SESSION_DAYS, IDLE_HOURS = 14, 72
GUESSES, GUESS_WINDOW = 10, timedelta(minutes=15)
LINK_HOURS = 48
FIRST_LOCK = 7263002


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who a request comes from, with the epochs of the person, of rights and of definitions read in the same statement."""

    actor: Actor
    epoch: int
    access_epoch: int
    definitions_epoch: int


def digest(secret: str) -> str:
    """What the database keeps of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def sign_in(account: str, password: str, address: str, device: str = "") -> str:
    """The secret of a new session, when account and password fit."""
    _require_few_guesses(account, address)
    row = people.find_person(account)
    fits = people.password_fits(row.password_hash if row else None, password)
    if row is None or not fits or not row.active:
        _count_guess(account, address)
        raise Invalid([Problem("sign_in", "password", M("Account or password is wrong."))])
    return open_session(row.id, device)


@transactional
def open_session(person_id: int, device: str = "") -> str:
    """Start a session for a person whose identity is established; returns its secret."""
    secret = clock.new_secret()
    row = people.get_person(person_id)
    connection().execute(
        insert(session).values(
            key_hash=digest(secret),
            person=person_id,
            epoch=row.epoch,
            device=device[:200],
            made_at=clock.now(),
            seen_at=clock.now(),
            ends_at=clock.later(days=SESSION_DAYS),
        )
    )
    connection().execute(delete(attempt).where(attempt.c.who == f"account:{row.account}"))
    audit.note(Actor(person_id, row.name), "signed_in", f"person:{person_id}", device=device[:80])
    return secret


@transactional
def sign_out(secret: str) -> None:
    """End one session."""
    connection().execute(delete(session).where(session.c.key_hash == digest(secret)))


@transactional
def sign_out_everywhere(actor: Actor, person_id: int) -> None:
    """End all sessions of a person."""
    connection().execute(delete(session).where(session.c.person == person_id))
    connection().execute(update(person).where(person.c.id == person_id).values(epoch=person.c.epoch + 1))
    audit.note(actor, "sessions.ended", f"person:{person_id}")


@transactional
def end_session(actor: Actor, key_hash: str) -> None:
    """End one of the actor's own sessions."""
    connection().execute(
        delete(session).where(session.c.key_hash == key_hash, session.c.person == actor.person_id)
    )
    audit.note(actor, "sessions.ended", f"person:{actor.person_id}")


def list_sessions(person_id: int) -> list[Row[Any]]:
    """The sessions of a person that still work, last seen first."""
    query = select(session).join(person, person.c.id == session.c.person)
    query = query.where(session.c.person == person_id, session.c.epoch == person.c.epoch, person.c.active)
    query = query.where(
        session.c.ends_at > clock.now(), session.c.seen_at > clock.later(hours=-IDLE_HOURS)
    ).order_by(session.c.seen_at.desc())
    with reading() as conn:
        return list(conn.execute(query))


def _holder_of(table: Table, seen_at: ColumnElement[Any], works: ColumnElement[bool]) -> Select[Any]:
    """Who holds the secret with the hash `digest`, as long as `table` says that it works."""
    return (
        select(table.c.person, seen_at, table.c.key_hash, person.c.epoch)
        .add_columns(counter("access").label("access"), counter("definitions").label("definitions"))
        .join(person, person.c.id == table.c.person)
        .where(person.c.active, works, table.c.key_hash == bindparam("digest"))
        .where(table.c.ends_at.is_(None) | (table.c.ends_at > bindparam("now")))
    )


_by_session = _holder_of(
    session,
    session.c.seen_at,
    (session.c.epoch == person.c.epoch) & (session.c.seen_at > bindparam("idle")),
)
_by_token = _holder_of(token, token.c.used_at.label("seen_at"), ~token.c.revoked)


def find_signed_in(secret: str, by_token: bool = False) -> SignedIn | None:
    """Who holds this session or token secret, in one statement; None when it is unknown, ended or revoked."""
    asked = {"digest": digest(secret), "now": clock.now()}
    if not by_token:
        asked["idle"] = clock.later(hours=-IDLE_HOURS)
    with reading() as conn:
        row = conn.execute(_by_token if by_token else _by_session, asked).one_or_none()
        if row is None:
            return None
        just_seen(access=row.access, definitions=row.definitions)
        actor = remembered_actor(row.person, row.access)
    if row.seen_at is None or clock.now() - row.seen_at > timedelta(minutes=5):
        with suppress(StorageFull, Unavailable), patience(0.05):  # reading goes on when nothing can be noted
            _touch(row.key_hash, by_token)
    return SignedIn(actor, row.epoch, row.access, row.definitions)


@transactional
def _touch(key_hash: str, by_token: bool) -> None:
    if by_token:
        connection().execute(update(token).where(token.c.key_hash == key_hash).values(used_at=clock.now()))
    else:
        connection().execute(
            update(session).where(session.c.key_hash == key_hash).values(seen_at=clock.now())
        )


def change_password(actor: Actor, current: str, password: str, again: str, address: str = "") -> None:
    """Change one's own password, knowing the present one; all sessions of the person end."""
    if actor.person_id is None:
        raise SignInNeeded
    row = people.get_person(actor.person_id)
    _require_few_guesses(row.account, address)
    if not people.password_fits(row.password_hash, current):
        _count_guess(row.account, address)
        raise Invalid([Problem("wrong", "current", M("This is not your present password."))])
    if password != again:
        raise Invalid([Problem("again", "again", M("The two passwords are not the same."))])
    people.change_person(actor, actor.person_id, password=password)


@transactional
def add_token(actor: Actor, name: str, days: int | None = 365) -> str:
    """A new API token of the actor; its secret is shown once and never again."""
    if actor.person_id is None or not name.strip():
        raise Invalid([Problem("required", "name", M("Give the token a name that tells what uses it."))])
    secret, token_id = f"fl_{clock.new_secret()}", clock.new_id()
    connection().execute(
        insert(token).values(
            id=token_id,
            key_hash=digest(secret),
            person=actor.person_id,
            name=name.strip(),
            made_at=clock.now(),
            ends_at=clock.later(days=days) if days else None,
        )
    )
    audit.note(actor, "token.added", f"token:{token_id}", name=name)
    return secret


@transactional
def revoke_token(actor: Actor, token_id: int) -> None:
    """Make a token of the actor useless at once."""
    connection().execute(
        update(token).where(token.c.id == token_id, token.c.person == actor.person_id).values(revoked=True)
    )
    audit.note(actor, "token.revoked", f"token:{token_id}")


@transactional
def add_link(purpose: str, person_id: int | None = None) -> str:
    """The secret of a link that works once, for 48 hours: "first_administrator" or "set_password"."""
    secret = clock.new_secret()
    connection().execute(
        insert(link).values(
            key_hash=digest(secret), purpose=purpose, person=person_id, ends_at=clock.later(hours=LINK_HOURS)
        )
    )
    return secret


@transactional
def add_password_link(actor: Actor, person_id: int) -> str:
    """A link for a person to choose a password; only for people who may do no more than the actor."""
    row = people.get_person(person_id)
    if not row.active:
        raise Invalid([Problem("inactive", "", M("{name} is not active.", name=row.name))])
    granting.require_authority(actor, row.administrator, roles_of([person_id])[person_id])
    audit.note(actor, "person.link", f"person:{person_id}")
    return add_link("set_password", person_id)


@transactional
def use_link(secret: str, name: str, account: str, password: str) -> int:
    """Spend a link: make the first administrator, or set the password of its person. Returns the person."""
    row = (
        connection()
        .execute(
            update(link)
            .where(link.c.key_hash == digest(secret), link.c.used_at.is_(None), link.c.ends_at > clock.now())
            .values(used_at=clock.now())
            .returning(link.c.purpose, link.c.person)
        )
        .one_or_none()
    )
    if row is None:
        raise SignInNeeded(M("This link has been used or is too old. Ask for a new one."))
    if row.purpose == "first_administrator":
        if not is_sqlite():
            # two links may be used at once: whoever comes second waits here and then finds an administrator
            connection().execute(select(func.pg_advisory_xact_lock(FIRST_LOCK)))
        _require_fresh(row.purpose)
        return people.add_person(SYSTEM, account, name, administrator=True, password=password)
    people.change_person(SYSTEM, row.person, password=password)
    return int(row.person)


def get_link(secret: str) -> Row[Any]:
    """The link behind a secret while it can still be used."""
    with reading() as conn:
        row = conn.execute(
            select(link).where(
                link.c.key_hash == digest(secret), link.c.used_at.is_(None), link.c.ends_at > clock.now()
            )
        ).one_or_none()
    if row is None:
        raise SignInNeeded(M("This link has been used or is too old. Ask for a new one."))
    _require_fresh(row.purpose)
    return row


def _require_fresh(purpose: str) -> None:
    if purpose == "first_administrator" and not needs_administrator():
        raise Conflict(M("This site has an administrator already. Ask them for an account."))


def needs_administrator() -> bool:
    """Whether nobody could administer this site yet."""
    with reading() as conn:
        query = select(person.c.id).where(person.c.administrator, person.c.active).limit(1)
        return conn.execute(query).scalar() is None


def _require_few_guesses(account: str, address: str) -> None:
    keys = _guess_keys(account, address)
    with reading() as conn:
        rows = conn.execute(select(attempt).where(attempt.c.who.in_(keys))).all()
    for row in rows:
        if row.failures >= GUESSES and clock.now() - row.since < GUESS_WINDOW:
            raise TooMany(M("Too many wrong tries. Wait 15 minutes, or ask an administrator for a link."))


@transactional
def _count_guess(account: str, address: str) -> None:
    conn = connection()
    for who in _guess_keys(account, address):
        conn.execute(
            delete(attempt).where(attempt.c.who == who, attempt.c.since < clock.now() - GUESS_WINDOW)
        )
        raised = conn.execute(
            update(attempt).where(attempt.c.who == who).values(failures=attempt.c.failures + 1)
        )
        if not raised.rowcount:
            conn.execute(insert(attempt).values(who=who, failures=1, since=clock.now()))


def _guess_keys(account: str, address: str) -> tuple[str, str]:
    return f"account:{account.strip().lower()}", f"address:{address}"
