"""Entries once for each line of what a line names: a carrier's bill over the goods of its freight documents."""

from decimal import Decimal as D
from typing import Any

import pytest

from databases import Begun
from formloop.access.actor import SYSTEM
from formloop.core.definitions import Doc
from formloop.core.errors import Invalid
from formloop.definitions import service as definitions
from formloop.forms import service
from formloop.ledgers import service as ledgers
from formloop.ledgers.verifying import verify
from ledgers.store import Store, credit, date, debit, form, lines, link, number, only, posting

EACH = "bills.freight.lines"
BILL = form("bill", day=date(), place=link("Place", "place"),
            bills=lines(freight=link("Freight", "cost_added"), net=number("Net", 2), part=number("Part", 2)))  # fmt: skip
ADDED: Doc = {
    "ledger": "stock",
    "each": EACH,
    "adds_to": "line.of",
    "value": {"share": "outer.net", "by": "line.quantity"},
}
BILLED = posting("bill_posting", "bill", ADDED, debit("settings.stock", "entries.stock.value", each=EACH),
                 credit("settings.payable", "line.net", each="bills", id="owed"), date="day", when="ISBLANK(place)")  # fmt: skip
SCRAPPED = posting("scrap_posting", "bill",
                   {"ledger": "stock", "item": "line.item", "place": "place", "quantity": "-1"},
                   credit("settings.stock", "-entries.stock.value", id="gone"),
                   debit("settings.expense", "ROUND(-entries.stock.value * outer.part, 2)", id="ours"),
                   debit("settings.cost", "-entries.stock.value - entries.ours.debit", id="theirs"),
                   each=EACH, date="day", when="NOT(ISBLANK(place))")  # fmt: skip


class Freight(Store):
    """Ten bolts and thirty nuts at 1, with freight of 8 shared by quantity."""

    def __init__(self) -> None:
        super().__init__(BILL, BILLED, SCRAPPED)
        self.nut = self.make("item", "nut")
        self.bought = {
            item: self.buy(quantity, "1", item=item)["lines"][0]["id"]
            for item, quantity in ((self.bolt, "10"), (self.nut, "30"))
        }
        self.freight = self.add("8")

    def add(self, cost: str, day: str = "2026-03-02") -> int:
        rows = [
            {"of": of, "quantity": "10" if item == self.bolt else "30", "item": item}
            for item, of in self.bought.items()
        ]
        return int(self.do("cost_added", *rows, cost=cost, day=day)["id"])

    def bill(self, *bills: dict[str, Any], **head: Any) -> dict[str, Any]:
        saved = service.create(SYSTEM, "bill", {"day": "2026-03-05", "bills": list(bills), **head})
        return service.set_state(SYSTEM, "bill", saved["id"], "done")

    def values(self) -> list[str]:
        return [str(self.there(item)[1]) for item in (self.bolt, self.nut)]


@pytest.fixture
def store(begun: Begun) -> Freight:
    ledgers.start()
    return begun(Freight)


def test_a_total_is_shared_over_the_lines_of_what_is_named(store: Freight) -> None:
    """8 is 2 on ten bolts and 6 on thirty nuts; 4 more is 1 and 3."""
    assert store.values() == ["12.00", "36.00"]
    made = store.bill({"freight": store.freight, "net": "4"})
    assert (store.values(), store.account("payable")) == (["13.00", "39.00"], -4)
    store.cancel("bill", made)
    assert (store.values(), store.account("payable")) == (["12.00", "36.00"], 0)
    assert verify() == []


def test_each_outer_line_shares_its_own_total(store: Freight) -> None:
    """0.01 goes to the larger remainder, the nuts; so does 0.03 of the other, whose quarter is less than a cent."""
    other = store.add("4")
    store.bill({"freight": store.freight, "net": "0.01"}, {"freight": other, "net": "0.03"})
    assert store.values() == ["13.01", "39.03"]
    assert verify() == []


def test_a_line_that_names_nothing_has_no_entries_of_its_own(store: Freight) -> None:
    with pytest.raises(Invalid):  # what is owed is on no account then
        store.bill({"net": "4"})
    store.bill({"freight": store.freight, "net": "4"}, {"net": "0"})
    assert store.values() == ["13.00", "39.00"]


def test_what_two_lines_name_is_refused_at_the_second(store: Freight) -> None:
    line = {"freight": store.freight, "net": "4"}
    with pytest.raises(Invalid) as error:
        store.bill(line, line)
    (problem,) = error.value.problems
    assert (problem.code, problem.at) == ("named_twice", "bills.1")
    assert "line 2: An earlier line names the same record" in problem.message.render("en")
    assert "前面已有一行指向同一条记录" in problem.message.render("zh-CN")


def test_a_refusal_stands_at_the_line_that_leads_there(store: Freight) -> None:
    """The second line names scrap of goods that are not there."""
    empty = store.do("cost_added", {"of": store.bought[store.bolt], "quantity": "1", "item": store.make("item", "tin")}, cost="0")  # fmt: skip
    with pytest.raises(Invalid) as error:
        store.bill({"freight": store.freight}, {"freight": int(empty["id"])}, place=store.main)
    assert [p.at for p in error.value.problems] == ["bills.1"]


def test_what_follows_from_outer_lines_is_calculated_again(store: Freight) -> None:
    """A bolt at 1.20 and a nut at 1.20 are scrapped, a third of it ours: 0.40 each. Freight of 40 more from the day
    before makes them 2.20: 0.73 each."""
    store.bill({"freight": store.freight, "part": "0.33"}, place=store.main)
    assert (store.account("expense"), store.account("cost")) == (D("0.80"), D("1.60"))
    store.add("40", "2026-03-04")
    assert (store.account("expense"), store.account("cost")) == (D("1.46"), D("2.94"))
    assert verify() == []


def test_the_record_itself_may_name_the_lines(store: Freight) -> None:
    """Two of each line of a receipt are found to be worth 0.50 more."""
    found = form("appraisal", day=date(), bought=link("Bought by", "receipt"), more=number("More", 2))
    rule = posting("appraisal_posting", "appraisal", {**ADDED, "each": "bought.lines", "adds_to": "line.id",
                   "value": {"share": "more", "by": "line.quantity"}},
                   debit("settings.stock", "entries.stock.value", each="bought.lines"),
                   credit("settings.payable", "more", id="owed"), date="day")  # fmt: skip
    definitions.publish_many(SYSTEM, [only(found), only(rule)], "test")
    bought = store.do("receipt", {"quantity": "1", "price": "1"}, {"quantity": "3", "price": "1"})
    made = service.create(SYSTEM, "appraisal", {"day": "2026-03-06", "bought": bought["id"], "more": "2"})
    service.set_state(SYSTEM, "appraisal", made["id"], "done")
    assert store.worth(bought) == [D("1.50"), D("4.50")]
    assert verify() == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # a check reads no table
@pytest.mark.parametrize("each, key", [
    ("bills.freight.rows", "rows"), ("bills.net.lines", "bills.net.lines"), ("bills.nothing.lines", "bills.nothing.lines"),
])  # fmt: skip
def test_a_way_that_leads_nowhere_is_told(store: Freight, each: str, key: str) -> None:
    with pytest.raises(Invalid) as error:
        definitions.publish_many(SYSTEM, [only(posting("wrong", "bill", {**ADDED, "each": each}))], "test")
    found = next(p for p in error.value.problems if p.code == "no_lines")
    assert found.message.render("en").endswith(f"has no lines “{key}”.")
