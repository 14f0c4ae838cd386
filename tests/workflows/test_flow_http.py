"""Steps that ask other systems: their answers, their refusals, and whom nobody ever calls."""

import http.server
import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, ClassVar

import pytest

from formloop.bridges import outbound
from formloop.core import clock
from formloop.core.definitions import Doc
from formloop.events import outbox
from formloop.workflows import administration, desk, hearing
from workflows.errands import drained, status_of
from workflows.stage import END, Stage, approval


@pytest.fixture(autouse=True)
def listening(stage: Stage) -> None:
    hearing.start()


class _Answering(http.server.BaseHTTPRequestHandler):
    asked: ClassVar[list[tuple[str, dict[str, Any]]]] = []
    status = 200

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append((self.headers["Idempotency-Key"], body))
        if self.status == 0:  # it was done, and nobody hears of it
            self.close_connection = True
            return
        text = json.dumps({"credit": {"limit": 70}}).encode()
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def bank(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    server = http.server.HTTPServer(("127.0.0.1", 0), _Answering)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setattr(outbound, "ALLOWED", {("127.0.0.1", server.server_port)})
    monkeypatch.setattr(_Answering, "asked", [])
    monkeypatch.setattr(_Answering, "status", 200)
    yield f"http://127.0.0.1:{server.server_port}/credit"
    server.shutdown()
    server.server_close()


def call(url: str, **more: Any) -> Doc:
    return {"id": "bank", "node": "http", "url": url, "values": {"amount": "amount"},
            "answer": {"limit": "answer.credit.limit"}, **more}  # fmt: skip


def test_an_answer_is_mapped_and_branched_on(stage: Stage, bank: str) -> None:
    fork = {"id": "size", "node": "condition", "branches": [
        {"id": "large", "when": "amount > flow.bank.limit", "steps": [approval("boss", "dee")]}]}  # fmt: skip
    stage.publish(call(bank), fork, END)
    case = stage.submit(amount="100").case
    assert _Answering.asked == []
    drained()
    assert stage.is_asked("dee", case)
    assert [body for _, body in _Answering.asked] == [{"amount": 100}]


@pytest.mark.parametrize(("failed", "status"), [("stop", "stuck"), ("pass", "approved")])
def test_a_refusal_of_the_other_system_stops_the_case_or_is_passed_over(
    stage: Stage, bank: str, monkeypatch: pytest.MonkeyPatch, failed: str, status: str
) -> None:
    monkeypatch.setattr(_Answering, "status", 403)
    stage.publish(call(bank, failed=failed), END)
    case = stage.submit().case
    drained()
    assert status_of(case) == status


def test_a_call_that_may_have_arrived_is_not_repeated_but_left_to_a_person(
    stage: Stage, bank: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Answering, "status", 0)
    stage.publish(call(bank), END)
    case, begun = stage.submit().case, clock.now()
    for hour in range(3):
        with clock.stopped_at(begun + timedelta(hours=hour)):
            drained()
    assert len(_Answering.asked) == 1
    (item,) = desk.list_items(stage.actors["adm"], "stuck", "en")[0]
    assert item.reason.endswith("It may have arrived; look there before you try again.")
    monkeypatch.setattr(_Answering, "status", 200)
    administration.resume(stage.actors["adm"], case)
    drained()
    assert status_of(case) == "approved"
    assert len({key for key, _ in _Answering.asked}) == 1


def test_a_call_whose_worker_was_lost_is_not_repeated(stage: Stage, bank: str) -> None:
    stage.publish(call(bank), END)
    case = stage.submit().case
    (taken,) = outbox.claim("workflow-http")
    assert not taken.lost
    with clock.stopped_at(clock.now() + timedelta(hours=1)):
        drained()
    assert (_Answering.asked, status_of(case)) == ([], "stuck")


def test_a_call_that_does_nothing_twice_is_repeated(
    stage: Stage, bank: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Answering, "status", 0)
    stage.publish(call(bank, idempotent=True), END)
    case, begun = stage.submit().case, clock.now()
    drained()
    monkeypatch.setattr(_Answering, "status", 200)
    with clock.stopped_at(begun + timedelta(hours=1)):
        drained()
    assert status_of(case) == "approved"
    assert [key for key, _ in _Answering.asked] == [_Answering.asked[0][0]] * 2


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/x", "https://10.0.0.1/x", "https://[::1]/x", "https://localhost/x"]
)
def test_private_addresses_are_never_called(stage: Stage, url: str) -> None:
    stage.publish(call(url), END)
    case = stage.submit().case
    drained()
    assert status_of(case) == "stuck"
