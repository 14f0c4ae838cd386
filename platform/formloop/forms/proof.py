"""Proof `fields`: what a hidden field holds changes no answer, whichever way it is asked about.

Records exist with the values A in fields that a person may not see. Every question that person can ask is asked
and its answer kept. Then the values become B, behind the program's back so that nothing else changes, and every
question is asked again: each answer must be the same to the last byte. Whoever may see the fields must notice.
"""

import re
import tempfile
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from formloop.access import people, sessions
from formloop.access.actor import SYSTEM, get_actor
from formloop.access.signing import COOKIE
from formloop.core import clock
from formloop.db import connection, engine, transactional
from formloop.definitions import service as definitions
from formloop.events import jobs
from formloop.forms import service
from formloop.forms.filters import operators
from formloop.forms.kind import get_form
from formloop.forms.tables import change
from formloop.settings import read_settings

RECORDS = 12
NUMBERS, TEXTS = ("cost", "margin", "bonus"), ("hint",)
DOORS = ("list", "sums", "search", "export", "picker", "record", "live", "api", "conflict")
_CHANGING = re.compile(
    r'(?:name="(?:csrf_token|idempotency_key)" value="|X-CSRFToken": "|"request_id": ?")[^"]*|'
    r"(?<=Request number <code>)[^<]*"
)

Values = dict[str, Any]
Question = tuple[str, str, str, Any]  # door, method, address, what is sent


def _form(key: str, number: int, properties: Values, **more: Any) -> Values:
    head = {"x-kind": "form", "x-id": f"0bad00{number:02x}", "x-key": key, "title": key.title()}
    return {**head, "type": "object", "properties": properties, **more}


def _documents() -> list[Values]:
    def number(title: str, **more: Any) -> Values:
        return {"type": "number", "title": title, "x-scale": 2, "x-total": True, **more}

    def word(title: str) -> Values:
        return {"type": "string", "title": title}

    lines = {"what": word("What"), "rate": number("Rate")}
    part = {
        "name": word("Name"),
        "mine": word("Mine"),
        "price": number("Price"),
        "cost": number("Cost"),
        "hint": word("Hint"),
        "bonus": number("Bonus"),
        "margin": number("Margin", **{"x-type": "calculation", "x-formula": "price - cost"}),
        "lines": {"type": "array", "title": "Lines", "items": {"type": "object", "properties": lines}},
    }
    columns = ["name", "mine", "price", "cost", "hint", "bonus", "margin"]
    use = {
        "title": word("Title"),
        "part": {
            "type": "integer",
            "title": "Part",
            "x-type": "relation",
            "x-relation": {"form": "part", "show": ["hint", "cost", "bonus"]},
        },
    }
    may = ["view", "create", "edit", "export", "comment"]
    hidden = ["cost", "hint", "margin", "lines.rate"]
    role = {"x-kind": "role", "x-id": "0bad00ff", "x-key": "reader", "title": "Reader"}
    grants: list[Values] = [
        {"id": "parts", "form": "part", "may": may, "except": [*hidden, "bonus"]},
        {"id": "own", "form": "part", "may": may, "where": 'mine = "yes"', "except": hidden},
        {"id": "uses", "form": "use", "may": may},
    ]
    return [
        _form("part", 1, part, **{"x-list": {"columns": columns, "title": "name"}}),
        _form("use", 2, use),
        {**role, "grants": grants},
    ]


def prove(seed: int, create_app: Callable[..., Flask]) -> dict[str, Any]:
    """Ask everything with A and with B; `ok` when nothing differs for the reader and much does for others."""
    random = Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(read_settings({"FORMLOOP_INSTANCE": folder}))
        app.config["WTF_CSRF_ENABLED"] = False
        with app.app_context(), clock.stopped_at(clock.now()):
            site = _Site(app, random)
            before = site.ask_all()
            site.exchange()
            after = site.ask_all()
        engine().dispose()
    return _judged(before, after)


def _judged(before: dict[Any, bytes], after: dict[Any, bytes]) -> dict[str, Any]:
    leaks = [f"{key[1][1]} {key[1][2]}" for key in before if key[0] == "reader" and before[key] != after[key]]
    noticed = {key[1][0] for key in before if key[0] == "boss" and before[key] != after[key]}
    return {
        "questions": len(before) // 2,
        "doors": len(DOORS),
        "leaks": leaks[:20],
        "unnoticed": sorted(set(DOORS) - noticed),
        "ok": not leaks and noticed == set(DOORS),
    }


