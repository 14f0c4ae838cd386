"""What opens in the big dialog of the designers: how it stands there, and what keys do beside it."""

import time

import pytest
from playwright.sync_api import Browser, Page, expect

from browser.sites import Site
from browser.test_story import enter
from browser.test_studio import _begin, settled

_LETTERS = """() => [...new Set([...document.querySelectorAll("#fl-formula, .fl-code-paint, .fl-code-paint span")].map((each) => {
  const box = getComputedStyle(each.closest("pre, textarea")), letters = getComputedStyle(each);
  return [letters.fontFamily, letters.fontSize, letters.lineHeight, box.paddingLeft, box.paddingTop].join();
}))]"""


def _left_edges(page: Page, selector: str) -> list[float]:
    return page.eval_on_selector_all(
        selector, "all => [...new Set(all.map(e => Math.round(e.getBoundingClientRect().left)))]"
    )


@pytest.mark.parametrize("language", ["en-US", "zh-CN"])
def test_functions_and_fields_stand_in_columns(browser: Browser, site: Site, language: str) -> None:
    page = enter(browser, site, "administrator", locale=language)
    _begin(page, site, f"Columns {language}")
    for each in ("number", "amount"):
        page.locator(f"[data-type={each}]").click()
        settled(page)
    page.locator('#studio-props [data-formula$="x-formula"]').first.click()
    expect(page.locator("#fl-formula")).to_be_visible()
    functions, fields = (f".fl-formula-picks section:nth-child({place}) button" for place in (2, 1))
    assert len(_left_edges(page, f"{functions} > span")) == 1
    assert len(_left_edges(page, f"{functions} > code")) == 1
    assert len(_left_edges(page, f"{fields} > code")) == 1
    page.locator("#fl-formula").fill('IF(1 > 2, "a")')  # its colours lie behind it, letter by letter
    expect(page.locator(".fl-code-paint .fl-code-call")).to_be_visible()
    assert len(page.evaluate(_LETTERS)) == 1


def test_escape_keeps_what_was_typed_and_leads_back_to_the_form(browser: Browser, site: Site) -> None:
    page = enter(browser, site, "administrator")
    _begin(page, site, "Typed before Escape")
    page.locator("[data-type=subform]").click()
    settled(page)
    page.keyboard.type("Positions")
    page.keyboard.press("Escape")
    settled(page)
    expect(page.locator(".fl-brick-label")).to_have_text("Positions")
    expect(page.locator("#studio-canvas")).to_have_attribute("data-selected", "")
    page.route("**/studio/*?at=*", lambda route: (time.sleep(0.3), route.continue_()))
    page.locator(".fl-brick-face").click()
    page.keyboard.press("Escape")  # before the click is answered
    page.wait_for_function("() => waiting.then(() => waiting).then(() => !selected())")
    expect(page.locator("#studio-canvas")).to_have_attribute("data-selected", "")


def test_the_dialog_stays_where_it_opened(browser: Browser, site: Site) -> None:
    page = enter(browser, site, "administrator")
    _begin(page, site, "Dialog that grows")
    for each in ("number", "text"):
        page.locator(f"[data-type={each}]").first.click()
        settled(page)
    page.locator('#studio-props [data-formula$="x-visible"]').first.click()
    page.wait_for_selector("[data-sentence]")
    top = "() => document.getElementById('fl-dialog').getBoundingClientRect().top"
    opened = page.evaluate(top)
    page.locator("[data-sentence] [name=field]").first.select_option(index=1)
    page.locator("[data-sentence] [name=value]").first.fill("5")
    expect(page.locator("#fl-verdict strong")).to_be_visible()
    for _ in range(3):
        page.locator("[data-comparison-more]").click()
    assert page.evaluate(top) == opened


def test_values_to_try_a_rule_with_are_chosen_and_searched(browser: Browser, site: Site) -> None:
    page = enter(browser, site, "administrator")
    _begin(page, site, "Tried on people")
    for each in ("member", "dropdown", "text"):
        page.locator(f'[data-type="{each}"]').first.click()
        settled(page)
    page.locator('#studio-props [data-formula$="x-visible"]').first.click()
    page.wait_for_selector("[data-sentence]")
    page.locator("[data-comparison-more]").click()
    for place in (0, 1):
        row = page.locator("form [data-comparison]").nth(place)
        row.locator("[name=field]").select_option(index=place + 1)
    page.locator("[data-comparison] [data-value] .ts-control input").click()
    page.keyboard.type("administrator")
    page.locator("[data-comparison] [data-value] .option").first.click()
    samples = page.locator(".fl-samples")
    expect(samples.locator("select")).to_have_count(2)
    samples.locator("select:not([data-fl-choices])").select_option(index=1)
    expect(page.locator("#fl-verdict .text-green")).to_be_visible()
    samples.locator(".ts-control input").click()
    page.keyboard.type("administrator", delay=60)  # longer than the server is asked what the rule comes to
    samples.locator(".option").first.click()
    expect(page.locator("#fl-verdict .text-green")).to_have_text("This gives Yes")
