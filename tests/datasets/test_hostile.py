"""Whatever stands in an address: an answer in words, never a failure of the server."""

import base64
import json
import random
from typing import Any
from urllib.parse import urlencode

from flask import Flask
from flask.testing import FlaskClient

from datasets.conftest import dataset
from formloop.forms.filters import operators
from forms.conftest import Shop, publish

VALUES = [
    "", "0", "-1", "1e400", "NaN", "Infinity", "9" * 40, "1" * 5_000, "2026-02-30", "0001-01-01", "9999-12-31", "'", '"',
    "%", "\\", "\x00", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), "中文", "<b>", "=1+1", "1~2", "~", ",",
    "true", "None", "[]", "{}", "../..", "1;drop table order",
]  # fmt: skip
MARKS: list[Any] = [
    None, [], {}, "x", [["total"], []], [["total", "_k0"], [1, 2]], [["total", "_k0"], ["x", "y"]],
    [["total", "_k0"], [None, None]], [["total", "_k0"], [True, False]], [["total", "_k0"], [10**30, 10**30]],
    [["total", "_k0"], ["1e400", 1]], [["total", "_k0"], [[1], {}]], [["-day", "_k0"], ["2026-13-01", 1]],
    [["-day", "_k0"], ["2026-01-01", "1"]], [["flag", "_k0"], [True, 1]], [["flag", "_k0"], ["x", 1]],
    [["at", "_k0"], ["2026-01-01T00:00:00", 1]], [["at", "_k0"], ["2026-01-01T00:00:00+00:00", 1]],
]  # fmt: skip
COLUMNS = {
    "number": "number", "customer": "customer", "name": "customer.name", "total": "total", "twice": "total * 2",
    "day": "day", "at": "created_at", "flag": "total > 1", "state": "state", "owner": "owner",
}  # fmt: skip
PARAMETERS = {
    "least": {"type": "number"},
    "since": {"type": "string", "format": "date"},
    "who": {"type": "integer", "x-type": "relation", "x-relation": {"form": "customer"}},
    "yes": {"type": "boolean"},
}
WHERE = (
    "(ISBLANK(parameters.least) OR total >= parameters.least) AND (ISBLANK(parameters.since) OR day >= parameters.since)"
    " AND (ISBLANK(parameters.who) OR customer = parameters.who) AND (ISBLANK(parameters.yes) OR parameters.yes)"
)


def _mark(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


def _address(chance: random.Random) -> str:
    said: list[tuple[str, str]] = []
    for _ in range(chance.randint(1, 4)):
        value = chance.choice(VALUES)
        key = chance.choice([*COLUMNS, "nothing", "_k0", "_record", "lines", ""])
        name = chance.choice(
            [
                f"f.{key}.{chance.choice([*operators, 'eval'])}",
                f"p.{chance.choice([*PARAMETERS, 'x'])}",
                "sort",
                "q",
                "c",
                "s",
            ]
        )
        said.append((name, chance.choice([value, key, f"-{key}"]) if name in ("sort", "c", "s") else value))
    if chance.random() < 0.3:
        mark = chance.choice(MARKS)
        said.append(("after", chance.choice([_mark(mark), chance.choice(VALUES)])))
        if isinstance(mark, list) and mark and isinstance(mark[0], list):
            said.append(("sort", str(mark[0][0]) if mark[0] else ""))
    return urlencode(said, errors="replace")


def test_no_address_makes_the_server_fail(app: Flask, client: FlaskClient) -> None:
    shop = Shop()
    publish(
        dataset("made", "order", COLUMNS, where=WHERE, parameters=PARAMETERS, filters=list(COLUMNS)),
        dataset(
            "grouped",
            {"dataset": "made"},
            {key: key for key in COLUMNS},
            group=["customer", "day"],
            measures={"total": "SUM(twice)"},
        ),
    )
    shop.order()
    shop.order((shop.nut, "7"))
    chance = random.Random(20261122)
    for _ in range(400):
        address = f"/datasets/{chance.choice(['made', 'grouped'])}{chance.choice(['', '', '/sums'])}?{_address(chance)}"
        answer = client.get(address, headers={"HX-Request": "true"})
        assert answer.status_code in (200, 422), (answer.status_code, address)
    for mark in MARKS:
        said = {"after": _mark(mark), "sort": mark[0][0] if mark and isinstance(mark[0], list) else ""}
        answer = client.get(f"/datasets/made?{urlencode(said)}", headers={"HX-Request": "true"})
        assert answer.status_code == 200, mark
