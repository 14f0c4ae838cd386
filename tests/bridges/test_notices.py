from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from bridges.letterbox import Mailbox, RobotServer, mailbox, robot_server
from formloop.access import people, sessions, signing
from formloop.access.actor import SYSTEM, Actor, get_actor
from formloop.app import create_app
from formloop.bridges import notices
from formloop.bridges.connectors import channels
from formloop.bridges.notices import delivery, service
from formloop.core import clock
from formloop.core.errors import Invalid, NotFound
from formloop.core.text import M
from formloop.db import transactional
from formloop.events import outbox, repair
from formloop.settings import ROBOTS, Robot, Settings


@dataclass
class Site:
    app: Flask
    mail: Mailbox
    robots: RobotServer
    wang: Actor
    mei: Actor

    def client(self, actor: Actor) -> FlaskClient:
        client = self.app.test_client()
        client.set_cookie(signing.COOKIE, sessions.open_session(actor.person_id or 0, "test"))
        return client


@pytest.fixture
def site(database: Settings) -> Iterator[Site]:
    with mailbox() as mail, robot_server() as robots:
        settings = replace(
            database,
            smtp_url=mail.url,
            mail_from="Works <erp@works.example>",
            robots={name: Robot(robots.url, "hush") for name in ROBOTS},
            public_url="http://localhost",
        )
        app = create_app(settings)
        with app.app_context():
            wang = people.add_person(
                SYSTEM, "wang", "Wang Wei", email="wang@works.example", phone="13800000001"
            )
            people.prefer(wang, "locale", "zh-CN")
            mei = people.add_person(SYSTEM, "mei", "Mei Lin", email="mei@works.example")
            yield Site(app, mail, robots, get_actor(wang), get_actor(mei))


WORDS = M("“{title}” was approved.", title="SO-1")


def tell(*people: Actor, kind: str = "message", text: Any = WORDS, link: str = "/f/x/1") -> None:
    transactional(notices.tell)([p.person_id for p in people if p.person_id], kind, text, link)


def test_who_is_told_sees_it_in_the_app_and_gets_a_letter_in_their_own_language(site: Site) -> None:
    tell(site.wang, site.mei, site.wang)
    assert service.count_unread(site.wang) == 1
    outbox.drain()
    assert len(site.mail.letters) == 2
    english, chinese = sorted(site.mail.letters, key=lambda letter: "wang@" in letter)
    assert "To: mei@works.example" in english
    assert "http://localhost/f/x/1" in english
    assert "To: wang@works.example" in chinese


def test_a_change_that_is_rolled_back_tells_nobody(site: Site) -> None:
    @transactional
    def fail() -> None:
        notices.tell([site.wang.person_id or 0], "message", "never")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    outbox.drain()
    assert (service.count_unread(site.wang), site.mail.letters) == (0, [])


def test_what_was_read_in_the_app_meanwhile_needs_no_letter(site: Site) -> None:
    tell(site.mei)
    service.read_all(site.mei)
    outbox.drain()
    assert site.mail.letters == []


def test_work_that_has_a_list_of_its_own_is_only_written_about(site: Site) -> None:
    tell(site.mei, kind="task")
    assert service.count_unread(site.mei) == 0
    assert service.list_notices(site.mei, "en") == ([], None)
    outbox.drain()
    assert len(site.mail.letters) == 1


def test_each_person_chooses_what_stands_in_the_app(site: Site) -> None:
    tell(site.mei)
    service.choose(site.mei.person_id or 0, {("message", service.APP): "off"})
    tell(site.mei, kind="urge", text="soon")
    assert service.count_unread(site.mei) == 1
    assert [each.text for each in service.list_notices(site.mei, "en")[0]] == ["soon"]
    assert service.count_unread(site.wang) == 0
    outbox.drain()
    assert len(site.mail.letters) == 2, "letters are chosen apart"
    with pytest.raises(Invalid):
        service.choose(site.mei.person_id or 0, {("message", service.APP): "daily"})


def test_each_person_chooses_how_they_are_told_of_what(site: Site) -> None:
    service.choose(site.mei.person_id or 0, {("message", "email"): "off"})
    tell(site.mei)
    tell(site.mei, kind="urge")
    outbox.drain()
    assert len(site.mail.letters) == 1
    with pytest.raises(Invalid):
        service.choose(site.mei.person_id or 0, {("message", "pigeon"): "at_once"})


def test_the_daily_letter_has_everything_since_the_last_one_once(site: Site) -> None:
    service.choose(site.mei.person_id or 0, {("message", "email"): "daily"})
    tell(site.mei, text="First")
    tell(site.mei, text="Second")
    assert delivery.put_digests() == 1
    assert delivery.put_digests() == 0
    outbox.drain()
    (letter,) = site.mail.letters
    assert "2 things concern you" in letter
    assert letter.index("First") < letter.index("Second")


