"""Examples and the layout of a form, in a real browser."""

import re

from playwright.sync_api import Browser, Page, expect

from browser.sites import Photograph, Site
from browser.test_accessibility import serious_problems
from browser.test_story import enter
from browser.test_studio import settled


def _designer(browser: Browser, site: Site, language: str = "en-US") -> Page:
    page = enter(browser, site, "administrator", language)
    page.goto(f"{site.address}/definitions?kind=form")
    page.locator("#definitions td a", has_text=re.compile("^(Sales order|销售订单)$")).click()
    expect(page.locator(".fl-bricks")).to_be_visible()
    return page


def test_a_change_that_breaks_an_example_is_told_before_publishing_and_taken_over(
    browser: Browser, site: Site, screenshot: Photograph
) -> None:
    page = _designer(browser, site)
    page.locator('[data-select="properties/subtotal"]').first.click()
    formula = page.locator("#studio-props [name='v-x-formula']")
    formula.fill("SUM(lines.amount) * 2")
    formula.press("Tab")
    settled(page)
    page.locator("#studio-check summary").click()
    expect(page.locator("#studio-check")).to_contain_text("no longer holds")
    page.locator(".fl-studio-tools .btn-primary").click()
    warned = page.locator(".card", has_text="Look at this before publishing")
    expect(warned).to_contain_text("Subtotal: expected 60,000.00, found 120,000.00")
    screenshot(page, "publish-examples")
    page.get_by_role("link", name="Look at the examples").click()
    expect(page.get_by_text("Does not hold").first).to_be_visible()
    assert serious_problems(page) == []
    screenshot(page, "examples")
    page.locator("section.card", has_text="From 50,000").get_by_text("Take the new result over").click()
    expect(page.locator("section.card", has_text="From 50,000")).to_contain_text("Holds")
    page.get_by_role("link", name="From 50,000 management signs too").click()
    expect(page.locator("[name='e.subtotal']")).to_have_value("120000")
    assert serious_problems(page) == []
    page.locator("[name='e.subtotal']").fill("1")
    page.locator(".fl-save").click()
    expect(page.get_by_text("Does not hold")).to_be_visible()


def test_tabs_and_sections_are_placed_by_mouse_and_keys_and_work_on_the_form(
    browser: Browser, site: Site, screenshot: Photograph
) -> None:
    page = _designer(browser, site, "zh-CN")
    page.locator('[data-type="@tab"]').drag_to(
        page.locator('[data-select="properties/number"]').first, target_position={"x": 4, "y": 4}
    )
    expect(page.locator("[data-key='@tab']")).to_be_visible()
    page.locator('[data-select="properties/subtotal"]').first.click()
    expect(page.locator("#studio-canvas")).to_have_attribute("data-selected", "properties/subtotal")
    page.locator('[data-type="@tab"]').focus()
    page.keyboard.press("Enter")
    expect(page.locator("#studio-props input[name='v-x-title/zh-CN']").first).to_be_focused()
    page.keyboard.type("Terms")
    page.keyboard.press("Tab")
    settled(page)
    page.locator('.fl-brick-face[data-select="x-layout/tab_2"]').focus()
    page.keyboard.press("Alt+ArrowDown")
    settled(page)
    assert serious_problems(page) == []
    screenshot(page, "designer-layout")
    page.goto(page.url.split("?")[0] + "/preview")
    tabs = page.get_by_role("tab")
    expect(tabs).to_have_count(2)
    expect(page.get_by_role("tabpanel")).to_have_count(1)
    tabs.first.focus()
    page.keyboard.press("ArrowRight")
    expect(tabs.nth(1)).to_be_focused()
    expect(tabs.nth(1)).to_have_attribute("aria-selected", "true")
    section = page.locator("details.fl-section").first
    expect(section.locator("[name=note]")).to_be_visible()
    section.locator("summary").press("Enter")
    expect(section.locator("[name=note]")).to_be_hidden()
    assert serious_problems(page) == []
    screenshot(page, "preview-layout")
