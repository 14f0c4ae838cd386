"""The pages of people and rights, as a browser without JavaScript uses them."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from databases import Begun, Build
from formloop.access import audit, commands, people, roles, sessions
from formloop.access.actor import SYSTEM, Actor
from formloop.access.signing import COOKIE
from formloop.definitions import service as definitions
from formloop.forms import service

from .conftest import Office, publish, role

ORDER: dict[str, Any] = {
    "x-kind": "form", "x-id": "c0000001", "x-key": "order", "title": "Order", "x-title": {"zh-CN": "订单"},
    "type": "object",
    "properties": {
        "number": {"type": "string", "title": "Number"},
        "total": {"type": "number", "title": "Total"},
        "cost": {"type": "number", "title": "Cost"},
    },
}  # fmt: skip


@pytest.fixture
def app(build: Build) -> Iterator[Flask]:
    app = build()
    app.config["WTF_CSRF_ENABLED"] = False
    with app.app_context():
        yield app


@pytest.fixture
def office(app: Flask, begun: Begun) -> Office:
    return begun(Office)


def browser(app: Flask, who: Actor) -> FlaskClient:
    client = app.test_client()
    client.set_cookie(COOKIE, sessions.open_session(who.person_id or 0))
    return client


def text(client: FlaskClient, url: str, status: int = 200) -> str:
    answer = client.get(url)
    assert answer.status_code == status, answer.text
    return answer.text


def test_a_person_is_added_found_changed_and_deactivated(app: Flask, office: Office) -> None:
    boss = browser(app, office.boss)
    given = {"name": "Nina New", "account": "Nina", "roles": ["designer"]}
    answer = boss.post("/people/new", data=given)
    assert answer.status_code == 303
    nina = people.find_person("nina")
    assert nina is not None and roles.roles_of([nina.id]) == {nina.id: ["designer"]}
    assert "Nina New" in text(boss, "/people?q=nin&role=designer")
    assert "Nina New" not in text(boss, "/people?role=manager")
    boss.post(f"/people/{nina.id}", data={"name": "Nina", "account": "nina", "email": "n@example.com"})
    assert people.get_person(nina.id).email == "n@example.com" and roles.roles_of([nina.id]) == {nina.id: []}
    boss.post(f"/people/{nina.id}/active", data={"active": "no"})
    assert ">Nina</a>" not in text(boss, "/people")
    assert ">Nina</a>" in text(boss, "/people?state=inactive")
    assert boss.post("/people/new", data={"name": "", "account": "boss"}).status_code == 422


def test_a_password_link_is_shown_once_and_opens_the_door(app: Flask, office: Office) -> None:
    sue = office.sue.person_id
    answer = browser(app, office.boss).post(f"/people/{sue}/link")
    found = re.search(r'value="http://localhost(/link/[^"]+)"', answer.text)
    assert found and "no-store" in answer.headers["Cache-Control"]
    guest = app.test_client()
    assert guest.post(found[1], data={"password": "0123456789", "again": "0123456789"}).status_code == 303
    assert text(guest, "/me")


def test_who_manages_people_is_told_what_is_above_them(app: Flask, office: Office) -> None:
    hera, sue = browser(app, office.hera), office.sue.person_id
    given = {"name": "Sue", "account": "sue", "roles": ["designer"]}
    answer = hera.post(f"/people/{sue}", data=given)
    assert answer.status_code == 422 and "more than you may do yourself" in answer.text
    assert hera.post(f"/people/{office.boss.person_id}/link").status_code == 403
    assert text(hera, "/audit", 403) and "/audit" not in text(hera, f"/people/{sue}")


def test_departments_are_a_tree(app: Flask, office: Office) -> None:
    boss = browser(app, office.boss)
    boss.post("/departments/new", data={"name": "Sales", "name_zh": "销售部", "key": "sales"})
    sales = people.list_departments()[0].id
    boss.post(
        "/departments/new", data={"name": "Export", "parent": str(sales), "head": str(office.sue.person_id)}
    )
    page = text(boss, "/departments")
    assert page.index("Sales") < page.index("Export") and "Sue" in page
    assert boss.post(f"/departments/{sales}", data={"name": " "}).status_code == 422


def test_roles_are_shown_in_sentences_of_both_languages(app: Flask, office: Office) -> None:
    definitions.publish_many(SYSTEM, [ORDER], "test")
    publish(
        role("seller", {"form": "order", "may": ["view", "edit"], "where": "total > 5", "except": ["cost"]})
    )
    page = text(browser(app, office.boss), "/roles")
    assert "<strong>Order</strong>: see, edit" in page and "all fields except Cost" in page
    people.prefer(office.boss.person_id or 0, "locale", "zh-CN")
    page = text(browser(app, office.boss), "/roles")
    assert "<strong>订单</strong>: 查看、编辑" in page


def test_the_why_page_weighs_each_grant_for_a_record(app: Flask, office: Office) -> None:
    definitions.publish_many(SYSTEM, [ORDER], "test")
    publish(
        role(
            "seller",
            {"form": "order", "may": ["view"], "where": "total > 5", "except": ["cost"]},
            {"form": "order", "may": ["view"], "where": "cost > 100"},
        )
    )
    seller = office.add("sal", "seller")
    service.create(SYSTEM, "order", {"number": "A1", "total": "9", "cost": "3"})
    service.create(SYSTEM, "order", {"number": "A2", "total": "1", "cost": "3"})
    boss, ask = browser(app, office.boss), f"/why?person={seller.person_id}&action=view&resource=form:order"
    page = text(boss, ask)
    assert "Yes, allowed" in page and "seller/g0, seller/g1" in page
    page = text(boss, f"{ask}&record=A1")
    assert "Gives this record" in page and "Does not give this record" in page
    assert re.search(r"<code>total</code></td><td>=</td><td><strong>9", page)
    assert re.search(r'fl-hidden">.*?<span>Cost</span>', page)
    page = text(boss, f"{ask}&record=A2")
    assert "No, not allowed" in page and "none of the grants gives this record" in page
    page = text(boss, f"/why?person={seller.person_id}&action=delete&resource=form:order")
    assert "No role has the right" in page
    page = text(boss, f"/why?person={seller.person_id}&action=design&resource=definition")
    assert "belongs to designer" in page


def test_the_why_page_shows_nobody_values_that_are_hidden_from_them(app: Flask, office: Office) -> None:
    definitions.publish_many(SYSTEM, [ORDER], "test")
    publish(role("seller", {"form": "order", "may": ["view"], "where": "cost > 1"}))
    publish(role("clerk", {"form": "order", "may": ["view"], "fields": ["number"]}))
    seller, clerk = office.add("sal", "seller"), office.add("cler", "clerk", "manager")
    service.create(SYSTEM, "order", {"number": "A1", "cost": "377.25"})
    ask = f"/why?person={seller.person_id}&action=view&resource=form:order&record=A1"
    page = text(browser(app, clerk), ask)
    assert "hidden from you" in page and "377.25" not in page
    assert "377.25" in text(browser(app, office.boss), ask)
    assert "There is no record" in text(browser(app, office.hera), ask)


def test_the_audit_trail_pages_and_filters(app: Flask, office: Office) -> None:
    boss = browser(app, office.boss)
    for n in range(60):
        people.rename(office.sue, f"Sue {n}")
    first = text(boss, f"/audit?person={office.sue.person_id}")
    assert "Sue 59" in first and "Sue 9<" not in first
    older = re.search(r'href="(/audit\?[^"]*before=\d+)"', first)
    assert older and "Sue 0" in text(boss, older[1].replace("&amp;", "&"))
    assert "Nothing was done" in text(boss, "/audit?from=2000-01-01&to=2000-01-02")
    assert "Sue 59" in text(boss, f"/audit?object=person:{office.sue.person_id}&from=nonsense")
    assert len(audit.list_rows(person_id=office.sue.person_id, limit=1000)) == 60


def test_my_account_keeps_name_language_colours_and_password(app: Flask, office: Office) -> None:
    people.change_person(SYSTEM, office.sue.person_id or 0, password="0123456789")
    sue, other = browser(app, office.sue), browser(app, office.sue)
    assert sue.post("/me", data={"name": "Susan", "locale": "zh-CN", "theme": "dark"}).status_code == 303
    page = text(sue, "/me")
    assert "Susan" in page and 'lang="zh-CN" data-bs-theme="dark"' in page
    new = {"current": "0123456789", "password": "abcdefghij", "again": "abcdefghij"}
    assert sue.post("/me/password", data={**new, "current": "no"}).status_code == 422
    assert sue.post("/me/password", data=new).status_code == 303
    assert text(sue, "/me") and other.get("/me").status_code == 303
    assert sue.post("/me/sessions/end").status_code == 303
    assert sue.get("/me").status_code == 303


def test_the_commands_do_the_same_on_the_command_line(app: Flask, office: Office) -> None:
    person = commands.add("carl", "Carl", False, ["designer"], None)
    assert "carl\tCarl\tactive\tdesigner" in list(commands.list_lines())
    assert "/link/" in commands.make_link(person, app.config["SETTINGS"])
    commands.set_password("carl", "0123456789")
    assert sessions.sign_in("carl", "0123456789", "10.0.0.1")
    commands.deactivate("carl")
    assert "carl\tCarl\tinactive\tdesigner" in list(commands.list_lines())
