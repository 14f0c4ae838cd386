"""A mail server and a robot's address on this machine, which keep what they get and answer as they are told."""

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from formloop.bridges import outbound


class Mailbox(socketserver.ThreadingTCPServer):
    """Speaks as much SMTP as a letter needs."""

    allow_reuse_address = daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Smtp)
        self.letters: list[str] = []
        self.refuse: str | None = None  # the answer to a recipient

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.server_address[1]}"


class _Smtp(socketserver.StreamRequestHandler):
    server: Mailbox

    def handle(self) -> None:
        self._say("220 here")
        while line := self.rfile.readline():
            word = line.decode().split()[0].upper()
            if word == "DATA":
                self._say("354 go on")
                self.server.letters.append(self._letter())
                self._say("250 kept")
            elif word == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say(self.server.refuse if word == "RCPT" and self.server.refuse else "250 fine")

    def _letter(self) -> str:
        lines = []
        while (line := self.rfile.readline().decode().rstrip("\r\n")) != ".":
            lines.append(line)
        return "\n".join(lines)

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


class RobotServer(HTTPServer):
    """Keeps path and body of every call, and answers with `says`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Robot)
        self.calls: list[tuple[str, Any]] = []
        self.says: Any = {"errcode": 0, "code": 0}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/robot?access_token=t"


class _Robot(BaseHTTPRequestHandler):
    server: RobotServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.calls.append((self.path, json.loads(body)))
        answer = json.dumps(self.server.says).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    with Mailbox() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@contextmanager
def robot_server() -> Iterator[RobotServer]:
    with RobotServer() as server:
        outbound.ALLOWED.add(("127.0.0.1", server.server_port))
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()
        outbound.ALLOWED.discard(("127.0.0.1", server.server_port))
