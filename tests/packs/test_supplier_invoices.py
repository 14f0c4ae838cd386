"""What the supplier's own papers say."""

from flask import Flask

from formloop.access.actor import SYSTEM
from formloop.bridges import asking
from formloop.forms import reads
from packs.trading import Trade, actor_of


def test_a_credit_note_is_proposed_at_the_price_of_its_invoice(demo: Flask) -> None:
    trade = Trade()
    wrong = trade.invoice("100", "12")
    trade.send_back("10")
    assert proposed(trade) == 12
    trade.take_back("purchase_invoice", wrong)
    trade.invoice("90", "13")
    trade.send_back("10")
    assert proposed(trade) == 13


def proposed(trade: Trade) -> object:
    made = asking.ask(actor_of("accountant"), "supplier_return", trade.back, "supplier_return_to_credit_note")
    (line,) = reads.get_record(SYSTEM, "purchase_invoice", made.record)["lines"]
    return line["price"]
