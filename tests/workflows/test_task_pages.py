"""Every action of a task by plain forms, files and signatures, the drawing, links, paper, and what is purged."""

import io
import re

import pytest
from flask import Flask

from formloop.access.actor import SYSTEM
from formloop.core.errors import FormloopError
from formloop.definitions import service as definitions
from formloop.forms import files, purging
from formloop.forms import service as records
from formloop.workflows import administration, cases, service, timeline
from workflows.site import app, browser, play, text_of
from workflows.specimens import REQUEST
from workflows.stage import END, Stage, approval

__all__ = ["app", "play"]
ALL = ["approve", "reject", "return", "transfer", "add_signer"]
PICTURE = b"\x89PNG\r\n\x1a\n" + b"0" * 20


def url_of(play: Stage, who: str, case: int) -> str:
    return f"/inbox/{play.task_of(who, case)}"


def test_somebody_else_is_asked_to_sign_before(app: Flask, play: Stage) -> None:
    play.publish(approval("one", "bob", actions=ALL), END)
    case = play.submit().case
    url, bob = url_of(play, "bob", case), browser(app, play, "bob")
    assert "Add a signer" in text_of(bob, url)
    assert "Before me" in text_of(bob, f"{url}/add_signer")
    sent = {
        "action": "add_signer",
        "to": str(play.actors["cho"].person_id),
        "how": "before",
        "comment": "look",
    }
    assert bob.post(f"{url}/decide", data={**sent, "to": ""}).status_code == 422
    assert bob.post(f"{url}/decide", data=sent).status_code == 303
    assert "Bob asked you to sign too" in text_of(browser(app, play, "cho"), url_of(play, "cho", case))
    assert not play.is_asked("bob", case)


def test_it_is_returned_to_come_straight_back(app: Flask, play: Stage) -> None:
    case = play.submit().case
    for who in ("bob", "cho"):
        play.do(who, "approve", case)
    url, dee = url_of(play, "dee", case), browser(app, play, "dee")
    assert "Straight back to this step" in text_of(dee, f"{url}/return")
    sent = {"action": "return", "to": "one", "how": "back", "comment": "look again"}
    assert dee.post(f"{url}/decide", data=sent).status_code == 303
    for who in ("bob", "cho"):
        play.do(who, "approve", case)
    assert play.is_asked("dee", case)


def test_in_parallel_ways_it_is_returned_within_its_own_and_every_way_shows_what_is_to_come(
    app: Flask, play: Stage
) -> None:
    ways = [
        {"id": way, "steps": [approval(f"{way}_{n}", who) for n in ("one", "two", "three")]}
        for way, who in (("left", "bob"), ("right", "cho"))
    ]
    play.publish({"id": "fork", "node": "parallel", "branches": ways}, approval("last", "dee"), END)
    case = play.submit().case
    for who in ("bob", "cho"):
        play.do(who, "approve", case)
    offered = text_of(browser(app, play, "cho"), f"{url_of(play, 'cho', case)}/return")
    assert 'value="right_one"' in offered
    assert 'value="left_one"' not in offered
    found = cases.get_case(case)
    assert found is not None
    way = timeline.build(found, "en")
    assert [each.step for each in way if str(each.word) == "Still to come"] == [
        "Left_Three",
        "Right_Three",
        "Last",
    ]


def test_what_was_put_by_waits_on_the_page(app: Flask, play: Stage) -> None:
    case = play.submit().case
    url, bob = url_of(play, "bob", case), browser(app, play, "bob")
    sent = {"action": "stash", "comment": "half a thought", "reason": "half a reason"}
    assert bob.post(f"{url}/decide", data=sent).status_code == 303
    page = text_of(bob, url)
    assert "half a thought" in page
    assert 'value="half a reason"' in page
    assert play.is_asked("bob", case)


def test_copies_and_comments_leave_the_task_open(app: Flask, play: Stage) -> None:
    case = play.submit().case
    url, bob = url_of(play, "bob", case), browser(app, play, "bob")
    eve = str(play.actors["eve"].person_id)
    assert bob.post(f"{url}/decide", data={"action": "copy", "to": []}).status_code == 422
    assert (
        bob.post(f"{url}/decide", data={"action": "copy", "to": [eve], "comment": "fyi"}).status_code == 303
    )
    assert "Request" in text_of(browser(app, play, "eve"), "/inbox?tab=copies")
    assert play.is_asked("bob", case)


