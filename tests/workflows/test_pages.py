"""The pages as a browser without JavaScript uses them, in both languages, and what strangers are told."""

import re

import pytest
from flask import Flask

from formloop.access.actor import SYSTEM
from formloop.definitions import service as definitions
from formloop.workflows import narrowing, service
from workflows.site import app, browser, play, text_of
from workflows.specimens import STRICTER
from workflows.stage import END, STAFF, Stage, approval

__all__ = ["app", "play"]


def test_the_inbox_shows_what_waits_with_summary_and_count(app: Flask, play: Stage) -> None:
    play.submit(subject="A desk", amount="1234.5")
    bob = browser(app, play, "bob")
    page = text_of(bob, "/inbox")
    assert "Request A desk" in page
    assert re.search(r'<span>Amount <span class="text-body">[^<]*1,234\.5', page)  # with its label
    assert re.search(r'To do</span><span class="badge fl-count fl-urgent">1<', page)
    assert "待办" in text_of(browser(app, play, "bob", "zh-CN"), "/inbox")


def test_what_no_grant_gives_is_not_in_the_summary_nor_found_by_search(app: Flask, play: Stage) -> None:
    play.submit(secret="hush")
    bob = browser(app, play, "bob")
    for url in ("/inbox", f"/inbox/{play.task_of('bob', _case(play))}"):
        assert "hush" not in text_of(bob, url)
    assert "A desk" not in text_of(bob, "/inbox?q=hush")
    assert "A desk" in text_of(bob, "/inbox?q=desk")
    assert "A desk" in text_of(bob, "/inbox?q=ann")


def test_a_number_too_large_for_any_task_breaks_nothing(app: Flask, play: Stage) -> None:
    answer = browser(app, play, "bob").post("/inbox/approve", data={"task": "9" * 5000})
    assert answer.status_code < 500


def _case(play: Stage) -> int:
    from formloop.workflows import inbox

    return inbox.list_tab(play.actors["bob"], "todo", "en").rows[0].case or 0


def test_each_tab_shows_what_it_says(app: Flask, play: Stage) -> None:
    case = play.submit(subject="A desk").case
    play.record(subject="A chair")
    ann, bob = browser(app, play, "ann"), browser(app, play, "bob")
    play.do("bob", "approve", case)
    assert "A desk" in text_of(ann, "/inbox?tab=started")
    assert "A chair" in text_of(ann, "/inbox?tab=drafts")
    assert "A desk" not in text_of(ann, "/inbox?tab=drafts")
    assert "A desk" in text_of(bob, "/inbox?tab=done")
    assert "A desk" not in text_of(bob, "/inbox?tab=todo")
    assert "No copies" in text_of(bob, "/inbox?tab=copies")
    assert bob.get("/inbox?tab=nonsense").status_code == 404


def test_a_task_is_approved_by_a_plain_form(app: Flask, play: Stage) -> None:
    case = play.submit().case
    bob = browser(app, play, "bob")
    url = f"/inbox/{play.task_of('bob', case)}"
    page = text_of(bob, url)
    assert 'name="reason"' in page
    assert 'name="amount"' not in page
    assert "The workflow names you" in page
    sent = {"action": "approve", "comment": "fine", "reason": "needed", "revision": "2"}
    answer = bob.post(f"{url}/decide", data=sent)
    assert (answer.status_code, answer.location) == (303, "/inbox")
    assert "Approved." in text_of(bob, "/inbox")
    page = text_of(bob, url)
    assert "fine" in page
    assert "needed" in page
    assert 'value="approve"' not in page


def test_approving_what_has_changed_meanwhile_is_a_conflict(app: Flask, play: Stage) -> None:
    case = play.submit().case
    url = f"/inbox/{play.task_of('cho', case)}"
    play.do("bob", "approve", case, raw={"reason": "changed"})
    answer = browser(app, play, "cho").post(f"{url}/decide", data={"action": "approve", "revision": "2"})
    assert answer.status_code == 409
    assert play.is_asked("cho", case)