def test_the_daily_letter_neither_drops_what_is_too_much_nor_repeats_what_was_before(site: Site) -> None:
    tell(site.mei, text="Before")
    service.choose(site.mei.person_id or 0, {("message", "email"): "daily"})
    for number in range(delivery.MOST_LINES + 2):
        tell(site.mei, text=f"No. {number}.")
    assert [delivery.put_digests() for _ in range(3)] == [1, 1, 0]
    outbox.drain()
    assert len(site.mail.letters) == 3  # the one at once, and two digests
    assert "No. 101." in site.mail.letters[-1]
    assert "Before" not in "".join(site.mail.letters[1:])


def test_the_daily_letter_is_planned_for_the_morning_and_missed_mornings_count_once(site: Site) -> None:
    from formloop.events import schedule

    service.choose(site.mei.person_id or 0, {("message", "email"): "daily"})
    tell(site.mei, text="Once")
    with clock.stopped_at(clock.now() + timedelta(days=3)):
        schedule.run_due()
        outbox.drain()
        schedule.run_due()
        outbox.drain()
    assert len(site.mail.letters) == 1


@pytest.mark.parametrize("robot", list(ROBOTS))
def test_robots_of_group_chats_are_called_as_their_makers_want(site: Site, robot: str) -> None:
    service.choose(site.wang.person_id or 0, {("message", robot): "at_once", ("message", "email"): "off"})
    tell(site.wang, text="您好")
    outbox.drain()
    ((path, body),) = site.robots.calls
    assert "您好" in str(body)
    if robot == "dingtalk":
        assert "&timestamp=" in path
        assert "&sign=" in path
        assert body["at"] == {"atMobiles": ["13800000001"]}
    elif robot == "wecom":
        assert body["text"]["mentioned_mobile_list"] == ["13800000001"]
    else:
        assert body["msg_type"] == "text"
        assert {"timestamp", "sign"} <= set(body)


def test_what_a_robot_refuses_lies_in_the_repair_desk_with_its_reason(site: Site) -> None:
    site.robots.says = {"errcode": 310000, "errmsg": "sign not match"}
    service.choose(site.wang.person_id or 0, {("message", "dingtalk"): "at_once"})
    tell(site.wang)
    outbox.drain()
    (stuck,) = repair.list_stuck()
    assert "sign not match" in (stuck.last_error or "")


def test_a_robot_that_is_called_too_often_is_called_again_later(site: Site) -> None:
    site.robots.says = {"errcode": 45009, "errmsg": "freq out of limit"}
    service.choose(site.wang.person_id or 0, {("message", "wecom"): "at_once", ("message", "email"): "off"})
    tell(site.wang)
    outbox.drain()
    assert (repair.count_stuck(), repair.count_waiting()) == (0, 1)


def test_a_mail_server_that_is_busy_is_asked_again_and_one_that_refuses_is_not(site: Site) -> None:
    site.mail.refuse = "451 later"
    tell(site.mei)
    outbox.drain()
    assert (repair.count_stuck(), repair.count_waiting()) == (0, 1)
    site.mail.refuse = "550 nobody here"
    with clock.stopped_at(clock.now() + timedelta(hours=1)):
        outbox.drain()
    assert repair.count_stuck() == 1


def test_a_subject_of_several_lines_forges_no_header(site: Site) -> None:
    tell(site.mei, text="Hello\r\nBcc: all@works.example")
    outbox.drain()
    head, _, _ = site.mail.letters[0].partition("\n\n")
    assert not [line for line in head.splitlines() if line.startswith("Bcc:")]


def test_a_person_who_left_gets_no_letter(site: Site) -> None:
    tell(site.mei)
    people.change_person(SYSTEM, site.mei.person_id or 0, active=False)
    outbox.drain()
    assert site.mail.letters == []


def test_a_site_without_channels_tells_in_the_app(database: Settings) -> None:
    with create_app(database).app_context():
        mei = get_actor(people.add_person(SYSTEM, "mei", "Mei Lin", email="mei@works.example"))
        tell(mei)
        assert (service.count_unread(mei), repair.count_waiting()) == (1, 0)
        assert [channel.name for channel in service.ready_channels()] == []
    assert set(channels.names()) == {"email", *ROBOTS}


def test_the_pages_show_ones_own_notices_and_choices_and_nobody_elses(site: Site) -> None:
    tell(site.wang, text="Only for Wang <b>")
    (mine,) = service.list_notices(site.wang, "en")[0]
    wang, mei = site.client(site.wang), site.client(site.mei)
    assert "Only for Wang &lt;b&gt;" in wang.get("/notices").text
    assert "Only for Wang" not in mei.get("/notices").text
    assert mei.get(f"/notices/{mine.id}").status_code == 404
    assert wang.get(f"/notices/{mine.id}").location == "/f/x/1"
    assert service.count_unread(site.wang) == 0
    assert "钉钉" in wang.get("/notices/choices").text
    with pytest.raises(NotFound):
        service.open_notice(site.mei, mine.id)
