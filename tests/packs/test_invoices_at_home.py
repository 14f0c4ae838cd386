"""What was ordered without a currency is invoiced and credited in the home currency, whatever the party's is."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from formloop.access.actor import SYSTEM
from formloop.bridges import asking
from formloop.forms import reads
from formloop.forms import service as records
from formloop.forms.spec import Values
from formloop.workflows import service as workflows
from packs.test_order_progress import Sold
from packs.trading import Trade, actor_of, named


def becomes(form: str, currency: str, **by: str) -> None:
    """A supplier or customer has this currency from now on."""
    party, usd = named(form, **by), named("currency", code=currency)
    records.change_record(SYSTEM, form, party, {"currency": usd})


def asked(form: str, record: int, bridge: str, account: str = "accountant") -> tuple[str, Values]:
    """What the button of a document makes."""
    made = asking.ask(actor_of(account), form, record, bridge)
    return made.form, reads.get_record(SYSTEM, made.form, made.record)


class Ordered(Trade):
    """100 more at 10, ordered without a currency from a supplier who has another one, and received."""

    def __init__(self) -> None:
        super().__init__()
        becomes("supplier", "USD", code="S0002")
        head = {"supplier": self.supplier, "currency": None, "day": "2026-03-05"}
        line = {"item": self.item, "quantity": "100", "price": "10"}
        self.order = int(records.create(SYSTEM, "purchase_order", head | {"lines": [line]})["id"])
        workflows.submit(actor_of("buyer"), "purchase_order", self.order)
        _, came = asked("purchase_order", self.order, "order_to_receipt", "keeper")
        assert came["currency"] is None
        self.receipt = int(came["id"])
        records.change_record(SYSTEM, "receipt", self.receipt, {"warehouse": self.place, "day": "2026-03-06"})
        self.submit("receipt", self.receipt)


@pytest.mark.parametrize("of", ["receipt", "order"])
def test_what_was_bought_at_home_is_invoiced_at_home(demo: Flask, of: str) -> None:
    """1,000 and not 1,000 USD, which are 7,120."""
    trade = Ordered()
    if of == "receipt":
        form, bill = asked("receipt", trade.receipt, "receipt_to_supplier_invoice")
    else:
        form, bill = asked("purchase_order", trade.order, "order_to_supplier_invoice")
    assert (bill["currency"], bill["net"]) == (None, 1000)
    trade.submit(form, int(bill["id"]))
    assert (trade.there(), trade.account("220202")) == ((200, 2000), -1000)


def test_what_was_bought_and_invoiced_at_home_is_credited_at_home(demo: Flask) -> None:
    trade = Trade(currency=None)
    trade.invoice("100", "10", head={"currency": None})
    becomes("supplier", "USD", code="S0002")
    trade.send_back("10")
    assert asked("supplier_return", trade.back, "supplier_return_to_credit_note")[1]["currency"] is None


def test_a_supplier_at_home_has_the_home_currency_on_the_invoice(demo: Flask) -> None:
    """So that *Pay what is due* finds it by the supplier's currency."""
    trade = Trade(currency=None)
    becomes("supplier", "CNY", code="S0002")
    receipt = int(reads.get_record(SYSTEM, "received_item", trade.goods)["receipt"])
    bill = asked("receipt", receipt, "receipt_to_supplier_invoice")[1]
    assert bill["currency"] == named("currency", code="CNY")


def test_what_was_sold_at_home_is_invoiced_and_credited_at_home(demo: Flask) -> None:
    """From the delivery, from the order, and back: 200 and not 200 USD."""
    sold, keeper = Sold(currency=None), actor_of("keeper")
    becomes("customer", "USD", code="C0001")
    sent = sold.deliver("10")
    form, bill = asked("delivery", sent, "delivery_to_invoice")
    assert (bill["currency"], bill["net"]) == (None, 200)
    records.delete_record(SYSTEM, form, int(bill["id"]))
    _, bill = asked("sales_order", sold.order, "order_to_invoice")
    assert (bill["currency"], bill["net"]) == (None, 200)
    workflows.submit(actor_of("accountant"), form, int(bill["id"]))
    line = {"delivered": named("delivered_item", delivery=sent), "item": sold.items[0], "quantity": "2"}
    head = {"customer": named("customer", code="C0001"), "warehouse": named("warehouse", code="MAIN")}
    back = int(records.create(SYSTEM, "sales_return", head | {"lines": [line]})["id"])
    workflows.submit(keeper, "sales_return", back)
    assert asked("sales_return", back, "return_to_credit_note")[1]["currency"] is None


def test_what_was_delivered_without_an_order_is_invoiced_in_the_customers_currency(demo: Flask) -> None:
    item, place = Trade().item, named("warehouse", code="MAIN")
    becomes("customer", "USD", code="C0001")
    head = {"customer": named("customer", code="C0001"), "warehouse": place, "day": "2026-03-05"}
    line = {"item": item, "quantity": "10", "price": "20"}
    sent = int(records.create(SYSTEM, "delivery", head | {"lines": [line]})["id"])
    workflows.submit(actor_of("keeper"), "delivery", sent)
    assert asked("delivery", sent, "delivery_to_invoice")[1]["currency"] == named("currency", code="USD")


@pytest.mark.parametrize("form", ["receipt", "purchase_invoice"])
def test_a_page_without_a_currency_names_the_home_currency(
    demo: Flask, people_of_demo: Callable[[str], FlaskClient], form: str
) -> None:
    account = "keeper" if form == "receipt" else "accountant"
    page = people_of_demo(account).get(f"/f/{form}/new").get_data(as_text=True)
    assert "Home currency" in page and "CNY" in page
    trade = Trade(currency=None)
    record = trade.invoice("100", "10", head={"currency": None})
    of = (
        record
        if form == "purchase_invoice"
        else reads.get_record(SYSTEM, "received_item", trade.goods)["receipt"]
    )
    saved = reads.get_record(SYSTEM, form, of)
    assert (saved["currency"], saved["home_currency"]) == (None, "CNY")
