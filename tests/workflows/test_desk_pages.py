"""The repair desk of cases, handing over, deputies and working days, as pages."""

import re
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import select

from formloop.access import people
from formloop.access.actor import SYSTEM, get_actor
from formloop.core import clock
from formloop.core.definitions import Doc
from formloop.db import reading
from formloop.definitions import drafts
from formloop.definitions import service as definitions
from formloop.forms import service as records
from formloop.forms.kind import get_form
from formloop.workflows import administration, cases, delegations, service
from formloop.workflows.kind import get_version
from formloop.workflows.remapping import remap
from workflows.site import app, browser, play, text_of
from workflows.specimens import Play, prepared, workflow_doc
from workflows.stage import END, STAFF, Stage, approval

__all__ = ["app", "play"]
GONE = [{"rule": "member_field", "field": "reviewer"}]


def test_what_is_stuck_stands_there_with_its_reason(app: Flask, play: Stage) -> None:
    play.publish(approval("one", who=GONE), approval("two", "bob"), END)
    case = play.submit(subject="A lost desk").case
    adm = browser(app, play, "adm")
    page = text_of(adm, "/cases")
    assert "A lost desk" in page
    assert "Nobody was found to decide." in page
    assert re.search(r'Approvals to repair</span><span class="badge fl-count fl-urgent">1<', page)
    assert "A lost desk" in text_of(adm, "/cases?tab=running")
    assert "A lost desk" not in text_of(adm, "/cases?tab=ended")
    answer = adm.post(f"/cases/{case}/skip", data={"comment": ""})
    assert answer.status_code == 422
    assert "Please give a reason." in answer.get_data(as_text=True)
    assert adm.post(f"/cases/{case}/skip", data={"comment": "nobody there"}).status_code == 303
    assert play.is_asked("bob", case)


def test_what_returned_to_somebody_who_has_left_is_given_to_somebody_on_its_page(
    app: Flask, play: Stage
) -> None:
    play.publish(approval("one", "bob"), END)
    case, ann = play.submit().case, play.actors["ann"].person_id or 0
    people.change_person(SYSTEM, ann, active=False)
    play.do("bob", "return", case, "which room?", to="initiator")
    adm = browser(app, play, "adm")
    page = text_of(adm, f"/cases/{case}")
    assert "whoever submitted it has left" in page
    assert "Pass over" not in page
    (waiting,) = re.findall(r'name="task" value="(\d+)"', page)
    cho = str(play.actors["cho"].person_id)
    assert adm.post(f"/cases/{case}/reassign", data={"task": waiting, "to": cho}).status_code == 303
    mine = browser(app, play, "cho")
    assert "Submit again" in text_of(mine, f"/inbox/{play.task_of('cho', case)}")
    found = cases.get_case(case)
    assert found is not None
    assert mine.post(f"/f/request/{found.record}/submit").status_code == 303
    assert play.is_asked("bob", case)


def test_nobody_found_somebody_is_named_from_the_list_or_on_the_page(app: Flask, play: Stage) -> None:
    play.publish(approval("one", who=GONE), END)
    first, second, third = (play.submit().case for _ in range(3))
    adm, cho = browser(app, play, "adm"), str(play.actors["cho"].person_id)
    sent = {"action": "reassign", "to": cho, "case": [str(first), str(second)]}
    adm.post("/cases/chosen", data=sent)
    assert "0 done, 2 not: Please give a reason." in text_of(adm, "/cases")
    adm.post("/cases/chosen", data={**sent, "comment": "she knows"})
    assert "2 done." in text_of(adm, "/cases")
    assert play.is_asked("cho", first) and play.is_asked("cho", second)
    adm.post("/cases/chosen", data={"action": "reassign", "to": cho})
    assert "Nothing was chosen." in text_of(adm, "/cases")
    assert "Name somebody to decide" in text_of(adm, f"/cases/{third}")
    adm.post(f"/cases/{third}/assign", data={"to": cho, "comment": "she knows"})
    assert play.is_asked("cho", third)
    assert "Name somebody to decide" not in text_of(adm, f"/cases/{third}")


