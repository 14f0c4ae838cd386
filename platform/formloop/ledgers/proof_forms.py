"""What the proofs of ledgers work on: one form whose records do everything, and two ledgers that they write."""

from typing import Any

from formloop.access.actor import SYSTEM
from formloop.core.definitions import Doc
from formloop.definitions import service as definitions
from formloop.forms import service
from formloop.forms.kind import FORM
from formloop.ledgers.kind import LEDGER
from formloop.ledgers.posting_kind import POSTING

KINDS = (FORM, LEDGER, POSTING)  # a process has them once this module is imported


def _head(kind: str, key: str, number: int) -> Doc:
    return {"x-kind": kind, "x-id": f"1ed9e{number:03x}", "x-key": key, "title": key}


def _number(scale: int) -> Doc:
    return {"type": "number", "x-scale": scale, "title": "Number"}


def _link(form: str) -> Doc:
    return {"type": "integer", "x-type": "relation", "title": form, "x-relation": {"form": form}}


def _form(key: str, number: int, properties: Doc, states: Doc | None = None) -> Doc:
    return {**_head("form", key, number), "type": "object", "properties": properties} | (
        {"x-states": states} if states else {}
    )


def _posting(number: int, kind: str, *entries: Doc) -> Doc:
    return {
        **_head("posting", f"proof_{kind}", number), "form": "proof_move", "on": "state:done", "date": "day",
        "when": f'kind = "{kind}"', "entries": list(entries),
    }  # fmt: skip


def _booked(side: str, account: str, amount: str, **more: Any) -> Doc:
    return {
        "ledger": "proof_general",
        "account": f"settings.{account}",
        "thing": "thing",
        side: amount,
        **more,
    }