def test_a_signature_goes_with_the_approval_and_stands_in_the_history(app: Flask, play: Stage) -> None:
    case = play.submit().case
    url, bob = url_of(play, "bob", case), browser(app, play, "bob")
    answer = bob.post(f"{url}/file", data={"file": (io.BytesIO(PICTURE), "signature.png")})
    key = answer.get_json()["files"][0]["key"]
    file = f"/case/{case}/file/{key}"
    assert bob.get(file).status_code == 200
    assert browser(app, play, "cho").get(file).status_code == 404, "it is not sent yet"
    assert bob.post(f"{url}/decide", data={"action": "approve", "signature": [key]}).status_code == 303
    cho = browser(app, play, "cho")
    assert file in text_of(cho, url_of(play, "cho", case))
    assert cho.get(file).data == PICTURE
    assert browser(app, play, "eve").get(file).status_code == 404
    assert file in text_of(cho, f"/case/{case}/print")


@pytest.mark.parametrize("content", [b"no picture at all", b"<svg onload='alert(1)'/>"])
def test_what_is_no_picture_is_no_signature(app: Flask, play: Stage, content: bytes) -> None:
    play.publish(approval("one", "bob", needs=["signature"]), END)
    case = play.submit().case
    url, bob = url_of(play, "bob", case), browser(app, play, "bob")
    answer = bob.post(f"{url}/file", data={"file": (io.BytesIO(content), "signature.png")})
    key = answer.get_json()["files"][0]["key"]
    assert bob.post(f"{url}/decide", data={"action": "approve", "signature": [key]}).status_code == 422
    assert play.is_asked("bob", case)


def test_nobody_attaches_a_file_that_somebody_else_uploaded(app: Flask, play: Stage) -> None:
    play.publish(approval("one", "bob"), END)
    kept = files.keep_upload(play.actors["ann"], "pay.txt", io.BytesIO(b"secret"), 10**6)
    url = url_of(play, "bob", play.submit().case)
    asked = {"action": "comment", "comment": "mine", "attached": kept.key}
    assert browser(app, play, "bob").post(f"{url}/decide", data=asked).status_code == 404


def test_a_step_can_insist_on_a_comment_and_a_signature(app: Flask, play: Stage) -> None:
    play.publish(approval("one", "bob", needs=["comment", "signature"]), END)
    case = play.submit().case
    url, bob = url_of(play, "bob", case), browser(app, play, "bob")
    assert "data-fl-approve" not in text_of(bob, "/inbox"), "there is nowhere to sign in the list"
    assert "This step needs your signature." in text_of(bob, url)
    key = bob.post(f"{url}/file", data={"file": (io.BytesIO(PICTURE), "signature.png")}).get_json()["files"][
        0
    ]["key"]
    for sent, said in (
        ({"signature": [key]}, "This step needs a comment from you."),
        ({"comment": "yes", "attached": [key]}, "This step needs your signature."),
    ):
        answer = bob.post(f"{url}/decide", data={"action": "approve", **sent})
        assert answer.status_code == 422
        assert said in answer.text
    assert play.is_asked("bob", case)
    sent = {"action": "approve", "comment": "yes", "signature": [key]}
    assert bob.post(f"{url}/decide", data=sent).status_code == 303
    assert f"/case/{case}/file/{key}" in text_of(bob, f"/case/{case}/print")


def test_a_task_is_unread_until_it_is_opened(app: Flask, play: Stage) -> None:
    case, bob = play.submit().case, browser(app, play, "bob")
    play.submit(subject="A chair")
    assert text_of(bob, "/inbox").count("fl-unread") == 2
    bob.get(url_of(play, "bob", case))
    page = text_of(bob, "/inbox")
    assert page.count("fl-unread") == 1
    assert "A desk" in page
    assert "A desk" not in text_of(bob, "/inbox?unread=1")
    assert "A chair" in text_of(bob, "/inbox?unread=1")


