"""Proof `stock-race`: ten processes take the last unit at the same moment and one gets it; crossed transfers all go."""

import multiprocessing
import random
from collections import Counter
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from typing import Any

from flask import Flask
from sqlalchemy import select

from formloop import db
from formloop.access.actor import SYSTEM
from formloop.core.errors import FormloopError, Invalid
from formloop.db import reading
from formloop.db.throwaway import throwaway
from formloop.forms import service
from formloop.ledgers import proof_forms
from formloop.ledgers import service as ledgers
from formloop.ledgers.kind import get_ledger
from formloop.ledgers.verifying import verify
from formloop.settings import Settings, read_settings

Order = tuple[str, int, dict[str, Any], int]  # kind, thing, values, how often


def prove(
    seed: int,
    create_app: Callable[[Settings], Flask],
    rounds: int = 100,
    processes: int = 10,
    transfers: int = 1_000,
    databases: tuple[str, ...] = ("sqlite", "postgresql"),
) -> dict[str, Any]:
    """`rounds` races for a last unit and `transfers` crossed ones on each database; `ok` says all went right."""
    found: dict[str, Any] = {"ok": True}
    for database in databases:
        with throwaway(database) as environment:
            settings = read_settings(environment)
            with create_app(settings).app_context():
                result = race(settings, seed, rounds, processes, transfers)
                db.engine().dispose()
        found["ok"] = found["ok"] and result.pop("ok")
        found |= {f"{database} {key}": value for key, value in result.items()}
    return found


def race(settings: Settings, seed: int, rounds: int, processes: int, transfers: int) -> dict[str, Any]:
    """Races on the database that is started."""
    chance, made = random.Random(seed), proof_forms.prepare()
    spawn = multiprocessing.get_context("spawn")
    barrier = spawn.Barrier(processes)
    lines = [spawn.Pipe() for _ in range(processes)]
    workers = [spawn.Process(target=_work, args=(settings, end, barrier), daemon=True) for _, end in lines]
    for worker, (_, end) in zip(workers, lines, strict=True):
        worker.start()
        end.close()  # so that a worker that dies is noticed
    ends = [line for line, _ in lines]
    try:
        wrong, answers = _last_units(made, ends, rounds, chance)
        crossed = _crossed(made, ends, transfers)
    finally:
        for line in ends:
            line.send(None)
        for worker in workers:
            worker.join(10)
    wrong += [str(each) for each in verify()]
    if set(crossed) != {"done"}:
        wrong.append(f"crossed transfers: {dict(crossed)}")
    result = {"ok": not wrong, "rounds": rounds, **dict(answers), "crossed transfers": sum(crossed.values())}
    return result | ({"wrong": wrong[:5]} if wrong else {})


def _thing(name: str, method: str) -> int:
    return int(service.create(SYSTEM, "proof_thing", {"name": name, "method": method})["id"])


def _last_units(
    made: dict[str, int], ends: list[Any], rounds: int, chance: random.Random
) -> tuple[list[str], Counter[str]]:
    wrong, answers = list[str](), Counter[str]()
    here = {"spot": made["here"], "day": "2026-01-05"}
    for number in range(rounds):
        thing = _thing(f"last {number}", chance.choice(("moving_average", "fifo")))
        proof_forms.move("receive", thing, quantity=1, price=chance.randrange(1, 99), **here)
        for end in ends:
            end.send(("issue", thing, {"quantity": 1, **here}, 1))
        told = Counter(answer for end in ends for answer in end.recv())
        answers.update(told)
        left = _left(thing)
        if told != Counter({"done": 1, "never:below": len(ends) - 1}) or left != 0:
            wrong.append(f"round {number}: {dict(told)}, {left} left")
    return wrong, answers


def _crossed(made: dict[str, int], ends: list[Any], transfers: int) -> Counter[str]:
    """Half of the processes move one way, half the other, always one and the same thing."""
    thing = _thing("crossed", "moving_average")
    for spot in ("here", "there"):
        proof_forms.move("receive", thing, quantity=transfers, price=3, spot=made[spot], day="2026-01-05")
    for number, end in enumerate(ends):
        way = ("here", "there") if number % 2 else ("there", "here")
        values = {"quantity": 1, "day": "2026-01-06", "spot": made[way[0]], "other": made[way[1]]}
        end.send(("transfer", thing, values, transfers // len(ends)))
    return Counter(answer for end in ends for answer in end.recv())


def _left(thing: int) -> Any:
    table = get_ledger("proof_stock").tables.balance
    with reading() as conn:
        return conn.execute(select(table.c.m_quantity).where(table.c.d_thing == thing)).scalar()


def _work(settings: Settings, line: "Connection[Any, Any]", barrier: Barrier) -> None:
    """One process: does what it is told at the same moment as the others, and answers how it went."""
    db.start(Flask("proof"), settings)
    ledgers.start()
    while (order := line.recv()) is not None:
        kind, thing, values, times = order
        barrier.wait(60)
        line.send([_try(kind, thing, values) for _ in range(times)])
    db.engine().dispose()


def _try(kind: str, thing: int, values: dict[str, Any]) -> str:
    try:
        proof_forms.move(kind, thing, **values)
    except Invalid as error:
        return error.problems[0].code
    except FormloopError as error:
        return error.code
    return "done"
