"""What stands in panels is set by picking, in a real browser."""

import re

from playwright.sync_api import Browser, Page, expect

from browser.sites import Photograph, Site
from browser.test_accessibility import serious_problems
from browser.test_story import enter
from browser.test_studio import settled


def _open(browser: Browser, site: Site, kind: str, name: str, language: str = "en-US") -> Page:
    page = enter(browser, site, "administrator", language)
    page.goto(f"{site.address}/definitions?kind={kind}")
    page.locator("#definitions td a", has_text=re.compile(name)).first.click()
    expect(page.locator("html[data-ready] #studio")).to_be_visible()
    return page


def _pick(page: Page, select: str, value: str | list[str]) -> None:
    """Choose from a list, also from one that is searched by typing."""
    page.locator(select).first.evaluate(
        "(each, value) => { each.tomselect ? each.tomselect.setValue(value) : each.value = value;"
        " if (!each.tomselect) each.dispatchEvent(new Event('change', { bubbles: true })); }",
        value,
    )
    settled(page)


def test_a_value_from_another_form_is_set_up_by_picking(
    browser: Browser, site: Site, screenshot: Photograph
) -> None:
    page = _open(browser, site, "form", "^Sales order$")
    page.locator('[data-select="properties/note"]').first.click()
    part = page.locator("#studio-props details", has_text="Value from another form")
    part.locator("summary").click()
    _pick(page, "#studio-props [data-at='properties/note/x-linkage'] [name=v-form]", "customer")
    _pick(page, "#studio-props [data-at='properties/note/x-linkage'] [name=v-value]", "name")
    part.locator("[data-formula]").click()
    row = page.locator("[data-comparison]").first
    _pick(page, "[data-comparison] [name=field]", "id")
    row.locator("[name=other]").select_option("this.customer")
    expect(page.locator("#fl-verdict")).to_contain_text("here")
    screenshot(page, "linkage-condition")
    assert serious_problems(page) == []
    page.get_by_role("button", name="Use it").click()
    settled(page)
    expect(part).to_have_attribute("open", "")
    said = part.locator("[data-formula]")
    expect(said).to_have_text("The record itself is “Customer” here")
    said.scroll_into_view_if_needed()
    screenshot(page, "linkage")
    expect(part.locator("[aria-invalid=true]")).to_have_count(0)  # it is sound
    for _ in range(3):  # the site is shared with other tests
        page.keyboard.press("Control+z")
        settled(page)


def test_what_looks_a_price_up_is_shown_in_the_reader_s_language(browser: Browser, site: Site) -> None:
    page = _open(browser, site, "form", "^采购订单$", "zh-CN")
    page.locator('[data-select="properties/lines/items/properties/price"]').first.click()
    part = page.locator("#studio-props details", has_text="数据联动")
    expect(part).to_have_attribute("open", "")
    expect(part.locator("[name=v-value]")).to_have_value("price")


def test_options_and_hints_are_written_in_the_reader_s_language(
    browser: Browser, site: Site, screenshot: Photograph
) -> None:
    page = _open(browser, site, "form", "^销售订单$", "zh-CN")
    page.locator('[data-select="properties/tax_rate"]').first.click()
    hint = page.locator("#studio-props[data-at='properties/tax_rate'] [name='v-x-description/zh-CN']")
    hint.fill("填小数，例如 0.13")
    hint.press("Tab")
    settled(page)
    expect(page.locator('.fl-brick-face[data-select="properties/tax_rate"]')).to_contain_text("例如 0.13")
    page.locator('[data-select="properties/ship_policy"]').first.click()
    expect(page.locator("#studio-props[data-at='properties/ship_policy']")).to_be_visible()
    called = page.get_by_label("名称 2", exact=True)
    expect(page.get_by_label("名称 1", exact=True)).not_to_have_value("")
    called.fill("一次发完")
    called.press("Tab")
    settled(page)
    expect(page.get_by_label("英文名称 2", exact=True)).to_be_focused()  # who types goes on where they are
    page.get_by_label("名称 3", exact=True).fill("自提")
    page.keyboard.press("Enter")
    settled(page)
    expect(page.get_by_label("存储值 3", exact=True)).to_have_value("自提")
    expect(page.get_by_label("名称 4", exact=True)).to_be_visible()
    page.get_by_role("button", name="第 3 行上移").click()
    settled(page)
    expect(page.get_by_label("名称 3", exact=True)).to_have_value("一次发完")
    expect(
        page.get_by_label("名称 3", exact=True)
    ).to_be_in_viewport()  # the panel stays where it was scrolled to
    screenshot(page, "options-rows")
    assert serious_problems(page) == []
    for _ in range(4):  # the site is shared with other tests
        page.locator("#studio-bar").focus()
        page.keyboard.press("Control+z")
        settled(page)
