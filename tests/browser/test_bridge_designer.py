"""Two forms are connected in a real browser: pairs accepted, drawn and keyed, tried on records, published."""

import re

from playwright.sync_api import Browser, expect

from browser.sites import Photograph, Site
from browser.test_accessibility import serious_problems
from browser.test_story import enter


def test_two_forms_are_connected_tried_and_published(
    browser: Browser, site: Site, screenshot: Photograph
) -> None:
    page = enter(browser, site, "administrator")
    page.goto(f"{site.address}/studio/bridges/new")
    page.select_option("[name=from]", "customer")
    page.select_option("[name=to]", "supplier")
    page.get_by_role("button", name="Begin").click()
    page.get_by_role("button", name=re.compile("Accept all")).click()
    expect(page.locator("[data-pair=name].fl-paired")).to_be_visible()
    expect(page.locator("[data-pair=name] .fl-pair-said")).to_have_text("Name")

    page.get_by_role("button", name="Clear Contact").click()
    expect(page.locator("[data-pair=contact].fl-paired")).to_have_count(0)
    page.locator("[data-source=name]").drag_to(page.locator("[data-target=contact]"))
    expect(page.locator("[data-pair=contact] .fl-pair-said")).to_have_text("Name")
    page.locator("[data-source=priority]").focus()
    page.keyboard.press("Enter")
    page.locator("[data-target=rating]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-pair=rating] .fl-pair-said")).to_have_text("Priority")
    expect(page.locator("[data-target=rating]")).to_be_focused()
    page.keyboard.press("Delete")
    expect(page.locator("[data-pair=rating].fl-paired")).to_have_count(0)
    pairs = page.locator(".fl-paired").count()
    assert pairs > 5
    expect(page.locator(".fl-wire:not(.fl-wire-suggested)")).to_have_count(pairs)
    events = page.locator("#studio-props [data-at=from]")
    expect(events.locator(".ts-wrapper.multi .ts-control")).to_contain_text("It is created")
    expect(events.locator("select[multiple].ts-hidden-accessible")).to_have_count(
        1
    )  # the plain list gives way to it
    screenshot(page, "bridge-designer")
    assert serious_problems(page) == []

    page.get_by_role("button", name="Try it on records").click()
    expect(page.locator("#fl-dialog .fl-badge", has_text="created").first).to_be_visible()
    screenshot(page, "bridge-trial")
    assert serious_problems(page) == []
    page.locator("#fl-dialog .fl-dialog-foot [data-fl-close]").click()
    page.locator(".fl-studio-tools .btn-primary").click()
    page.get_by_role("button", name="Publish").click()
    expect(page).to_have_url(re.compile(r"/definitions/\w+$"))
    page.get_by_role("button", name="Take out of use").click()  # the site is shared with other tests
    expect(page.get_by_role("button", name="Use again")).to_be_visible()
