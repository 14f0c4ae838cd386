"""Proof `ledger`: whatever is received, issued, moved, returned, counted, back-dated, reversed and closed, by methods that
change meanwhile, the ledgers agree.

Hypothesis invents stories of 40 steps on a thing of its own. After each story: balances are the sums of the entries,
every voucher balances, stock and books agree, no entry that was written has changed, valuing everything again from
the beginning changes nothing, no balance was negative at the end of any day, and on each day there is what a plain
reckoning of the documents comes to: what was counted stands, what absorbs leaves nothing, what stays has stayed.
"""

from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from flask import Flask
from sqlalchemy import func, select

from formloop import db
from formloop.access.actor import SYSTEM
from formloop.core.errors import FormloopError, Invalid
from formloop.db import reading
from formloop.db.throwaway import throwaway
from formloop.forms import service
from formloop.ledgers import asof, periods, proof_forms
from formloop.ledgers.kind import get_ledger
from formloop.ledgers.proof_reckoned import Reckoning
from formloop.ledgers.verifying import verify, verify_values
from formloop.settings import Settings, read_settings

METHODS = ("moving_average", "fifo", "standard", "specific")
DAYS, START = 60, date(2026, 1, 1)
Step = tuple[int, int, int, int, int]  # what, when, how much, at what price, of which earlier one


def prove(
    seed: int,
    create_app: Callable[[Settings], Flask],
    runs: int = 300,
    steps: int = 40,
    databases: tuple[str, ...] = ("sqlite", "postgresql"),
) -> dict[str, Any]:
    """`runs` stories of `steps` steps on each database; `ok` says that the ledgers agreed after each."""
    found: dict[str, Any] = {"ok": True}
    for database in databases:
        with throwaway(database) as environment, create_app(read_settings(environment)).app_context():
            result = tell_stories(seed, runs, steps)
            db.engine().dispose()
        found["ok"] = found["ok"] and result.pop("ok")
        found |= {f"{database} {key}": value for key, value in result.items()}
    return found


def tell_stories(seed: int, runs: int, steps: int) -> dict[str, Any]:
    """Stories on the database that is started; the shortest one that fails is told in `story`."""
    import hypothesis
    from hypothesis import strategies

    made, counts = proof_forms.prepare(), Counter[str]()
    step = strategies.tuples(*(strategies.integers(0, most) for most in (99, DAYS - 1, 9_999, 99_999, 99)))
    stories = strategies.lists(step, min_size=steps, max_size=steps)
    failed: dict[str, Any] = {}

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=runs,
        deadline=None,
        database=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(strategies.sampled_from(METHODS), stories)
    def play(method: str, story: list[Step]) -> None:
        told = Story(made, method, counts)
        for each in story:
            told.play(each)
            if len(told.lines) % 10 == 0:
                told.remember()
        counts["stories"] += 1
        failed["last"] = [method, *told.lines]
        problems = told.check()
        assert not problems, problems[:3]

    try:
        play()
        problems = [str(each) for each in verify()]
    except AssertionError as error:
        problems = [str(error)]
    result: dict[str, Any] = {"ok": not problems, **dict(sorted(counts.items()))}
    return result if not problems else {**result, "problems": problems[:3], "story": failed.get("last")}


