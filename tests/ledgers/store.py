"""A little store in definitions: items and warehouses, documents that move things, stock and general ledger."""

from typing import Any

from sqlalchemy import select

from formloop.access.actor import SYSTEM
from formloop.core.definitions import Doc
from formloop.db import reading
from formloop.definitions import service as definitions
from formloop.forms import service
from formloop.ledgers import service as ledgers
from formloop.ledgers.asof import balance_at
from formloop.ledgers.kind import LEDGER, get_ledger
from formloop.ledgers.posting_kind import POSTING

assert (LEDGER.name, POSTING.name) == ("ledger", "posting")  # importing them makes the kinds known


def text(title: str, **more: Any) -> Doc:
    return {"type": "string", "title": title, **more}


def number(title: str, scale: int = 6, **more: Any) -> Doc:
    return {"type": "number", "title": title, "x-scale": scale, **more}


def date(title: str = "Date") -> Doc:
    return {"type": "string", "format": "date", "title": title}


def link(title: str, form: str) -> Doc:
    return {"type": "integer", "x-type": "relation", "title": title, "x-relation": {"form": form}}


def lines(**columns: Doc) -> Doc:
    return {"type": "array", "x-type": "subform", "title": "Lines",
            "items": {"type": "object", "properties": columns}}  # fmt: skip


def head(kind: str, key: str) -> Doc:
    number = sum(ord(letter) * 131**place for place, letter in enumerate(kind + key)) % 0xFFFFFFFF
    return {
        "x-kind": kind,
        "x-id": f"{number:08x}",
        "x-key": key,
        "title": key.replace("_", " ").capitalize(),
    }


STATES = {"draft": {"title": "Draft"}, "done": {"title": "Done"}, "cancelled": {"title": "Cancelled"}}


def form(key: str, states: bool = True, **properties: Doc) -> Doc:
    return {**head("form", key), "type": "object", "properties": properties} | (
        {"x-states": STATES} if states else {}
    )


def posting(key: str, of: str, *entries: Doc, **more: Any) -> Doc:
    return {**head("posting", key), "form": of, "on": "state:done", "entries": list(entries), **more}


def debit(account: str, amount: str, **more: Any) -> Doc:
    return {"ledger": "general", "account": account, "debit": amount, **more}


def credit(account: str, amount: str, **more: Any) -> Doc:
    return {"ledger": "general", "account": account, "credit": amount, **more}


MASTERS = [
    form("item", False, name=text("Name"), valuation=text("Valuation", default="moving_average"),
         standard=number("Standard cost", 4)),
    form("place", False, name=text("Name"), negative={"type": "boolean", "title": "May go negative"}),
    form("lot", False, name=text("Name")),
    form("account", False, name=text("Name"), kind=text("Kind"), open=number("Open items", 0)),
    form("party", False, name=text("Name")),
    form("books", False, **{each: link(each, "account") for each in (
        "stock", "accrued", "cost", "variance", "payable", "receivable", "bank", "revenue", "expense")}),
]  # fmt: skip
STOCK: Doc = {
    **head("ledger", "stock"),
    "dimensions": {"item": {"form": "item"}, "place": {"form": "place"}, "lot": {"form": "lot", "optional": True}},
    "measures": {"quantity": {"scale": 6}, "value": {"scale": 2}},
    "never": [{"id": "below_zero", "measure": "quantity", "below": 0, "unless": "place.negative"}],
    "valuation": {"method": "item.valuation", "quantity": "quantity", "value": "value", "per": ["item", "place"],
                  "standard": "item.standard"},
    "agrees": [{"id": "books", "measure": "value", "ledger": "general", "sum": {"debit": 1, "credit": -1},
                "where": "account.kind = \"stock\""}],
    "calendar": "accounting",
}  # fmt: skip
GENERAL: Doc = {
    **head("ledger", "general"),
    "dimensions": {"account": {"form": "account"}, "party": {"form": "party", "optional": True}},
    "measures": {"debit": {"scale": 2}, "credit": {"scale": 2}},
    "balanced": [{"id": "voucher", "sum": {"debit": 1, "credit": -1}}],
    "open": {"sum": {"debit": 1, "credit": -1}, "when": "account.open = 1"},
    "calendar": "accounting",
    "settings": "books",
}
MOVE = {"item": "line.item", "place": "place", "lot": "line.lot"}
IN_VALUE = {
    "ledger": "stock",
    **MOVE,
    "quantity": "line.quantity",
    "value": "ROUND(line.quantity * line.price, 2)",
}
OUT = {"ledger": "stock", **MOVE, "quantity": "-line.quantity"}
GOODS = lines(item=link("Item", "item"), lot=link("Lot", "lot"), quantity=number("Quantity"), price=number("Price", 4),
              of=number("Of line", 0), freight=number("Freight", 2))  # fmt: skip


