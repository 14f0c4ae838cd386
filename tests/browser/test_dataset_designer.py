"""A dataset is put together in a real browser: lines, what is joined, sums, more rows; nothing is typed but its name."""

import json
import re

from playwright.sync_api import Browser, Page, expect

from browser.sites import Photograph, Site
from browser.test_accessibility import serious_problems
from browser.test_settings import _pick
from browser.test_story import enter
from browser.test_studio import settled

ROWS = "#dataset-rows"
UNFOUND = """() => [...document.querySelectorAll("main select:not([multiple])")].filter((each) => each.options.length > 12)
  .flatMap((each) => {
    if (!each.tomselect) search(each);
    const unfound = (option) => !each.tomselect.search(option.textContent).items.some(({ id }) => id === option.value);
    return [...each.options].filter((option) => option.value && unfound(option)).map((option) => option.textContent);
  })"""  # choices of long lists that are not found by what they are called


def _add(page: Page, at: str, words: str) -> None:
    """Choose something that may be added as it stands."""
    option = page.locator(f"select[data-add='{at}'] option", has_text=re.compile(f"^{re.escape(words)}$"))
    value = option.first.get_attribute("value")
    assert value
    _pick(page, f"select[data-add='{at}']", value)


def _source(page: Page, at: str, said: object) -> None:
    value = said if isinstance(said, str) else json.dumps(said)
    _pick(page, f"form[data-at='{at}'] [name=v-from]", value)


def test_lines_are_joined_grouped_summed_and_followed_by_rows_of_another_form(
    browser: Browser, site: Site, screenshot: Photograph
) -> None:
    page = enter(browser, site, "administrator")
    page.goto(f"{site.address}/studio/new?kind=dataset")
    page.fill("[name=name]", "Ordered and asked for")
    page.select_option("[name=form]", "sales_order")
    page.press("[name=name]", "Enter")
    expect(page.locator("html[data-ready] #studio")).to_be_visible()

    _source(page, "", {"each": "lines", "form": "sales_order"})
    expect(page.locator(f"{ROWS} table")).to_be_visible()
    _add(page, "join", "Item, of “Lines · Item”")
    _add(page, "join", "Customer, of “Customer”")
    assert page.evaluate(UNFOUND) == []
    on = page.locator("form[data-at='join/customer_2'] .fl-pick-pair select").first
    expect(on).to_have_value("id")
    page.locator("[data-add=join]").first.scroll_into_view_if_needed()
    screenshot(page, "dataset-joins")
    _add(page, "columns", "Lines · Quantity")
    _add(page, "columns", "Item · Name")
    _add(page, "columns", "Customer · Priority")
    expect(page.locator(ROWS)).to_contain_text("Floor lamp Larch")

    _pick(page, "form[data-at=''] [name=v-group]", ["customer"])
    page.locator("select[data-add='measures']").evaluate("each => each.scrollIntoView({ block: 'end' })")
    expect(page.locator(ROWS)).to_be_in_viewport()  # whoever picks sees what comes of it
    _add(page, "measures", "Sum of Quantity")
    _add(page, "measures", "Number of rows")
    expect(page.locator(f"{ROWS} thead")).to_contain_text("Number of rows")

    page.locator("[data-act=add][data-at=union]").click()
    settled(page)
    _source(page, "union/0", {"each": "lines", "form": "delivery"})
    pairs = page.locator("form[data-at='union/0'] .fl-pick-pair")
    expect(pairs.first.locator("select").nth(1)).not_to_have_value("")
    _pick(page, "form[data-at=''] [name=v-sort]", ["-quantity"])
    page.locator("form[data-at='union/0']").first.scroll_into_view_if_needed()
    screenshot(page, "dataset-union")
    page.locator("[data-named=measures]").scroll_into_view_if_needed()
    screenshot(page, "dataset-measures")
    expect(page.locator("#studio-check .badge")).to_have_count(0)  # it is sound
    assert serious_problems(page) == []
    page.locator(".fl-studio-tools .btn-primary").click()
    page.get_by_role("button", name="Publish").click()
    expect(page).to_have_url(re.compile(r"/definitions/\w+$"))
    page.get_by_role("button", name="Take out of use").click()  # the site is shared with other tests
    expect(page.get_by_role("button", name="Use again")).to_be_visible()
