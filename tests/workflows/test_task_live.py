"""The page of a task answers while its person types, by the field rights of the step and no others."""

import re
from typing import Any

from flask import Flask

from formloop.access.actor import SYSTEM
from formloop.core.definitions import Doc
from formloop.db import reading
from formloop.definitions import service as definitions
from formloop.forms import rows
from formloop.forms import service as records
from formloop.forms.kind import get_form
from formloop.workflows import service
from workflows.site import app, browser, play, text_of
from workflows.specimens import workflow_doc
from workflows.stage import END, Stage, approval

__all__ = ["app", "play"]
QUOTE: Doc = {
    "x-kind": "form",
    "x-id": "000000f7",
    "x-key": "quote",
    "title": "Quote",
    "x-title": {"zh-CN": "报价"},
    "type": "object",
    "properties": {
        "subject": {"type": "string", "title": "Subject", "x-title": {"zh-CN": "事由"}},
        "rebate": {"type": "number", "x-type": "amount", "maximum": 50, "title": "Rebate"},
        "why": {"type": "string", "title": "Why so much", "x-visible": "rebate > 10"},
        "cost": {"type": "number", "x-type": "amount", "title": "Cost"},
        "margin": {"type": "number", "x-type": "amount", "title": "Margin", "x-formula": "total - cost"},
        "lines": {
            "type": "array",
            "title": "Lines",
            "items": {
                "type": "object",
                "properties": {
                    "price": {"type": "number", "x-type": "amount", "title": "Price"},
                    "part": {"type": "number", "x-type": "amount", "title": "Part"},
                    "net": {
                        "type": "number",
                        "x-type": "amount",
                        "title": "Net",
                        "x-formula": "price - part",
                    },
                },
            },
        },
        "total": {
            "type": "number",
            "x-type": "amount",
            "title": "Total",
            "x-formula": "SUM(lines.net) - rebate",
        },
    },
    "x-list": {"title": "subject", "columns": ["subject"]},
}
RIGHTS = {
    "subject": "view",
    "rebate": "edit",
    "why": "require",
    "total": "view",
    "lines": "hide",
    "cost": "hide",
    "margin": "hide",
}


def quote(play: Stage, rights: dict[str, str]) -> tuple[str, dict[str, Any]]:
    """The address of Bob's task on a new quotation, which he sees by his step alone, and what was saved."""
    step = approval("one", "bob", fields=rights, actions=["approve", "return"])
    flow = workflow_doc(step, END) | {"form": "quote", "x-id": "0000001d", "x-key": "quote_approval"}
    definitions.publish_many(SYSTEM, [QUOTE, flow], "first")
    adm = play.actors["adm"]
    lines = [{"price": "100", "part": "5"}, {"price": "40", "part": "0"}]
    saved = records.create(adm, "quote", {"subject": "A desk", "rebate": "5", "cost": "77.7", "lines": lines})
    case = service.submit(adm, "quote", int(saved["id"])).case
    return f"/inbox/{play.task_of('bob', case)}", saved


def test_what_is_filled_in_is_calculated_with_before_it_is_sent(app: Flask, play: Stage) -> None:
    url, saved = quote(play, {"*": "view", "lines.part": "edit", "rebate": "edit"})
    lines = {f"lines.{n}.id": str(line["id"]) for n, line in enumerate(saved["lines"])}
    sent = {"rebate": "10", **lines, "lines.0.part": "25", "lines.1.part": "0", "_changed": "lines.0.part"}
    answer = browser(app, play, "bob").post(f"{url}/live", data=sent).get_json()
    told = {name: each["text"] for name, each in answer["values"].items()}
    assert (told["lines.0.net"], told["lines.1.net"], told["total"]) == ("75.00", "40.00", "105.00")
    assert told["margin"] == "27.30"


def test_what_need_not_be_seen_appears_and_is_insisted_on_once_its_condition_holds(
    app: Flask, play: Stage
) -> None:
    url, _ = quote(play, RIGHTS)
    bob = browser(app, play, "bob")
    assert 'data-fl-cell="why" data-fl-hidden' in text_of(bob, url)
    answer = bob.post(f"{url}/live", data={"rebate": "5", "why": ""}).get_json()
    assert "why" in answer["hidden"]
    assert answer["problems"] == {}
    answer = bob.post(f"{url}/live", data={"rebate": "20", "why": ""}).get_json()
    assert answer["hidden"] == []
    assert (answer["required"], list(answer["problems"])) == (["why"], ["why"])
    assert (
        bob.post(f"{url}/live", data={"rebate": "20", "why": "an old customer"}).get_json()["problems"] == {}
    )
    assert list(bob.post(f"{url}/live", data={"rebate": "60", "why": "x"}).get_json()["problems"]) == [
        "rebate"
    ]


