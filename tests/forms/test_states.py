"""The state is shown where it tells people anything, and totals where a form says they mean something."""

from dataclasses import replace

from formloop.access import people, sessions, signing
from formloop.access.actor import SYSTEM
from formloop.app import create_app
from formloop.forms import service
from formloop.settings import Settings

from .conftest import form, number, publish, text


def test_a_plain_list_has_no_state_and_only_the_totals_its_form_asks_for(database: Settings) -> None:
    app = create_app(replace(database, demo=True))
    with app.app_context():
        fields = {
            "name": text("Name"),
            "price": number("Price"),
            "worth": number("Worth", **{"x-total": True}),
        }
        several = {"x-states": {"on": {"title": "On"}, "off": {"title": "Off"}}}
        named = {"x-list": {"columns": ["name", "state"]}}
        publish(
            form("plain", fields), form("staged", fields) | several, form("named", fields) | several | named
        )
        for key in ("plain", "staged", "named"):
            service.create(SYSTEM, key, {"name": "A", "price": 2, "worth": 3})
        browser = app.test_client()
        administrator = people.add_person(SYSTEM, "ann", "Ann", administrator=True)
        browser.set_cookie(signing.COOKIE, sessions.open_session(administrator))
        assert 'data-label="State"' not in browser.get("/f/plain").get_data(as_text=True)
        assert 'data-label="State"' in browser.get("/f/staged").get_data(as_text=True)
        assert browser.get("/f/plain/sums").get_data(as_text=True).count("fl-num") == 1
        once = browser.get("/f/named").get_data(as_text=True)
        assert once.count('<td data-label="State">') == 1 and ">on<" not in once
