"""Proof that the designers answer whatever they are sent: no error of the server, and no draft is lost or torn."""

import json
import logging
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from formloop.access import people, sessions
from formloop.access.proof import make_demo
from formloop.access.signing import COOKIE
from formloop.core.definitions import kinds, parse
from formloop.db import engine
from formloop.definitions import editor
from formloop.definitions import service as definitions
from formloop.settings import read_settings
from formloop.studio.designer import designer_of, designers
from formloop.web.tracing import start_logging

HERE = {"Origin": "http://localhost", "HX-Request": "true"}
EVERYWHERE = ("fill", "condition", "undo", "redo", "take-over", "no-such-thing")
VALUES: tuple[Any, ...] = (
    None, True, -1, 10**30, 1.5, "", "a", "__proto__", "../..", "<script>alert(1)</script>", "=1/0", "(" * 300,
    "\u202e\u0000", "x" * 5_000, [], {}, [[]], [{}], [None], {"id": 1}, [{"id": "a"}, {"id": "a"}],
    {"type": "array"}, {"type": "object", "properties": 3}, {"x-relation": []}, {"form": 7}, {"node": "nothing"},
    {"": {"": {}}}, [1, "1"], {"title": {"zh-CN": 3}}, {"$ref": "#"},
)  # fmt: skip
ENDS = {"publish", "archive", "take_back", "discard"}  # what would end a draft, or the definition itself


def prove(seed: int, create_app: Callable[..., Flask], count: int = 3_000) -> dict[str, Any]:
    """Send `count` hostile gestures and texts; `ok` when nothing failed and every draft is what it should be."""
    with tempfile.TemporaryDirectory() as folder:
        make_demo(folder)
        app = create_app(read_settings({"FORMLOOP_INSTANCE": folder}))
        start_logging(logging.CRITICAL)
        app.config |= {"WTF_CSRF_ENABLED": False, "PROPAGATE_EXCEPTIONS": False}
        with app.app_context():
            found = Storm(_browser(app), Random(seed))
            for number in range(count):
                found.strike(number)
        engine().dispose()
    return {
        "requests": sum(found.statuses.values()),
        "statuses": dict(sorted(found.statuses.items())),
        "changed": found.changed,
        "taken_back": found.taken_back,
        "failed": found.failed[:20],
        "lost": found.lost[:20],
        "ok": not found.failed and not found.lost and found.changed > 0 and found.taken_back > 0,
    }


def _browser(app: Flask) -> FlaskClient:
    person = people.find_person("administrator")
    client = app.test_client()
    client.set_cookie(COOKIE, sessions.open_session(person.id if person else 0))
    return client


def _rules(app: Flask, method: str) -> list[str]:
    """All addresses that take nothing but a definition."""
    return sorted(
        rule.rule
        for rule in app.url_map.iter_rules()
        if rule.arguments == {"definition_id"} and method in (rule.methods or ())
        if rule.endpoint.rpartition(".")[2].removeprefix("do_") not in ENDS or method == "GET"
    )