def test_nothing_the_step_hides_is_told_or_can_be_calculated_with(app: Flask, play: Stage) -> None:
    url, saved = quote(play, RIGHTS)
    first = str(saved["lines"][0]["id"])
    sent = {"rebate": "5", "cost": "1", "margin": "1", "lines.lines": "1", "lines.0.id": first}
    answer = browser(app, play, "bob").post(f"{url}/live", data={**sent, "lines.0.price": "1"})
    told = answer.get_json()
    names = {each for part in told.values() for each in part}
    assert not [each for each in names if each.partition(".")[0] in ("cost", "margin", "lines")]
    assert told["values"]["total"]["text"] == "130.00", "of every line, at the price it has"
    for hidden in ("77.7", "52.3", "95.00", "40.00"):
        assert hidden not in answer.text


def test_only_the_person_the_task_waits_for_is_answered(app: Flask, play: Stage) -> None:
    url, saved = quote(play, RIGHTS)
    bob = browser(app, play, "bob")
    assert browser(app, play, "cho").post(f"{url}/live", data={"rebate": "1"}).status_code == 404
    assert bob.post(f"{url}/decide", data={"action": "approve", "rebate": "1"}).status_code == 303
    assert bob.post(f"{url}/live", data={"rebate": "2"}).status_code == 404
    spec = get_form("quote")
    with reading() as conn:
        assert rows.load(conn, spec, [saved["id"]])[saved["id"]]["rebate"] == 1


def test_a_refused_approval_comes_back_calculated(app: Flask, play: Stage) -> None:
    url, _ = quote(play, RIGHTS)
    sent = {"action": "approve", "rebate": "20", "why": ""}
    answer = browser(app, play, "bob").post(f"{url}/decide", data=sent)
    assert answer.status_code == 422
    assert 'data-fl-output="total">115.00<' in answer.text
    assert 'data-fl-cell="why" data-fl-hidden' not in answer.text


def returned(play: Stage, rights: dict[str, str]) -> tuple[int, dict[str, Any]]:
    """A quotation that Bob sent back with a reason, and what was saved."""
    url, saved = quote(play, rights)
    bob, task = play.actors["bob"], int(url.rpartition("/")[2])
    case = service.decide(bob, task, "return", "the rebate is too high", to="initiator").case
    return case, saved


def test_whoever_is_to_correct_it_reads_at_the_top_who_sent_it_back_and_why(app: Flask, play: Stage) -> None:
    case, saved = returned(play, RIGHTS)
    adm = browser(app, play, "adm")
    for url in (f"/inbox/{play.task_of('adm', case)}", f"/f/quote/{saved['id']}"):
        top = text_of(adm, url).partition("fl-facts" if "inbox" in url else "fl-list")[0]
        assert re.search(r"<strong>Bob</strong>.*?the rebate is too high", top, re.S), url


def test_who_is_asked_again_sees_what_has_changed_since_as_far_as_they_may(app: Flask, play: Stage) -> None:
    case, saved = returned(play, {**RIGHTS, "lines": "view", "lines.net": "hide"})
    adm, first = play.actors["adm"], saved["lines"][0]
    for part in ("6", "7"):
        lines = [{"id": first["id"], "part": part, "price": "100"}, {"price": "9", "part": "1"}]
        records.change_record(
            adm, "quote", saved["id"], {"rebate": "2", "cost": "78.8", "subject": "x", "lines": lines[:1]}
        )
        records.change_record(
            adm, "quote", saved["id"], {"subject": "A desk", "lines": [{"id": first["id"]}, lines[1]]}
        )
    service.submit(adm, "quote", saved["id"])
    page = text_of(browser(app, play, "bob"), f"/inbox/{play.task_of('bob', case)}")
    table = page.partition("Changed since you decided")[2].partition("</table>")[0]
    told = re.findall(
        r'data-label="Field">([^<]*)</td>.*?Old value">(.*?)</td>.*?New value">(.*?)</td>', table
    )
    assert sorted((label, *(re.sub("<[^>]+>", "", each) for each in sides)) for label, *sides in told) == [
        ("Lines 1 · Part", "5.00", "7.00"),
        ("Lines 2 · Part", "—", "1.00"),
        ("Lines 2 · Price", "—", "9.00"),
        ("Lines · Part", "0.00", "—"),
        ("Lines · Price", "40.00", "—"),
        ("Rebate", "5.00", "2.00"),
        ("Total", "130.00", "99.00"),
    ]
    assert "78.8" not in page


def test_who_is_asked_again_hears_that_nothing_has_changed(app: Flask, play: Stage) -> None:
    case, saved = returned(play, RIGHTS)
    records.change_record(play.actors["adm"], "quote", saved["id"], {"cost": "1"})
    service.submit(play.actors["adm"], "quote", saved["id"])
    page = text_of(browser(app, play, "bob"), f"/inbox/{play.task_of('bob', case)}")
    assert "Nothing that you may see has changed." in page
    assert "Changed since you decided" not in text_of(browser(app, play, "adm"), f"/f/quote/{saved['id']}")
