"""axe-core finds no serious problem on the main pages: on desk and phone, in light and dark."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from browser.sites import Site

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
_RUN = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations
  .filter(each => ["serious", "critical"].includes(each.impact))
  .map(each => [each.id, each.nodes.slice(0, 3).map(node => node.html.slice(0, 160))])"""


def serious_problems(page: Page) -> list[Any]:
    """What axe-core finds serious or critical, each with the first elements that have it."""
    page.evaluate(AXE.read_text("utf-8"))
    found: list[Any] = page.evaluate(_RUN)
    return found


def sign_in(page: Page, site: Site) -> None:
    page.goto(f"{site.address}/sign-in")
    page.locator("form[action='/sign-in/as/administrator'] button").click()
    page.wait_for_url(f"{site.address}/")


def test_the_page_to_sign_in_has_no_serious_problem(page: Page, site: Site) -> None:
    page.goto(f"{site.address}/sign-in")
    assert serious_problems(page) == []


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "light"), (1280, "dark")])
def test_no_main_page_has_a_serious_problem(page: Page, site: Site, width: int, scheme: Any) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    sign_in(page, site)
    found = {}
    for path in PAGES:
        answer = page.goto(site.address + path)
        assert answer is not None and answer.status == 200, path
        if problems := serious_problems(page):
            found[path] = problems
    assert not found, found
