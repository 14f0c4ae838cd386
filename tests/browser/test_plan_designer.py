"""A plan is bound by picking, with long lists searched by typing, and nothing but keys."""

import pytest
from playwright.sync_api import Browser, Page, expect

from browser.sites import Photograph, Site
from browser.test_accessibility import serious_problems
from browser.test_story import enter
from browser.test_studio import settled


def _pick(page: Page, box: str, typed: str) -> None:
    """Search a long list by typing, and take what is found."""
    page.locator(f"#{box}").focus()
    expect(page.locator(f"#{box}-ts-control")).to_be_focused()  # as whoever came by Tab finds it
    page.keyboard.type(typed)
    expect(page.locator(".ts-dropdown:visible .option.active")).to_be_visible()
    page.keyboard.press("Enter")
    settled(page)


def _leave(page: Page) -> None:
    """Close the dialog by keys: a list that is open in it closes first."""
    for _ in range(3):
        if page.locator("#fl-dialog[open]").count():
            page.keyboard.press("Escape")
    expect(page.locator("#fl-dialog[open]")).to_have_count(0)


@pytest.mark.parametrize(
    ("locale", "scheme", "words"),
    [
        ("en-US", "light", {"form": "Demand", "lack": "Say where “Lines of bills” is read from."}),
        ("zh-CN", "dark", {"form": "需求", "lack": "请说明“清单明细”从哪里读取。"}),
    ],
)
def test_a_plan_is_bound_by_keys(
    browser: Browser, site: Site, screenshot: Photograph, locale: str, scheme: str, words: dict[str, str]
) -> None:
    page = enter(browser, site, "administrator", locale)
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    page.goto(f"{site.address}/studio/new?kind=plan")
    page.select_option("[name=operator]", "bom.explode")
    page.locator("[name=name]").fill("Needs")
    page.keyboard.press("Enter")
    expect(page.locator("select[name=v-demand]")).to_have_value("open_demand")  # it fits best
    expect(page.locator("#plan-reads h3")).to_have_count(1)

    page.select_option("[data-add=outputs]", "requirements")
    settled(page)
    box = "p-outputs-requirements-v-form"
    expect(page.locator(".ts-wrapper.single")).to_have_count(
        0
    )  # lists are searched once somebody comes to them
    _pick(page, box, words["form"])
    expect(page.locator("select[name=v-form]")).to_have_value("demand")
    expect(page.locator(f"#{box}-ts-control")).to_be_focused()  # also after the panel was drawn anew
    expect(page.locator(".fl-plan-pairs li")).to_have_count(4)
    expect(page.locator("#p-ports-v-bills-problem")).to_contain_text(words["lack"])
    page.keyboard.type("no such form")
    expect(page.locator(".ts-dropdown:visible .no-results")).to_be_visible()
    screenshot(page, f"plan-designer-{locale}")
    assert serious_problems(page) == []
    page.keyboard.press("Escape")

    page.locator("[data-formula='outputs/requirements/keep']").click()
    page.locator("#fl-dialog [name=field]").focus()  # searched by typing from now on
    expect(page.locator("#fl-dialog .ts-wrapper")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    expect(page.locator(".ts-dropdown:visible .active")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("#fl-dialog [name=field]")).not_to_have_value("")
    assert serious_problems(page) == []
    _leave(page)
    page.locator("[hx-target='#plan-run']").click()
    expect(page.locator("#plan-run .alert-danger")).to_contain_text(words["lack"])
