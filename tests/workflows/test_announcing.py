"""Who is told what of a case, on both databases."""

from datetime import timedelta
from typing import Any

import pytest

from formloop.access import people
from formloop.access.actor import SYSTEM
from formloop.bridges.notices import service as notices
from formloop.core import clock
from formloop.events import outbox
from formloop.workflows import administration, announcing, hearing, in_notices, service, watching
from workflows.stage import END, Stage, approval, stage

__all__ = ["stage"]
STANDS_IN_THE_LIST = in_notices.STATES  # there once its module is imported


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, stage: Stage) -> list[tuple[set[str], str, str, str]]:
    """What `tell` is called with, as if letters went out: accounts, kind, English and Chinese."""
    found: list[Any] = []
    names = {actor.person_id: account for account, actor in stage.actors.items()}

    def tell(people: Any, kind: str, text: Any, link: str = "") -> None:
        words = (text, text) if isinstance(text, str) else (text.render("en"), text.render("zh-CN"))
        found.append(({names[each] for each in people}, kind, *words))

    monkeypatch.setattr(announcing.notices, "tell", tell)
    monkeypatch.setattr(announcing.notices, "is_told", lambda kind: True)
    return found


def test_whoever_is_asked_is_told_and_the_initiator_hears_of_the_end(stage: Stage, told: Any) -> None:
    tell = {"id": "tell", "node": "copy", "who": [{"rule": "people", "people": ["cho"]}]}
    stage.publish(approval("one", "bob"), tell, END)
    case = stage.submit().case
    assert told == [({"bob"}, "task", "Request of Ann waits for you: One", "Ann 的申请等您处理：One")]
    stage.do("bob", "approve", case)
    assert told[1:] == [
        ({"cho"}, "copy", "Request of Ann was copied to you.", "Ann 的申请抄送给您。"),
        ({"ann"}, "outcome", "Request A desk was approved.", "申请 A desk 已通过。"),
    ]


def test_whoever_is_to_correct_it_for_somebody_who_has_left_is_told(stage: Stage, told: Any) -> None:
    stage.publish(approval("one", "bob"), END)
    case, ann = stage.submit().case, stage.actors["ann"].person_id or 0
    people.change_person(SYSTEM, ann, active=False)
    stage.do("bob", "return", case, "too dear", to="initiator")
    assert (told[-1][0], told[-1][1]) == ({"adm"}, "repair")
    (waiting,) = administration.list_open_tasks(ann)
    administration.reassign(stage.actors["adm"], waiting, stage.actors["cho"].person_id or 0)
    assert told[-1] == (
        {"cho"},
        "task",
        "Request of Ann was given to you to be corrected.",
        "Ann 的申请已改派给您修改。",
    )
    assert [kind for _, kind, *_ in told] == ["task", "repair", "task"]


def test_returning_and_rejecting_are_told_to_the_initiator_alone(stage: Stage, told: Any) -> None:
    stage.publish(approval("one", "bob"), END)
    case = stage.submit().case
    stage.do("bob", "return", case, "too dear", to="initiator")
    assert told[-1][:3] == ({"ann"}, "outcome", "Bob returned Request A desk to you: too dear")
    service.submit(stage.actors["ann"], "request", _record(case))
    stage.do("bob", "reject", case, "no")
    assert told[-1][:3] == ({"ann"}, "outcome", "Request A desk was rejected.")
    assert [kind for _, kind, *_ in told] == ["task", "outcome", "task", "outcome"]


def test_urging_messages_and_what_needs_repair(stage: Stage, told: Any) -> None:
    write = {
        "id": "say",
        "node": "message",
        "who": [{"rule": "people", "people": ["dee"]}],
        "text": "subject",
    }
    gone = approval("two", who=[{"rule": "member_field", "field": "reviewer"}])
    stage.publish(write, approval("one", "bob"), gone, END)
    case = stage.submit().case
    assert ({"dee"}, "message", "A desk", "A desk") in told
    service.urge(stage.actors["ann"], case)
    assert told[-1][:3] == ({"bob"}, "urge", "Ann asks you to decide soon: Request A desk")
    stage.do("bob", "approve", case)
    assert told[-1][:3] == (
        {"adm"},
        "repair",
        "Request A desk of Ann cannot go on: Nobody was found to decide.",
    )
    administration.skip(stage.actors["adm"], case, "nobody there")
    assert told[-1][1] == "outcome"


