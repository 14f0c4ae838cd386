"""Nobody grants what they lack, and an administrator always remains."""

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from formloop.access import gate, people, roles, sessions
from formloop.access.actor import SYSTEM
from formloop.access.gate import Grant
from formloop.access.granting import may_give
from formloop.core.errors import Conflict, Forbidden, FormloopError, Invalid
from formloop.db import transactional
from formloop.definitions import service as definitions

from .conftest import Office, publish, role


def test_a_builder_cannot_publish_a_role_that_gives_more_than_he_has(office: Office) -> None:
    publish(role("copy", {"on": "definition", "may": ["design"]}), office.ben)
    more = role("more", {"on": "people", "may": ["manage"]})
    draft = definitions.save_draft(office.ben, "role", more)
    assert [p.code for p in definitions.check_draft(office.ben, draft.id)] == ["exceeds"]
    assert definitions.check_draft(office.boss, draft.id) == []
    with pytest.raises(Invalid, match="cannot grant “g0”"):
        publish(more, office.ben)
    publish(more, office.boss)


def test_what_a_role_had_before_may_stay_but_not_grow(office: Office) -> None:
    had = {"on": "people", "may": ["manage"]}
    publish(role("wide", had, x_id="b0000001"))
    publish(role("wide", had, x_id="b0000001", **{"x-title": {"zh-CN": "宽"}}), office.ben)
    with pytest.raises(Invalid, match="g1"):
        publish(role("wide", had, {"on": "site", "may": ["repair"]}, x_id="b0000001"), office.ben)


def test_who_manages_people_gives_only_roles_inside_their_own_rights(office: Office) -> None:
    people.change_person(office.hera, office.sue.person_id or 0, roles=["manager"])
    with pytest.raises(Invalid, match="cannot give the role designer"):
        people.change_person(office.hera, office.sue.person_id or 0, roles=["manager", "designer"])
    with pytest.raises(Invalid):
        people.add_person(office.hera, "new", "New", roles=["designer"])
    with pytest.raises(Forbidden):
        people.add_person(office.hera, "new", "New", administrator=True)
    with pytest.raises(Forbidden):
        people.change_person(office.hera, office.sue.person_id or 0, administrator=True)
    assert roles.roles_of([office.sue.person_id or 0]) == {office.sue.person_id: ["manager"]}


def test_who_manages_people_cannot_enter_by_the_door_of_somebody_above(office: Office) -> None:
    for above in (office.boss, office.ben):
        with pytest.raises(Forbidden):
            sessions.add_password_link(office.hera, above.person_id or 0)
        with pytest.raises(Forbidden):
            people.change_person(office.hera, above.person_id or 0, password="long enough")
    with pytest.raises(Forbidden):
        people.change_person(office.hera, office.boss.person_id or 0, account="mine")
    assert sessions.add_password_link(office.hera, office.sue.person_id or 0)


def test_a_grant_is_held_only_with_its_rows_and_fields(office: Office) -> None:
    def grant(may: str = "view", where: str | None = None, fields: str = "*", less: str = "") -> Grant:
        return Grant(
            "r",
            "g",
            "form:x",
            frozenset(may.split()),
            where,
            frozenset(fields.split()),
            frozenset(less.split()),
        )

    publish(role("part", {"on": "definition", "may": ["design"]}))
    holder = office.add("holder", "part")

    def held(own: Grant, wanted: Grant) -> bool:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                "formloop.access.gate.list_grants",
                lambda _, action, __: (own,) if action in own.actions else (),
            )
            return may_give(holder, wanted)

    assert held(grant("view edit"), grant("edit", "owner = USER()", "a b"))
    assert not held(grant(), grant("view edit"))
    assert not held(grant(where="a = 1"), grant())
    assert held(grant(where="a = 1"), grant(where="a = 1"))
    assert not held(grant(fields="a b"), grant())
    assert held(grant(fields="a lines"), grant(fields="a lines.price"))
    assert not held(grant(less="cost"), grant())
    assert held(grant(less="cost"), grant(less="cost price"))
    assert held(grant(less="cost"), grant(fields="a b"))
    assert not held(grant(less="lines.price"), grant(fields="lines"))
    assert held(grant(less="lines.price"), grant(fields="lines", less="lines.price"))
    assert held(grant(less="lines.price"), grant(fields="lines.count"))


def test_the_last_active_administrator_stays(office: Office) -> None:
    boss = office.boss.person_id or 0
    for change in ({"administrator": False}, {"active": False}):
        with pytest.raises(Invalid, match="last administrator"):
            people.change_person(office.boss, boss, **change)
    second = office.add("second", administrator=True).person_id or 0
    people.change_person(office.boss, boss, administrator=False)
    with pytest.raises(Invalid, match="last administrator"):
        people.change_person(SYSTEM, second, active=False)


def test_two_administrators_who_demote_each_other_leave_one(office: Office) -> None:
    second = office.add("second", administrator=True)
    both = (office.boss.person_id or 0, second.person_id or 0)
    assert (
        sum(at_once(*(lambda p=p: people.change_person(SYSTEM, p, administrator=False) for p in both))) == 1
    )
    assert sum(people.get_person(p).administrator for p in both) == 1


def test_of_two_first_administrator_links_used_at_once_one_works(office: Office) -> None:
    people.add_person(SYSTEM, "other", "Other", administrator=True)
    links = [sessions.add_link("first_administrator") for _ in range(2)]
    with pytest.raises(Conflict):
        sessions.use_link(links[0], "Late", "late", "long enough")
    assert people.find_person("late") is None


def test_a_fresh_site_gets_exactly_one_first_administrator(fresh: None) -> None:
    links = [sessions.add_link("first_administrator") for _ in range(2)]
    done = at_once(
        *(
            lambda n=n, link=link: sessions.use_link(link, f"P{n}", f"p{n}", "long enough")
            for n, link in enumerate([links[0], links[0], links[1]])
        )
    )
    assert sum(done) == 1
    assert len(people.list_people()) == 1
    with pytest.raises(FormloopError):
        sessions.get_link(links[1])


def test_an_empty_department_can_go_and_a_full_one_stays(office: Office) -> None:
    top = people.add_department(office.boss, "top", "Top")
    below = people.add_department(office.boss, "", "Below", parent=top)
    with pytest.raises(Invalid, match="below itself"):
        people.change_department(office.boss, top, parent=below)
    with pytest.raises(Invalid, match="Move them first"):
        people.change_department(office.boss, top, archived=True)
    with pytest.raises(Invalid, match="used already"):
        people.add_department(office.boss, "top", "Twice")
    people.change_department(office.boss, below, archived=True)
    assert [each.id for each in people.list_departments()] == [top]


def at_once(*deeds: Callable[[], object]) -> list[bool]:
    """Run all at the same moment; which of them were done."""
    barrier, done = threading.Barrier(len(deeds)), [False] * len(deeds)

    def run(n: int) -> None:
        barrier.wait()
        try:
            deeds[n]()
            done[n] = True
        except FormloopError:
            pass

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(deeds))]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return done


def test_grants_that_were_rolled_back_are_never_remembered(office: Office) -> None:
    @transactional
    def half() -> None:
        publish(role("late", {"on": "site", "may": ["repair"]}))
        assert gate.allows(replace(office.sue, roles=frozenset({"late"})), "repair", "site")
        raise KeyError

    with pytest.raises(KeyError):
        half()
    assert not gate.allows(replace(office.sue, roles=frozenset({"late"})), "repair", "site")
