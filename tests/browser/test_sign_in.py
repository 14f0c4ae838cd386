"""The first page anybody sees: in both languages and colours, at the desk and on the phone."""

import pytest
from playwright.sync_api import Browser, expect

from browser.sites import Photograph, Site

WORDS = {"en": "Sign in", "zh-CN": "登录"}


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("locale", ["en", "zh-CN"])
def test_the_sign_in_page_fits_speaks_and_is_coloured(
    browser: Browser, site: Site, screenshot: Photograph, locale: str, colours: str, width: int
) -> None:
    context = browser.new_context(
        locale=locale, color_scheme=colours, viewport={"width": width, "height": 800}
    )
    page = context.new_page()
    page.goto(f"{site.address}/sign-in")
    expect(page.locator("html")).to_have_attribute("lang", locale)
    expect(page.locator("html")).to_have_attribute("data-bs-theme", colours)
    expect(page.get_by_role("button", name=WORDS[locale], exact=True)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == width
    screenshot(page, f"sign_in_{locale}_{colours}_{width}")


def test_the_language_can_be_changed_before_signing_in(browser: Browser, site: Site) -> None:
    context = browser.new_context(locale="en")
    page = context.new_page()
    page.goto(f"{site.address}/sign-in?next=/menu")
    page.get_by_role("button", name="中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    assert page.url.endswith("/sign-in?next=/menu")
