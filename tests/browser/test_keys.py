"""What the stories of the designers do with a mouse, done without one: no click, and no focus that a script sets."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from browser.sites import Photograph, Site
from browser.test_accessibility import serious_in_both_schemes
from browser.test_story import enter
from browser.test_studio import FIELDS, settled
from browser.test_studio_story import Builder, Keys

RECORDS = 10_000


def begin(hand: Keys, site: Site, name: str) -> None:
    """A new form, from the list of definitions."""
    hand.page.goto(f"{site.address}/definitions")
    hand.click("details.fl-dropdown:has(a[href='/studio/new?kind=form']) > summary")
    hand.click("a[href='/studio/new?kind=form']")
    expect(hand.page.locator("[name=name]")).to_be_focused()
    hand.page.keyboard.type(name)
    hand.page.keyboard.press("Enter")
    expect(hand.page.locator("html[data-ready] #studio")).to_be_visible()


def test_a_plain_form_of_five_named_fields_is_built_filled_in_and_filtered(
    browser: Browser, site: Site
) -> None:
    hand = Keys(enter(browser, site, "administrator"))
    page = hand.page
    begin(hand, site, "Tools lent")
    for kind, name in FIELDS:
        hand.add(kind, name)
    hand.publish()
    hand.click("a.btn:has-text('Open the form')")
    hand.click("a[href$='/new']")
    expect(page.locator("[name=tool]")).to_be_focused()
    page.keyboard.type("Drill")
    hand.click(".fl-save")
    expect(page).to_have_url(re.compile(r"/f/tools_lent/\d+$"))
    hand.click("a[href$='/f/tools_lent']")
    expect(page.locator("#list tbody tr:has(input[name=id])")).to_have_count(1)
    for typed, found in (("Saw", 0), ("Drill", 1)):
        hand.reach("[name^='f.tool']")
        page.keyboard.press("Control+a")
        page.keyboard.type(typed)
        page.keyboard.press("Enter")
        expect(page.locator("#list tbody tr:has(input[name=id])")).to_have_count(found)
    heads = page.locator("th").all_inner_texts()
    assert all(any(name in head for head in heads) for _, name in FIELDS)


def test_ten_thousand_records_change_type_and_back_and_nothing_is_lost(
    browser: Browser, site: Site, tmp_path: Path
) -> None:
    hand = Keys(enter(browser, site, "administrator"))
    page = hand.page
    begin(hand, site, "Wear parts")
    hand.add("text", "Size")
    hand.publish()
    history = page.url
    sizes = (f"large {n}" if n % 1000 == 0 else str(n) for n in range(1, RECORDS + 1))
    file = tmp_path / "parts.csv"
    file.write_text("Size\n" + "".join(f"{each}\n" for each in sizes), "utf-8")
    site.run("import", "wear_parts", str(file))
    hand.click("a.btn:has-text('Edit')")
    hand.click("[data-select='properties/size']")
    settled(page)
    hand.choose("[data-retype]", "number")
    expect(page.locator(".fl-brick-box")).to_contain_text("Number")
    hand.click("#studio-bar a.btn-primary")
    expect(page.locator("main")).to_contain_text("9990")
    hand.click("form[action$='/publish'] button")
    hand.click("button:has-text('Yes, go on')")
    expect(page).to_have_url(history)
    found = page.locator("#list tbody tr:has(input[name=id])")
    page.goto(f"{site.address}/f/wear_parts?f.size.is=9999")
    expect(found).to_have_count(1)
    page.goto(history)
    hand.click("a[href$='/back/1']")
    expect(page.locator("form[action*='/back/'] button")).to_be_enabled()
    careful = page.locator("form[action*='/back/'] .btn-warning").count()
    hand.click("form[action*='/back/'] button")
    if careful:
        hand.click("button:has-text('Yes, go on')")
    expect(page).to_have_url(history)
    for size in ("9999", "large 7000"):
        page.goto(f"{site.address}/f/wear_parts?f.size.is={size}")
        expect(found).to_have_count(1)


def test_fields_are_added_named_moved_copied_and_deleted(browser: Browser, site: Site) -> None:
    hand = Keys(enter(browser, site, "administrator", "zh-CN"))
    page, bricks = hand.page, hand.page.locator(".fl-brick")
    begin(hand, site, "Keys only")
    for kind, name in (("text", "One"), ("multiline", "Two")):
        hand.add(kind, name)
        page.keyboard.press("Tab")
        settled(page)
    expect(bricks).to_have_count(2)
    for key, count in (("Alt+ArrowUp", 2), ("Control+d", 3), ("Delete", 2)):
        hand.reach("[data-select='properties/two']")
        page.keyboard.press(key)
        expect(bricks).to_have_count(count)
        expect(bricks.first).to_have_attribute("data-key", "two_2" if key == "Delete" else "two")
    hand.reach("#studio-undo")
    page.keyboard.press("Control+z")
    expect(bricks).to_have_count(3)
    page.reload()
    page.keyboard.press("Control+z")
    expect(bricks).to_have_count(2)


@pytest.mark.parametrize("by", [Builder, Keys], ids=["mouse", "keys"])
def test_a_list_begins_with_filters_that_are_picked(
    browser: Browser, site: Site, screenshot: Photograph, by: type[Builder]
) -> None:
    hand = by(enter(browser, site, "administrator", "zh-CN"))
    page = hand.page
    page.emulate_media(reduced_motion="reduce")  # colours that are still changing are no contrast
    begin(Keys(page), site, f"Begins by {by.__name__}")
    hand.add("text", "Name")
    hand.add("dropdown", "Kind")
    page.keyboard.press("Tab")
    settled(page)
    hand.click("[data-select='x-list']")
    settled(page)
    hand.click("[data-formula='x-list/begins']")
    expect(page.locator("[data-sentence] [name=field]")).to_be_visible()
    hand.choose("[data-sentence] [name=field]", "kind")
    hand.reach("[data-value] .ts-control input")
    for _ in range(2):
        expect(page.locator("[data-value] .option.active")).to_be_visible()
        page.keyboard.press("Enter")
    expect(page.locator("[data-value] .item")).to_have_count(2)
    screenshot(page, f"begins-{by.__name__}")
    assert serious_in_both_schemes(page) == []
    hand.click(".fl-dialog [data-formula-use]")
    settled(page)
    expect(page.locator("#fl-dialog[open]")).to_have_count(0)
    expect(page.locator("[data-formula='x-list/begins']")).to_contain_text("Kind")


def test_the_first_tab_leads_past_the_menu_and_saving_leads_to_the_heading(
    browser: Browser, site: Site
) -> None:
    page = enter(browser, site, "administrator")
    page.goto(f"{site.address}/f/supplier_return")
    expect(page.locator(".fl-side .fl-current")).to_be_in_viewport()
    page.keyboard.press("Tab")
    expect(page.locator(".fl-skip")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")
    page.goto(f"{site.address}/f/supplier/new")
    expect(page.locator("html[data-ready]")).to_be_attached()
    page.locator("[name=name]").fill("Otto")
    page.locator(".fl-save").press("Enter")
    expect(page).to_have_url(re.compile(r"/f/supplier/\d+$"))
    expect(page.locator("#content h1")).to_be_focused()
