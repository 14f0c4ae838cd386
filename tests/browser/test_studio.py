"""Forms and workflows are designed in a real browser; clicks are counted."""

import re
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from browser.sites import Photograph, Site
from browser.test_accessibility import serious_problems
from browser.test_story import enter
from formloop.forms.workbooks import Book

NAMED = "#studio-props :is([name=v-title], [name='v-x-title/zh-CN'])"  # the reader's language first
FIELDS = (
    ("text", "Tool"),
    ("number", "Days"),
    ("datetime", "From"),
    ("dropdown", "Kind"),
    ("multiline", "Note"),
)


class Hand:
    """Counts the clicks that its page is given; choosing from an opened list is one as well."""

    def __init__(self, page: Page) -> None:
        self.page, self.clicks = page, 0

    def click(self, selector: str) -> None:
        self.page.locator(selector).first.click()
        self.clicks += 1

    def choose(self, selector: str, value: str) -> None:
        self.page.locator(selector).first.select_option(value)
        self.clicks += 2


def settled(page: Page) -> None:
    """All edits have been answered."""
    page.evaluate("() => waiting")


def _begin(page: Page, site: Site, name: str) -> None:
    page.goto(f"{site.address}/definitions")
    page.locator("details.fl-dropdown summary", has_text=re.compile("New|新建")).click()
    page.locator('a[href="/studio/new?kind=form"]').click()
    expect(page.locator("[name=name]")).to_be_focused()
    page.keyboard.type(name)
    page.keyboard.press("Enter")
    expect(page.locator("html[data-ready] #studio")).to_be_visible()


def test_a_plain_form_of_five_named_fields_takes_at_most_twelve_clicks(
    browser: Browser, site: Site, screenshot: Photograph
) -> None:
    page = enter(browser, site, "administrator")
    page.goto(f"{site.address}/definitions")
    hand = Hand(page)
    hand.click("details.fl-dropdown:has(a[href='/studio/new?kind=form']) > summary")
    hand.click("a[href='/studio/new?kind=form']")
    expect(page.locator("[name=name]")).to_be_focused()
    page.keyboard.type("Loan of tools")
    page.keyboard.press("Enter")
    for number, (kind, name) in enumerate(FIELDS, 1):
        hand.click(f'[data-type="{kind}"]')
        expect(page.locator(".fl-brick")).to_have_count(number)
        expect(page.locator(NAMED).first).to_be_focused()
        page.keyboard.type(name)
    page.keyboard.press("Tab")
    expect(page.locator('.fl-brick[data-key="note"]')).to_be_visible()
    screenshot(page, "designer")
    hand.click(".fl-studio-tools .btn-primary")
    page.get_by_role("button", name="Publish").click()
    hand.clicks += 1
    expect(page).to_have_url(re.compile(r"/definitions/\w+$"))
    assert hand.clicks <= 12, hand.clicks
    page.goto(f"{site.address}/f/loan_of_tools/new")
    screenshot(page, "designed-form")
    page.fill("[name=tool]", "Drill")
    page.locator(".fl-save").click()
    expect(page).to_have_url(re.compile(r"/f/loan_of_tools/\d+$"))
    page.goto(f"{site.address}/f/loan_of_tools")
    expect(page.locator("th").first).to_be_visible()
    heads = page.locator("th").all_inner_texts()
    assert all(any(name in head for head in heads) for _, name in FIELDS)
    expect(page.locator("[name^='f.kind']").first).to_be_attached()


def test_a_rule_is_what_its_sentence_says(browser: Browser, site: Site) -> None:
    page = enter(browser, site, "administrator")
    _begin(page, site, "Rule in words")
    page.locator('[data-type="number"]').click()
    expect(page.locator(".fl-brick")).to_have_count(1)
    settled(page)
    page.locator("[data-formula$='x-visible']").click()
    page.wait_for_selector("[data-sentence]")
    page.locator("[data-sentence] [name=field]").select_option(index=1)
    page.locator("[data-sentence] [name=operator]").select_option("least")
    page.locator("[data-sentence] [name=value]").press_sequentially("1000")
    page.locator("[data-formula-use]").click()
    expect(page.locator("#studio-props [name=v-x-visible]")).to_have_value(re.compile(">= 1000$"))
    expect(page.locator(".fl-condition", has_text="is at least 1000")).to_be_visible()
    page.locator('[data-type="calculation"]').click()
    expect(page.locator(".fl-brick")).to_have_count(2)
    settled(page)
    page.locator("[data-formula$='x-formula']").click()
    expect(page.locator("#fl-formula")).to_have_value("0")
    field = page.locator("#fl-dialog [data-insert]").first
    field.click()  # takes the place of what a new calculation holds
    expect(page.locator("#fl-formula")).to_have_value(str(field.get_attribute("data-insert")))


