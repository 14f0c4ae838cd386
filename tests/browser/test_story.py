"""The story of an order in a real browser: entered, approved on a phone, become demand, walked both ways."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from browser.sites import Photograph, Site

PHONE = {"width": 390, "height": 844}


def enter(browser: Browser, site: Site, who: str, locale: str = "en-US", phone: bool = False) -> Page:
    """A page of somebody's own, signed in as one of the demo's people."""
    context = browser.new_context(locale=locale, viewport=PHONE if phone else {"width": 1280, "height": 860})
    page = context.new_page()
    page.goto(f"{site.address}/sign-in")
    page.click(f'form[action$="/as/{who}"] button')
    expect(page.locator("h1").first).to_be_visible()
    return page


def choose(page: Page, cell: str, text: str) -> None:
    """Pick a record by typing part of its name, with the keyboard only."""
    page.locator(f'[data-fl-cell="{cell}"] .ts-control input').focus()
    page.keyboard.type(text)
    expect(page.locator(".ts-dropdown .option.active", has_text=text).first).to_be_visible()
    page.keyboard.press("Enter")


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        (
            "en-US",
            {"submit": "Submit", "approve": "Approve", "confirmed": "Confirmed", "chain": "Document chain"},
        ),
        ("zh-CN", {"submit": "提交", "approve": "同意", "confirmed": "已确认", "chain": "单据链"}),
    ],
)
def test_an_order_is_entered_approved_and_becomes_demand(
    browser: Browser, site: Site, screenshot: Photograph, locale: str, words: dict[str, str]
) -> None:
    seller = enter(browser, site, "seller", locale)
    seller.goto(f"{site.address}/f/sales_order/new")
    choose(seller, "customer", "Lantern")
    choose(seller, "lines.0.item", "Desk lamp")
    seller.fill('[name="lines.0.quantity"]', "12")
    expect(seller.locator('[data-fl-output="total"]')).to_have_text("3,634.08")
    screenshot(seller, f"order-{locale}")
    seller.click(".fl-save")
    expect(seller).to_have_url(re.compile(r"/f/sales_order/\d+$"))
    number = seller.locator("h1").inner_text().split()[0]
    order = seller.url
    seller.get_by_role("button", name=words["submit"], exact=False).first.click()
    expect(seller.locator("h1 .badge")).not_to_have_text(re.compile("Draft|草稿"))

    approver = enter(browser, site, "approver", locale, phone=True)
    approver.goto(f"{site.address}/inbox")
    screenshot(approver, f"inbox-{locale}")
    approver.get_by_role("link", name=re.compile(number)).first.click()
    expect(approver.locator("#task")).to_be_visible()
    width = approver.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"], "the task page scrolls sideways"
    screenshot(approver, f"task-{locale}")
    approver.get_by_role("button", name=words["approve"], exact=True).last.click()
    expect(approver.locator(".fl-toast")).to_be_visible()

    seller.goto(order)
    expect(seller.locator("h1 .badge")).to_have_text(words["confirmed"])
    expect(seller.get_by_role("heading", name=words["chain"])).to_be_visible()

    planner = enter(browser, site, "planner", locale)
    planner.goto(f"{site.address}/f/demand?sort=-created_at")
    planner.locator("#list tbody tr a").first.click()
    back = planner.get_by_role("link", name=re.compile(number))
    expect(back.first).to_be_visible()
    back.first.click()
    expect(planner).to_have_url(order)
    assert not {"3,216", "3,634"} & set(re.findall(r"[\d,]+", planner.content())), (
        "the planner may not see prices"
    )

    keeper = enter(browser, site, "keeper", locale)
    keeper.goto(order)
    keeper.locator(".fl-next button").click()
    expect(keeper).to_have_url(re.compile(r"/f/delivery/\d+/edit$"))
    expect(keeper.locator('[name="lines.0.quantity"]')).to_have_value("12")
    keeper.goto(order)
    expect(keeper.locator(".fl-next a")).to_have_attribute("href", re.compile(r"/f/delivery/\d+$"))


def test_the_start_page_shows_applications_and_the_template_centre(
    browser: Browser, site: Site, screenshot: Photograph
) -> None:
    builder = enter(browser, site, "builder", "zh-CN")
    screenshot(builder, "start")
    builder.goto(f"{site.address}/templates")
    for title in ("主数据", "销售订单"):
        expect(builder.locator(".fl-pack", has_text=title).first).to_be_visible()
    screenshot(builder, "templates")


def test_a_list_is_filtered_sorted_and_changed_in_one_go(
    browser: Browser, site: Site, screenshot: Photograph
) -> None:
    builder = enter(browser, site, "builder")
    builder.goto(f"{site.address}/f/item?f.source.is=buy")
    rows = builder.locator("#list tbody tr:has(input[name=id])")
    before = rows.count()
    assert before > 3
    builder.get_by_role("link", name="Name").first.click()
    expect(builder.locator("th[aria-sort=ascending]")).to_contain_text("Name", ignore_case=True)
    rows.nth(0).locator("input[name=id]").check()
    rows.nth(1).locator("input[name=id]").check()
    expect(builder.locator("[data-fl-batch-count]")).to_have_text("2")
    builder.select_option("[data-fl-batch-field]", "color")
    builder.fill('[name="color"]', "grey")
    builder.click("[data-fl-batch-set]")
    builder.goto(f"{site.address}/f/item?f.color.is=grey")
    expect(rows).to_have_count(2)
    screenshot(builder, "list")
