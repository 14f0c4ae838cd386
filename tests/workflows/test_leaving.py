"""What somebody would leave behind is said before they are deactivated, with the way to see to it."""

import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from formloop.access import people
from formloop.access.actor import SYSTEM
from formloop.access.role_kind import ROLE
from formloop.core import clock
from formloop.definitions import service as definitions
from formloop.workflows import administration, delegations
from formloop.workflows.state import State
from workflows.site import app, browser, play, text_of
from workflows.stage import END, Stage, approval

__all__ = ["app", "play"]


def warned(page: str) -> str:
    """What the page of a person warns of."""
    found = re.search(r'<div class="alert alert-warning" role="status">(.*?)</ul>', page, re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", found.group(1))).strip() if found else ""


def test_tasks_named_steps_deputies_and_departments_are_told_before(app: Flask, play: Stage) -> None:
    first = play.submit().case
    play.do("bob", "approve", first)
    play.publish(approval("one", "bob", "dee", mode="in_turn"), END)
    play.submit()
    ids = {who: actor.person_id or 0 for who, actor in play.actors.items()}
    adm = browser(app, play, "adm")
    delegations.add(
        play.actors["cho"], ids["cho"], ids["dee"], clock.today("UTC"), clock.today("UTC") + timedelta(days=9)
    )
    page = text_of(adm, f"/people/{ids['dee']}/leave")
    assert warned(page) == (
        "To be seen to before Dee leaves Is the head of “Office”. Name another head "
        "1 task waits for Dee. Hand tasks over The workflow “Request approval” names them. Open it "
        "They stand in for Cho."
    )
    assert "Dee is signed out at once" in page
    assert f"/cases/hand-over?person={ids['dee']}" in page
    assert warned(text_of(adm, f"/people/{ids['ann']}/leave")) == ""
    assert "有 1 项任务在等 Dee 处理。" in text_of(
        browser(app, play, "adm", "zh-CN"), f"/people/{ids['dee']}/leave"
    )


def test_a_person_who_stays_costs_no_look_at_running_cases(
    app: Flask, play: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(administration, "count_left", lambda person: asked.append(person) or 0)
    adm, bob = browser(app, play, "adm"), play.actors["bob"].person_id
    text_of(adm, f"/people/{bob}")
    assert asked == []
    text_of(adm, f"/people/{bob}/leave")
    assert asked == [bob]


def test_only_the_states_that_name_a_person_are_read(
    app: Flask, play: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    play.submit()
    play.publish(approval("one", "bob", "dee", mode="in_turn"), END)
    case, real = play.submit().case, State.from_json
    parsed: list[Any] = []
    monkeypatch.setattr(State, "from_json", lambda found: parsed.append(found) or real(found))
    assert administration.list_to_come(play.actors["dee"].person_id or 0) == [case]
    assert len(parsed) == 1


def test_it_is_said_afterwards_until_it_is_seen_to(app: Flask, play: Stage) -> None:
    play.submit()
    adm, bob = browser(app, play, "adm"), play.actors["bob"].person_id or 0
    adm.post(f"/people/{bob}/active", data={"active": "no"})
    assert "Still to be seen to 1 task waits for Bob." in warned(text_of(adm, f"/people/{bob}"))
    adm.post("/cases/hand-over", data={"person": str(bob), "to": str(play.actors["eve"].person_id)})
    assert "task waits" not in warned(text_of(adm, f"/people/{bob}"))


def test_who_may_not_hand_over_reads_it_without_the_way(app: Flask, play: Stage) -> None:
    play.submit()
    grants = [{"id": "people", "on": "people", "may": ["manage"]}]
    doc = {
        "x-kind": ROLE.name,
        "x-id": "000000b8",
        "x-key": "staffing",
        "title": "Staffing",
        "grants": grants,
    }
    definitions.publish_many(SYSTEM, [doc], "staffing")
    people.change_person(SYSTEM, play.actors["eve"].person_id or 0, roles=["staffing"])
    page = text_of(browser(app, play, "eve"), f"/people/{play.actors['bob'].person_id}/leave")
    assert "1 task waits for Bob." in warned(page) and "names them" in warned(page)
    assert "/cases/hand-over" not in page and "Open it" not in warned(page)
