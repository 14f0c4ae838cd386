"""The pages of changes: what may be proposed, the proposal itself, what its readers see, and what they do not."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from databases import States
from formloop import db
from formloop.access.actor import SYSTEM
from formloop.definitions import service as definitions
from formloop.events import outbox
from formloop.forms import purging
from formloop.forms import service as records
from formloop.forms.kind import get_form
from formloop.workflows import cases, service
from formloop.workflows.amendments import proposals
from workflows.amending import CHANGE, Desk, by, set_desk
from workflows.site import app, browser, text_of

__all__ = ["app"]


@pytest.fixture
def desk(app: Flask, on_sqlite: States) -> Desk:
    return on_sqlite.begin(set_desk)


def seen_by(app: Flask, desk: Desk, who: str, locale: str = "en") -> FlaskClient:
    return browser(app, desk, who, locale)  # type: ignore[arg-type]


def posted(desk: Desk, record: int, **changed: str) -> dict[str, str]:
    """What the page of a proposal sends, with these values changed."""
    now = desk.now(record)
    line = now["rows"][0]
    return {
        "revision": str(now["revision"]),
        "guest": now["guest"],
        "day": str(now["day"]),
        "rows.lines": "1",
        "rows.0.id": str(line["id"]),
        "rows.0.what": line["what"],
        "rows.0.count": str(line["count"]),
        "rows.0.price": str(line["price"]),
        "_reason": "They asked",
        **changed,
    }


def typed_in(page: str) -> set[str]:
    """The names of what can be typed in on a page."""
    return set(re.findall(r'<(?:input|textarea|select)[^>]*\bname="([^"]+)"', page))


@pytest.mark.parametrize(
    ("locale", "words"),
    [("en", ("Propose a change", "Nothing issued")), ("zh-CN", ("提出变更", "未发料"))],
)
def test_a_locked_record_offers_to_propose_a_change(
    app: Flask, desk: Desk, locale: str, words: tuple[str, ...]
) -> None:
    page = text_of(seen_by(app, desk, "ann", locale), f"/f/booking/{desk.booking()}")
    assert all(word in page for word in words)
    assert f"/edit{chr(34)}" not in page


@pytest.mark.parametrize("who", ["bob", "dee"])
def test_who_may_not_propose_is_offered_nothing(app: Flask, desk: Desk, who: str) -> None:
    record, client = desk.booking(), seen_by(app, desk, who)
    assert "Propose a change" not in text_of(client, f"/f/booking/{record}")
    for page in ("amend", "cancel", "supplement"):
        assert client.get(f"/f/booking/{record}/{page}").status_code == 403
        assert client.post(f"/f/booking/{record}/{page}", data={"_reason": "x"}).status_code == 403


def test_a_draft_is_edited_and_not_amended(app: Flask, desk: Desk) -> None:
    record = records.create(desk.actors["ann"], "booking", {"guest": "Wu"})["id"]
    client = seen_by(app, desk, "ann")
    assert "Propose a change" not in text_of(client, f"/f/booking/{record}")
    assert client.get(f"/f/booking/{record}/amend").status_code == 409


def test_a_proposal_is_made_decided_and_stays_visible(app: Flask, desk: Desk) -> None:
    record, ann = desk.booking(), seen_by(app, desk, "ann")
    page = text_of(ann, f"/f/booking/{record}/amend")
    assert "Reason for the change" in page
    assert "Need" in page and "1 × Open" in page  # what depends on it
    sent = ann.post(f"/f/booking/{record}/amend", data=posted(desk, record, **{"rows.0.count": "3"}))
    assert sent.status_code == 303
    page = text_of(ann, f"/f/booking/{record}")
    assert "A change of this record is under approval." in page
    assert "Approval of the change" in page
    running = cases.find_open("booking", record)
    assert running is not None
    bob = seen_by(app, desk, "bob")
    assert "Booking change" in text_of(bob, "/inbox")
    task = cases.find_own_task(running.id, desk.actors["bob"].person_id)
    assert task is not None
    page = text_of(bob, f"/inbox/{task.id}")
    assert "They asked" in page
    assert "Rows 1 · Count" in page and "<del>2</del>" in page and "<ins>3</ins>" in page
    assert bob.post(f"/inbox/{task.id}/decide", data={"action": "approve"}).status_code == 303
    page = text_of(ann, f"/f/booking/{record}")
    assert "Amendments" in page and "<del>2</del>" in page and "<ins>3</ins>" in page
    assert desk.now(record)["total"] == 300
    assert "<ins>3</ins>" in text_of(ann, f"/case/{running.id}/print")


def test_what_is_wrong_stands_on_the_page_and_what_was_typed_stays(app: Flask, desk: Desk) -> None:
    record, ann = desk.booking(), seen_by(app, desk, "ann")
    answer = ann.post(f"/f/booking/{record}/amend", data=posted(desk, record, day="2026-12-24", _reason=""))
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "Please give a reason." in page and "2026-12-24" in page
    desk.issue()
    answer = ann.post(f"/f/booking/{record}/amend", data=posted(desk, record, guest="Li"))
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "At the stage “Issued” this can no longer be changed." in page


def test_what_a_stage_has_locked_is_named_and_cannot_be_typed(app: Flask, desk: Desk) -> None:
    record, ann = desk.booking(), seen_by(app, desk, "ann")
    assert "guest" in typed_in(text_of(ann, f"/f/booking/{record}/amend"))
    desk.issue()
    page = text_of(ann, f"/f/booking/{record}/amend")
    assert "removing lines of “Rows”" in page and "Rows · What" in page
    assert "rows.0.count" in typed_in(page)
    assert not {"guest", "rows.0.what"} & typed_in(page)
    shown, blank = page.split("<template", 1)
    assert "data-fl-remove-line" not in shown and "data-fl-remove-line" in blank  # new lines may go again
    assert 'name="rows.__i__.what"' in blank  # and may say what they are


def test_somebody_else_was_faster_while_it_was_typed(app: Flask, desk: Desk) -> None:
    record, ann = desk.booking(), seen_by(app, desk, "ann")
    data = posted(desk, record, **{"rows.0.count": "3"})
    free = records.How(trusted=True, unlocked=True)
    records.change_record(SYSTEM, "booking", record, {"day": "2027-01-01"}, how=free)
    answer = ann.post(f"/f/booking/{record}/amend", data=data)
    assert answer.status_code == 409
    assert "2027" in answer.get_data(as_text=True)
    assert cases.find_open("booking", record) is None


def test_a_proposal_that_came_back_is_renewed_from_its_own_page(app: Flask, desk: Desk) -> None:
    record, ann = desk.booking(), seen_by(app, desk, "ann")
    case = desk.propose(record, {"rows": desk.lines(record, count=3)}).case
    free = records.How(trusted=True, unlocked=True)
    records.change_record(SYSTEM, "booking", record, {"day": "2027-01-01"}, how=free)
    bob, task = seen_by(app, desk, "bob"), cases.find_own_task(case, desk.actors["bob"].person_id)
    assert task is not None
    assert "or has gone further" in text_of(bob, f"/inbox/{task.id}")
    answer = bob.post(f"/inbox/{task.id}/decide", data={"action": "approve"}, follow_redirects=True)
    assert "Nothing was applied" in answer.get_data(as_text=True)
    assert "Renew the proposal" in text_of(ann, f"/f/booking/{record}")
    mine = cases.find_own_task(case, desk.actors["ann"].person_id)
    assert mine is not None
    assert f"/f/booking/{record}/amend" in text_of(ann, f"/inbox/{mine.id}")
    page = text_of(ann, f"/f/booking/{record}/amend")
    assert "Since you proposed this, the record has changed:" in page
    assert re.search(r'name="rows.0.count"[^>]*value="3"|value="3"[^>]*name="rows.0.count"', page)
    sent = ann.post(f"/f/booking/{record}/amend", data=posted(desk, record, **{"rows.0.count": "3"}))
    assert sent.status_code == 303
    assert desk.is_asked("bob", case)


@pytest.mark.parametrize("does", ["void", "reactivate"])
def test_an_applied_change_cannot_be_voided_but_changed_back(app: Flask, desk: Desk, does: str) -> None:
    record = desk.booking()
    case = desk.propose(record, {"rows": desk.lines(record, count=3)}).case
    desk.decide("bob", case)
    adm = seen_by(app, desk, "adm")
    answer = adm.post(f"/cases/{case}/{does}", data={"comment": "a mistake"})
    assert answer.status_code == 409
    assert "Propose the change back instead." in answer.get_data(as_text=True)
    assert desk.needs() == [("cabin", 3, "open")]
    found = cases.get_case(case)
    assert found is not None and found.status == "approved"


def test_cancelling_is_asked_for_with_a_reason(app: Flask, desk: Desk) -> None:
    record, ann = desk.booking(), seen_by(app, desk, "ann")
    assert "Propose to cancel" in text_of(ann, f"/f/booking/{record}/cancel")
    revision = str(desk.now(record)["revision"])
    wrong = ann.post(f"/f/booking/{record}/cancel", data={"revision": revision, "_reason": ""})
    assert wrong.status_code == 422
    assert (
        ann.post(f"/f/booking/{record}/cancel", data={"revision": revision, "_reason": "Gone"}).status_code
        == 303
    )
    assert "The whole record is to be cancelled." in text_of(ann, f"/f/booking/{record}")


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("en", ("Cancel Booking Wu", "Cancellation", "Proposed cancellation")),
        ("zh-CN", ("取消订舱 Wu", "取消", "取消申请")),
    ],
)
def test_a_proposal_to_cancel_is_called_so_wherever_it_is_decided(
    app: Flask, desk: Desk, locale: str, words: tuple[str, ...]
) -> None:
    record = desk.booking()
    case = desk.propose(record, None).case
    bob = seen_by(app, desk, "bob", locale)
    found = cases.find_own_task(case, desk.actors["bob"].person_id)
    assert found is not None
    task = text_of(bob, f"/inbox/{found.id}")
    assert all(word in task for word in words)
    assert all(word in text_of(bob, "/inbox") for word in words[:2])
    assert words[0] in text_of(bob, f"/case/{case}/print")


def test_who_decides_reads_what_has_changed_since_it_was_proposed(app: Flask, desk: Desk) -> None:
    record = desk.booking()
    case = desk.propose(record, {"rows": desk.lines(record, count=3)}).case
    found = cases.find_own_task(case, desk.actors["bob"].person_id)
    assert found is not None
    bob = seen_by(app, desk, "bob")
    assert "The record has changed" not in text_of(bob, f"/inbox/{found.id}")
    free = records.How(trusted=True, unlocked=True)
    records.change_record(desk.actors["cho"], "booking", record, {"day": "2027-01-01"}, how=free)
    page = text_of(bob, f"/inbox/{found.id}")
    assert re.search("Day: 2026-12-01 → 2027-01-01 .Cho, ", page)


def test_a_locked_stage_offers_a_supplement_that_is_linked(app: Flask, desk: Desk) -> None:
    record, ann = desk.booking(), seen_by(app, desk, "ann")
    desk.leave(record)
    page = text_of(ann, f"/f/booking/{record}")
    assert "Add a supplement" in page
    assert "Propose a change" not in page and "Propose to cancel" not in page
    assert 'value="Wu"' in text_of(ann, f"/f/booking/{record}/supplement")
    data = {"guest": "Wu", "original": str(record), "idempotency_key": "k"}
    sent = ann.post(f"/f/booking/{record}/supplement", data=data)
    assert sent.status_code == 303
    assert "Led to" in text_of(ann, f"/f/booking/{record}")
    assert "Comes from" in text_of(ann, sent.headers["Location"])


def test_who_sees_no_price_sees_none_in_what_changes(app: Flask, desk: Desk) -> None:
    record = desk.booking()
    case = desk.propose(record, {"rows": desk.lines(record, price="12345")}).case
    dee, bob = seen_by(app, desk, "dee"), seen_by(app, desk, "bob")
    for url in (f"/f/booking/{record}", f"/case/{case}/print"):
        assert "12,345" in text_of(bob, url) or "12345" in text_of(bob, url)
        page = text_of(dee, url)
        assert "12345" not in page and "12,345" not in page and "24,690" not in page
        assert "It changes only what you may not see." in page
    assert seen_by(app, desk, "eve").get(f"/f/booking/{record}").status_code == 403


def test_of_a_purged_record_no_proposed_values_stay(app: Flask, desk: Desk) -> None:
    record = desk.booking()
    case = desk.propose(record, {"day": "2026-12-24"}).case
    service.withdraw(desk.actors["ann"], case)
    spec = get_form("booking")
    with db.engine().begin() as conn:  # an approved record cannot be deleted by hand
        conn.execute(spec.table.update().values(state="draft"))
    records.delete_record(SYSTEM, "booking", record)
    purging.purge_record(SYSTEM, "booking", record)
    assert proposals.find(case) is None


def test_a_change_is_played_before_it_is_proposed(app: Flask, desk: Desk) -> None:
    record, adm = desk.booking(), seen_by(app, desk, "adm")
    url = f"/cases/play-given/booking?record={record}&change=1"
    assert url.replace("&", "&amp;") in text_of(adm, f"/f/booking/{record}/amend")
    before = desk.now(record)
    page = adm.post(url, data=posted(desk, record, day="2026-12-24")).get_data(as_text=True)
    assert "Bob</strong> · " in page and "Approved" in page
    assert (desk.now(record), cases.find_open("booking", record)) == (before, None)
    page = adm.post(url, data=posted(desk, record)).get_data(as_text=True)
    assert "alert-warning" in page, "nothing is changed"
    ann = seen_by(app, desk, "ann")
    assert "play-given" not in text_of(ann, f"/f/booking/{record}/amend")
    assert ann.post(url, data=posted(desk, record, day="2026-12-24")).status_code == 403


def test_a_workflow_for_changes_is_not_played(app: Flask, desk: Desk) -> None:
    client = seen_by(app, desk, "adm")
    assert client.get("/cases/play/booking_change").status_code == 409
    assert client.get("/cases/play/booking_approval").status_code == 200
    assert client.get("/cases/versions/booking_change").status_code == 200


def test_the_inbox_names_the_change_and_no_draft_twice(app: Flask, desk: Desk) -> None:
    record = records.create(desk.actors["ann"], "booking", {"guest": "Draft of Wu"})["id"]
    case = desk.propose(desk.booking(), {"day": "2026-12-24"}).case
    ann = seen_by(app, desk, "ann")
    drafts = text_of(ann, "/inbox?tab=drafts")
    assert drafts.count("<article") == 1 and f"/f/booking/{record}" in drafts
    assert "Booking change Wu" in text_of(ann, "/inbox?tab=started")
    desk.decide("bob", case)
    outbox.drain()
    assert "Booking change Wu was approved." in text_of(ann, "/notices")


def test_what_a_step_hides_is_hidden_in_what_changes_too(app: Flask, desk: Desk) -> None:
    hiding = by("usual", "bob", fields={"rows.price": "hide", "total": "hide"})
    definitions.publish_many(SYSTEM, [{**CHANGE, "steps": [hiding]}], "third")
    record = desk.booking()
    case = desk.propose(record, {"rows": desk.lines(record, price="12345", count=3)}).case
    task = cases.find_own_task(case, desk.actors["bob"].person_id)
    assert task is not None
    page = text_of(seen_by(app, desk, "bob"), f"/inbox/{task.id}")
    assert "<ins>3</ins>" in page
    assert "12,345" not in page and "37,035" not in page


def test_whoever_proposes_picks_those_who_decide_where_the_workflow_says_so(app: Flask, desk: Desk) -> None:
    step = {
        "id": "picked",
        "node": "approval",
        "title": "Picked",
        "who": [{"rule": "chosen", "by": "initiator"}],
    }
    definitions.publish_many(SYSTEM, [{**CHANGE, "steps": [step]}], "third")
    record, ann = desk.booking(), seen_by(app, desk, "ann")
    assert "chosen.picked" in typed_in(text_of(ann, f"/f/booking/{record}/amend"))
    data = posted(desk, record, day="2026-12-24", **{"chosen.picked": str(desk.actors["cho"].person_id)})
    assert ann.post(f"/f/booking/{record}/amend", data=data).status_code == 303
    running = cases.find_open("booking", record)
    assert running is not None and desk.is_asked("cho", running.id)
