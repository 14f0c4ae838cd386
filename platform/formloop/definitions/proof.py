"""Proof that hostile definitions are answered with problems: quickly, without fetching, without a crash."""

import json
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from formloop.core.definitions import (
    Kind,
    check_json_schema,
    complete,
    diff,
    find_kind,
    kinds,
    merge,
    parse,
    read,
    record_validator,
    write,
)
from formloop.core.errors import Invalid
from formloop.core.text import M

MOST_SECONDS = 0.2

_SPECIMEN = Kind(
    name="specimen",
    title=M("kind of definition"),
    schema=complete("specimen", {"properties": {"type": {"const": "object"}}, "additionalProperties": True}),
)


def prove(seed: int = 1, count: int = 3_000) -> dict[str, Any]:
    """Read `count` hostile texts; `ok` says whether none was slow, fetched something or crashed."""
    chance = random.Random(seed)
    slow, crashed, refused, slowest = list[str](), list[str](), 0, 0.0
    with _canary() as (address, fetches):
        for number in range(count):
            make = chance.choice(_ATTACKS)
            text = make(chance, address)
            started = time.thread_time()
            try:
                refused += not _survives(text)
            except Exception as error:  # any exception at all is what the proof looks for
                crashed.append(f"{number} {make.__name__}: {error!r}"[:300])
            taken = time.thread_time() - started
            slowest = max(slowest, taken)
            if taken > MOST_SECONDS:
                slow.append(f"{number} {make.__name__}: {taken:.3f} s")
    return {
        "seed": seed,
        "count": count,
        "refused": refused,
        "accepted": count - refused - len(crashed),
        "slowest_ms": round(slowest * 1000, 1),
        "slow": slow,
        "crashed": crashed,
        "fetched": fetches[0],
        "ok": not (slow or crashed or fetches[0]),
    }


def _survives(text: str | bytes) -> bool:
    """Everything the platform does to a text that somebody brings; whether it was accepted."""
    parsed = parse(text)
    kind, _ = find_kind(parsed.doc)
    doc, problems = read(text, kind or _SPECIMEN)
    if doc is None:
        return False
    for problem in problems:
        problem.message.render("zh-CN")
    again = write(doc, kind)
    parsed = parse(again)
    if not parsed.problems and write(parsed.doc, kind) != again:
        raise AssertionError("the canonical text is not stable")
    diff({}, doc, kind)
    merge({}, doc, {"title": "theirs"}, kind)
    problems += check_json_schema(doc)
    if problems:
        return False
    try:
        record_validator(doc).is_valid({"a": "a" * 28 + "!", "list": [1] * 1_000})
    except Invalid:
        return False
    return True


@contextmanager
def _canary() -> Iterator[tuple[str, list[int]]]:
    """An address on this machine that counts who asks it."""
    fetches, open_ = [0], threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)

        def listen() -> None:
            while not open_.is_set():
                try:
                    server.accept()[0].close()
                    fetches[0] += 1
                except TimeoutError:
                    continue

        listener = threading.Thread(target=listen, daemon=True)
        listener.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}", fetches
        finally:
            open_.set()
            listener.join()


def _document(chance: random.Random, **more: Any) -> str:
    name = chance.choice([*kinds.names(), "specimen"])
    base = {"x-kind": name, "x-id": "5f1c7a0e", "x-key": "hostile", "title": "Hostile", "type": "object"}
    return json.dumps({**base, **more})


def _reference(chance: random.Random, address: str) -> str:
    target = chance.choice(
        [address, "file:///etc/hostname", "#", "#/properties/a", "//x", address + "#/a", 3, None]
    )
    word = chance.choice(["$ref", "$dynamicRef", "$schema", "$id", "$recursiveRef", "$vocabulary"])
    inner: Any = {word: target}
    for _ in range(chance.randrange(4)):
        inner = {chance.choice(["allOf", "anyOf", "oneOf"]): [inner]}
    return _document(chance, properties={"a": inner}, **chance.choice([{}, inner]))


def _expanding(chance: random.Random, _address: str) -> str:
    depth, width = chance.randrange(2, 60), chance.randrange(2, 12)
    definitions = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * width} for n in range(depth)}
    last = chance.choice([{"type": "string"}, {"$ref": "#/$defs/d0"}])
    return _document(chance, **{"$defs": {**definitions, f"d{depth}": last}, "$ref": "#/$defs/d0"})


