"""Two people at one draft: the second sees who edits and can take over; nothing is overwritten unseen."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from browser.sites import Site
from browser.test_story import enter
from browser.test_studio import settled

LIBRARY = Path(__file__).parents[2] / "templates_library"
DRAFTS = (
    "master_data/supplier.form",
    "sales_order/sales_order_approval.workflow",
    "sales_order/order_to_demand.bridge",
    "sales_order/open_demand.dataset",
)


def _say(page: Page, name: str, text: str) -> None:
    page.locator(f"#studio [name={name}]").first.fill(text)
    page.locator(f"#studio [name={name}]").first.press("Tab")
    settled(page)


@pytest.mark.parametrize("file", DRAFTS)
def test_the_second_sees_who_edits_and_takes_over(browser: Browser, site: Site, file: str) -> None:
    id = json.loads((LIBRARY / f"{file}.json").read_text("utf-8"))["x-id"]
    first, second = enter(browser, site, "administrator"), enter(browser, site, "builder")
    for page in (first, second):
        page.goto(f"{site.address}/studio/{id}")
    before = first.locator("#studio [name=v-title]").first.input_value()

    _say(first, "v-title", "By the first")
    _say(second, "v-title", "By the second")
    expect(second.locator(".fl-studio-other")).to_be_visible()
    expect(second.locator(".fl-toast").first).to_contain_text("is editing this")
    expect(second.locator("#studio [name=v-title]").first).to_have_value("By the first")

    second.get_by_role("button", name="Take over").click()
    expect(second.locator(".fl-studio-other")).to_have_count(0)
    _say(second, "v-description", "Said by the second")
    _say(first, "v-title", "By the first again")
    expect(first.locator(".fl-studio-other")).to_be_visible()
    expect(first.locator("#studio [name=v-title]").first).to_have_value("By the first")
    expect(first.locator("#studio [name=v-description]").first).to_have_value("Said by the second")

    second.goto(f"{site.address}/definitions/{id}")  # the site is shared with other tests
    second.get_by_role("button", name="Discard").click()
    second.locator("#fl-confirm [value=yes]").click()
    expect(second.get_by_role("button", name="Discard")).to_have_count(0)
    second.goto(f"{site.address}/studio/{id}")
    expect(second.locator("#studio [name=v-title]").first).to_have_value(before)
