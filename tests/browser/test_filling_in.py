"""An order is filled in by the keyboard alone, and all of its lines can be seen."""

import re

import pytest
from playwright.sync_api import Page, expect

from browser.sites import Site


def new_order(page: Page, site: Site) -> None:
    new_record(page, site, "seller", "sales_order")


def new_record(page: Page, site: Site, account: str, form: str) -> None:
    page.goto(f"{site.address}/sign-in")
    page.locator(f"form[action='/sign-in/as/{account}'] button").click()
    page.wait_for_url(f"{site.address}/")
    page.goto(f"{site.address}/f/{form}/new")


def type_into(page: Page, letters: str) -> None:
    """Type into the box that has the focus and wait for what it finds."""
    with page.expect_response(re.compile("q=" + re.escape(letters))):
        page.keyboard.type(letters)
    expect(page.locator(".ts-dropdown:visible .active")).to_be_visible()


@pytest.mark.parametrize("key", ["Enter", "Tab"])
def test_a_line_is_filled_in_without_a_mouse(page: Page, site: Site, key: str) -> None:
    new_order(page, site)
    expect(page.locator("[name=order_date]")).to_be_focused()
    page.locator("[data-fl-add-line]").press("Enter")
    type_into(page, "LAMP-01")
    page.keyboard.press(key)
    if key == "Enter":
        page.keyboard.press("Tab")
    page.keyboard.type("12")
    page.keyboard.press("Tab")  # faster than the answer that fills in the price
    line = page.locator("[data-fl-line]").last
    expect(line.locator("[name$='.quantity']")).to_have_value("12")
    expect(line.locator("[name$='.price']")).to_have_value(re.compile("^268"))
    expect(line.locator("[data-fl-output$='.amount']")).to_have_text("3,216.00")


def test_a_column_that_no_line_shows_stays_away_while_lines_are_added(page: Page, site: Site) -> None:
    new_record(page, site, "buyer", "purchase_order")
    heads = page.locator(".fl-line-table thead th:visible")
    expect(page.locator("html[data-ready]")).to_be_attached()
    before = heads.all_inner_texts()
    line = page.locator("[data-fl-line]").last
    for _ in range(2):
        with page.expect_response(lambda answer: "live" in answer.url):
            page.locator("[data-fl-add-line]").click()
            page.locator("[name=note]").fill("An answer is asked for")
        page.wait_for_timeout(200)
        assert heads.all_inner_texts() == before
    with page.expect_response(lambda answer: "live" in answer.url):
        line.locator("[name$='.quantity']").fill("3")  # the line above has nothing in it
    expect(line.locator("[name$='.former_code']")).to_be_hidden()
    assert heads.all_inner_texts() == before