class Story:
    """One story: what is done to one thing at two spots."""

    def __init__(self, made: dict[str, int], method: str, counts: Counter[str]) -> None:
        self.made, self.counts, self.method = made, counts, method
        values = {"name": method, "method": method, "rate": "7.3"}
        self.thing = int(service.create(SYSTEM, "proof_thing", values)["id"])
        self.live: dict[str, list[tuple[int, int, str]]] = {"receive": [], "issue": []}
        self.all: list[int] = []
        self.reckoning = Reckoning(self.thing, made)
        self.rows: dict[int, tuple[Any, ...]] = {}
        self.lines: list[str] = []
        self.wrong: list[str] = []
        if periods.closed_through("proof") is not None:
            periods.reopen(SYSTEM, "proof", None, "the next story")

    def play(self, step: Step) -> None:
        """One step; what is refused changes nothing."""
        what, when, much, price, which = step
        day, quantity = START + timedelta(when), Decimal(much % 5_000 + 1) / (1_000 if much % 3 else 100)
        through = periods.closed_through("proof")
        if through is not None and day <= through and which % 2:
            day = through + timedelta(1)  # where what comes from closed days is entered, too
        here, there = (self.made[n] for n in (("here", "there") if which % 3 else ("there", "here")))
        said: dict[str, Any] = {
            "day": str(day),
            "spot": here,
            "lot": "" if which % 5 else "a",
            "quantity": quantity,
            "price": Decimal(price) / 1_000,
        }
        kind = _kind(what)
        try:
            self._do(kind, said, there, which, day)
        except FormloopError as error:
            code = error.problems[0].code if isinstance(error, Invalid) and error.problems else error.code
            self.counts[f"refused {code}"] += 1
            if code.startswith(
                ("agrees:", "balanced:")
            ):  # what the ledgers owe one another, no document can break
                self.wrong.append(f"{kind} is refused: {code}")
            self.lines.append(f"{kind} {said} refused {code}")
            return
        self.counts[kind] += 1
        self.lines.append(f"{kind} {said}")

    def _do(self, kind: str, said: dict[str, Any], there: int, which: int, day: date) -> None:
        if kind == "reverse":
            if self.all:
                record = self.all[which % len(self.all)]
                service.set_state(SYSTEM, "proof_move", record, "cancelled")
                self.all.remove(record)
                self.reckoning.take_back(record, periods.closed_through("proof"))
            return
        if kind == "change":
            self._change(METHODS[which % len(METHODS)])
            return
        if kind == "close":
            if day < START + timedelta(DAYS // 2):
                periods.close(SYSTEM, "proof", day)
            return
        of = self.live["issue" if kind == "bring_back" else "receive"]
        if kind in ("bring_back", "send_back", "add"):
            if not of:
                return
            said["of"], said["spot"], said["lot"] = of[which % len(of)]
            said["quantity"] = min(said["quantity"], Decimal(3))
            said["price"] = said["price"].quantize(Decimal("0.01")) - (30 if which % 4 == 0 else 0)
        if kind == "transfer":
            said["other"] = there
        if kind == "accrue":
            said["price"] = self._costs(day)
        record = proof_forms.move(kind, self.thing, **said)
        self.all.append(record)
        self.reckoning.take(record, kind, said)
        if kind in self.live:
            self.live[kind].append((record, said["spot"], said["lot"]))

    def _change(self, method: str) -> None:
        """Another method: refused where what is there would lie in another pool, and only there."""
        lost = self.reckoning.is_some_left() and "specific" in {method, self.method} and method != self.method
        try:
            service.change_record(SYSTEM, "proof_thing", self.thing, {"method": method})
        except Invalid:
            if not lost:
                self.wrong.append(f"{self.method} does not become {method}")
            raise
        if lost:
            self.wrong.append(f"{self.method} becomes {method} while there is something")
        self.method = method

    def _costs(self, day: date) -> Decimal:
        there = asof.balance_at(
            get_ledger("proof_general"), {"account": self.made["cost"], "thing": self.thing}, day
        )
        return there["debit"] - there["credit"]

    def check(self) -> list[str]:
        """What does not agree after the story."""
        problems = list(self.wrong)
        entry = get_ledger("proof_stock").tables.entry
        with reading() as conn:
            rows = {r.id: tuple(r) for r in conn.execute(select(entry).where(entry.c.d_thing == self.thing))}
        problems += [f"entry {each} has changed" for each, row in self.rows.items() if rows.get(each) != row]
        self.counts["entries"] += len(rows)
        problems += [str(each) for each in verify_values(get_ledger("proof_stock"), {"thing": self.thing})]
        problems += self.reckoning.check()
        self.counts["reckoned"] += self.reckoning.compared
        account = {"account": self.made["stock"], "thing": self.thing}
        stock = asof.balance_at(get_ledger("proof_general"), account, date.max)
        there = get_ledger("proof_stock").tables.balance
        mine = select(func.sum(there.c.m_value, type_=there.c.m_value.type)).where(
            there.c.per == 0, there.c.d_thing == self.thing
        )
        with reading() as conn:
            value = conn.execute(mine).scalar() or 0
        if stock["debit"] - stock["credit"] != value:
            problems.append(f"stock is worth {value}, the books say {stock}")
        return problems

    def remember(self) -> None:
        """Keep what has been written, to see later that it has not changed."""
        entry = get_ledger("proof_stock").tables.entry
        with reading() as conn:
            self.rows |= {
                r.id: tuple(r) for r in conn.execute(select(entry).where(entry.c.d_thing == self.thing))
            }


def _kind(number: int) -> str:
    for kind, until in (
        ("receive", 24), ("issue", 42), ("transfer", 51), ("bring_back", 57), ("send_back", 63), ("add", 70),
        ("count", 77), ("count_at_price", 83), ("absorb", 86), ("accrue", 88), ("change", 92), ("reverse", 98),
        ("close", 100),
    ):  # fmt: skip
        if number < until:
            return kind
    return "receive"
