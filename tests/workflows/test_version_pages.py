"""What becomes of running cases when their workflow has a new version, as pages."""

import re

from flask import Flask
from flask.testing import FlaskClient

from formloop.access import people
from formloop.access.actor import SYSTEM
from formloop.access.role_kind import ROLE
from formloop.definitions import drafts
from formloop.definitions import service as definitions
from workflows.site import app, browser, play, text_of
from workflows.specimens import REQUEST, workflow_doc
from workflows.stage import END, Stage, approval

__all__ = ["app", "play"]
URL = "/cases/versions/request_approval"


def plain(page: str) -> str:
    """A page as its reader sees it."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page))


def draft(*steps: object) -> str:
    doc = workflow_doc(*steps)  # type: ignore[arg-type]
    drafts.save_draft(SYSTEM, "workflow", doc)
    return str(doc["x-id"])


def publish(client: FlaskClient, definition: str) -> tuple[str, str]:
    """Publish a draft in the browser: what the publishing page said, and where it led to."""
    before = text_of(client, f"/definitions/{definition}/publish")
    (revision,) = re.findall(r'name="revision" value="(\d+)"', before)
    answer = client.post(f"/definitions/{definition}/publish", data={"revision": revision})
    assert answer.status_code == 303
    return before, str(answer.headers["Location"])


def test_running_ones_are_moved_by_a_mapping_that_is_tried_first(app: Flask, play: Stage) -> None:
    case, other = play.submit(subject="A desk").case, play.submit(subject="A lamp").case
    play.do("bob", "approve", other)
    play.publish(approval("first", "bob", "dee", mode="all"), approval("two", "dee"), END)
    adm = browser(app, play, "adm")
    assert "“One” becomes" in text_of(adm, URL)
    page = plain(adm.post(URL, data={"action": "try"}).get_data(as_text=True))
    assert "0 of 2 would move." in page
    assert "“One” has no step of the new version. Request A desk , Request A lamp" in page
    page = plain(adm.post(URL, data={"action": "try", "map.one": "first"}).get_data(as_text=True))
    assert "2 of 2 would move." in page
    assert "Asks Dee from now on, and Cho no longer." in page
    assert play.is_asked("cho", case)
    adm.post(URL, data={"action": "move", "map.one": "first"})
    assert play.is_asked("dee", case) and not play.is_asked("cho", case)
    assert "of older versions" not in text_of(adm, URL)


def test_all_of_older_versions_begin_again_at_once(app: Flask, play: Stage) -> None:
    found = [play.submit().case for _ in range(2)]
    play.do("bob", "approve", found[0])
    play.publish(approval("fresh", "dee"), END)
    adm = browser(app, play, "adm")
    adm.post(URL, data={"action": "restart", "comment": "other rules"})
    assert "2 begun again." in text_of(adm, URL)
    assert all(play.is_asked("dee", case) and not play.is_asked("cho", case) for case in found)


def test_publishing_leads_to_the_choice_for_running_ones(app: Flask, play: Stage) -> None:
    play.submit()
    definition, adm = draft(approval("one", "bob"), approval("two", "cho"), END), browser(app, play, "adm")
    before, after = publish(adm, definition)
    assert "1 of them waits at “One”." in before
    assert "Once it is published you choose what becomes of them" in before
    assert after == URL
    page = text_of(adm, after)
    assert "Version 2 is published. 1 approval is running. Choose what becomes" in page
    assert "Move to version 2" in page and "Begin again by version 2" in page
    page = text_of(browser(app, play, "adm", "zh-CN"), after)
    assert "旧版本的 1 项审批如何处理" in page and "迁移到版本 2" in page
    answer = adm.post(f"/definitions/{definition}/back/1")
    assert answer.headers["Location"] == URL


def test_who_publishes_without_the_right_reads_who_chooses(app: Flask, play: Stage) -> None:
    play.submit()
    grants = [{"id": "design", "on": "definition", "may": ["design"]}]
    doc = {"x-kind": ROLE.name, "x-id": "000000b9", "x-key": "drawer", "title": "Drawer", "grants": grants}
    definitions.publish_many(SYSTEM, [doc], "builders")
    people.change_person(SYSTEM, play.actors["eve"].person_id or 0, roles=["drawer", "request_approvers"])
    definition, eve = draft(approval("one", "bob"), END), browser(app, play, "eve")
    before, after = publish(eve, definition)
    said = "They finish as they began, unless they are moved or begun again. Who may do that: Adm"
    assert said in before
    assert after == f"/definitions/{definition}"
    assert said in text_of(eve, after)


def test_the_impact_of_a_form_names_what_is_under_way(app: Flask, play: Stage) -> None:
    definition = definitions.save_draft(SYSTEM, "form", {**REQUEST, "title": "Request 2"}).id
    assert not definitions.impact(SYSTEM, definition).rows
    play.submit()
    play.submit()
    told = [row.message.render() for row in definitions.impact(SYSTEM, definition).rows]
    assert told[0].startswith("2 records are under way in “")
    assert any("2 of them wait at “" in each for each in told[1:])


def test_publishing_without_running_ones_leads_to_the_history(app: Flask, play: Stage) -> None:
    definition, adm = draft(approval("one", "bob"), END), browser(app, play, "adm")
    before, after = publish(adm, definition)
    assert "what becomes of them" not in before
    assert after == f"/definitions/{definition}"
