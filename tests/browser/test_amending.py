"""A change of a confirmed order in a real browser: proposed by keyboard, agreed on a phone, visible afterwards."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from browser.sites import Photograph, Site
from browser.test_accessibility import serious_problems
from browser.test_approval import DESKTOP, PHONE, enter
from browser.test_story import choose

WORDS = {
    "en-US": {
        "submit": "Submit", "approve": "Approve", "confirmed": "Confirmed", "propose": "Propose a change",
        "send": "Send for approval", "changes": "Amendments", "cancel": "Propose to cancel", "add": "Add a supplement",
    },
    "zh-CN": {
        "submit": "提交", "approve": "同意", "confirmed": "已确认", "propose": "提出变更",
        "send": "提交审批", "changes": "变更记录", "cancel": "申请作废", "add": "追加补充单",
    },
}  # fmt: skip


def confirmed_order(browser: Browser, site: Site, seller: Page, locale: str, words: dict[str, str]) -> str:
    """The address of an order that was entered, submitted and approved."""
    seller.goto(f"{site.address}/f/sales_order/new")
    choose(seller, "customer", "Lantern")
    choose(seller, "lines.0.item", "Desk lamp")
    seller.fill('[name="lines.0.quantity"]', "12")
    expect(seller.locator('[data-fl-output="total"]')).to_have_text("3,634.08")
    seller.click(".fl-save")
    expect(seller).to_have_url(re.compile(r"/f/sales_order/\d+$"))
    order = seller.url
    seller.get_by_role("button", name=words["submit"], exact=True).first.click()
    expect(seller.locator("h1 .badge")).not_to_have_text(re.compile("Draft|草稿"))
    agree(browser, site, locale, words, name_of(seller))
    seller.goto(order)
    expect(seller.locator("h1 .badge")).to_have_text(words["confirmed"])
    return order


def name_of(page: Page) -> str:
    return page.locator("h1").inner_text().split()[0]


def agree(
    browser: Browser, site: Site, locale: str, words: dict[str, str], number: str, picture: str = ""
) -> None:
    """The head of sales opens the task on a phone and agrees."""
    head = enter(browser, site, "approver", locale, PHONE)
    head.goto(f"{site.address}/inbox")
    head.get_by_role("link", name=re.compile(number)).first.click()
    expect(head.locator("#task")).to_be_visible()
    assert head.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    if picture:
        assert serious_problems(head) == []
        head.screenshot(path=f"build/screenshots/{picture}.png", full_page=True)
    head.get_by_role("button", name=words["approve"], exact=True).last.click()
    expect(head.locator(".fl-toast").first).to_be_visible()


@pytest.mark.parametrize("locale", list(WORDS))
def test_a_confirmed_order_is_changed_by_a_proposal(
    browser: Browser, site: Site, screenshot: Photograph, locale: str
) -> None:
    words = WORDS[locale]
    seller = enter(browser, site, "seller", locale, DESKTOP)
    order = confirmed_order(browser, site, seller, locale, words)
    screenshot(seller, f"locked-{locale}")
    assert serious_problems(seller) == []

    seller.get_by_role("link", name=words["propose"]).focus()
    seller.keyboard.press("Enter")
    expect(seller.locator("#amend-reason")).to_be_visible()
    seller.fill('[name="lines.0.quantity"]', "15")
    expect(seller.locator('[data-fl-output="total"]')).to_have_text("4,542.60")
    seller.click(".fl-save")
    expect(seller.locator("#amend-reason-problem")).to_be_visible()  # no reason yet; what was typed is there
    expect(seller.locator('[name="lines.0.quantity"]')).to_have_value(re.compile("^15"))
    screenshot(seller, f"amend-{locale}")
    assert serious_problems(seller) == []
    seller.fill("#amend-reason", "Three more")
    seller.get_by_role("button", name=words["send"]).click()
    expect(seller).to_have_url(order)
    seller.screenshot(path=f"build/screenshots/proposed-{locale}.png", full_page=True)
    assert serious_problems(seller) == []

    agree(browser, site, locale, words, name_of(seller), f"amend-task-{locale}")
    seller.goto(order)
    changes = seller.locator("#amendments")
    expect(changes).to_contain_text(words["changes"])
    expect(changes.locator("del", has_text="12").first).to_be_visible()
    expect(changes.locator("ins", has_text="15").first).to_be_visible()
    seller.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
    seller.reload()
    assert seller.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    seller.screenshot(path=f"build/screenshots/amended-{locale}.png", full_page=True)
    assert serious_problems(seller) == []
    seller.goto(f"{order}/amend")
    assert seller.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    seller.screenshot(path=f"build/screenshots/amend-phone-{locale}.png", full_page=True)
    seller.goto(f"{order}/cancel")
    screenshot(seller, f"cancel-{locale}")
    assert serious_problems(seller) == []