@dataclass
class Storm:
    """The requests of one proof and what became of them."""

    client: FlaskClient
    chance: Random
    statuses: Counter[int] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    changed: int = 0
    taken_back: int = 0

    def __post_init__(self) -> None:
        self.pages, self.doors = (_rules(self.client.application, method) for method in ("GET", "POST"))
        self.others = sorted({name for each in designers for name in each.gestures()})

    def strike(self, number: int) -> None:
        """Do one hostile thing to one definition, then look whether its draft is what it should be."""
        found = self._choose()
        before, revision = editor.text_of(found)
        places = list(_places(parse(before).doc))
        work = self.chance.choice(
            (self._gesture, self._gesture, self._gesture, self._text, self._page, self._door)
        )
        told, status = work(found.id, before, revision, places)
        after, new_revision = editor.text_of(definitions.get_definition(found.id))
        told = f"{number} {found.kind} {told}: {status}"
        if status >= 500:
            self.failed.append(told)
        if parse(after).problems or (status >= 400 and after != before):
            self.lost.append(told)
        if after != before:
            self.changed += 1
            if "undo" not in told and "redo" not in told and self.chance.random() < 0.2:
                self._take_back(told, found.id, before, after, new_revision)

    def _choose(self) -> definitions.Definition:
        """A definition of a kind chosen first, so that kinds with few of them are met as often."""
        kind = self.chance.choice(kinds.names())
        found = definitions.list_definitions(kind) or definitions.list_definitions("form")
        return self.chance.choice(found[:3])

    def _gesture(self, definition: str, _text: str, revision: int, places: list[str]) -> tuple[str, int]:
        act = self._act(definition)
        sent = self._sent(revision, places)
        return f"{act} at {sent['at']}", self._post(f"/studio/{definition}/do/{act}", sent)

    def _sent(self, revision: int, places: list[str]) -> dict[str, Any]:
        at = self._at(places)
        sent = {
            "revision": self.chance.choice([revision] * 24 + [revision - 1, "", "x", 10**20]),
            "at": at,
            "value": self._value(),
            "name": self.chance.choice(["", "a", "x-key", "7", "title", "a/b"]),
            "title": self.chance.choice(["", "Title", "标题", "<b>"]),
            "type": self.chance.choice(["text", "number", "subform", "@group", "relation", "nothing"]),
            "to": self._at(places),
            "before": self.chance.choice(["", "title", "a"]),
            "after": self.chance.choice(["", "a"]),
            "by": self.chance.choice(["1", "-1", "x", "9" * 30]),
            "shown": self.chance.choice(["", at]),
            "v-title": self.chance.choice(["", "New title", "x" * 300]),
            "v-x-formula": self.chance.choice(["", "1 +", "SUM(lines.amount)", "nobody.here"]),
        }
        wanted = self.chance.sample(sorted(sent), self.chance.randrange(3, len(sent)))
        return {name: sent[name] for name in {*wanted, "revision", "at", "value"}}

    def _text(self, definition: str, text: str, revision: int, _places: list[str]) -> tuple[str, int]:
        letters = list(text)
        for _ in range(self.chance.randrange(1, 4)):
            place = self.chance.randrange(len(letters))
            letters[place : place + self.chance.randrange(3)] = self.chance.choice('"{}[],:\\0é文')
        sent = {"text": "".join(letters), "revision": revision, "do": self.chance.choice(["save", "check"])}
        return "text", self._post(f"/definitions/{definition}/edit", sent)

    def _page(self, definition: str, _text: str, _revision: int, places: list[str]) -> tuple[str, int]:
        path = self.chance.choice(self.pages).replace("<definition_id>", definition)
        asked = {
            "at": self._at(places),
            "field": self._at(places),
            "old": self._value(),
            "record": self._value(),
        }
        return path, self._answer(self.client.get(path, query_string=asked))

    def _door(self, definition: str, _text: str, revision: int, places: list[str]) -> tuple[str, int]:
        path = self.chance.choice(self.doors).replace("<definition_id>", definition)
        more = {
            name: self._value()
            for name in ("source", "old", "new", "place", "role", "person", "record", "v-digits")
        }
        return path, self._post(path, {**self._sent(revision, places), **more})

    def _take_back(self, told: str, definition: str, before: str, after: str, revision: int) -> None:
        """What was changed comes back by undo, and is there again by redo."""
        for act, wanted in (("undo", before), ("redo", after)):
            self._post(f"/studio/{definition}/do/{act}", {"revision": revision})
            text, revision = editor.text_of(definitions.get_definition(definition))
            if text != wanted:
                self.lost.append(f"{told}, then {act}")
                return
        self.taken_back += 1

    def _post(self, path: str, sent: Mapping[str, Any]) -> int:
        return self._answer(self.client.post(path, data=dict(sent), headers=HERE))

    def _answer(self, answer: Any) -> int:
        self.statuses[answer.status_code] += 1
        return int(answer.status_code)

    def _act(self, definition: str) -> str:
        """Mostly a gesture that the designer of the definition knows."""
        designer = designer_of(definitions.get_definition(definition).kind)
        own = [*EVERYWHERE, *designer.gestures()]
        return self.chance.choice(own if self.chance.random() < 0.9 else self.others)

    def _at(self, places: list[str]) -> str:
        strange = [
            "",
            "/",
            "properties",
            "properties//",
            "steps/9",
            "a/" * 60,
            "x-layout/0/0",
            "../x",
            "grants/0",
        ]
        return self.chance.choice([*strange, *self.chance.sample(places, min(12, len(places)))])

    def _value(self) -> str:
        text = json.dumps(self.chance.choice(VALUES))
        return text if self.chance.random() < 0.9 else text[: self.chance.randrange(len(text) + 1)]


def _places(value: Any, at: tuple[str, ...] = ()) -> Any:
    """The paths of everything in a document, as addresses write them."""
    members = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for name, each in members:
        path = (
            *at,
            str(each["id"] if isinstance(each, dict) and isinstance(value, list) and "id" in each else name),
        )
        yield "/".join(path)
        yield from _places(each, path)