def test_a_person_is_searched_where_a_sentence_asks_for_one(browser: Browser, site: Site) -> None:
    page = enter(browser, site, "administrator")
    _begin(page, site, "Rule about people")
    for number, kind in enumerate(("member", "text"), 1):
        page.locator(f'[data-type="{kind}"]').click()
        expect(page.locator(".fl-brick")).to_have_count(number)
    settled(page)
    page.locator("[data-formula$='x-visible']").click()
    page.wait_for_selector("[data-sentence]")
    page.locator("[data-sentence] [name=field]").select_option(index=1)
    page.locator("[data-value] .ts-control input").click()
    page.keyboard.type("admin")
    expect(page.locator("[data-value] .option.active")).to_be_visible()
    page.keyboard.press("Enter")
    chosen = page.locator("[data-value] .item").inner_text()
    expect(page.locator("#fl-verdict strong")).to_have_text(re.compile(f" is {re.escape(chosen)}$"))
    page.locator("[data-formula-use]").click()
    expect(page.locator(".fl-condition", has_text=f"is {chosen}")).to_be_visible()


def test_an_approval_step_with_its_approver_takes_at_most_four_clicks(
    browser: Browser, site: Site, screenshot: Photograph
) -> None:
    page = enter(browser, site, "administrator")
    page.goto(f"{site.address}/definitions?kind=workflow")
    page.locator("#definitions td a").first.click()
    expect(page.locator(".fl-flow-canvas")).to_be_visible()
    before = page.locator(".fl-step-card").count()
    hand = Hand(page)
    hand.click(".fl-plus summary")
    hand.click('.fl-dropdown[open] [data-node="approval"]')
    expect(page.locator(".fl-step-card")).to_have_count(before + 1)
    hand.choose("[data-add$='/who']", '{"rule": "initiator"}')
    expect(page.locator(".fl-step-card.fl-selected")).to_contain_text("nitiator")
    assert hand.clicks <= 4, hand.clicks
    screenshot(page, "flow-designer")
    page.locator("#studio-undo").click()
    settled(page)
    page.locator("#studio-undo").click()
    expect(page.locator(".fl-step-card")).to_have_count(before)


def test_steps_branches_and_what_panels_list_are_put_in_order_by_mouse_and_by_keys(
    browser: Browser, site: Site, screenshot: Photograph
) -> None:
    page = enter(browser, site, "administrator")
    page.goto(f"{site.address}/definitions?kind=workflow")
    page.locator("#definitions td a").first.click()
    expect(page.locator(".fl-flow-canvas")).to_be_visible()
    hand = Hand(page)

    def branches() -> list[str]:
        return [str(each.get_attribute("data-select")) for each in page.locator(".fl-branch-face").all()]

    hand.click(".fl-plus summary")
    hand.click('.fl-dropdown[open] [data-node="condition"]')
    settled(page)
    hand.click("[data-act=branch-add]")
    settled(page)
    first, second, last = branches()[:3]
    page.locator(f'.fl-branch-face[data-select="{first}"]').click()
    settled(page)
    tools = page.locator(".fl-branch.fl-selected")
    expect(tools.locator("[id$=earlier]")).to_have_attribute("aria-disabled", "true")
    screenshot(page, "flow-order")
    tools.locator("[id$=later]").click()  # by mouse
    settled(page)
    assert branches()[:3] == [second, first, last]
    expect(page.locator(".fl-branch.fl-selected [id$=later]")).to_be_focused()
    expect(page.locator(".fl-branch.fl-selected [id$=later]")).to_have_attribute("aria-disabled", "true")
    page.locator(".fl-branch.fl-selected [id$=earlier]").focus()
    page.keyboard.press("Enter")  # by keys
    settled(page)
    assert branches()[:3] == [first, second, last]
    page.locator(f'.fl-branch-face[data-select="{second}"]').focus()
    page.keyboard.press("Alt+ArrowDown")  # the branch for all other cases stays the last one
    settled(page)
    assert branches()[:3] == [first, second, last]
    assert serious_problems(page) == []
    page.locator("[data-select].fl-step-face").nth(1).click()
    settled(page)
    steps = page.locator(".fl-step-face").count()
    card = page.locator(".fl-step-card.fl-selected")
    chosen = card.locator(".fl-step-face").get_attribute("data-select")
    card.locator("[data-act=step-shift][data-by='1']").click()
    settled(page)
    assert page.locator(".fl-step-face").count() == steps
    assert (
        page.locator(".fl-flow-root > .fl-step .fl-step-face").nth(1).get_attribute("data-select") != chosen
    )
    for _ in range(5):  # the site is shared with other tests
        page.locator("#studio-undo").click()
        settled(page)