def test_what_waits_for_no_person_says_until_when_and_why(app: Flask, play: Stage) -> None:
    rest = {"id": "rest", "node": "wait", "title": "Rest", "after": "P2D"}
    calm = {"id": "calm", "node": "wait", "until": "amount > 500", "most": "P9D"}
    due = {"after": "P1D", "then": [{"do": "remind"}]}
    play.publish(rest, calm, approval("one", "bob", due=due), END)
    with clock.stopped_at(datetime(2026, 11, 20, 2, tzinfo=UTC)):
        case = play.submit().case
        adm = browser(app, play, "adm")
        for path in ("/cases?tab=running", f"/cases/{case}", f"/f/request/{play.record_of(case)}"):
            page = text_of(adm, path)
            assert "Rest" in page and "Waits for a time · until 2026-11-22 10:00" in page
        administration.resume(play.actors["adm"], case, "calm", "on")
        page = text_of(adm, f"/cases/{case}")
        assert "Waits until this holds: amount &gt; 500 · at the latest until 2026-11-29 10:00" in page
        assert "Waits for a time ·" not in page
        administration.resume(play.actors["adm"], case, "one", "on")
        assert "due 2026-11-21 10:00" in text_of(adm, f"/cases/{case}")
        mine = browser(app, play, "bob", "zh-CN")
        assert "期限 2026-11-21 10:00" in text_of(mine, f"/inbox/{play.task_of('bob', case)}")


def test_the_desk_speaks_chinese(app: Flask, play: Stage) -> None:
    play.publish(approval("one", who=GONE), END)
    case, adm = play.submit().case, browser(app, play, "adm", "zh-CN")
    for path in ("/cases", f"/cases/{case}", "/cases/hand-over", "/deputies", "/working-days"):
        assert 'lang="zh-CN"' in text_of(adm, path)
    assert "审批维护" in text_of(adm, "/cases")
    assert "改派" in text_of(adm, "/cases")


@pytest.mark.parametrize(
    "bad",
    [
        {"node": "calculate", "values": {"share": "amount / 0"}},
        {"node": "data", "do": "update", "values": {"amount": "amount / 0"}, "failed": "stop"},
    ],
)
def test_why_a_case_is_stuck_is_said_in_the_language_of_who_reads_it(
    app: Flask, play: Stage, bad: Doc
) -> None:
    play.publish({"id": "bad", **bad}, END)
    case = play.submit().case
    for language, said, not_said in (("en", "divides by zero", "除以零"), ("zh-CN", "除以零", "by zero")):
        adm = browser(app, play, "adm", language)
        for path in ("/cases", f"/cases/{case}", "/notices"):
            page = text_of(adm, path)
            assert said in page, path
            assert not_said not in page, path


def test_a_case_that_cannot_be_moved_is_refused_in_the_language_of_who_reads_it() -> None:
    named = approval("one", "bob", **{"x-title": {"zh-CN": "初审"}})
    at_one = Play(prepared(named)).do("submit")
    state, problems = remap(at_one.workflow, prepared(approval("two", "bob")), at_one.state, {})
    assert state is None
    assert [(str(each), "初审" in each.render("zh-CN")) for each in problems] == [
        ("“One” has no step of the new version.", True)
    ]


def test_several_are_passed_over_or_given_to_somebody_at_once(app: Flask, play: Stage) -> None:
    play.publish(approval("one", who=GONE), approval("two", "bob"), END)
    found = [play.submit().case for _ in range(2)]
    adm, chosen = browser(app, play, "adm"), [str(each) for each in found]
    adm.post("/cases/chosen", data={"case": chosen, "action": "skip", "comment": "go on"})
    assert all(play.is_asked("bob", case) for case in found)
    cho = str(play.actors["cho"].person_id)
    adm.post("/cases/chosen", data={"case": chosen, "action": "reassign", "to": cho})
    assert all(play.is_asked("cho", case) for case in found)


def test_an_administrator_ends_takes_up_moves_and_voids(app: Flask, play: Stage) -> None:
    case, adm = play.submit().case, browser(app, play, "adm")
    url = f"/cases/{case}"
    adm.post(f"{url}/resume", data={"to": "two"})
    assert play.is_asked("dee", case)
    task = str(play.task_of("dee", case))
    adm.post(f"{url}/reassign", data={"task": task, "to": str(play.actors["eve"].person_id)})
    assert play.is_asked("eve", case)
    adm.post(f"{url}/end", data={"comment": "enough"})
    assert not play.is_asked("eve", case)
    adm.post(f"{url}/reactivate", data={"to": "two"})
    assert play.is_asked("dee", case)
    adm.post(f"{url}/void", data={"comment": "a mistake"})
    assert "Voided" in text_of(adm, url)


