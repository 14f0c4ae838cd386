"""A supplier makes something of our material, for tests of values and lots."""

from typing import Any

from ledgers import store as definitions
from ledgers.store import Store, credit, debit, form, lines, link, number, posting

OUTSOURCED = form("outsourced", day=definitions.date(), place=link("At supplier", "place"), into=link("Into", "place"),
                  used=lines(item=link("Item", "item"), quantity=number("Quantity"), lot=link("Lot", "lot")),
                  made=link("Made", "item"), made_lot=link("Lot made", "lot"), quantity=number("Quantity"),
                  service=number("Service", 2), additional=number("Additional", 2))  # fmt: skip
OUTSOURCED_POSTING = posting(
    "outsourced_posting", "outsourced",
    {"id": "used", "each": "used", "ledger": "stock", "item": "line.item", "place": "place", "lot": "line.lot",
     "quantity": "-line.quantity"},
    {"id": "made", "ledger": "stock", "item": "made", "place": "into", "lot": "made_lot", "quantity": "quantity",
     "value": "service + additional - SUM(entries.used.value)"},
    debit("settings.stock", "entries.made.value"), credit("settings.accrued", "entries.made.value"),
    debit("settings.accrued", "-SUM(entries.used.value)"), credit("settings.stock", "-SUM(entries.used.value)"),
    debit("settings.accrued", "additional"), credit("settings.expense", "additional"), date="day",
)  # fmt: skip


def outsourced(store: Store, **more: Any) -> dict[str, Any]:
    supplier, frame = store.make("place", "at the supplier"), store.make("item", "frame")
    store.buy("10", "100", place=supplier, lot=more.pop("used_lot", None))
    used = [{"item": store.bolt, "quantity": "10", "lot": more.pop("lot", None)}]
    return store.do(
        "outsourced", place=supplier, into=store.main, used=used, made=frame, quantity="1", **more
    )
