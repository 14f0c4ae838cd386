"""A request sent again has its effect once."""

import threading
from typing import Any

import pytest
from flask import Flask

from api.conftest import Client
from formloop.api import repeats
from formloop.core.errors import Conflict
from formloop.forms import service


def count(client: Client) -> int:
    return len(client.ask("GET", "/item").json["records"])


def test_the_same_key_gives_the_same_answer_and_one_record(client: Client) -> None:
    first = client.ask("POST", "/item", {"name": "Nut"}, Idempotency_Key="k1")
    again = client.ask("POST", "/item", {"name": "Nut"}, Idempotency_Key="k1")
    assert (first.status_code, again.status_code, again.text) == (201, 201, first.text)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert count(client) == 1


def test_the_same_key_with_another_body_is_refused(client: Client) -> None:
    client.ask("POST", "/item", {"name": "Nut"}, Idempotency_Key="k1")
    other = client.ask("POST", "/item", {"name": "Bolt"}, Idempotency_Key="k1")
    assert (other.status_code, other.json["error"]["problems"][0]["code"]) == (422, "key_reused")
    assert count(client) == 1


def test_keys_belong_to_one_person_and_one_address(client: Client, seller: Client) -> None:
    client.ask("POST", "/item", {"name": "Nut"}, Idempotency_Key="k1")
    assert seller.ask("POST", "/item", {"name": "Bolt"}, Idempotency_Key="k1").status_code == 201


def test_a_refused_request_may_be_mended_under_its_key(client: Client) -> None:
    assert client.ask("POST", "/item", {}, Idempotency_Key="k1").status_code == 422
    assert client.ask("POST", "/item", {"name": "Nut"}, Idempotency_Key="k1").status_code == 201


def test_a_change_that_was_made_is_answered_again_and_not_as_stale(client: Client, bolt: Any) -> None:
    sent = {"If_Match": '"1"', "Idempotency_Key": "k1"}
    first = client.ask("PATCH", f"/item/{bolt['id']}", {"price": 7}, **sent)
    again = client.ask("PATCH", f"/item/{bolt['id']}", {"price": 7}, **sent)
    assert (first.status_code, again.status_code, again.headers["ETag"]) == (200, 200, '"2"')


def test_an_answer_is_kept_only_with_its_effect(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(service, "create", crash)
        assert client.ask("POST", "/item", {"name": "Nut"}, Idempotency_Key="k1").status_code == 500
    assert client.ask("POST", "/item", {"name": "Nut"}, Idempotency_Key="k1").status_code == 201


def test_while_the_first_is_running_the_second_is_told_so(site: Flask) -> None:
    from formloop.access.actor import SYSTEM

    begun, go_on = threading.Event(), threading.Event()

    def work() -> repeats.Answer:
        begun.set()
        go_on.wait(20)
        return repeats.Answer(201, "{}", 1)

    first = threading.Thread(target=lambda: repeats.once(SYSTEM, "r", "k", {}, work))
    first.start()
    begun.wait(20)
    with pytest.raises(Conflict):
        repeats.once(SYSTEM, "r", "k", {}, work)
    go_on.set()
    first.join()
    assert repeats.once(SYSTEM, "r", "k", {}, work).repeated
