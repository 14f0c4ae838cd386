"""A guided tour in a real browser: it goes on by itself, with keys, and where it was left."""

from playwright.sync_api import Browser, expect

from browser.sites import Photograph, Site
from browser.test_accessibility import serious_problems
from browser.test_story import enter


def test_a_tour_is_taken_left_and_finished(browser: Browser, site: Site, screenshot: Photograph) -> None:
    page = enter(browser, site, "administrator", "zh-CN")
    box, count = page.locator("#fl-tour"), page.locator("[data-tour-count]")
    page.goto(f"{site.address}/studio/tours")
    page.locator('form[action$="/tours/form"] .btn-primary').click()
    expect(count).to_have_text("1 / 10")
    expect(page.locator("[data-tour=next]")).to_be_focused()
    assert serious_problems(page) == []
    screenshot(page, "tour")

    page.locator("details.fl-tour-target summary").click()
    page.locator('a[href="/studio/new?kind=form"]').click()
    expect(count).to_have_text("2 / 10")
    page.locator("[name=name]").fill("Toured")
    page.keyboard.press("Enter")
    expect(count).to_have_text("3 / 10")
    page.locator("[data-type=text]").click()
    expect(count).to_have_text("4 / 10")
    expect(page.locator("#studio-props.fl-tour-target")).to_be_visible()
    screenshot(page, "tour-designer")

    page.locator("[data-tour=next]").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowRight")
    expect(count).to_have_text("6 / 10")
    page.keyboard.press("ArrowLeft")
    expect(count).to_have_text("5 / 10")
    with page.expect_response(lambda answer: "leave" in (answer.request.post_data or "")):
        page.keyboard.press("Escape")
    expect(box).to_be_hidden()
    expect(page.locator(".fl-tour-target")).to_have_count(0)

    page.goto(f"{site.address}/studio/tours")
    page.locator('form[action$="/tours/form"] .btn-primary').click()
    expect(count).to_have_text("5 / 10")
    expect(page.locator("#studio-undo.fl-tour-target")).to_be_visible()  # where it was left
    page.goto(f"{site.address}/menu")
    expect(page.locator("[data-tour-away]")).to_be_visible()
    for number in range(6, 11):
        page.locator("[data-tour=next]").click()
        expect(count).to_have_text(f"{number} / 10")
    with page.expect_response(lambda answer: "step=10" in (answer.request.post_data or "")):
        page.locator("[data-tour=done]").click()
    page.goto(f"{site.address}/studio/tours")
    expect(page.locator('form[action$="/tours/form"] .fl-badge')).to_be_visible()
    expect(box).to_have_count(0)