def test_notices_stand_in_the_app_of_their_people(stage: Stage) -> None:
    stage.publish(approval("one", "bob"), END)
    stage.do("bob", "approve", stage.submit().case)
    assert [each.text for each in notices.list_notices(stage.actors["ann"], "en")[0]] == [
        "Request A desk was approved."
    ]
    assert notices.list_notices(stage.actors["bob"], "en")[0] == []


def texts(stage: Stage, who: str, locale: str = "en") -> list[tuple[str, bool]]:
    return [(each.text, each.unread) for each in notices.list_notices(stage.actors[who], locale)[0]]


def test_tasks_and_copies_stand_among_the_notices_until_they_are_opened(stage: Stage) -> None:
    tell = {"id": "tell", "node": "copy", "who": [{"rule": "people", "people": ["eve"]}]}
    stage.publish(tell, approval("one", "bob"), END)
    case = stage.submit().case
    assert texts(stage, "bob") == [("Request A desk of Ann waits for you: One", True)]
    assert texts(stage, "bob", "zh-CN") == [("Ann 的申请“A desk”等您处理：One", True)]
    assert texts(stage, "eve") == [("Request of Ann was copied to you.", True)], "she may not see the title"
    assert set(STANDS_IN_THE_LIST) == {"task", "copy"}
    assert [notices.count_unread(stage.actors[who]) for who in ("bob", "eve", "ann")] == [1, 1, 0]
    service.mark_seen(stage.actors["bob"], stage.task_of("bob", case))
    assert notices.count_unread(stage.actors["bob"]) == 0
    assert notices.read_all(stage.actors["eve"]) == 1
    assert texts(stage, "eve") == [("Request of Ann was copied to you.", False)]
    stage.do("bob", "approve", case)
    assert texts(stage, "bob") == []


def test_tasks_and_notices_come_page_by_page_in_one_order(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices, "PAGE", 2)
    stage.publish(approval("one", "bob"), END)
    for title in ("First", "Second", "Third"):
        service.urge(stage.actors["ann"], stage.submit(subject=title).case)
    found, mark = [], None
    while True:
        some, mark = notices.list_notices(stage.actors["bob"], "en", mark)
        found += [each.text.split(":")[-1].strip() if "soon" in each.text else "task" for each in some]
        if mark is None:
            break
    assert found == ["Request Third", "task", "Request Second", "task", "Request First", "task"]


def test_whoever_does_not_want_tasks_among_their_notices_has_none(stage: Stage) -> None:
    bob = stage.actors["bob"]
    notices.choose(bob.person_id or 0, {("task", notices.APP): "off"})
    stage.publish(approval("one", "bob"), END)
    case = stage.submit().case
    assert (texts(stage, "bob"), notices.count_unread(bob)) == ([], 0)
    service.urge(stage.actors["ann"], case)
    assert notices.count_unread(bob) == 1
    service.mark_seen(bob, stage.task_of("bob", case))
    assert notices.count_unread(bob) == 0


def _record(case: int) -> int:
    from formloop.workflows import cases

    found = cases.get_case(case)
    assert found is not None
    return int(found.record)


def test_who_repairs_hears_of_what_is_due_where_nobody_stands_above(stage: Stage, told: Any) -> None:
    hearing.start()
    due = {"after": "P1D", "then": [{"do": "escalate"}]}
    stage.publish(approval("one", "dee", due=due), END)
    stage.submit()
    with clock.stopped_at(clock.now() + timedelta(days=2)):
        watching.run_due()
        outbox.drain("workflow")
    assert told[1:] == [
        (
            {"adm"},
            "repair",
            "Request A desk of Ann is due, and nobody above them was found: One",
            "Ann 的申请“A desk”已超时，且找不到其上级：One",
        )
    ]
