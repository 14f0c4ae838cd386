"""The plain reckoning beside proof `ledger`: what the documents themselves come to at the end of each day."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sqlalchemy import func, select

from formloop.db import reading
from formloop.ledgers import asof, periods
from formloop.ledgers.engine import REVALUED
from formloop.ledgers.kind import get_ledger
from formloop.ledgers.verifying import verify_values

Said = dict[str, Any]
Level = dict[tuple[int, str], Decimal]  # how much is there, by spot and lot
ADDING, TAKING = ("receive", "bring_back"), ("issue", "send_back", "transfer")
COUNTS, COSTING = ("count", "count_at_price"), ("issue", "bring_back", "count", "count_at_price")
CENT = Decimal("0.01")


@dataclass
class Reckoning:
    """The documents of one story, in the order of their posting."""

    thing: int
    made: dict[str, int]
    standing: dict[int, tuple[str, Said]] = field(default_factory=dict)
    compared: int = 0

    def take(self, record: int, kind: str, said: Said) -> None:
        """A document is posted."""
        self.standing[record] = kind, said

    def take_back(self, record: int, through: date | None) -> None:
        """A document is taken back; one of a closed day on the first open one, where it comes before all others."""
        kind, said = self.standing[record]
        if through is None or date.fromisoformat(said["day"]) > through:
            del self.standing[record]
        elif kind in ("absorb", "accrue"):
            self.standing[record] = "taken back", said
        else:
            back = {"undoes": record, "quantity": -said["quantity"], "day": str(through + timedelta(1))}
            self.standing[-record] = "undo" if kind in COUNTS else kind, {**said, **back}

    def is_some_left(self) -> bool:
        """Whether the documents leave anything anywhere."""
        level: Level = {}
        found: dict[int, Decimal] = {}
        for day in sorted({said["day"] for _, said in self.standing.values()}):
            for record, kind, said in self._of(day):
                _move(level, found, record, kind, said)
        return any(level.values())

    def _of(self, day: str) -> list[tuple[int, str, Said]]:
        """The documents of a day; what is taken back from closed days comes before all others."""
        mine = [(record, *each) for record, each in self.standing.items() if each[1]["day"] == day]
        return sorted(mine, key=lambda each: "undoes" not in each[2])

    def check(self) -> Iterator[str]:
        """Where a day ends with something else than the documents come to."""
        level: Level = {}
        found: dict[int, Decimal] = {}
        for day in sorted({said["day"] for _, said in self.standing.values()}):
            worth: dict[int, Decimal] = {}  # what was counted at a price, with nothing after it on that day
            mine = self._of(day)
            for record, kind, said in mine:
                _move(level, found, record, kind, said)
                for spot in {said["spot"], said.get("other", 0)}:
                    worth.pop(spot, None)
                if kind == "count_at_price" and "undoes" not in said:
                    worth[said["spot"]] = _rounded(Decimal(said["quantity"]) * said["price"])
            yield from self._quantities(date.fromisoformat(day), level)
            yield from self._worths(date.fromisoformat(day))
            yield from self._values(date.fromisoformat(day), worth)
            yield from self._accounts(date.fromisoformat(day), {kind for _, kind, _ in mine})

    def _quantities(self, day: date, level: Level) -> Iterator[str]:
        ledger = get_ledger("proof_stock")
        dims = [{"thing": self.thing, "spot": spot, "lot": lot} for spot, lot in level]
        for at, there in zip(level, asof.balances_at(ledger, dims, day), strict=True):
            self.compared += 1
            if there["quantity"] != level[at]:
                yield f"{day}: there is {there['quantity']} at {at}, the documents come to {level[at]}"

    def _worths(self, day: date) -> Iterator[str]:
        """Where nothing is left, nothing is worth anything; what is there is worth what its account says,
        and each movement what could be known on that day; where a day is closed, what came later stands behind it."""
        ledger, table = get_ledger("proof_stock"), get_ledger("proof_stock").tables.entry
        sums = [func.sum(table.c[name], type_=table.c[name].type) for name in ("m_quantity", "m_value")]
        query = select(table.c.d_spot, *sums).where(table.c.d_thing == self.thing, table.c.date <= day)
        with reading() as conn:
            rows = conn.execute(query.group_by(table.c.d_spot)).all()
        self.compared += len(rows) + 1
        for spot, quantity, value in rows:
            if not quantity and value:
                yield f"{day}: nothing is left at {spot}, but it is worth {value}"
        account = {"account": self.made["stock"], "thing": self.thing}
        booked = asof.balance_at(get_ledger("proof_general"), account, day)
        worth = sum((value for *_, value in rows), Decimal(0))
        if booked["debit"] - booked["credit"] != worth:
            yield f"{day}: stock is worth {worth}, the books say {booked}"
        if periods.closed_through("proof") is None:
            yield from (f"{day}: {each}" for each in verify_values(ledger, {"thing": self.thing}, day))

    def _values(self, day: date, worth: dict[int, Decimal]) -> Iterator[str]:
        """What a valuation does not take of a counted value is a variance; where there is none, all of it is there."""
        ledger = get_ledger("proof_stock")
        table = ledger.tables.entry
        for spot, value in worth.items():
            mine = (table.c.d_thing == self.thing, table.c.d_spot == spot, table.c.date == day)
            with reading() as conn:
                left = conn.execute(select(func.count()).where(*mine, table.c.m_variance != 0)).scalar_one()
            there = asof.balance_at(ledger, {"thing": self.thing, "spot": spot, "lot": ""}, day)["value"]
            self.compared += not left
            if not left and there != value:
                yield f"{day}: {there} is what lies at {spot} worth, it was counted as {value}"

    def _accounts(self, day: date, kinds: set[str]) -> Iterator[str]:
        """What absorbs leaves nothing, what stays is as it was looked at."""
        ledger, account = get_ledger("proof_general"), self.made["cost"]
        there = asof.balance_at(ledger, {"account": account, "thing": self.thing}, day)
        cost = there["debit"] - there["credit"]
        looked = {
            said["price"]
            for kind, said in self.standing.values()
            if kind == "accrue" and said["day"] == str(day)
        }
        self.compared += len(looked)
        if looked - {cost}:
            yield f"{day}: the costs are {cost}, but {looked} was to stay"
        if "absorb" not in kinds or kinds & set(COSTING):
            return
        table = ledger.tables.entry
        again = select(func.count()).where(
            table.c.d_account == account,
            table.c.d_thing == self.thing,
            table.c.date == day,
            table.c.way == REVALUED,
        )  # these come after it
        with reading() as conn:
            valued_again = conn.execute(again).scalar_one()
        self.compared += not valued_again
        if cost and not valued_again:
            yield f"{day}: {cost} is left of the costs that were absorbed"


def _move(level: Level, found: dict[int, Decimal], record: int, kind: str, said: Said) -> None:
    """What is there behind a document; `found` has by how much each count changed it."""
    if kind in ("absorb", "accrue", "taken back", "add"):
        return
    at, quantity = (said["spot"], said["lot"]), Decimal(said["quantity"])
    before = level.get(at, Decimal(0))
    if kind == "undo":
        level[at] = before - found[said["undoes"]]
    elif kind in COUNTS:
        level[at], found[record] = quantity, quantity - before
    else:
        level[at] = before + ((kind in ADDING) - (kind in TAKING)) * quantity
    if kind == "transfer":
        into = (said["other"], said["lot"])
        level[into] = level.get(into, Decimal(0)) + quantity


def _rounded(value: Decimal) -> Decimal:
    return value.quantize(CENT, ROUND_HALF_UP)