def test_the_one_before_picks_who_comes_next(app: Flask, play: Stage) -> None:
    who = [{"rule": "chosen", "by": "previous"}]
    play.publish(approval("one", "bob"), approval("two", who=who), END)
    case = play.submit().case
    url, bob = url_of(play, "bob", case), browser(app, play, "bob")
    assert "Who decides at “Two”" in text_of(bob, url)
    bob.post(f"{url}/decide", data={"action": "approve", "chosen.two": [str(play.actors["dee"].person_id)]})
    assert play.is_asked("dee", case)


def test_the_initiator_picks_when_submitting(app: Flask, play: Stage) -> None:
    play.publish(approval("one", who=[{"rule": "chosen", "by": "initiator"}]), END)
    record, ann = play.record(), browser(app, play, "ann")
    assert "Who decides at “One”" in text_of(ann, f"/f/request/{record}")
    ann.post(f"/f/request/{record}/submit", data={"chosen.one": [str(play.actors["cho"].person_id)]})
    assert "A desk" in text_of(browser(app, play, "cho"), "/inbox")


def test_work_to_do_is_marked_as_done(app: Flask, play: Stage) -> None:
    work = {"id": "one", "node": "handle", "who": [{"rule": "people", "people": ["bob"]}]}
    play.publish(work, END)
    case = play.submit().case
    bob = browser(app, play, "bob")
    assert "Mark as done" in text_of(bob, "/inbox")
    assert "Mark as done" in text_of(bob, url_of(play, "bob", case))


def test_the_initiator_reminds_and_the_approver_sees_it(app: Flask, play: Stage) -> None:
    case = play.submit().case
    ann = browser(app, play, "ann")
    assert ann.post(f"/case/{case}/urge").status_code == 303
    assert "Reminded" in text_of(browser(app, play, "bob"), "/inbox")


def test_an_approval_is_taken_back_on_its_page(app: Flask, play: Stage) -> None:
    play.publish(approval("one", "bob"), approval("two", "dee"), END)
    case = play.submit().case
    url, bob = url_of(play, "bob", case), browser(app, play, "bob")
    play.do("bob", "approve", case)
    assert "Take my approval back" in text_of(bob, url)
    assert bob.post(f"/case/{case}/take_back").status_code == 303
    assert play.is_asked("bob", case)


def test_the_text_of_a_message_is_read_in_the_inbox_and_on_its_page(app: Flask, play: Stage) -> None:
    write = {
        "id": "say",
        "node": "message",
        "who": [{"rule": "people", "people": ["dee"]}],
        "text": '"Hello there"',
    }
    play.publish(write, approval("one", "bob"), END)
    play.submit()
    dee = browser(app, play, "dee")
    page = text_of(dee, "/inbox?tab=copies")
    assert "Hello there" in page
    assert "Hello there" in text_of(dee, re.findall(r"/inbox/\d+", page)[0])


def test_the_drawing_shows_how_far_the_case_came(app: Flask, play: Stage) -> None:
    large = {"id": "large", "when": "amount > 1000", "steps": [approval("boss", "dee")]}
    small = {"id": "small", "steps": [approval("peer", "cho")]}
    fork = {"id": "size", "node": "condition", "branches": [large, small]}
    play.publish(approval("one", "bob"), fork, END)
    case = play.submit(amount="5").case
    play.do("bob", "approve", case)
    page = text_of(browser(app, play, "cho"), url_of(play, "cho", case))
    ways = re.findall(r'fl-node fl-way-(\w+)"[^§]*?<span>([^<]+)</span>', page)
    found = {title: way for way, title in ways}
    assert found["One"] == "done"
    assert found["Peer"] == "now"
    assert found["Boss"] == "ahead"
    assert len(re.findall("fl-node-branch fl-taken", page)) == 1


