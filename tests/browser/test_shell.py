"""The shell in a real browser: toasts, questions, dialogs, menus, keys, Chinese input, colours, phones."""

import pytest
from playwright.sync_api import Page, expect


@pytest.fixture
def parts(page: Page, shell_site: str) -> Page:
    """The page with all the parts; nothing may be refused by the content policy meanwhile."""
    refused: list[str] = []
    page.on("console", lambda said: refused.append(said.text) if "Content Security" in said.text else None)
    page.goto(f"{shell_site}/parts")
    yield page
    assert refused == []


def test_a_crash_shows_a_toast_with_the_request_number(parts: Page) -> None:
    with parts.expect_response("**/fail/crash") as answer:
        parts.get_by_role("button", name="Crash").click()
    toast = parts.locator(".fl-toast")
    expect(toast).to_contain_text("Nothing was saved.")
    expect(toast).to_contain_text(answer.value.headers["x-request-id"])
    toast.get_by_label("Close").click()
    expect(toast).to_have_count(0)


def test_trying_again_repeats_the_same_request(parts: Page) -> None:
    parts.get_by_role("button", name="Flaky").click()
    parts.get_by_role("button", name="Try again").click()
    expect(parts.locator("#rows")).to_have_text("it worked")
    expect(parts.locator(".fl-toast")).to_have_count(0)


def test_an_unreachable_server_is_told_and_the_request_can_be_repeated(parts: Page) -> None:
    parts.route("**/flaky", lambda route: route.abort(), times=1)
    parts.get_by_role("button", name="Flaky").click()
    expect(parts.locator(".fl-toast")).to_contain_text("The server cannot be reached.")
    parts.get_by_role("button", name="Try again").click()
    parts.get_by_role("button", name="Try again").click()  # this site answers every second time only
    expect(parts.locator("#rows")).to_have_text("it worked")


def test_a_question_is_answered_by_keyboard(parts: Page) -> None:
    parts.get_by_role("button", name="Remove").click()
    expect(parts.get_by_role("dialog")).to_contain_text("Really remove?")
    parts.keyboard.press("Escape")
    expect(parts.locator("#rows")).to_be_empty()
    parts.get_by_role("button", name="Remove").click()
    parts.keyboard.press("Enter")
    expect(parts.locator("#rows")).to_have_text("one & two")


def test_a_plain_form_asks_before_it_is_sent(parts: Page) -> None:
    parts.get_by_role("button", name="Send").click()
    parts.get_by_role("button", name="Cancel").click()
    assert parts.url.endswith("/parts")
    parts.get_by_role("button", name="Send").click()
    parts.get_by_role("button", name="Yes, go on").click()
    parts.wait_for_url("**/list")
    expect(parts.locator(".fl-toast")).to_contain_text("Please sign in.")


def test_a_problem_comes_back_in_place_with_the_focus_on_it(parts: Page) -> None:
    parts.get_by_label("Name").fill("x")
    parts.get_by_role("button", name="Save").click()
    name = parts.get_by_label("Name")
    expect(name).to_be_focused()
    expect(name).to_have_attribute("aria-invalid", "true")
    expect(name).to_have_accessible_description("Please correct this As on the paper")


def test_the_dialog_opens_by_its_key_and_closes_by_escape(parts: Page) -> None:
    parts.keyboard.press("o")
    expect(parts.get_by_role("dialog")).to_contain_text("Inside")
    parts.keyboard.press("Escape")
    expect(parts.get_by_role("dialog")).to_have_count(0)


def test_keys_are_letters_while_typing(parts: Page) -> None:
    parts.get_by_label("Live").press_sequentially("o?")
    expect(parts.locator("#rows")).to_have_text("heard o?")
    expect(parts.get_by_role("dialog")).to_have_count(0)


def test_the_list_of_keys_names_those_of_the_page(parts: Page) -> None:
    parts.keyboard.press("?")
    expect(parts.get_by_role("dialog")).to_contain_text("Open")
    parts.keyboard.press("Escape")
    expect(parts.get_by_role("dialog")).to_have_count(0)


def test_a_menu_opens_moves_and_closes_by_keyboard(parts: Page) -> None:
    parts.get_by_text("More", exact=True).press("Enter")
    parts.keyboard.press("ArrowDown")
    expect(parts.get_by_role("link", name="Copy")).to_be_focused()
    parts.keyboard.press("Escape")
    expect(parts.get_by_role("link", name="Copy")).to_be_hidden()


def test_letters_of_an_unfinished_chinese_word_are_not_sent(parts: Page) -> None:
    heard: list[str] = []
    parts.on("request", lambda request: heard.append(request.url) if "/heard" in request.url else None)
    live = parts.get_by_label("Live")
    live.focus()
    keyboard = parts.context.new_cdp_session(parts)
    keyboard.send("Input.imeSetComposition", {"text": "ding", "selectionStart": 4, "selectionEnd": 4})
    expect(live).to_have_value("ding")
    assert heard == []
    keyboard.send("Input.insertText", {"text": "订单"})
    expect(parts.locator("#rows")).to_have_text("heard 订单")


def test_leaving_with_unsaved_changes_asks_first(parts: Page, shell_site: str) -> None:
    asked: list[str] = []
    parts.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    parts.get_by_label("Name").press_sequentially("half")
    parts.goto(f"{shell_site}/list")
    assert asked == ["beforeunload"]


def test_what_was_refused_is_still_unsaved(parts: Page, shell_site: str) -> None:
    asked: list[str] = []
    parts.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    parts.get_by_label("Name").press_sequentially("half")
    parts.get_by_role("button", name="Save").click()
    expect(parts.get_by_label("Name")).to_be_focused()
    parts.goto(f"{shell_site}/list")
    assert asked == ["beforeunload"]


def test_colours_change_at_once_and_stay(parts: Page) -> None:
    page = parts.locator("html")
    parts.get_by_role("button", name="Dark colours").click()
    expect(page).to_have_attribute("data-bs-theme", "dark")
    parts.reload()
    expect(page).to_have_attribute("data-bs-theme", "dark")


def test_the_language_changes_and_the_page_stays(parts: Page) -> None:
    parts.get_by_role("button", name="中文").click()
    expect(parts.locator("html")).to_have_attribute("lang", "zh-CN")
    assert parts.url.endswith("/parts")
    expect(parts.get_by_role("button", name="English")).to_be_visible()


@pytest.mark.browser_context_args(java_script_enabled=False)
def test_without_javascript_forms_menus_and_switches_work(page: Page, shell_site: str) -> None:
    page.goto(f"{shell_site}/parts")
    page.get_by_text("More", exact=True).click()
    expect(page.get_by_role("link", name="Copy")).to_be_visible()
    page.get_by_label("Name").fill("x")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Name")).to_have_attribute("aria-invalid", "true")


@pytest.mark.parametrize("path", ["/parts", "/list", "/fail/crash"])
def test_nothing_scrolls_sideways_on_a_phone(page: Page, shell_site: str, path: str) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"{shell_site}{path}")
    assert page.evaluate("document.documentElement.scrollWidth") == 360
