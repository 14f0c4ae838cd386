"""A form and a workflow that were never published are tried in a real browser: lines are typed, formulas answer."""

import json
import re
from typing import Any

from playwright.sync_api import Browser, Page, expect

from browser.sites import Photograph, Site
from browser.test_accessibility import serious_in_both_schemes
from browser.test_story import enter

WISH: dict[str, Any] = {
    "x-kind": "form",
    "x-id": "000007f1",
    "x-key": "played_wish",
    "title": "Played wish",
    "type": "object",
    "properties": {
        "what": {"type": "string", "title": "What for"},
        "lines": {
            "type": "array",
            "title": "Lines",
            "items": {
                "type": "object",
                "properties": {
                    "quantity": {"type": "number", "title": "Quantity"},
                    "price": {"type": "number", "title": "Price"},
                    "amount": {"type": "number", "title": "Amount", "x-formula": "quantity * price"},
                },
            },
        },
        "total": {"type": "number", "title": "Total", "x-formula": "SUM(lines.amount)"},
    },
}
BOSS = {"id": "boss", "node": "approval", "title": "The boss", "who": [{"rule": "initiator"}]}
FLOW = {
    "x-kind": "workflow",
    "x-id": "000007f2",
    "x-key": "played_wish_approval",
    "title": "Approval of wishes",
    "form": "played_wish",
    "steps": [
        {
            "id": "size",
            "node": "condition",
            "branches": [
                {"id": "large", "when": "total > 1000", "steps": [BOSS]},
                {"id": "rest", "steps": []},
            ],
        },
    ],
}


def _draft(page: Page, site: Site, doc: dict[str, Any]) -> None:
    """Keep a document as a draft, as the editor of texts does."""
    page.goto(f"{site.address}/definitions/new?kind={doc['x-kind']}&as=text")
    status = page.evaluate(
        """async ([kind, text]) => {
            const headers = JSON.parse(document.body.getAttribute("hx-headers"));
            return (await fetch("/definitions/new", {method: "POST", headers, body: new URLSearchParams({kind, text})})).status;
        }""",
        [doc["x-kind"], json.dumps(doc)],
    )
    assert status == 200


def test_a_branch_by_the_total_of_lines_is_tried_before_anything_is_published_and_then_both_are(
    browser: Browser, site: Site, screenshot: Photograph
) -> None:
    page = enter(browser, site, "administrator")
    page.emulate_media(reduced_motion="reduce")  # colours that are still changing are no contrast
    for doc in (WISH, FLOW):
        _draft(page, site, doc)
    page.goto(f"{site.address}/studio/{FLOW['x-id']}")
    expect(page.locator(".fl-count")).to_have_count(0)  # nothing is wrong with it
    page.click("#studio-play")
    expect(page.locator("form[data-fl-live]")).to_be_visible()
    page.fill("[name='lines.0.quantity']", "6")
    page.fill("[name='lines.0.price']", "150")
    page.click("[data-fl-add-line]")
    page.keyboard.type("2")
    page.keyboard.press("Tab")
    page.keyboard.type("100")
    expect(page.locator("[data-fl-output=total]")).to_have_text("1,100")
    page.click("button[value=begin]")
    played = page.locator("section[aria-live=polite]")
    expect(played).to_contain_text("The boss")
    assert serious_in_both_schemes(page) == []
    screenshot(page, "play-unpublished")
    page.click("[data-fl-remove-line] >> nth=1")
    expect(page.locator("[data-fl-output=total]")).to_have_text("900")
    page.click("button[value=play]")
    expect(played).not_to_contain_text("The boss")
    expect(played).to_contain_text("Approved")

    page.goto(f"{site.address}/definitions/{FLOW['x-id']}/publish")
    expect(page.locator("main")).to_contain_text("Published with it")
    page.click("form[action$='/publish'] button.btn-primary")
    expect(page).to_have_url(re.compile(rf"/definitions/{FLOW['x-id']}$"))
    page.goto(f"{site.address}/f/played_wish/new")
    expect(page.locator("[name='lines.0.quantity']")).to_be_visible()
