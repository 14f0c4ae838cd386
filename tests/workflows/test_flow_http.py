"""Steps that ask other systems: their answers, their refusals, and whom nobody ever calls."""

import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from formloop.bridges import outbound
from formloop.core.definitions import Doc
from formloop.workflows import hearing
from workflows.stage import END, Stage, approval
from workflows.test_flow import drained, status_of


@pytest.fixture(autouse=True)
def listening(stage: Stage) -> None:
    hearing.start()


class _Answering(http.server.BaseHTTPRequestHandler):
    asked: ClassVar[list[tuple[str, dict[str, Any]]]] = []
    status = 200

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append((self.headers["Idempotency-Key"], body))
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
    threading.Thread(target=server.serve_forever, daemon=True).start()
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


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/x", "https://10.0.0.1/x", "https://[::1]/x", "https://localhost/x"]
)
def test_private_addresses_are_never_called(stage: Stage, url: str) -> None:
    stage.publish(call(url), END)
    case = stage.submit().case
    drained()
    assert status_of(case) == "stuck"
