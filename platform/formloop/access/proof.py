"""Proof `authz`: every route × every persona × every door answers as the grants declare, and nothing else.

The demo is made in an instance of its own. What each persona may do is read from the tables of grants and
roles by plain SQL here, beside the gate; a request that must be refused must also leave the database as it was.
"""

import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from json import dumps
from pathlib import Path
from random import Random
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import column, select, table
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from formloop.access import people, personas, sessions
from formloop.access.actor import SYSTEM, get_actor
from formloop.access.signing import COOKIE
from formloop.access.tables import grant, membership
from formloop.core.errors import Forbidden
from formloop.core.text import LOCALES
from formloop.db import engine, reading
from formloop.settings import read_settings
from formloop.web.routes import Permission, permission_of

NOBODY = "nobody"  # signed in, but with no role at all


@dataclass(slots=True)
class Tally:
    """What was asked and what was wrong."""

    personas: int = 0
    requests: int = 0
    allowed: int = 0
    refused: int = 0
    wrong: list[str] = field(default_factory=list)


def prove(seed: int, create_app: Callable[..., Flask], forms: int = 3) -> dict[str, Any]:
    """Ask every route as everybody through every door; `ok` when all answers equal the declaration."""
    with tempfile.TemporaryDirectory() as folder:
        make_demo(folder)
        app = create_app(read_settings({"FORMLOOP_INSTANCE": folder}))
        app.config["WTF_CSRF_ENABLED"] = False
        with app.app_context():
            found = Matrix(app, Path(folder), Random(seed), forms).run()
        engine().dispose()
    return {
        "routes": len({r.endpoint for r in app.url_map.iter_rules()}),
        "personas": found.personas + 1,
        "requests": found.requests,
        "allowed": found.allowed,
        "refused": found.refused,
        "wrong": found.wrong[:20],
        "ok": not found.wrong and found.refused > 0 and found.allowed > 0,
    }


