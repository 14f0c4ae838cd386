"""The one way to call another system: only public addresses, no redirects, no proxies, little time and size.

The name is resolved once, every address it has must be public, and the connection goes to the address that was
examined, with the original name for the certificate. Private addresses are called only where `ALLOWED` lists them.
"""

import http.client
import ipaddress
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from formloop.core.json_text import dumps
from formloop.core.text import M
from formloop.events.outbox import DeliveryError

SECONDS = 10
LARGEST = 5 * 1024 * 1024
ALLOWED: set[tuple[str, int]] = set()  # private addresses and ports that an administrator lists
AGAIN = (408, 425, 429, 500, 502, 503, 504)
NOT_YET = (425, 429, 503)  # of these, what says that nothing was done


@dataclass(frozen=True, slots=True)
class Answer:
    """What an address said; `body` is what its JSON says, None when it is no JSON."""

    status: int
    body: Any


def call(method: str, url: str, body: Mapping[str, Any], key: str, once: bool = False) -> Answer:
    """Call an address with JSON; DeliveryError when there is no answer that counts.

    `key` is the same for every try, so that a system that knows it does nothing twice. `once`: it may not know it;
    then the error says whether the call may have done something (`unknown`).
    """
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    try:
        port = parts.port or (443 if secure else 80)
    except ValueError:
        raise DeliveryError(M("This is no address that can be called."), permanent=True) from None
    address = _resolve(host, port, secure)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {"Idempotency-Key": key, "Accept": "application/json", "User-Agent": "Formloop"}
    sent = None if method == "GET" else dumps(dict(body)).encode()
    if sent is not None:
        headers["Content-Type"] = "application/json"
    sending = False
    try:
        with _connected(address, host, port, secure) as connection:
            sending = True
            connection.request(method, path, sent, headers)
            answer = connection.getresponse()
            text = answer.read(LARGEST + 1)
    except (OSError, http.client.HTTPException) as error:
        said = M("{host} does not answer: {error}", host=host, error=str(error))
        raise DeliveryError(said, unknown=once and sending) from error
    return _read(host, answer, text, once)


def _read(host: str, answer: http.client.HTTPResponse, text: bytes, once: bool) -> Answer:
    if answer.status in AGAIN:
        wait = answer.headers.get("Retry-After", "")
        raise DeliveryError(
            M("{host} answered with {status}.", host=host, status=answer.status),
            unknown=once and answer.status not in NOT_YET,
            wait=float(wait) if wait.isdecimal() else None,
        )
    if len(text) > LARGEST:
        raise DeliveryError(M("The answer of {host} is too large.", host=host), permanent=True)
    try:
        return Answer(answer.status, json.loads(text, parse_float=Decimal) if text else None)
    except (ValueError, RecursionError):
        return Answer(answer.status, None)


def _resolve(host: str, port: int, secure: bool) -> str:
    """The address to connect to; every address of the name must be one that may be called."""
    try:
        found = {str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError) as error:
        raise DeliveryError(M("{host} is not known: {error}", host=host, error=str(error))) from error
    private = [each for each in found if not _is_public(each) and (each, port) not in ALLOWED]
    if private:
        raise DeliveryError(M("{host} is not a public address.", host=host), permanent=True)
    if not secure and not all((each, port) in ALLOWED for each in found):
        raise DeliveryError(M("Only https addresses are called."), permanent=True)
    return sorted(found)[0]


def _is_public(text: str) -> bool:
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and (
        address.ipv4_mapped or address.sixtofour or address.teredo or address in _TRANSLATED
    ):
        return False
    return address.is_global and not address.is_multicast


_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")


@contextmanager
def _connected(address: str, host: str, port: int, secure: bool) -> Iterator[http.client.HTTPConnection]:
    """A connection to the examined address that calls itself by the name; OSError when time is up.

    The time-out of a socket begins anew with each packet, so a watch hangs up on whoever answers in drops.
    """
    until = time.monotonic() + SECONDS
    line = socket.create_connection((address, port), timeout=SECONDS)
    if secure:
        context = ssl.create_default_context()
        line = context.wrap_socket(line, server_hostname=host, do_handshake_on_connect=False)
    watch = threading.Timer(until - time.monotonic(), _hang_up, [line])
    watch.daemon = True
    watch.start()
    connection = http.client.HTTPConnection(host, port, timeout=SECONDS)
    connection.sock = line
    try:
        if isinstance(line, ssl.SSLSocket):
            line.do_handshake()
        yield connection
        if time.monotonic() >= until:  # what was read is not all
            raise TimeoutError("timed out")
    finally:
        watch.cancel()
        connection.close()


def _hang_up(line: socket.socket) -> None:
    with suppress(OSError):  # it is closed already
        socket.socket.shutdown(line, socket.SHUT_RDWR)