def words(page: str) -> set[str]:
    """The buttons that do something to a case."""
    return set(re.findall(r"/cases/\d+/(\w+)", page))


def test_a_case_offers_only_what_it_can_take(app: Flask, play: Stage) -> None:
    case, adm = play.submit().case, browser(app, play, "adm")
    page = text_of(adm, f"/cases/{case}")
    assert words(page) == {"reassign", "resume", "end", "void"}
    assert '<option value="" disabled selected>' in page  # it is not stuck, so a step is to be chosen
    play.do("bob", "return", case, "which room?", to="initiator")
    assert words(text_of(adm, f"/cases/{case}")) == {"reassign", "end", "void"}
    administration.void(play.actors["adm"], case, "a mistake")
    page = text_of(adm, f"/cases/{case}")
    assert words(page) == {"reactivate"}
    newer = service.submit(play.actors["ann"], "request", play.record_of(case)).case
    page = text_of(adm, f"/cases/{case}")
    assert words(page) == set() and "Another approval of this record is under way." in page
    administration.end(play.actors["adm"], newer, "enough")
    page = text_of(adm, f"/cases/{case}")
    assert words(page) == set() and "Only its newest approval can still be changed." in page
    assert words(text_of(adm, f"/cases/{newer}")) == {"reactivate", "void"}


def test_of_a_deleted_record_nothing_is_offered(app: Flask, play: Stage) -> None:
    case, adm = play.submit().case, browser(app, play, "adm")
    administration.void(play.actors["adm"], case, "a mistake")
    records.delete_record(SYSTEM, "request", play.record_of(case))
    page = text_of(adm, f"/cases/{case}")
    assert words(page) == set() and "Its record has been deleted." in page


def test_all_tasks_of_who_leaves_are_handed_over(app: Flask, play: Stage) -> None:
    found = [play.submit().case for _ in range(3)]
    adm = browser(app, play, "adm")
    bob, eve = (str(play.actors[who].person_id) for who in ("bob", "eve"))
    assert "3 open tasks" in text_of(adm, f"/cases/hand-over?person={bob}")
    adm.post("/cases/hand-over", data={"person": bob, "to": eve})
    assert all(play.is_asked("eve", case) for case in found)


@pytest.mark.parametrize(
    "path", ["/cases", "/cases/hand-over", "/cases/versions/request_approval", "/working-days"]
)
def test_nobody_else_comes_to_the_desk(app: Flask, play: Stage, path: str) -> None:
    assert browser(app, play, "bob").get(path).status_code == 403


def test_a_stranger_to_the_desk_repairs_nothing(app: Flask, play: Stage) -> None:
    case, bob = play.submit().case, browser(app, play, "bob")
    for action in ("resume", "skip", "end", "void", "reactivate", "restart", "reassign"):
        assert bob.post(f"/cases/{case}/{action}", data={"comment": "x", "to": "two"}).status_code == 403
    assert play.is_asked("bob", case)


def test_somebody_names_a_deputy_for_some_days(app: Flask, play: Stage) -> None:
    bob = browser(app, play, "bob")
    cho, eve = (str(play.actors[who].person_id) for who in ("cho", "eve"))
    sent = {"deputy": cho, "first": "2020-01-01", "last": "2999-12-31"}
    assert bob.post("/deputies", data={**sent, "last": ""}).status_code == 422
    assert bob.post("/deputies", data={**sent, "deputy": ""}).status_code == 422
    assert bob.post("/deputies", data=sent).status_code == 303
    page = text_of(bob, "/deputies")
    assert "2999-12-31" in page
    assert bob.post("/deputies", data={**sent, "person": eve}).status_code == 303, "only for oneself"
    assert delegations.list_of(int(eve)) == []
    for end in re.findall(r"/deputies/\d+/remove", page):
        assert bob.post(end).status_code == 303
    assert browser(app, play, "adm").post("/deputies", data={**sent, "person": eve}).status_code == 303
    assert len(delegations.list_of(int(eve))) == 1