def test_what_was_filled_in_stays_on_the_page_when_it_is_refused(app: Flask, play: Stage) -> None:
    play.publish(approval("one", "bob", fields={"amount": "edit", "reason": "require"}), END)
    case = play.submit().case
    url = f"/inbox/{play.task_of('bob', case)}/decide"
    answer = browser(app, play, "bob").post(
        url, data={"action": "approve", "amount": "77", "comment": "well"}
    )
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert 'value="77' in page
    assert "A desk" in page
    assert ">well</textarea>" in page


def test_what_cannot_be_submitted_is_told_at_the_field_where_it_is_corrected(app: Flask, play: Stage) -> None:
    record = play.record(amount="100")
    definitions.publish_many(SYSTEM, [STRICTER], "stricter")
    answer = browser(app, play, "ann").post(f"/f/request/{record}/submit")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert f'action="/f/request/{record}/edit"' in page
    assert "Correct what is marked and save it; then submit it." in page
    assert "Too much." in page.partition('name="amount"')[2]


def test_who_may_not_change_it_is_told_on_the_records_own_page(app: Flask, play: Stage) -> None:
    record = play.record(amount="100")
    (own,) = STAFF["grants"]
    readers = {**STAFF, "grants": [{**own, "may": ["view", "submit"]}]}
    definitions.publish_many(SYSTEM, [STRICTER, readers], "stricter")
    ann = browser(app, play, "ann")
    answer = ann.post(f"/f/request/{record}/submit")
    assert (answer.status_code, answer.location) == (303, f"/f/request/{record}")
    assert "Not submitted. Amount: Too much." in text_of(ann, answer.location)


def test_rejecting_asks_for_the_reason(app: Flask, play: Stage) -> None:
    case = play.submit().case
    bob = browser(app, play, "bob", "zh-CN")
    url = f"/inbox/{play.task_of('bob', case)}"
    assert "拒绝的原因" in text_of(bob, f"{url}/reject")
    answer = bob.post(f"{url}/decide", data={"action": "reject", "comment": ""})
    assert answer.status_code == 422
    assert "请填写原因" in answer.get_data(as_text=True)
    assert bob.post(f"{url}/decide", data={"action": "reject", "comment": "太贵"}).status_code == 303
    assert play.state_of(case) == "rejected"


def test_returning_and_transferring_by_plain_forms(app: Flask, play: Stage) -> None:
    case = play.submit().case
    play.do("cho", "approve", case)
    bob = browser(app, play, "bob")
    url = f"/inbox/{play.task_of('bob', case)}"
    assert "Eve" in text_of(bob, f"{url}/transfer")
    eve = str(play.actors["eve"].person_id)
    assert bob.post(f"{url}/decide", data={"action": "transfer", "to": ""}).status_code == 422
    assert bob.post(f"{url}/decide", data={"action": "transfer", "to": eve}).status_code == 303
    url = f"/inbox/{play.task_of('eve', case)}"
    client = browser(app, play, "eve")
    assert "Bob transferred this to you" in text_of(client, url)
    sent = {"action": "return", "to": "initiator", "comment": "again"}
    assert client.post(f"{url}/decide", data=sent).status_code == 303
    assert play.state_of(case) == "draft"
    ann = browser(app, play, "ann")
    assert "Returned to you" in text_of(ann, "/inbox")
    task = text_of(ann, f"/inbox/{play.task_of('ann', case)}")
    assert "Submit again" in task


def test_several_are_approved_at_once(app: Flask, play: Stage) -> None:
    found = [play.submit(subject=f"Desk {n}").case for n in range(3)]
    chosen = [str(play.task_of("bob", case)) for case in found[:2]]
    answer = browser(app, play, "bob").post("/inbox/approve", data={"task": chosen})
    assert answer.status_code == 303
    assert [play.is_asked("bob", case) for case in found] == [False, False, True]


def test_htmx_gets_the_list_anew_with_a_toast(app: Flask, play: Stage) -> None:
    case = play.submit().case
    url = f"/inbox/{play.task_of('bob', case)}/decide"
    headers = {"HX-Request": "true", "HX-Target": "inbox"}
    answer = browser(app, play, "bob").post(url, data={"action": "approve"}, headers=headers)
    assert answer.get_data(as_text=True).lstrip().startswith('<section id="inbox"')
    assert "fl-toast" in answer.headers["HX-Trigger"]