@pytest.mark.parametrize("width", [1280, 390])
def test_all_of_a_line_is_in_sight(page: Page, site: Site, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    new_order(page, site)
    page.locator("[data-fl-add-line]").click()
    box = page.locator(".fl-lines .table-responsive")
    assert box.evaluate("box => box.scrollWidth - box.clientWidth") == 0
    inputs = page.locator("[data-fl-line] >> nth=0").locator("td:visible > input:visible, td:visible select")
    lefts = {round(box["x"]) for each in inputs.all() if (box := each.bounding_box())}
    assert width > 768 or len(lefts) == 1


def test_the_text_of_a_line_can_be_read_on_a_desk(page: Page, site: Site) -> None:
    page.set_viewport_size({"width": 1280, "height": 900})
    new_record(page, site, "accountant", "voucher")
    box = page.locator("[name='lines.0.text']").bounding_box()
    lines = page.locator(".fl-lines .table-responsive").bounding_box()
    assert box and lines and box["width"] > 150
    assert lines["x"] <= box["x"] and box["x"] + box["width"] <= lines["x"] + lines["width"]


def test_a_lot_that_is_not_there_yet_is_made_where_it_is_asked_for(page: Page, site: Site) -> None:
    new_record(page, site, "keeper", "receipt")
    hint = page.locator("[data-fl-cell='lines.0.lot'] .fl-later")
    expect(hint).to_be_empty()
    page.locator("[data-fl-cell='lines.0.item'] .ts-control input").focus()
    type_into(page, "BIRCH")
    page.keyboard.press("Enter")
    expect(hint).to_have_text("Must be filled in before it is submitted.")
    page.locator("[data-fl-cell='lines.0.lot'] .ts-control input").focus()
    with page.expect_response(re.compile("q=L-900")):
        page.keyboard.type("L-900")
    expect(page.locator(".ts-dropdown:visible .create")).to_have_text("Make a new one: L-900")
    page.keyboard.press("Enter")
    expect(page.locator("[data-fl-cell='lines.0.lot'] .item")).to_have_text(re.compile("L-900"))
    expect(hint).to_be_empty()
    page.locator("[data-fl-add-line]").click()
    page.locator("[data-fl-cell$='.lot'] .ts-control input").last.focus()
    with page.expect_response(re.compile("q=L-901")):
        page.keyboard.type("L-901")
    expect(page.locator(".ts-dropdown:visible .create")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("[data-fl-cell$='.lot'] .fl-problem").last).to_have_text(re.compile("^Item: "))


def test_what_could_not_be_made_is_told_by_a_sentence_at_its_box(page: Page, site: Site) -> None:
    new_record(page, site, "keeper", "receipt")
    page.route(
        re.compile(r"/choices/lines\.lot$"),
        lambda route: route.abort() if route.request.method == "POST" else route.continue_(),
    )
    cell = page.locator("[data-fl-cell='lines.0.lot']")
    cell.locator(".ts-control input").focus()
    with page.expect_response(re.compile("q=L-902")):
        page.keyboard.type("L-902")
    expect(page.locator(".ts-dropdown:visible .create")).to_be_visible()
    page.keyboard.press("Enter")
    expect(cell.get_by_role("alert")).to_have_text("It could not be made. Try again.")
    expect(cell.locator(".ts-control input")).to_have_attribute("aria-invalid", "true")


def test_nothing_moves_while_somebody_is_in_a_box_that_has_something_chosen(page: Page, site: Site) -> None:
    new_order(page, site)
    page.locator("[data-fl-add-line]").click()
    type_into(page, "LAMP-01")
    page.keyboard.press("Enter")
    box = page.locator("[data-fl-line] .ts-control").last
    page.locator("[name=order_date]").focus()
    heights = "box => [box.offsetHeight, document.querySelector('.fl-save').getBoundingClientRect().top]"
    before = box.evaluate(heights)
    box.click()
    expect(box.locator("input")).to_be_focused()
    assert box.evaluate(heights) == before


def test_a_save_leaves_no_draft_behind_that_could_be_entered_twice(page: Page, site: Site) -> None:
    new_order(page, site)
    kept: list[str] = []
    page.on("request", lambda request: kept.append(request.url) if request.url.endswith("/fill") else None)
    page.locator("[data-fl-cell='customer'] .ts-control input").focus()
    type_into(page, "Lantern")
    page.keyboard.press("Enter")
    page.locator("[data-fl-cell='lines.0.item'] .ts-control input").focus()
    type_into(page, "LAMP-01")
    page.keyboard.press("Enter")
    with page.expect_request(re.compile("/fill$")):
        page.locator("[name='lines.0.quantity']").fill("2")
    kept.clear()
    page.locator("[name='lines.0.quantity']").fill("3")
    page.locator(".fl-save").click()
    page.wait_for_url(re.compile(r"/f/sales_order/\d+$"))
    page.wait_for_timeout(2_200)  # the two seconds after which it would have been kept
    assert not kept
    page.goto(f"{site.address}/f/sales_order/new")
    expect(page.get_by_text("You were filling this in")).to_have_count(0)


def test_a_dialog_that_is_closed_gives_the_focus_back_to_its_button(page: Page, site: Site) -> None:
    new_record(page, site, "accountant", "voucher")
    tool = page.locator(".fl-form-tool")
    tool.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#fl-dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#fl-dialog")).to_be_hidden()
    expect(tool).to_be_focused()