def document(key: str, **more: Doc) -> Doc:
    return form(key, day=date(), place=link("Place", "place"), lines=GOODS, **more)


DOCUMENTS = [
    document("receipt", party=link("Party", "party")),
    document("issue"),
    document("transfer", target=link("To", "place")),
    document("customer_return"),
    document("supplier_return"),
    document("cost_added", cost=number("Cost", 2)),
    document("count"),
]
PER_LINE = {"each": "lines", "date": "day"}
POSTINGS = [
    posting("receipt_posting", "receipt", IN_VALUE, debit("settings.stock", "entries.stock.value"),
            debit("settings.variance", "entries.stock.variance"),
            credit("settings.accrued", "entries.stock.value + entries.stock.variance"), **PER_LINE),
    posting("issue_posting", "issue", OUT, debit("settings.cost", "-entries.stock.value"),
            credit("settings.stock", "-entries.stock.value"), **PER_LINE),
    posting("transfer_posting", "transfer", {**OUT, "id": "out"},
            {**IN_VALUE, "id": "into", "place": "target", "carries": "out"} | {"value": None},
            debit("settings.stock", "entries.into.value + entries.out.value"),
            debit("settings.variance", "-entries.into.value - entries.out.value"), **PER_LINE),
    posting("customer_return_posting", "customer_return", {"ledger": "stock", **MOVE, "quantity": "line.quantity",
            "returns": "line.of"}, debit("settings.stock", "entries.stock.value"),
            credit("settings.cost", "entries.stock.value"), **PER_LINE),
    posting("supplier_return_posting", "supplier_return", {**OUT, "returns": "line.of"},
            debit("settings.accrued", "-entries.stock.value"), credit("settings.stock", "-entries.stock.value"),
            **PER_LINE),
    posting("cost_added_posting", "cost_added",
            {"ledger": "stock", "adds_to": "line.of", "value": {"share": "cost", "by": "line.quantity"}},
            debit("settings.stock", "entries.stock.value"), debit("settings.variance", "entries.stock.variance"),
            credit("settings.accrued", "entries.stock.value + entries.stock.variance"), **PER_LINE),
    posting("count_posting", "count", {"ledger": "stock", **MOVE, "quantity": "line.quantity - before.quantity",
            "value": "ROUND(line.quantity * line.price, 2) - before.value"},
            debit("settings.stock", "entries.stock.value"),
            credit("settings.variance", "entries.stock.value"), **PER_LINE),
]  # fmt: skip


def only(doc: Any) -> Any:
    """A document without what is None."""
    if isinstance(doc, dict):
        return {key: only(value) for key, value in doc.items() if value is not None}
    return [only(each) for each in doc] if isinstance(doc, list) else doc