_HERE = {"ledger": "proof_stock", "thing": "thing", "spot": "spot", "lot": "lot"}
_TEXT = {"type": "string", "title": "Text"}
_VALUE, _VARIANCE = "entries.proof_stock.value", "entries.proof_stock.variance"
_FOUND = (
    _booked("debit", "stock", _VALUE), _booked("debit", "variance", _VARIANCE),
    _booked("credit", "cost", f"{_VALUE} + {_VARIANCE}"),
)  # fmt: skip
DOCUMENTS: list[Doc] = [
    _form("proof_thing", 1, {"name": _TEXT, "method": _TEXT, "rate": _number(4)}),
    _form("proof_spot", 2, {"name": _TEXT}),
    _form("proof_account", 3, {"name": _TEXT, "stock": _number(0)}),
    _form("proof_books", 4, {key: _link("proof_account") for key in ("stock", "other", "cost", "variance")}),
    {
        **_head("ledger", "proof_stock", 5),
        "dimensions": {
            "thing": {"form": "proof_thing"}, "spot": {"form": "proof_spot"}, "lot": {"type": "text", "optional": True},
        },
        "measures": {"quantity": {"scale": 3}, "value": {"scale": 2}},
        "never": [{"id": "below", "measure": "quantity", "below": 0}],
        "valuation": {
            "method": "thing.method", "quantity": "quantity", "value": "value", "standard": "thing.rate",
            "per": ["thing", "spot"],
        },
        "agrees": [
            {
                "id": "books", "measure": "value", "ledger": "proof_general", "sum": {"debit": 1, "credit": -1},
                "where": "account.stock = 1",
            }
        ],
        "calendar": "proof",
    },
    {
        **_head("ledger", "proof_general", 6),
        "dimensions": {"account": {"form": "proof_account"}, "thing": {"form": "proof_thing"}},
        "measures": {"debit": {"scale": 2}, "credit": {"scale": 2}},
        "balanced": [{"id": "voucher", "sum": {"debit": 1, "credit": -1}}],
        "calendar": "proof",
        "settings": "proof_books",
    },
    _form(
        "proof_move",
        7,
        {
            "kind": _TEXT, "day": {"type": "string", "format": "date", "title": "Day"}, "thing": _link("proof_thing"),
            "spot": _link("proof_spot"), "lot": _TEXT, "other": _link("proof_spot"), "quantity": _number(3), "price": _number(4),
            "of": _number(0),
        },
        {"draft": {"title": "Draft"}, "done": {"title": "Done"}, "cancelled": {"title": "Cancelled"}},
    ),
    _posting(
        8, "receive", {**_HERE, "quantity": "quantity", "value": "ROUND(quantity * price, 2)"},
        _booked("debit", "stock", _VALUE), _booked("debit", "variance", _VARIANCE),
        _booked("credit", "other", f"{_VALUE} + {_VARIANCE}"),
    ),
    _posting(
        9, "issue", {**_HERE, "quantity": "-quantity"}, _booked("credit", "stock", f"-{_VALUE}"),
        _booked("debit", "cost", f"-{_VALUE}"),
    ),
    _posting(
        10, "transfer", {**_HERE, "id": "out", "quantity": "-quantity"},
        {**_HERE, "id": "into", "spot": "other", "quantity": "quantity", "carries": "out"},
        _booked("debit", "stock", "entries.into.value + entries.out.value"),
        _booked("debit", "variance", "-entries.into.value - entries.out.value"),
    ),
    _posting(
        11, "bring_back", {**_HERE, "quantity": "quantity", "returns": "of"}, _booked("debit", "stock", _VALUE),
        _booked("debit", "variance", _VARIANCE), _booked("credit", "cost", f"{_VALUE} + {_VARIANCE}"),
    ),
    _posting(
        12, "send_back", {**_HERE, "quantity": "-quantity", "returns": "of"}, _booked("debit", "stock", _VALUE),
        _booked("debit", "variance", _VARIANCE), _booked("credit", "other", f"{_VALUE} + {_VARIANCE}"),
    ),
    _posting(
        13, "add", {"ledger": "proof_stock", "adds_to": "of", "value": "price"}, _booked("debit", "stock", _VALUE),
        _booked("debit", "variance", _VARIANCE), _booked("credit", "other", f"{_VALUE} + {_VARIANCE}"),
    ),
    _posting(14, "count", {**_HERE, "quantity": "quantity - before.quantity"}, *_FOUND),
    _posting(
        15, "count_at_price",
        {
            **_HERE, "quantity": "quantity - before.quantity",
            "value": "ROUND(quantity * price, 2) - before.value",
        },
        *_FOUND,
    ),
    _posting(
        16, "absorb", _booked("credit", "cost", "before.debit - before.credit", id="gathered"),
        _booked("debit", "variance", "entries.gathered.credit"),
    ),
    _posting(
        17, "accrue", _booked("debit", "cost", "0", check={
            "holds": "price = before.debit - before.credit", "says": "That is not what is there.", "stays": True,
        }),
        _booked("debit", "variance", "1"), _booked("credit", "other", "1"),
    ),
]  # fmt: skip


def prepare() -> dict[str, int]:
    """Publish everything and make accounts and two spots; returns the ids of what was made, by name."""
    definitions.publish_many(SYSTEM, DOCUMENTS, "proof")
    made: dict[str, int] = {}
    for name in ("stock", "other", "cost", "variance"):
        values = {"name": name, "stock": 1 if name == "stock" else 0}
        made[name] = service.create(SYSTEM, "proof_account", values)["id"]
    service.create(
        SYSTEM, "proof_books", {name: made[name] for name in ("stock", "other", "cost", "variance")}
    )
    for name in ("here", "there"):
        made[name] = service.create(SYSTEM, "proof_spot", {"name": name})["id"]
    return made


def move(kind: str, thing: int, **values: Any) -> int:
    """Carry a movement out; Invalid when it is refused."""
    given = {"kind": kind, "thing": thing, **values}
    outcome = service.save_many(SYSTEM, "proof_move", [service.Draft(given, state="done")])
    return int(outcome[0].id or 0)
