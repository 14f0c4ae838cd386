"""A signature that was drawn goes along with the decision, without a button of its own."""

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser

from browser.sites import served
from formloop.access import sessions
from formloop.access.signing import COOKIE
from formloop.forms import files
from formloop.workflows import cases
from workflows.site import app, play
from workflows.stage import END, Stage, approval

__all__ = ["app", "play"]


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    with served(app) as address:
        yield address


def test_what_was_drawn_is_kept_with_the_approval(browser: Browser, address: str, play: Stage) -> None:
    play.publish(approval("one", "bob", needs=["signature"]), END)
    case = play.submit().case
    task, signed_in = play.task_of("bob", case), sessions.open_session(play.actors["bob"].person_id or 0)
    context = browser.new_context(viewport={"width": 360, "height": 800})
    context.add_cookies([{"name": COOKIE, "value": signed_in, "url": address}])
    page = context.new_page()
    page.goto(f"{address}/inbox/{task}")
    canvas = page.locator("[data-fl-pad] canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 20, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + 120, box["y"] + 60, steps=8)
    page.mouse.up()
    page.locator("button[name=action][value=approve]").click()
    page.wait_for_url(f"{address}/inbox")
    (approved,) = [note for note in cases.list_notes(case) if note.action == "approve"]
    (signature,) = approved.detail["files"]
    assert files.get_file(signature).kind == "image/png"