def _pattern(chance: random.Random, _address: str) -> str:
    bombs = [
        "(a+)+$",
        "(a|a)*$",
        "^(([a-z])+.)+[A-Z]([a-z])+$",
        "(?=a)",
        "(a{900}){900}",
        "(",
        "\\1(a)",
        "(?<x>a)",
    ]
    bomb = chance.choice([*bombs, "a{99999}", "(" * 5_000 + "a" + ")" * 5_000, "[" + "a-z" * 20_000 + "]"])
    return _document(chance, properties={"a": {"type": "string", "pattern": bomb}})


def _nested(chance: random.Random, _address: str) -> str:
    depth, (opening, closing) = (
        chance.choice([20, 33, 1_000, 400_000]),
        chance.choice(["[]", ("[{}", "]"), ('{"a":', "}")]),
    )
    return opening * min(depth, 900_000 // len(opening)) + "1" + closing * depth


def _number(chance: random.Random, _address: str) -> str:
    number = chance.choice(
        ["9" * 5_000, "1e400", "-1E-99999999", "NaN", "-Infinity", "0." + "1" * 90, "1e30", "-0.0"]
    )
    return _document(chance, minimum="@").replace('"@"', number)


def _repeated(chance: random.Random, _address: str) -> str:
    key = chance.choice(["title", "x-kind", "a", "中"])
    filler = ",".join(f'"k{n}":{{}}' for n in range(chance.choice([1, 1_000, 9_000, 60_000])))
    return f'{{{filler},"deep":{{"{key}":1,"b":[],"{key}":2}}}}'


def _large(chance: random.Random, _address: str) -> str:
    member = chance.choice(["[]", "{}", "1", '""', '{"a":1}', '{"properties":{}}', "1.5", '"\\ud83d\\ude00"'])
    place = chance.choice(
        ["properties", "x-list", "required", "unknown", "enum", "steps", "x-checks", "title"]
    )
    count = chance.choice([10, 5_000, 19_000, 900_000 // (len(member) + 1)])
    return _document(chance, **{place: "@"}).replace('"@"', "[" + ",".join([member] * count) + "]")


def _many_keys(chance: random.Random, _address: str) -> str:
    keys: dict[str, Any] = {
        f"key_{n}": chance.choice([1, "a", {}]) for n in range(chance.choice([100, 9_000, 40_000]))
    }
    return _document(chance, **(keys if chance.random() < 0.5 else {"properties": keys}))


def _text(chance: random.Random, _address: str) -> str:
    texts = [
        '"' + '\\"' * 400_000,
        '{"a":"' + "\\" * 400_001,
        "\\ud800",
        "\\u0000",
        "\ufeff",
        "\u202e",
        "a" * 900_000,
    ]
    return _document(chance, description="@").replace("@", chance.choice(texts))


def _torn(chance: random.Random, address: str) -> str | bytes:
    text = _document(chance, properties={"a": {"type": "string", "title": "Text 文"}}, address=address)
    letters = list(text)
    for _ in range(chance.randrange(1, 8)):
        place = chance.randrange(len(letters))
        letters[place : place + chance.randrange(3)] = chance.choice(
            ['"', "{", "}", "[", "]", ",", ":", "\\", "0", "\0", "é", "\n"]
        )
    torn = "".join(letters)
    return torn.encode("utf-16") if chance.random() < 0.1 else torn


def _confused(chance: random.Random, _address: str) -> str:
    values: list[Any] = [
        None,
        True,
        0,
        -1,
        "",
        "a",
        [],
        {},
        [[]],
        [{}],
        {"id": 1},
        [{"id": "a"}, {"id": "a"}],
        [1, "1"],
    ]
    words = [
        "type",
        "properties",
        "required",
        "x-title",
        "x-format",
        "x-checks",
        "steps",
        "enum",
        "items",
        "$defs",
    ]
    words += [
        "x-key",
        "x-id",
        "title",
        "allOf",
        "x-layout",
        "x-list",
        "patternProperties",
        "dependentRequired",
        "const",
    ]
    return _document(chance, **{word: chance.choice(values) for word in chance.sample(words, 4)})


_ATTACKS: tuple[Callable[[random.Random, str], str | bytes], ...] = (
    *(_reference, _expanding, _pattern, _nested, _number, _repeated),
    *(_large, _many_keys, _text, _torn, _confused),
)