def test_columns_of_a_list_are_put_in_order(browser: Browser, site: Site, screenshot: Photograph) -> None:
    page = enter(browser, site, "administrator", "zh-CN")
    _begin(page, site, "Order of columns")
    for number, kind in enumerate(("text", "number", "datetime"), 1):
        page.locator(f'[data-type="{kind}"]').click()
        expect(page.locator(".fl-brick")).to_have_count(number)
        settled(page)
    page.locator('[data-select="x-list"]').click()
    settled(page)
    box = page.locator("[name=v-columns] + .ts-wrapper .ts-control")
    for _ in range(2):
        box.click()
        page.locator(".ts-dropdown:visible .option").first.click()
        settled(page)
        expect(page.locator(".ts-dropdown:visible")).to_have_count(0)
    order = page.locator("#o-x-list-columns")
    order.locator("summary").click()
    expect(order).to_have_attribute("open", "")
    words = order.locator("li span").all_inner_texts()
    order.locator("li").nth(0).locator("[id$=later]").click()
    settled(page)
    expect(order.locator("li span")).to_have_text(list(reversed(words)))
    expect(order.locator("li").nth(1).locator("[id$=later]")).to_be_focused()
    screenshot(page, "list-order")
    expect(page.locator("[name=v-columns] + .ts-wrapper .item").first).to_contain_text(words[1])
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    settled(page)
    expect(page.locator("#studio-props")).to_have_attribute("data-at", "x-list")  # the step stays


def test_a_phone_in_the_preview_is_as_wide_as_one_and_lines_are_added(browser: Browser, site: Site) -> None:
    page = enter(browser, site, "administrator")
    page.goto(f"{site.address}/definitions?kind=form&q=Delivery")
    page.locator("#definitions td a", has_text=re.compile("^Delivery$")).click()
    page.locator("a[aria-label=Preview]").click()
    page.locator("a[href='?as=phone']").click()
    phone = page.frame_locator(".fl-preview-frame")
    lines = phone.locator("[data-fl-line]")
    expect(lines).to_have_count(1)
    phone.locator("[data-fl-add-line]").click()
    expect(lines).to_have_count(2)
    lines.last.locator("[data-fl-remove-line]").click()
    expect(lines).to_have_count(1)
    assert phone.locator("html").evaluate("e => e.scrollWidth <= e.clientWidth && e.clientWidth <= 360")


def test_a_type_is_dragged_to_its_place(browser: Browser, site: Site) -> None:
    page = enter(browser, site, "administrator")
    _begin(page, site, "By dragging")
    page.locator('[data-type="multiline"]').click()
    expect(page.locator(".fl-brick")).to_have_count(1)
    page.locator('[data-type="switch"]').drag_to(
        page.locator(".fl-brick-face"), target_position={"x": 40, "y": 8}
    )
    expect(page.locator(".fl-brick")).to_have_count(2)


def test_a_narrow_screen_is_told_politely(browser: Browser, site: Site) -> None:
    page = enter(browser, site, "administrator", phone=True)
    page.goto(f"{site.address}/studio/new")
    page.keyboard.type("Narrow")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The designer needs a wider screen")).to_be_visible()
    expect(page.locator("#studio")).to_be_hidden()
    assert serious_problems(page) == []