@pytest.mark.parametrize("path", ["", "/reject", "/return", "/transfer", "/comment"])
def test_a_stranger_finds_nothing(app: Flask, play: Stage, path: str) -> None:
    case = play.submit().case
    url = f"/inbox/{play.task_of('bob', case)}"
    for who in ("eve", "dee", "ann", "adm"):
        assert browser(app, play, who).get(url + path).status_code == 404
    assert app.test_client().get(url).status_code in (302, 303, 401)


def test_a_stranger_cannot_act_on_a_case(app: Flask, play: Stage) -> None:
    case = play.submit().case
    eve = browser(app, play, "eve")
    url = f"/inbox/{play.task_of('bob', case)}/decide"
    assert eve.post(url, data={"action": "approve"}).status_code == 404
    for action in ("withdraw", "comment", "resume"):
        assert eve.post(f"/case/{case}/{action}", data={"comment": "x"}).status_code in (403, 404)
    assert play.is_asked("bob", case)


def test_a_record_page_submits_withdraws_and_shows_the_way(app: Flask, play: Stage) -> None:
    record = play.record()
    ann = browser(app, play, "ann")
    page = text_of(ann, f"/f/request/{record}")
    assert f"/f/request/{record}/submit" in page
    assert ann.post(f"/f/request/{record}/submit").status_code == 303
    page = text_of(ann, f"/f/request/{record}")
    assert "Bob" in page
    assert "Still to come" in page
    case = int(re.findall(r"/case/(\d+)/withdraw", page)[0])
    assert ann.post(f"/case/{case}/comment", data={"comment": "please hurry"}).status_code == 303
    assert ann.post(f"/case/{case}/withdraw").status_code == 303
    page = text_of(ann, f"/f/request/{record}")
    assert "please hurry" in page
    assert f"/f/request/{record}/submit" in page


def test_a_decider_is_led_from_the_record_to_the_task(app: Flask, play: Stage) -> None:
    record = play.record()
    case = service.submit(play.actors["ann"], "request", record).case
    assert f"/inbox/{play.task_of('bob', case)}" in text_of(browser(app, play, "bob"), f"/f/request/{record}")


def test_a_copy_counts_as_read_once_it_was_opened(app: Flask, play: Stage) -> None:
    tell = {"id": "tell", "node": "copy", "who": [{"rule": "people", "people": ["cho"]}]}
    play.publish(tell, approval("one", "bob"), END)
    play.submit(subject="A lamp")
    cho = browser(app, play, "cho")
    page = text_of(cho, "/inbox?tab=copies")
    assert "fl-unread" in page
    text_of(cho, re.findall(r"/inbox/\d+", page)[0])
    assert "fl-unread" not in text_of(cho, "/inbox?tab=copies")


def test_the_inbox_is_paged_by_key(app: Flask, play: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    from formloop.workflows import inbox

    monkeypatch.setattr(inbox, "list_tab", _small(inbox.list_tab))
    for number in range(5):
        play.submit(subject=f"Desk {number}")
        play.record(subject=f"Chair {number}")
    for who, tab, name in (("bob", "todo", "Desk"), ("ann", "started", "Desk"), ("ann", "drafts", "Chair")):
        client, url, seen = browser(app, play, who), f"/inbox?tab={tab}", []
        while url:
            page = text_of(client, url)
            seen += re.findall(rf"{name} (\d)</a>", page)
            more = re.findall(r'fl-more" href="([^"]+)"', page)
            url = more[0].replace("&amp;", "&") if more else ""
        assert seen == ["4", "3", "2", "1", "0"], tab


def _small(list_tab):  # type: ignore[no-untyped-def]

    return lambda actor, tab, locale, wanted=narrowing.EVERYTHING, after=None, limit=2: list_tab(
        actor, tab, locale, wanted, after, 2
    )


def test_the_start_page_shows_my_tasks(app: Flask, play: Stage) -> None:
    play.submit(subject="A desk")
    assert "Request A desk" in text_of(browser(app, play, "bob"), "/")
    assert "Nothing waits for you." in text_of(browser(app, play, "dee"), "/")