def test_a_holiday_is_set_and_taken_away(app: Flask, play: Stage) -> None:
    adm = browser(app, play, "adm")
    adm.post("/working-days", data={"day": "2027-02-08", "works": "no"})
    assert "2027-02-08" in text_of(adm, "/working-days")
    adm.post("/working-days", data={"day": "2027-02-08"})
    assert "2027-02-08" not in text_of(adm, "/working-days")


def test_a_case_is_played_and_past_ones_again_by_the_draft(app: Flask, play: Stage) -> None:
    record, adm = play.record(), browser(app, play, "adm")
    case = play.submit().case
    play.do("bob", "reject", case, "no")
    url = "/cases/play/request_approval"
    assert "Play the last" not in text_of(adm, url)
    sent = {"_record": str(record), "_initiator": str(play.actors["ann"].person_id), "_action": "play"}
    page = adm.post(url, data=sent).get_data(as_text=True)
    assert "How it would go" in page
    assert "Bob" in page
    assert "Bob</strong> · One · People" in page, "said about him, not to him"
    assert not cases.find_open("request", record)
    drafts.save_draft(SYSTEM, "workflow", workflow_doc(approval("one", "dee"), END))
    assert "Play the last" in text_of(adm, url)
    page = adm.post(url, data={"_action": "replay", "_draft": "1"}).get_data(as_text=True)
    assert "1 of the 1 last finished would go another way" in page
    assert "No longer" in page and "Bob · One" in page
    assert "Instead" in page and "Dee · One" in page
    assert browser(app, play, "bob").post(url, data=sent).status_code == 403


def test_a_case_is_played_step_by_step_as_each_of_its_people(app: Flask, play: Stage) -> None:
    play.publish(approval("one", "bob", needs=["signature"]), approval("two", "dee"), END)
    record, adm = play.record(), browser(app, play, "adm")
    bob, dee, ann = (play.actors[who].person_id for who in ("bob", "dee", "ann"))
    url, sent = "/cases/play/request_approval", {"_record": str(record), "_initiator": str(ann)}

    def go(*deeds: str, action: str = "step") -> str:
        return str(
            adm.post(url, data={**sent, "_action": action, "_deed": list(deeds)}).get_data(as_text=True)
        )

    assert f'name="_deed" value="{bob}:approve:one"' in go(action="begin")
    page = go(f"{bob}:approve:one")
    assert f'name="_deed" value="{dee}:reject:two"' in page
    assert f'type="hidden" name="_deed" value="{bob}:approve:one"' in page
    page = go(f"{bob}:approve:one", f"{dee}:return:two")
    assert f'name="_deed" value="{ann}:submit:"' in page
    assert "Dee returned Request" in page, "the notice that Ann would read"
    page = go(f"{bob}:approve:one", f"{dee}:return:two", f"{ann}:submit:")
    assert f'name="_deed" value="{bob}:approve:one"' in page
    page = go(f"{bob}:approve:one", f"{dee}:reject:two", action="undo")
    assert f'name="_deed" value="{dee}:reject:two"' in page
    assert "Rejected" in go(f"{bob}:approve:one", f"{dee}:reject:two")
    assert adm.post(url, data={**sent, "_deed": "x:y"}).status_code == 404
    assert cases.find_open("request", record) is None


def test_what_waits_hear_and_what_people_fill_in_is_chosen_on_the_page(app: Flask, play: Stage) -> None:
    rest = {"id": "rest", "node": "wait", "title": "Rest", "until": "amount > 900"}
    bank = {"id": "bank", "node": "http", "title": "Bank", "url": "https://bank.invalid/"}
    play.publish(rest, approval("one", "bob", fields={"reason": "require", "reviewer": "edit"}), bank, END)
    record, adm = play.record(), browser(app, play, "adm")
    url, sent = "/cases/play/request_approval", {"_record": str(record), "_action": "play"}

    def go(**more: str) -> str:
        return str(adm.post(url, data={**sent, **more}).get_data(as_text=True))

    assert "<strong>Rest</strong> · Waits until this holds: amount &gt; 900" in go()
    over = {"_wait.rest": "over"}
    assert "“One”, field “Reason”: This must be filled in." in go(**over)
    filled = {**over, "_fill.one.reason": "seen", "_fill.one.reviewer": str(play.actors["bob"].person_id)}
    page = go(**filled)
    assert "Assumed, since nobody waits here" in page and "As chosen on this page" in page
    assert 'value="seen"' in page and "Approved" in page
    assert "Stuck" in go(**filled, **{"_status.bank": "none"})
    assert adm.post(url, data={**sent, "_answer.bank": "{"}).status_code == 422


