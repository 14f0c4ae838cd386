"""An approval in a real browser: a desktop and two phones, returned, corrected, agreed beside one another, copied."""

import os
import re
import subprocess
import sys

import pytest
from playwright.sync_api import Browser, Page, expect

from browser.sites import Photograph, Site
from browser.test_accessibility import serious_problems

PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1280, "height": 860}
WORDS = {
    "en-US": {
        "submit": "Submit", "more": "More", "return": "Return", "again": "Submit again", "approve": "Approve",
        "confirmed": "Confirmed", "copied": "Copied to me", "waits": "Waits here", "use": "Use this signature",
    },
    "zh-CN": {
        "submit": "提交", "more": "更多", "return": "退回", "again": "重新提交", "approve": "同意",
        "confirmed": "已生效", "copied": "抄送我的", "waits": "停留在此", "use": "使用此签名",
    },
}  # fmt: skip


@pytest.fixture(scope="session")
def trips(site: Site) -> Site:
    """The site with the business trip and its approval."""
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("FORMLOOP_")}
    surroundings |= {"FORMLOOP_INSTANCE": str(site.instance), "FORMLOOP_DEMO": "1"}
    surroundings["PYTHONPATH"] = os.pathsep.join(sys.path)
    subprocess.run([sys.executable, "-m", "browser.trip"], env=surroundings, check=True, timeout=60)
    return site


def enter(browser: Browser, site: Site, who: str, locale: str, size: dict[str, int]) -> Page:
    """A page of somebody's own, signed in as one of the demo's people."""
    page = browser.new_context(locale=locale, viewport=size).new_page()  # type: ignore[arg-type]
    page.goto(f"{site.address}/sign-in")
    page.click(f'form[action$="/as/{who}"] button')
    expect(page.locator("h1").first).to_be_visible()
    return page


def open_task(page: Page, site: Site, goal: str) -> None:
    """From the inbox to the page of a task, which does not scroll sideways."""
    page.goto(f"{site.address}/inbox")
    page.get_by_role("link", name=re.compile(goal)).first.click()
    expect(page.locator("#task")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def sign(page: Page, word: str) -> None:
    """Draw a signature and use it."""
    page.evaluate("document.querySelector('.fl-task-form .fl-attach').open = true")
    pad = page.locator(".fl-task-form canvas")
    pad.evaluate("pad => pad.scrollIntoView({ block: 'center', behavior: 'instant' })")
    box = pad.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 120, box["y"] + 60, steps=5)
    page.mouse.up()
    page.get_by_role("button", name=word).evaluate("button => button.click()")
    expect(page.locator('.fl-task-form [name="signature"]')).to_have_count(1)


@pytest.mark.parametrize("locale", list(WORDS))
def test_a_trip_is_returned_corrected_and_approved_by_two_heads(
    browser: Browser, trips: Site, screenshot: Photograph, locale: str
) -> None:
    words, goal = WORDS[locale], f"Fair {locale}"
    seller = enter(browser, trips, "seller", locale, DESKTOP)
    seller.goto(f"{trips.address}/f/trip/new")
    for name, value in (("goal", goal), ("city", "Suzhou"), ("cost", "9800")):
        seller.fill(f'[name="{name}"]', value)
    seller.click(".fl-save")
    expect(seller).to_have_url(re.compile(r"/f/trip/\d+$"))
    trip = seller.url
    seller.get_by_role("button", name=words["submit"], exact=True).first.click()

    head = enter(browser, trips, "approver", locale, PHONE)
    open_task(head, trips, goal)
    head.locator(".fl-task-bar summary", has_text=words["more"]).click()
    head.locator(".fl-menu-item", has_text=words["return"]).first.click()
    dialog = head.locator("dialog[open]")
    dialog.locator('[name="comment"]').fill("too dear")
    screenshot(head, f"return-{locale}")
    dialog.get_by_role("button", name=words["return"], exact=True).click()
    expect(head).to_have_url(re.compile(r"/inbox$"))

    open_returned(seller, trips, goal)
    seller.goto(f"{trip}/edit")
    seller.fill('[name="cost"]', "4800")
    seller.click(".fl-save")
    expect(seller).to_have_url(trip)
    seller.get_by_role("button", name=words["again"]).first.click()
    expect(seller.locator(".fl-toast").first).to_be_visible()

    planner = enter(browser, trips, "planner", locale, PHONE)
    for page, name in ((head, "head"), (planner, "planner")):
        open_task(page, trips, goal)
        page.evaluate("document.querySelector('.fl-tree-box').open = true")
        expect(page.locator(".fl-way-now").first).to_contain_text(words["waits"])
        assert serious_problems(page) == []
        sign(page, words["use"])
        screenshot(page, f"signed-{name}-{locale}")
        page.get_by_role("button", name=words["approve"], exact=True).last.click()
        expect(page.locator(".fl-toast").first).to_be_visible()

    seller.goto(trip)
    expect(seller.locator("h1 .badge")).to_have_text(words["confirmed"])
    expect(seller.locator(".fl-way-files img")).to_have_count(2)
    seller.evaluate("document.querySelector('.fl-tree-box').open = true")
    expect(seller.locator(".fl-tree-box .fl-way-ahead")).to_have_count(0)
    screenshot(seller, f"approved-{locale}")

    told = enter(browser, trips, "builder", locale, DESKTOP)
    told.goto(f"{trips.address}/inbox?tab=copies")
    expect(told.locator("h1")).to_contain_text(words["copied"])
    expect(told.locator(".fl-unread", has_text=goal)).to_have_count(1)
    told.get_by_role("link", name=re.compile(goal)).first.click()
    expect(told.locator("#task")).to_contain_text("4,800")


def open_returned(page: Page, site: Site, goal: str) -> None:
    """The initiator finds in the inbox why it came back."""
    page.goto(f"{site.address}/inbox")
    page.get_by_role("link", name=re.compile(goal)).first.click()
    expect(page.locator("#task")).to_contain_text("too dear")