class _Site:
    """Records with hidden values, somebody who may not see them, and somebody who may."""

    def __init__(self, app: Flask, random: Random) -> None:
        self.app = app
        definitions.publish_many(SYSTEM, _documents(), "proof")
        self.people = {
            "reader": people.add_person(SYSTEM, "reader", "Reader", roles=["reader"]),
            "boss": people.add_person(SYSTEM, "boss", "Boss", administrator=True),
        }
        self.tokens = {k: sessions.add_token(get_actor(p), "proof") for k, p in self.people.items()}
        self.a = [_hidden(random, "A") for _ in range(RECORDS)]
        self.b = [_hidden(random, "B") for _ in range(RECORDS)]
        self.ids = [self._make(n, values) for n, values in enumerate(self.a)]

    def _make(self, n: int, values: Values) -> int:
        seen = {"name": f"part {n:02}", "mine": "yes" if n % 3 == 0 else "no", "price": "5"}
        lines = [{"what": "x", "rate": values["rate"]}]
        own = {key: values[key] for key in ("cost", "hint", "bonus")}
        first = {**own, "cost": "1"}
        record = int(service.create(SYSTEM, "part", {**seen, **first, "lines": lines})["id"])
        service.change_record(SYSTEM, "part", record, {"cost": own["cost"], "name": f"Part {n:02}"})
        return record

    @transactional
    def exchange(self) -> None:
        """Put B in the place of A in tables and history, where the reader sees neither."""
        spec, conn = get_form("part"), connection()
        for n, record in enumerate(self.ids):
            a, b = self.a[n], self.b[n]
            values = {"cost": b["cost"], "hint": b["hint"], "margin": 5 - b["cost"]}
            values |= {} if n % 3 == 0 else {"bonus": b["bonus"]}
            conn.execute(update(spec.table).where(spec.table.c.id == record).values(values))
            lines = spec.line_tables["lines"]
            conn.execute(update(lines).where(lines.c.record == record).values(rate=b["rate"]))
            kept = conn.execute(select(change).where(change.c.record == record)).all()
            for row in kept:
                new = {
                    k: (str(b[k]) if k in a and row.new[k] is not None else v)
                    for k, v in (row.new or {}).items()
                }
                conn.execute(update(change).where(change.c.id == row.id).values(new=new))

    def ask_all(self) -> dict[tuple[str, Question], bytes]:
        """Every answer to every question of both people."""
        found = {}
        for who, person in self.people.items():
            client = self.app.test_client()
            client.set_cookie(COOKIE, sessions.open_session(person))
            for question in self.questions():
                found[who, _named(question)] = self._ask(client, who, question)
        return found

    def questions(self) -> Iterator[Question]:
        """Through every door."""
        for query in self._queries():
            yield "list", "GET", f"/f/part?{query}", None
            yield "api", "GET", f"/api/v1/part?{query}", None
        columns = "&".join(f"c={key}" for key in ("name", *NUMBERS, *TEXTS))
        for query in (columns, f"{columns}&f.cost.at_least=0", f"{columns}&f.hint.contains=A"):
            yield "sums", "GET", f"/f/part/sums?{query}", None
            yield "list", "GET", f"/f/part/panel?{query}", None
        for each in (*self.a[:4], *self.b[:4]):
            yield "search", "GET", f"/f/part?q={each['hint']}", None
            yield "search", "GET", f"/f/part?q={each['cost']}", None
            yield "picker", "GET", f"/f/use/choices/part?q={each['hint']}", None
        yield "picker", "GET", "/f/use/choices/part?q=", None
        for asked in ({}, {"sort": "cost"}, {"sort": "bonus"}, {"f.bonus.at_least": "50"}, {"q": "A"}):
            args = {"kind": "csv", "c": ["name", *NUMBERS, *TEXTS], **asked}
            yield "export", "POST", "/f/part/export", args
        for record in self.ids:
            yield "record", "GET", f"/f/part/{record}", None
            yield "record", "GET", f"/f/part/{record}/edit", None
            yield "picker", "GET", f"/f/use/card/part/{record}", None
            yield "live", "POST", f"/f/part/live?record={record}", {"name": "typed", "_changed": "name"}
            yield "api", "GET", f"/api/v1/part/{record}", None
            yield "conflict", "PATCH", f"/api/v1/part/{record}", {"name": "late"}

    def _queries(self) -> Iterator[str]:
        yield ""
        for key in (*NUMBERS, *TEXTS):
            yield f"sort={key}"
            yield f"sort=-{key}&c=name&c={key}"
            for operator in operators:
                for values in (self.a[0], self.b[0]):
                    yield f"f.{key}.{operator}={values.get(key, values['cost'])}&f.{key}.{operator}=99"

    def _ask(self, client: FlaskClient, who: str, question: Question) -> bytes:
        door, method, url, sent = question
        headers: dict[str, str] = {}
        if url.startswith("/api/"):
            headers["Authorization"] = f"Bearer {self.tokens[who]}"
        if method == "PATCH":
            answer = client.patch(url, json=sent, headers={**headers, "If-Match": '"1"'})
        else:
            answer = client.open(url, method=method, data=sent, headers=headers)
        if door == "export":
            job = int(answer.headers["Location"].rstrip("/").rpartition("/")[2])
            jobs.run(job)
            answer = client.get(f"/f/part/export/{job}/file")
        if answer.status_code >= 500:
            raise RuntimeError(f"{method} {url}: {answer.status_code}")
        text = _CHANGING.sub("", answer.get_data(as_text=True))
        return f"{answer.status_code} {text}".encode()


def _named(question: Question) -> Question:
    door, method, url, sent = question
    return door, method, url, repr(sent)


def _hidden(random: Random, mark: str) -> Values:
    low, high = (1, 40) if mark == "A" else (60, 99)
    numbers = {key: random.randint(low, high) for key in ("cost", "bonus", "rate")}
    return {**numbers, "hint": f"{mark}{random.getrandbits(40):x}"}
