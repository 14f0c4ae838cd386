"""axe-core finds no serious problem on the main pages and on every designer: desk and phone, light and dark."""

import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page

from browser.sites import Photograph, Site

AXE = Path(__file__).parents[2] / "static" / "node_modules" / "axe-core" / "axe.min.js"
PAGES = (
    "/",
    "/menu",
    "/f/sales_order",
    "/f/sales_order/new",
    "/f/customer",
    "/f/item/import",
    "/datasets",
    "/datasets/open_demand",
    "/datasets/orders_by_customer",
    "/plans",
    "/ledgers",
    "/ledgers/stock",
    "/ledgers/general/entries",
    "/ledgers/general/open",
    "/inbox",
    "/cases?tab=running",
    "/cases/hand-over",
    "/deputies",
    "/working-days",
    "/templates",
    "/templates/sales_order",
    "/repair",
    "/definitions",
    "/people",
    "/me",
)
PACKS = Path(__file__).parents[2] / "templates_library"
FORM, FLOW = "sales_order/sales_order.form", "sales_order/sales_order_approval.workflow"
DESIGNERS = (
    ("/studio/new", ""),
    ("/studio/new?kind=plan", ""),
    ("/studio/new?kind=dataset", ""),
    ("/studio/file", ""),
    ("/studio/tours", ""),
    ("/studio/bridges", ""),
    ("/studio/bridges/new", ""),
    ("/studio/{id}", FORM),
    ("/studio/{id}?at=properties/customer", FORM),
    ("/studio/{id}?at=properties/lines", FORM),
    ("/studio/{id}?at=x-list", FORM),
    ("/studio/{id}/preview", FORM),
    ("/studio/{id}/examples", FORM),
    ("/studio/{id}/examples/new", FORM),
    ("/studio/rights/{id}", FORM),
    ("/studio/{id}/flow", FORM),
    ("/definitions/{id}", FORM),
    ("/definitions/{id}/edit", FORM),
    ("/studio/{id}", FLOW),
    ("/cases/play/sales_order_approval", ""),
    ("/studio/{id}?at=steps/review", FLOW),
    ("/studio/{id}?at=steps/size/branches/large", FLOW),
    ("/studio/{id}", "sales_order/open_demand.dataset"),
    ("/studio/{id}", "sales_order/order_to_demand.bridge"),
    ("/studio/{id}", "stock/stock.ledger"),
    ("/studio/{id}", "fulfilment/delivery_posting.posting"),
    ("/studio/{id}/try", "fulfilment/delivery_posting.posting"),
    ("/studio/{id}", "sales_order/seller.role"),
    ("/help/guide/studio.md", ""),
    ("/help/zh-CN/dataset.md", ""),
    ("/apps", ""),
    ("/apps/new", ""),
    ("/apps/new?copy=stock", ""),
    ("/apps/stock", ""),
    ("/apps/stock/contents", ""),
)
PARTS = {
    "check",
    "formula",
    "numbering",
    "reads",
    "rows",
    "run",
    "as",
    "choices",
}  # of pages; dialogs are opened below
DIALOGS = (
    "numbering?at=properties/number",
    "formula?at=properties/total/x-formula",
    "formula?at=properties/customer/x-visible",
    "formula?at=x-list/begins",
)
BY_DRAFT = {"publish", "text"}  # of which the one is looked at below, the other is a file


COLOURS = ["color-contrast", "link-in-text-block"]  # the rules that a scheme can break
_RUN = """async (rules) => (await axe.run(document, {resultTypes: ["violations"], ...(rules && {runOnly: rules})})).violations
  .filter(each => ["serious", "critical"].includes(each.impact))
  .map(each => [each.id, each.nodes.slice(0, 3).map(node => node.html.slice(0, 160))])"""
_SCHEME = "theme => { document.documentElement.dataset.bsTheme = theme; }"


