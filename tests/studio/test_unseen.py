"""Of a record that somebody may not see nothing is told: not by saving, not by a play, not by the formula editor."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from databases import Build
from formloop.access import people, sessions, signing
from formloop.access.actor import SYSTEM, Actor, get_actor
from formloop.core.definitions import kinds
from formloop.core.errors import Invalid
from formloop.definitions import service as definitions
from formloop.forms import service
from formloop.studio import formula
from formloop.studio.designer import designer_of
from formloop.studio.pickers import Around
from forms.conftest import form, number, publish, relation, role, text

BUYER = form("customer", {"name": text("Name"), "limit": number("Limit")})
DEAL = form(
    "deal",
    {
        "name": text("Name"),
        "customer": relation("Customer", "customer"),
        "total": number("Total"),
        "left": number("Left", **{"x-formula": "customer.limit - total"}),
    },
    **{
        "x-checks": [
            {
                "id": "limit",
                "holds": "OR(ISBLANK(customer.limit), total <= customer.limit)",
                "at": "total",
                "tells": {"limit": "customer.limit", "name": "customer.name"},
                "says": "The limit of {name} is {limit}.",
                "x-says": {"zh-CN": "{name} 的额度是 {limit}。"},
            }
        ]
    },
)
FLOW = {
    "x-kind": "workflow",
    "x-id": "00000077",
    "x-key": "deal_flow",
    "title": "Flow",
    "form": "deal",
    "steps": [
        {"id": "boss", "node": "approval", "who": [{"rule": "people", "people": ["boss"]}]},
        {"id": "done", "node": "end", "state": "confirmed"},
    ],
}
TOO_MUCH = {"name": "Deal", "total": "99999"}
SECRETS = ("Hidden Works", "31337", "31,337", "-68662")


class Site:
    """A builder of deals who may see no customer, and a customer."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        publish(BUYER, DEAL)
        definitions.publish_many(SYSTEM, [FLOW], "first")
        deals = {
            "id": "deals",
            "form": "deal",
            "may": ["view", "create", "edit", "submit"],
            "except": ["left"],
        }
        design = {"id": "design", "on": "definition", "may": ["design"]}
        publish({**role("builder"), "grants": [design, deals]})
        self.builder = get_actor(people.add_person(SYSTEM, "builder", "Builder", roles=["builder"]))
        self.boss = get_actor(people.add_person(SYSTEM, "boss", "Boss", administrator=True))
        self.customer = service.create(SYSTEM, "customer", {"name": "Hidden Works", "limit": "31337"})["id"]

    def client(self, actor: Actor) -> FlaskClient:
        client = self.app.test_client()
        client.set_cookie(signing.COOKIE, sessions.open_session(actor.person_id))
        return client


@pytest.fixture
def site(build: Build) -> Site:
    app = build(secret_key="k" * 32)
    app.config["WTF_CSRF_ENABLED"] = False
    with app.app_context():
        yield Site(app)


def told(said: str) -> list[str]:
    return [each for each in SECRETS if each in said]


def test_saving_asks_whether_a_record_may_be_seen_before_it_calculates_with_it(site: Site) -> None:
    deal = {**TOO_MUCH, "customer": site.customer}
    with pytest.raises(Invalid) as known:
        service.create(site.boss, "deal", deal)
    assert [each.message.render("en") for each in known.value.problems] == [
        "The limit of Hidden Works is 31337."
    ]
    with pytest.raises(Invalid) as refused:
        service.create(site.builder, "deal", deal)
    assert [(each.code, each.at) for each in refused.value.problems] == [("unknown_record", "customer")]
    page = site.client(site.builder).post("/f/deal/new", data=deal, headers={"Origin": "http://localhost"})
    assert page.status_code == 422 and told(page.text) == []


@pytest.mark.parametrize("whose", ["builder", "boss"])
def test_a_play_with_typed_values_shows_no_hidden_record_whoever_it_is_played_as(
    site: Site, whose: str
) -> None:
    who = getattr(site, whose).person_id
    typed = {**TOO_MUCH, "customer": site.customer}
    for client, status in ((site.client(site.builder), 422), (site.client(site.boss), 200)):
        page = client.post(
            "/cases/play/deal_flow",
            data={"_initiator": who, "_action": "step", **typed},
            headers={"Origin": "http://localhost"},
        )
        assert page.status_code == status
        assert bool(told(re.sub(r'value="[^"]*"', "", page.text))) == (status == 200)


def test_the_formula_editor_shows_no_value_of_a_hidden_record(site: Site) -> None:
    service.create(SYSTEM, "deal", {"name": "Deal", "customer": site.customer, "total": "5"})
    around = Around(kinds.get("form"), DEAL, "en", {})
    scope = designer_of("form").scope(around, ("properties", "left", "x-formula"))
    for source in ("customer.limit", "customer.limit - total"):
        assert formula.judge(site.boss, scope, source, "en").result
        verdict = formula.judge(site.builder, scope, source, "en")
        assert verdict.result == "" and verdict.why is not None and "may not see" in verdict.why.render("en")
