"""Guided tours in a real browser: they go on by themselves, with keys, and where they were left."""

from playwright.sync_api import Browser, Locator, Page, expect

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
    designer = page.url
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
    expect(page.locator("[data-tour=done]")).to_be_hidden()  # nothing was published
    page.goto(designer)
    page.locator(".fl-studio-tools .btn-primary").click()
    page.locator('form[action$="/publish"] .btn-primary').click()
    with page.expect_response(lambda answer: "step=10" in (answer.request.post_data or "")):
        page.locator("[data-tour=done]").click()
    page.get_by_role("button", name="停用").click()  # the site is shared with other tests
    expect(page.get_by_role("button", name="重新启用")).to_be_visible()
    page.goto(f"{site.address}/studio/tours")
    expect(page.locator('form[action$="/tours/form"] .fl-badge')).to_be_visible()
    expect(box).to_have_count(0)


def test_the_tour_of_an_approval_ends_with_a_workflow_that_runs(browser: Browser, site: Site) -> None:
    page = enter(browser, site, "administrator")
    count = begin_tour(page, site, "approval")
    page.locator("#definitions a", has_text="Expense kind").click()
    expect(count).to_have_text("2 / 10")
    page.locator(".fl-steps a.fl-tour-target").click()
    expect(count).to_have_text("3 / 10")
    page.locator('form.fl-tour-target[action$="/flow"] button').click()
    expect(count).to_have_text("4 / 10")
    page.locator(".fl-plus summary.fl-tour-target").click()
    page.get_by_role("button", name="Approval", exact=True).first.click()
    expect(count).to_have_text("5 / 10")
    expect(page.locator("#studio-props.fl-tour-target")).to_contain_text("Field rights")
    end_tour(page, site, "approval", count, 5)


def test_the_tour_of_a_bridge_ends_with_two_forms_connected(browser: Browser, site: Site) -> None:
    page = enter(browser, site, "administrator")
    count = begin_tour(page, site, "bridge")
    page.locator('a.fl-tour-target[href*="/bridges/new"]').click()
    expect(count).to_have_text("2 / 10")
    page.select_option("[name=from]", "customer")
    page.select_option("[name=to]", "supplier")
    page.get_by_role("button", name="Begin").click()
    expect(count).to_have_text("3 / 10")
    page.locator("button.fl-tour-target[data-act=accept]").click()
    expect(count).to_have_text("4 / 10")
    page.locator("[data-tour=next]").click()
    expect(page.locator("#studio-props .fl-tour-target")).to_be_visible()
    page.locator("[data-tour=next]").click()
    expect(count).to_have_text("6 / 10")
    page.locator(".fl-bridge-tools .fl-tour-target").click()
    expect(page.locator("#fl-dialog .fl-trial").first).to_be_visible()
    page.locator("#fl-dialog .fl-dialog-foot [data-fl-close]").click()
    end_tour(page, site, "bridge", count, 7)


def begin_tour(page: Page, site: Site, name: str) -> Locator:
    """Take a tour from its beginning; where it says how far one is."""
    page.goto(f"{site.address}/studio/tours")
    page.locator(f'form[action$="/tours/{name}"] .btn-primary').click()
    count = page.locator("[data-tour-count]")
    expect(count).to_have_text("1 / 10")
    expect(page.locator(".fl-tour-target")).to_be_visible()
    return count


def end_tour(page: Page, site: Site, name: str, count: Locator, reached: int) -> None:
    """From the check to the published version, then to the end; what was made goes out of use again."""
    for number in range(reached, 8):
        expect(count).to_have_text(f"{number} / 10")
        page.locator("[data-tour=next]").click()
        expect(page.locator(".fl-tour-target")).to_be_visible()
    page.locator(".fl-studio-tools .btn-primary.fl-tour-target").click()
    page.locator('form.fl-tour-target[action$="/publish"] button').click()
    expect(page.locator(".fl-head-tools.fl-tour-target")).to_be_visible()
    with page.expect_response(lambda answer: "/step" in answer.url):
        page.locator("[data-tour=done]").click()
    page.get_by_role("button", name="Take out of use").click()  # the site is shared with other tests
    expect(page.get_by_role("button", name="Use again")).to_be_visible()
    page.goto(f"{site.address}/studio/tours")
    expect(page.locator(f'form[action$="/tours/{name}"] .fl-badge')).to_be_visible()
