"""The page of a workflow says what goes on when it is taken out of use."""

from flask import Flask

from workflows.site import app, browser, play, text_of
from workflows.stage import Stage

__all__ = ["app", "play"]
PAGE = "/definitions/0000001f"


def test_the_page_counts_what_is_running_before_and_after(app: Flask, play: Stage) -> None:
    administrator = browser(app, play, "adm")
    assert "running. Out of use" not in text_of(administrator, PAGE)
    case = play.submit().case
    assert "1 approval is running. Out of use, they go on" in text_of(administrator, PAGE)
    administrator.post(f"{PAGE}/archive")
    assert "Out of use: 1 running approval goes on to its end." in text_of(administrator, PAGE)
    bob = browser(app, play, "bob")
    for page in ("/", "/inbox", "/notices", f"/f/request/{play.record_of(case)}"):
        text_of(bob, page)