def serious_problems(page: Page, rules: list[str] | None = None) -> list[Any]:
    """What axe-core finds serious or critical, by these of its rules, each with the first elements that have it."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text("utf-8"))
    found: list[Any] = page.evaluate(_RUN, rules)
    return found


def serious_in_both_schemes(page: Page) -> list[Any]:
    """The same in light and in dark, as the page stands."""
    found = serious_problems(page)
    chosen = page.evaluate("document.documentElement.dataset.bsTheme")
    page.evaluate(_SCHEME, "light" if chosen == "dark" else "dark")
    found += serious_problems(page, COLOURS)
    page.evaluate(_SCHEME, chosen)
    return found


def sign_in(page: Page, site: Site) -> None:
    page.goto(f"{site.address}/sign-in")
    page.locator("form[action='/sign-in/as/administrator'] button").click()
    page.wait_for_url(f"{site.address}/")


def test_the_page_to_sign_in_has_no_serious_problem(page: Page, site: Site) -> None:
    page.goto(f"{site.address}/sign-in")
    assert serious_problems(page) == []


@pytest.mark.parametrize("width", [1280, 360])
def test_no_main_page_has_a_serious_problem(page: Page, site: Site, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    sign_in(page, site)
    found = {}
    for path in PAGES:
        answer = page.goto(site.address + path)
        assert answer is not None and answer.status == 200, path
        if problems := serious_in_both_schemes(page):
            found[path] = problems
    assert not found, found


def address(path: str, file: str) -> str:
    """The path of a designer's page for a definition of a shipped pack."""
    known = json.loads((PACKS / f"{file}.json").read_text("utf-8")) if file else {}
    return path.format(id=known.get("x-id", ""))


def look_at_a_draft(page: Page, site: Site, screenshot: Photograph, locale: str) -> dict[str, Any]:
    """The dialogs of a designer, and the page before publishing what was changed there."""
    found = {}
    designer, history = (site.address + address(path, FORM) for path in ("/studio/{id}", "/definitions/{id}"))
    for part in DIALOGS:
        page.goto(designer)
        page.evaluate(
            "url => htmx.ajax('GET', url, {target: '#fl-dialog', swap: 'innerHTML'})", f"{designer}/{part}"
        )
        page.locator("#fl-dialog[open]").wait_for()
        if problems := serious_in_both_schemes(page):
            found[part] = problems
    page.goto(designer)
    page.locator("[name='v-description']").first.fill("Looked at")
    page.locator("[name='v-description']").first.blur()
    page.locator("a[href$='/publish']").click()
    page.locator("form[action$='/publish']").wait_for()
    screenshot(page, f"before-publishing-{locale}")
    if problems := serious_in_both_schemes(page):
        found["the page before publishing"] = problems
    page.goto(history)
    page.locator("form[action$='/discard'] button").click()
    page.locator("#fl-confirm [value=yes]").click()
    page.locator("form[action$='/discard']").wait_for(state="detached")
    return found


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_every_page_of_a_definition_is_among_the_designers(app: Flask) -> None:
    rules = {
        rule.rule
        for rule in app.url_map.iter_rules()
        if rule.arguments == {"definition_id"} and "GET" in (rule.methods or ())
    }
    looked_at = {path.partition("?")[0].replace("{id}", "<definition_id>") for path, _ in DESIGNERS}
    missing = {rule for rule in rules - looked_at if rule.rpartition("/")[2] not in PARTS | BY_DRAFT}
    assert missing == {"/studio/bridges/<definition_id>/try"}  # a part, too, called as a posting's page is


@pytest.mark.parametrize(("scheme", "locale"), [("light", "en-US"), ("dark", "zh-CN")])
def test_no_designer_has_a_serious_problem(
    new_context: Any, site: Site, scheme: Any, locale: str, screenshot: Photograph
) -> None:
    context = new_context(
        locale=locale, color_scheme=scheme, reduced_motion="reduce", viewport={"width": 1280, "height": 900}
    )
    page = context.new_page()
    sign_in(page, site)
    found = {}
    for path in (address(*each) for each in DESIGNERS):
        answer = page.goto(site.address + path)
        assert answer is not None and answer.status == 200, path
        if problems := serious_in_both_schemes(page):
            found[path] = problems
    found |= look_at_a_draft(page, site, screenshot, locale)
    page.goto(f"{site.address}/apps/stock/contents")
    page.locator("form[action$='/shape'] button").click()
    page.locator("#studio-canvas").wait_for()
    screenshot(page, f"application-{locale}")
    if problems := serious_in_both_schemes(page):
        found["the designer of an application"] = problems
    assert not found, found
    page.set_viewport_size({"width": 360, "height": 800})
    page.locator(".fl-too-narrow").wait_for(state="visible")
    assert serious_in_both_schemes(page) == []
