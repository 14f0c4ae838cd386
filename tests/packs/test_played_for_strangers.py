"""A play tells stock to nobody who does not see it: neither by what is typed past the page nor by a refusal."""

import pytest
from flask import Flask

from formloop.access import people, sessions
from formloop.access.actor import SYSTEM
from formloop.access.signing import COOKIE
from formloop.definitions import service as definitions
from packs.trading import Trade

SEES_ITS_DAY = {"id": "out", "form": "stock_out", "may": ["view"], "fields": ["day"]}
SEES_ALL_OF_IT = {"id": "out", "form": "stock_out", "may": ["view"]}
SEES_THE_LEDGER = {"id": "stock", "ledger": "stock", "may": ["view"]}


def played(demo: Flask, *grants: dict[str, object], locale: str = "en") -> str:
    """What a designer with these grants reads of an issue of far too much, played as the keeper's."""
    trade = Trade(goods=("37", "1"))
    others = [{"id": form, "form": form, "may": ["view"]} for form in ("item", "warehouse")]
    design = {"id": "design", "on": "definition", "may": ["design"]}
    role = {"x-kind": "role", "x-id": "0000006d", "x-key": "own", "title": "Own"}
    definitions.publish_many(SYSTEM, [{**role, "grants": [design, *others, *grants]}], "own")
    bella = people.add_person(SYSTEM, "bella", "Bella", roles=["own"])
    demo.config["WTF_CSRF_ENABLED"] = False
    client = demo.test_client()
    client.set_cookie(COOKIE, sessions.open_session(bella))
    keeper = people.find_person("keeper")
    assert keeper is not None
    head = {"day": "2026-03-09", "warehouse": str(trade.place), "_initiator": str(keeper.id)}
    line = {"lines.0.item": str(trade.item), "lines.0.quantity": "1000"}
    sent = {"_action": "play", **head, **line}
    answer = client.post("/cases/play/stock_out_post", data=sent, headers={"Accept-Language": locale})
    assert answer.status_code == 200
    return str(answer.get_data(as_text=True))


def test_what_the_page_does_not_ask_for_is_not_played(demo: Flask) -> None:
    page = played(demo, SEES_ITS_DAY)
    assert "would be left" not in page
    assert "Warehouse: This must be filled in." in page


@pytest.mark.parametrize(
    ("locale", "kept_back"),
    [("en", "refuses it. What it says of that is kept back"), ("zh-CN", "因此不显示具体原因")],
)
def test_what_a_ledger_refuses_is_kept_back_from_whoever_does_not_see_it(
    demo: Flask, locale: str, kept_back: str
) -> None:
    page = played(demo, SEES_ALL_OF_IT, locale=locale)
    assert "963" not in page
    assert kept_back in page


def test_whoever_sees_the_whole_ledger_reads_why(demo: Flask) -> None:
    assert "-963 would be left" in played(demo, SEES_ALL_OF_IT, SEES_THE_LEDGER)