def test_a_link_leads_everybody_to_their_part(app: Flask, play: Stage) -> None:
    case = play.submit().case
    link = f"/t/{play.task_of('bob', case)}"
    stranger = app.test_client().get(link)
    assert "next=" in stranger.location
    assert browser(app, play, "bob").get(link).location == f"/inbox/{play.task_of('bob', case)}"
    assert browser(app, play, "cho").get(link).location == f"/inbox/{play.task_of('cho', case)}"
    assert browser(app, play, "ann").get(link).location.startswith("/f/request/")
    assert browser(app, play, "eve").get(link).status_code == 404


def test_the_inbox_is_narrowed_down(app: Flask, play: Stage) -> None:
    play.submit(subject="A desk")
    bob = browser(app, play, "bob")
    for query in ("workflow=request_approval", "step=one", "initiator=ann", "from=2020-01-01", "q=desk"):
        assert "A desk" in text_of(bob, f"/inbox?{query}"), query
    for query in ("workflow=other", "step=two", "initiator=bob", "until=2020-01-01", "from=2999-01-01"):
        assert "A desk" not in text_of(bob, f"/inbox?{query}"), query
    assert "A desk" in text_of(bob, "/inbox?from=nonsense")


def test_several_are_rejected_at_once_with_one_reason(app: Flask, play: Stage) -> None:
    found = [play.submit(subject=f"Desk {n}").case for n in range(2)]
    chosen = [str(play.task_of("bob", case)) for case in found]
    bob = browser(app, play, "bob")
    bob.post("/inbox/reject", data={"task": chosen})
    assert play.is_asked("bob", found[0]), "without a reason nothing is rejected"
    bob.post("/inbox/reject", data={"task": chosen, "comment": "no money"})
    assert [play.state_of(case) for case in found] == ["rejected", "rejected"]


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
def test_of_a_purged_record_only_the_decisions_stay(app: Flask, play: Stage, locale: str) -> None:
    case = play.submit(subject="Burnt letters").case
    url = url_of(play, "bob", case)
    play.do("bob", "reject", case, "no")
    found = cases.get_case(case)
    assert found is not None
    assert "Burnt" in text_of(browser(app, play, "ann", locale), "/notices")
    records.delete_record(SYSTEM, "request", found.record, None)
    purging.purge_record(SYSTEM, "request", found.record)
    bob, ann = browser(app, play, "bob", locale), browser(app, play, "ann", locale)
    assert "Burnt" not in text_of(ann, "/notices")
    said = {"en": "was deleted for good", "zh-CN": "已被彻底删除"}[locale]
    for client, at in ((bob, url), (ann, f"/case/{case}"), (bob, f"/case/{case}/print")):
        page = text_of(client, at)
        assert said in page
        assert "Burnt" not in page
    for client, tab in ((bob, "done"), (ann, "started")):
        assert "Burnt" not in text_of(client, f"/inbox?tab={tab}")


def test_a_returned_case_ends_when_its_record_is_deleted(app: Flask, play: Stage) -> None:
    case = play.submit().case
    play.do("bob", "return", case, "why", to="initiator")
    records.delete_record(play.actors["ann"], "request", play.record_of(case), None)
    now = cases.get_case(case)
    assert now is not None
    assert (now.status, play.is_asked("ann", case)) == ("withdrawn", False)
    records.restore_record(play.actors["ann"], "request", play.record_of(case))
    again = service.submit(play.actors["ann"], "request", play.record_of(case))
    assert play.is_asked("bob", again.case)


@pytest.mark.parametrize("how", ["transferred", "reassigned", "somebody else was faster"])
def test_who_lost_a_task_reads_the_record_only_by_rights_of_their_own(
    app: Flask, play: Stage, how: str
) -> None:
    eve, bob = (play.actors[who].person_id or 0 for who in ("eve", "bob"))
    play.publish(approval("one", "eve", *(["bob"] if "faster" in how else []), fields={"*": "view"}), END)
    case = play.submit(subject="Hush-hush").case
    client, task = browser(app, play, "eve"), play.task_of("eve", case)
    assert "Hush-hush" in text_of(client, f"/inbox/{task}")
    if how == "transferred":
        play.do("eve", "transfer", case, to=bob)
    elif how == "reassigned":
        administration.reassign(play.actors["adm"], task, bob)
    else:
        play.do("bob", "approve", case)
    said = "This step does not wait for you" if "faster" in how else "This task has gone to Bob."
    page = text_of(client, f"/inbox/{task}")
    assert said in page and "Hush-hush" not in page and "Open the record" not in page
    assert "Hush-hush" not in text_of(client, "/inbox?tab=done")
    late = client.post(f"/inbox/{task}/decide", data={"action": "approve"})
    assert late.status_code == 409 and "Hush-hush" not in late.get_data(as_text=True)
    assert text_of(client, f"/inbox/{task}/comment", 409)
    assert client.get(f"/case/{case}").headers["Location"] == f"/inbox/{task}"
    for door in (f"/case/{case}/print", f"/f/request/{play.record_of(case)}"):
        assert client.get(door).status_code in (403, 404)
    with pytest.raises(FormloopError):
        service.copy_to(play.actors["eve"], case, [eve])


