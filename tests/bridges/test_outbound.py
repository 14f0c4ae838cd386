"""Calls to other systems reach public addresses only."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from formloop.bridges import outbound
from formloop.events.outbox import DeliveryError

PRIVATE = (
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1",
    "224.0.0.1", "::1", "fe80::1", "fc00::1", "::ffff:10.0.0.1", "2002:0a00:0001::", "64:ff9b::a00:1",
)  # fmt: skip


def resolving(*addresses: str) -> Any:
    def answer(host: str, port: int, **more: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in addresses]

    return answer


@pytest.fixture
def no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **more: Any) -> None:
        raise AssertionError("a connection was made")

    monkeypatch.setattr(socket, "create_connection", refuse)


@pytest.mark.parametrize("address", PRIVATE)
@pytest.mark.usefixtures("no_connection")
def test_no_private_address_is_connected_to(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolving("93.184.216.34", address))
    with pytest.raises(DeliveryError) as refused:
        outbound.call("POST", "https://example.com/x", {}, "1")
    assert refused.value.permanent


@pytest.mark.usefixtures("no_connection")
def test_only_https_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolving("93.184.216.34"))
    with pytest.raises(DeliveryError) as refused:
        outbound.call("GET", "http://example.com/x", {}, "1")
    assert refused.value.permanent


@pytest.mark.usefixtures("no_connection")
def test_a_port_that_is_no_number_is_refused() -> None:
    with pytest.raises(DeliveryError):
        outbound.call("GET", "https://example.com:99999/x", {}, "1")


def test_the_connection_goes_to_the_address_that_was_examined(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def connect(address: tuple[str, int], **more: Any) -> None:
        asked.append(address)
        raise OSError("nobody there")

    monkeypatch.setattr(socket, "getaddrinfo", resolving("93.184.216.34"))
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(DeliveryError) as failed:
        outbound.call("GET", "https://example.com/x", {}, "1")
    assert not failed.value.permanent
    assert asked == [("93.184.216.34", 443)]


@pytest.mark.parametrize("slow", ["status", "body"])
def test_who_answers_in_drops_is_hung_up_on(monkeypatch: pytest.MonkeyPatch, slow: str) -> None:
    monkeypatch.setattr(outbound, "SECONDS", 0.4)
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as other:
        port = server.getsockname()[1]
        monkeypatch.setattr(outbound, "ALLOWED", {("127.0.0.1", port)})
        dripping = other.submit(_drip, server, b"HTTP/1.1 200 OK\r\n\r\n" if slow == "body" else b"")
        with pytest.raises(DeliveryError) as failed:
            outbound.call("POST", f"http://127.0.0.1:{port}/x", {}, "1")
        assert not failed.value.permanent
        assert dripping.result() < 200


def _drip(server: socket.socket, first: bytes) -> int:
    """Send a letter every 20 ms, until the other side has hung up or 200 are sent."""
    line, _ = server.accept()
    with line:
        line.sendall(first + b"X-Slow: ")
        for sent in range(200):
            try:
                line.sendall(b"a")
            except OSError:
                return sent
            time.sleep(0.02)
    return 200