def test_what_is_being_filled_in_is_played_without_being_saved(app: Flask, play: Stage) -> None:
    large = {"id": "large", "when": "amount > 500", "steps": [approval("boss", "dee")]}
    play.publish({"id": "size", "node": "condition", "branches": [large]}, approval("one", "bob"), END)
    record, adm = play.record(), browser(app, play, "adm")
    url = "/cases/play-given/request"
    assert f'hx-post="{url}"' in text_of(adm, "/f/request/new")
    page = adm.post(url, data={"subject": "A hall", "amount": "900"}).get_data(as_text=True)
    assert "Dee</strong> · Boss" in page and "Bob</strong> · One" in page
    page = adm.post(f"{url}?record={record}", data={"subject": "A desk", "amount": "900"}).get_data(
        as_text=True
    )
    assert "Dee</strong> · Boss" in page
    assert "Subject: This must be filled in." in adm.post(url, data={"subject": ""}).get_data(as_text=True)
    with reading() as conn:
        table = get_form("request").table
        assert [(row.id, row.amount) for row in conn.execute(select(table))] == [(record, 100)]
    ann = browser(app, play, "ann")
    assert url not in text_of(ann, "/f/request/new")
    assert ann.post(url, data={"subject": "A hall"}).status_code == 403
    assert adm.post(f"{url}?record=1", data={"subject": "A hall"}).status_code == 404


def test_the_page_of_a_workflow_leads_to_playing_it_and_to_its_running_ones(app: Flask, play: Stage) -> None:
    workflow = get_version("request_approval", 1)
    page = text_of(browser(app, play, "adm"), f"/definitions/{workflow.id}")
    assert "/cases/play/request_approval" in page and "/cases/versions/request_approval" in page


def test_a_builder_plays_a_record_they_see(app: Flask, play: Stage) -> None:
    builder = {
        **STAFF,
        "x-id": "000000b9",
        "x-key": "builder",
        "title": "Builder",
        "grants": [
            {"id": "all", "form": "request", "may": ["view"]},
            {"id": "design", "on": "definition", "may": ["design"]},
        ],
    }
    definitions.publish_many(SYSTEM, [builder], "first")
    play.actors["fay"] = get_actor(people.add_person(SYSTEM, "fay", "Fay", roles=["builder"]))
    record, fay = play.record(), browser(app, play, "fay")
    sent = {"_record": str(record), "_initiator": str(play.actors["ann"].person_id), "_action": "play"}
    answer = fay.post("/cases/play/request_approval", data=sent)
    assert "How it would go" in answer.get_data(as_text=True)
    assert fay.get("/cases/versions/request_approval").status_code == 403
    assert browser(app, play, "bob").get("/cases/play/request_approval").status_code == 403


def test_a_task_that_shows_nothing_says_so(app: Flask, play: Stage) -> None:
    play.publish(approval("one", "eve"), END)
    page = text_of(browser(app, play, "eve"), f"/inbox/{play.task_of('eve', play.submit().case)}")
    assert "This step shows you nothing of the record" in page
    play.publish(approval("one", "eve", fields={"subject": "view"}), END)
    page = text_of(browser(app, play, "eve"), f"/inbox/{play.task_of('eve', play.submit().case)}")
    assert "This step shows you nothing of the record" not in page


def test_paper_says_when_and_for_whom_it_was_printed(app: Flask, play: Stage) -> None:
    case = play.submit().case
    with clock.stopped_at(datetime(2027, 1, 2, 2, tzinfo=UTC)):
        page = text_of(browser(app, play, "bob"), f"/case/{case}/print")
    assert "Printed 2027-01-02 10:00 by Bob." in page