@pytest.mark.parametrize(("locale", "rows"), [("en-US", 40), ("zh-CN", 12)])
def test_a_workbook_becomes_a_form_with_lines_and_its_rows_come_in(
    browser: Browser, site: Site, screenshot: Photograph, tmp_path: Path, locale: str, rows: int
) -> None:
    file = tmp_path / f"Tool orders {locale}.xlsx"
    with Book(file) as book:
        numbers = [n // 2 for n in range(rows)]
        cells = [
            [f"T-{n:03}", "Acme 五金", date(2026, 3, 1 + n), f"Drill {i}", i + 1]
            for i, n in enumerate(numbers)
        ]
        book.sheet("Orders", ["Order no.", "Supplier", "Wanted by", "Tool", "Pieces"], cells)
    page = enter(browser, site, "builder", locale)
    page.goto(f"{site.address}/studio/new")
    page.locator("a[href='/studio/file']").click()
    page.set_input_files("[name=file]", file)
    page.locator(".card-footer button").click()
    expect(page.locator("[name=by]")).to_have_value("0")
    screenshot(page, f"columns-{locale}")
    assert serious_problems(page) == []
    page.locator(".card-footer button").click()
    expect(page.locator("#studio [data-key=lines]")).to_be_visible()
    screenshot(page, f"from-file-{locale}")
    page.locator("#studio-bar a.btn-primary").click()
    page.locator("form[action$='/publish'] button.btn-primary").click()
    page.get_by_role("button", name=file.name).click()
    page.locator("form[action$='/check'] button.btn-primary").click()
    page.locator("form[action$='/run'] button").first.click()
    expect(
        page.get_by_text(re.compile(rf"{rows // 2} .*(created|新建)|(created|新建)\D*{rows // 2}")).first
    ).to_be_visible()
    screenshot(page, f"rows-in-{locale}")


@pytest.mark.parametrize(("locale", "preset"), [("en-US", "See all"), ("zh-CN", "查看全部")])
def test_rights_are_a_preset_told_in_sentences_and_seen_as_one_person(
    browser: Browser, site: Site, screenshot: Photograph, locale: str, preset: str
) -> None:
    page = enter(browser, site, "administrator", locale)
    page.goto(f"{site.address}/definitions?kind=form&q=delivery_request")
    page.locator("#definitions td a").first.click()
    page.locator(".fl-steps a").nth(2).click()
    page.locator("a[href*='/studio/rights/']").click()
    expect(page.locator("#rights")).to_be_visible()
    page.locator("[name='preset.0']").select_option(label=preset)
    expect(page.locator("[name='may.0']:checked")).to_have_count(3)
    page.locator("button[value=check]").click()
    expect(page.locator("#rights .alert")).to_be_visible()
    page.locator("#as-person-ts-control").press_sequentially("alan")
    expect(page.locator(".ts-dropdown:visible .option").first).to_contain_text("Alan")
    page.keyboard.press("Enter")
    expect(page.locator("#as table")).to_be_visible()
    page.screenshot(path=f"build/screenshots/rights-{locale}.png", full_page=True)
    assert serious_problems(page) == []
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.screenshot(path=f"build/screenshots/rights-phone-{locale}.png", full_page=True)


def test_ten_thousand_records_change_type_and_back_and_nothing_is_lost(
    browser: Browser, site: Site, screenshot: Photograph, tmp_path: Path
) -> None:
    page = enter(browser, site, "administrator")
    _begin(page, site, "Spare parts")
    page.locator('[data-type="text"]').click()
    expect(page.locator(NAMED).first).to_be_focused()
    page.keyboard.type("Size")
    page.keyboard.press("Tab")
    settled(page)
    page.locator("#studio-bar a.btn-primary").click()
    page.locator("form[action$='/publish'] button.btn-primary").click()
    expect(page).to_have_url(re.compile(r"/definitions/\w+$"))
    history = page.url
    file = tmp_path / "parts.csv"
    file.write_text(
        "Size\n" + "".join(f"{n if n % 1000 else f'large {n}'}\n" for n in range(1, 10_001)), "utf-8"
    )
    site.run("import", "spare_parts", str(file))
    page.locator("a.btn:has-text('Edit')").click()
    page.wait_for_load_state()
    page.locator("[data-brick]").first.click()
    page.locator("[data-retype]").select_option("number")
    expect(page.locator(".fl-brick-box")).to_contain_text("Number")
    page.locator("#studio-bar a.btn-primary").click()
    expect(page.locator("main")).to_contain_text("9990")
    screenshot(page, "type-changes")
    page.get_by_role("button", name="Publish").click()
    page.get_by_role("button", name="Yes, go on").click()
    expect(page).to_have_url(history)
    page.goto(f"{site.address}/f/spare_parts?f.size.is=9999")
    expect(page.locator("#list tbody tr:has(input[name=id])")).to_have_count(1)
    page.goto(f"{history}/back/1")
    careful = page.locator("form[action*='/back/'] .btn-warning").count()
    page.get_by_role("button", name="Go back to it").click()
    if careful:
        page.get_by_role("button", name="Yes, go on").click()
    expect(page).to_have_url(history)
    for size in ("9999", "large 7000"):
        page.goto(f"{site.address}/f/spare_parts?f.size.is={size}")
        expect(page.locator("#list tbody tr:has(input[name=id])")).to_have_count(1)