def make_demo(folder: str) -> None:
    """Fill an instance folder with the demo, by a process of its own."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("FORMLOOP_")}
    environment["FORMLOOP_INSTANCE"] = folder
    command = [sys.executable, "-m", "formloop.cli", "demo"]
    subprocess.run(command, env=environment, check=True, capture_output=True, timeout=300)


def _lacks_right(answer: TestResponse) -> bool:
    """Whether the gate refused it; a workflow may refuse for reasons of its own, such as who submitted it."""
    said = f"{answer.text} {answer.headers.get('HX-Trigger', '')}"
    sentences = [Forbidden().message.render(locale) for locale in LOCALES]
    return answer.status_code == 401 or (
        answer.status_code == 403 and any(each in said or dumps(each)[1:-1] in said for each in sentences)
    )


class Matrix:
    """The requests of one proof, on one site."""

    def __init__(self, app: Flask, folder: Path, random: Random, most: int) -> None:
        self.app = app
        self.tally = Tally()
        self.tokens: dict[str, str] = {}
        self.watch = sqlite3.connect(folder / "formloop.db", isolation_level=None)
        people.add_person(SYSTEM, NOBODY, "Nobody")
        self.victim = people.add_person(SYSTEM, "victim", "Victim")
        self.accounts = (*personas.read_demo(app.config["SETTINGS"]).accounts, NOBODY)
        self.tally.personas = len(self.accounts)
        self.ids = {account: self._id(account) for account in self.accounts}
        self.declared = {account: self._declared(account) for account in self.accounts}
        forms = sorted({r.removeprefix("form:") for d in self.declared.values() for _, r in d or ()} - {"*"})
        forms = [each for each in forms if each not in ("definition", "pack", "people", "site", "audit")]
        self.forms = sorted(random.sample(forms, min(most, len(forms))))

    def _id(self, account: str) -> int:
        row = people.find_person(account)
        return int(row.id) if row is not None else 0

    def _declared(self, account: str) -> set[tuple[str, str]] | None:
        """All (action, resource) that the roles of a persona grant; None means everything."""
        if people.get_person(self.ids[account]).administrator:
            return None
        with reading() as conn:
            query = select(grant.c.actions, grant.c.resource).join(
                membership, membership.c.role == grant.c.role
            )
            rows = conn.execute(query.where(membership.c.person == self.ids[account])).all()
        return {(action, row.resource) for row in rows for action in row.actions}

    def run(self) -> Tally:
        """Reading first, then what changes something; those who must be refused come before those who may."""
        cases = [case for rule in self.app.url_map.iter_rules() for case in self._cases(rule)]
        for writes in (False, True):
            for rule, arguments, method in cases:
                if (method != "GET") == writes:
                    self._ask_everybody(rule, arguments, method)
        self._without_csrf([case for case in cases if case[2] == "POST"])
        return self.tally

    def _cases(self, rule: Rule) -> Iterator[tuple[Rule, dict[str, Any], str]]:
        if rule.endpoint == "statics.serve":
            return
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            for form in self.forms if "form" in rule.arguments else ("",):
                yield rule, self._arguments(rule, form), method

    def _arguments(self, rule: Rule, form: str) -> dict[str, Any]:
        known: dict[str, Any] = {"form": form, "person_id": self.victim, "action": "comment", "what": "run"}
        found = {}
        for name in rule.arguments:
            converter = rule._converters[name]
            number = "Integer" in type(converter).__name__
            value = known.get(name, self._record(form) if name == "record" else 1 if number else "none")
            choices = getattr(converter, "items", None)  # of a part that is one of a few words
            found[name] = sorted(choices)[0] if choices and value not in choices else value
        return found

    def _record(self, form: str) -> int:
        rows = table(form, column("id"))
        with reading() as conn:
            found = conn.execute(select(rows.c.id).limit(1)).scalar()
        return int(found or 1)

    def _ask_everybody(self, rule: Rule, arguments: dict[str, Any], method: str) -> None:
        permission = permission_of(self.app, rule.endpoint)
        by_token = rule.rule.startswith("/api/")
        self._expect(rule, arguments, method, None, "page", permission == "public")
        may = {account: self._may(account, permission, arguments) for account in self.accounts}
        for account in sorted(self.accounts, key=lambda each: may[each]):
            for door in ("token", "cookie") if by_token else ("page", "htmx", "token"):
                # a token opens the interface for programs only, a session the pages only
                opens = (door == "token") == by_token or permission == "public"
                self._expect(rule, arguments, method, account, door, may[account] and opens)

    def _may(self, account: str, permission: Permission | None, arguments: dict[str, Any]) -> bool:
        if not isinstance(permission, tuple):
            return True
        declared = self.declared[account]
        return declared is None or (permission[0], permission[1].format_map(arguments)) in declared

    def _expect(
        self,
        rule: Rule,
        arguments: dict[str, Any],
        method: str,
        account: str | None,
        door: str,
        allowed: bool,
    ) -> None:
        client, headers = self._enter(account, door)
        with self.app.test_request_context():
            url = rule.build(arguments)
        before = self._state()
        answer = client.open(url[1] if url else rule.rule, method=method, headers=headers)
        self.tally.requests += 1
        sent_away = "/sign-in" in answer.headers.get("Location", "") + answer.headers.get("HX-Redirect", "")
        refused = answer.status_code in (401, 403) or (sent_away and rule.endpoint != "access.sign_out")
        inside = not isinstance(permission_of(self.app, rule.endpoint), tuple)
        what = f"{method} {url[1] if url else rule.rule} as {account or 'a stranger'} by {door}"
        if answer.status_code >= 500:
            self.tally.wrong.append(f"{what}: {answer.status_code}")
        elif allowed and not inside and (sent_away or _lacks_right(answer)):
            self.tally.wrong.append(f"{what}: refused with {answer.status_code}, declared as allowed")
        elif not allowed and not refused:
            self.tally.wrong.append(f"{what}: {answer.status_code}, declared as refused")
        elif not allowed and self._state() != before:
            self.tally.wrong.append(f"{what}: refused, but it changed the database")
        self.tally.allowed += allowed
        self.tally.refused += not allowed

    def _enter(self, account: str | None, door: str) -> tuple[FlaskClient, dict[str, str]]:
        client = self.app.test_client()
        headers = {"HX-Request": "true"} if door == "htmx" else {}
        if account is None:
            return client, headers
        if door == "token":
            return client, {"Authorization": f"Bearer {self._token(account)}"}
        client.set_cookie(COOKIE, sessions.open_session(self.ids[account]))
        return client, headers

    def _token(self, account: str) -> str:
        if account not in self.tokens:
            self.tokens[account] = sessions.add_token(get_actor(self.ids[account]), "proof")
            sessions.find_signed_in(self.tokens[account], by_token=True)  # its first use is written down
        return self.tokens[account]

    def _state(self) -> int:
        """A number that changes whenever another connection changes the database."""
        return int(self.watch.execute("PRAGMA data_version").fetchone()[0])

    def _without_csrf(self, cases: list[tuple[Rule, dict[str, Any], str]]) -> None:
        """A form that does not come from one of our pages changes nothing, whoever's browser sends it."""
        self.app.config["WTF_CSRF_ENABLED"] = True
        for rule, arguments, method in cases:
            if not rule.rule.startswith("/api/"):
                self._refuse_forged(rule, arguments, method)

    def _refuse_forged(self, rule: Rule, arguments: dict[str, Any], method: str) -> None:
        client, _ = self._enter("administrator", "page")
        with self.app.test_request_context():
            url = rule.build(arguments)
        before = self._state()
        answer = client.open(url[1] if url else rule.rule, method=method)
        self.tally.requests += 1
        self.tally.refused += 1
        if answer.status_code != 400 or self._state() != before:
            self.tally.wrong.append(f"{method} {rule.rule} without the page's token: {answer.status_code}")