def test_who_lost_a_task_is_led_to_the_record_that_they_may_see_anyway(app: Flask, play: Stage) -> None:
    case = play.submit().case
    task = play.task_of("bob", case)
    play.do("bob", "transfer", case, to=play.actors["dee"].person_id)
    page = text_of(browser(app, play, "bob"), f"/inbox/{task}")
    assert "This task has gone to Dee." in page, "Cho was asked besides Bob, not instead"
    assert re.search(r"<h1[^>]*>\s*Request A desk", page)
    assert f'href="/f/request/{play.record_of(case)}"' in page


def test_who_lost_a_task_reads_who_has_it_in_the_end(app: Flask, play: Stage) -> None:
    case = play.submit().case
    task = play.task_of("bob", case)
    play.do("bob", "transfer", case, to=play.actors["dee"].person_id)
    administration.reassign(play.actors["adm"], play.task_of("dee", case), play.actors["eve"].person_id or 0)
    assert "This task has gone to Eve." in text_of(browser(app, play, "bob"), f"/inbox/{task}")


def test_submitting_into_a_dead_end_says_that_it_waits_and_why(app: Flask, play: Stage) -> None:
    play.publish(approval("one", who=[{"rule": "member_field", "field": "reviewer"}]), END)
    record, ann = play.record(), browser(app, play, "ann")
    assert ann.post(f"/f/request/{record}/submit").status_code == 303
    page = text_of(ann, f"/f/request/{record}")
    assert "Submitted, but it waits: Nobody was found to decide." in page
    assert "This cannot go on: Nobody was found to decide." in page
    assert "This cannot go on" in text_of(ann, f"/f/request/{record}"), "not only right after it"
    assert "Request A desk of Ann cannot go on" in text_of(browser(app, play, "adm"), "/notices")


def test_batch_buttons_stand_only_where_something_can_be_chosen(app: Flask, play: Stage) -> None:
    play.publish(approval("one", "bob", needs=["signature"]), END)
    case, bob = play.submit().case, browser(app, play, "bob")
    page = text_of(bob, "/inbox")
    assert "Approve chosen" not in page and "fl-task-choice" not in page
    play.publish(approval("one", "bob"), END)
    play.submit()
    page = text_of(bob, "/inbox")
    assert "Approve chosen" in page and page.count('name="task"') == 1
    assert f'data-fl-copy="/t/{play.task_of("bob", case)}"' in text_of(bob, url_of(play, "bob", case))


def test_a_task_shows_what_the_record_looks_up_to_who_may_open_it(app: Flask, play: Stage) -> None:
    same = {"form": "request", "where": "subject = this.subject", "columns": ["subject"]}
    query = {"type": "string", "x-type": "query", "title": "Alike", "x-query": same}
    form = {**REQUEST, "properties": {**REQUEST["properties"], "alike": query}}
    definitions.publish_many(SYSTEM, [form], "with a look-up")
    play.publish(approval("one", "bob", fields={"*": "view"}), END)
    case = play.submit().case
    shown = text_of(browser(app, play, "bob"), url_of(play, "bob", case))
    (address,) = re.findall(r'hx-get="(/[^"]*alike[^"]*)"', shown)
    assert f"record={play.record_of(case)}" in address
    assert "A desk" in text_of(browser(app, play, "bob"), address)
