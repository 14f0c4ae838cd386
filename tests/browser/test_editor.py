"""A form is made from labels and written on as text, in a real browser."""

import re

from playwright.sync_api import Browser, expect

from browser.sites import Photograph, Site
from browser.test_story import enter


def test_a_form_starts_from_labels_and_a_problem_leads_to_its_line(
    browser: Browser, site: Site, screenshot: Photograph
) -> None:
    page = enter(browser, site, "administrator")
    page.goto(f"{site.address}/definitions/new?kind=form")
    page.fill("[name=name]", "Tool loan")
    page.fill("[name=lines]", "Tool *\nDays: number")
    page.get_by_role("button", name="Make the draft").click()
    expect(page.locator(".fl-brick", has_text="Days")).to_be_visible()
    page.goto(page.url.replace("/studio/", "/definitions/") + "/edit")
    expect(page.get_by_role("link", name="Edit")).to_have_attribute("href", re.compile(r"^/studio/"))
    right = page.input_value("#text")
    page.fill("#text", right.replace('"type": "number"', '"tpe": "number"'))
    page.get_by_role("button", name="Check").click()
    problem = page.locator("[data-fl-line]").first
    expect(problem).to_contain_text("Did you mean “type”?")
    problem.click()
    place = page.evaluate(
        "() => { const t = document.activeElement; return t.value.slice(t.selectionStart); }"
    )
    assert place.startswith('"tpe"')
    screenshot(page, "editor")
    page.fill("#text", right)
    page.get_by_role("button", name="Publish…").click()
    expect(page.get_by_role("heading", name="Publish “Tool loan”?")).to_be_visible()
    page.get_by_role("button", name="Publish").click()
    page.goto(f"{site.address}/f/tool_loan/new")
    expect(page.get_by_label("Days")).to_be_visible()