class Store:
    """Shorthand for what the tests say again and again."""

    def __init__(self, *more: Doc, stock: Doc | None = None, general: Doc | None = None) -> None:
        ledgers.start()
        docs = [*MASTERS, general or GENERAL, stock or STOCK, *DOCUMENTS, *POSTINGS, *more]
        definitions.publish_many(SYSTEM, [only(doc) for doc in docs], "test")
        self.named: dict[str, int] = {}
        kinds = {"stock": "stock"}
        names = (
            "stock",
            "accrued",
            "cost",
            "variance",
            "payable",
            "receivable",
            "bank",
            "revenue",
            "expense",
        )
        for each in names:
            opened = 1 if each in ("payable", "receivable") else 0
            self.make("account", each, kind=kinds.get(each, "other"), open=opened)
        self.books = self.make("books", "books", **{each: self.named[each] for each in names})
        self.main = self.make("place", "main")
        self.bolt = self.make("item", "bolt")

    def make(self, form: str, name: str, **values: Any) -> int:
        """A record of a form without states."""
        given = {} if form == "books" else {"name": name}
        self.named[name] = int(service.create(SYSTEM, form, {**given, **values})["id"])
        return self.named[name]

    def do(self, form: str, *rows: dict[str, Any], day: str = "2026-03-01", **values: Any) -> dict[str, Any]:
        """A document that is carried out at once; returns it with its lines."""
        given: dict[str, Any] = {"day": day, **values}
        if rows:
            given["lines"] = [{"item": self.bolt, **row} for row in rows]
        if form in {each["x-key"] for each in DOCUMENTS}:
            given = {"place": self.main, **given}
        saved = service.create(SYSTEM, form, given)
        return service.set_state(SYSTEM, form, saved["id"], "done")

    def buy(self, quantity: str, price: str, day: str = "2026-03-01", **row: Any) -> dict[str, Any]:
        """A receipt of one line."""
        place = row.pop("place", self.main)
        return self.do("receipt", {"quantity": quantity, "price": price, **row}, day=day, place=place)

    def take(self, quantity: str, day: str = "2026-03-01", **row: Any) -> dict[str, Any]:
        """An issue of one line."""
        place = row.pop("place", self.main)
        return self.do("issue", {"quantity": quantity, **row}, day=day, place=place)

    def cancel(self, form: str, record: dict[str, Any]) -> None:
        """Take a document back."""
        service.set_state(SYSTEM, form, record["id"], "cancelled")

    def there(self, item: int | None = None, place: int | None = None, **dims: Any) -> tuple[Any, Any]:
        """Quantity and value in stock."""
        table = get_ledger("stock").tables.balance
        query = select(table).where(table.c.per == 0, table.c.d_item == (item or self.bolt))
        query = query.where(table.c.d_place == (place or self.main))
        for key, value in dims.items():
            query = query.where(table.c[f"d_{key}"] == value)
        with reading() as conn:
            rows = conn.execute(query).all()
        return sum(r.m_quantity for r in rows), sum(r.m_value for r in rows)

    def account(self, name: str) -> Any:
        """Debit less credit of an account."""
        found = balance_at(get_ledger("general"), {"account": self.named[name], "party": 0}, self.last_day())
        return found["debit"] - found["credit"]

    def last_day(self) -> Any:
        """A day after everything."""
        from datetime import date as day

        return day(2099, 1, 1)

    def worth(self, record: dict[str, Any], ledger: str = "stock") -> list[Any]:
        """The value of each movement that a document made, with all that changed it since."""
        return worth(record["id"], ledger)


def worth(record: int, ledger: str = "stock") -> list[Any]:
    """The value of each movement that a document made, with all that changed it since."""
    from formloop.ledgers.pools import nets
    from formloop.ledgers.tables import posted

    table = get_ledger(ledger).tables.entry
    query = (
        select(table.c.id)
        .join(posted, posted.c.id == table.c.posted)
        .where(posted.c.record == record, posted.c.purpose == "post", table.c.way != "added")
    )
    with reading() as conn:
        ids = list(conn.execute(query.order_by(table.c.id)).scalars())
        found = nets(get_ledger(ledger), ids)
    return [found[i][1] for i in ids]
