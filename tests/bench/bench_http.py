"""The served site asked over HTTP, client on the same cores: creating records, lists with totals, memory, start."""

import http.client
import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench import bench_lists
from bench.shop import SCALE, place, scaled

SECONDS = max(0.1, 4 * SCALE)
ROWS = scaled(100_000, 500)
_FIXED = {
    "name": "Bench part",
    "source": "buy",
    "planned": "1",
    "valuation": "fifo",
    "tracking": "none",
    "lead_days": "3",
    "safety_stock": "10",
    "lot_rule": "lot_for_lot",
    "standard_cost": "12.5",
    "list_price": "20",
    "color": "grey",
    "size": "L",
}


def run() -> dict[str, Any]:
    """Requests a second with one and with eight clients, on both databases."""
    found: dict[str, Any] = {}
    for database in ("sqlite", "postgresql"):
        found |= {f"{database} {key}": value for key, value in _measure(database).items()}
    return found


def _measure(database: str) -> dict[str, Any]:
    with place(database) as own:
        environment = {**os.environ, "FORMLOOP_DEMO": "1", **own}
        subprocess.run(
            [sys.executable, "-m", "formloop.cli", "demo", "--if-needed", "--without-story"],
            env=environment,
            check=True,
        )
        _fill(environment)
        begin = time.perf_counter()
        port = _free_port()
        command = [sys.executable, "-m", "formloop.cli", "serve", "--port", str(port)]
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as server:
            try:
                _wait(port)
                found: dict[str, Any] = {"ready s": time.perf_counter() - begin}
                found |= _ask(port)
                found["largest process MB"] = _memory(server.pid)
            finally:
                server.terminate()
        return found


def _fill(environment: dict[str, str]) -> None:
    code = (
        "from bench import bench_lists; from formloop.app import create_app; "
        f"bench_lists.ROWS = {ROWS}; app = create_app(); app.app_context().push(); bench_lists._fill()"
    )
    root = str(Path(bench_lists.__file__).resolve().parents[1])
    subprocess.run(
        [sys.executable, "-c", code],
        env={**environment, "PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])},
        check=True,
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(port: int) -> None:
    for _ in range(600):
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=0.2):
                return
        except OSError:
            time.sleep(0.02)
    raise TimeoutError("the site did not start")


class Client:
    """A browser as far as it matters: one kept connection, a cookie, the page's token."""

    def __init__(self, port: int, account: str = "administrator") -> None:
        self.line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.cookies: dict[str, str] = {}
        self.token = ""
        self.get("/sign-in")
        self.post(f"/sign-in/as/{account}", {})
        self.get("/f/item/new")

    def get(self, path: str) -> int:
        """The status of a page; its token is kept."""
        return self._send("GET", path, None)

    def post(self, path: str, values: dict[str, str]) -> int:
        """The status of a posted form."""
        return self._send("POST", path, urllib.parse.urlencode({**values, "csrf_token": self.token}))

    def _send(self, method: str, path: str, body: str | None) -> int:
        headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items())}
        if body is not None:
            headers |= {
                "Content-Type": "application/x-www-form-urlencoded",
                "Origin": f"http://127.0.0.1:{self.line.port}",
            }
        self.line.request(method, path, body, headers)
        answer = self.line.getresponse()
        text = answer.read().decode("utf-8", "replace")
        for cookie in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = cookie.split(";")[0].partition("=")
            self.cookies[name] = value
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', text) or re.search(
            r'X-CSRFToken": "([^"]+)"', text
        )
        if found:
            self.token = found[1]
        return answer.status


def _ask(port: int) -> dict[str, Any]:
    client = Client(port)
    item = _first_choice(client, "/f/sales_order/choices/lines.item")
    customer = _first_choice(client, "/f/sales_order/choices/customer")
    order = {"customer": customer, "order_date": "2026-11-21", "lines.lines": "1"}
    order |= {f"lines.{i}.item": item for i in range(3)} | {f"lines.{i}.quantity": "2" for i in range(3)}
    listing = "/f/item?f.source.is=buy&sort=code"
    clients = [client, *(Client(port) for _ in range(7))]
    found: dict[str, Any] = {}
    for name, work in (
        ("creates, 12 fields", lambda c: c.post("/f/item/new", _FIXED)),
        ("creates, 3 lines", lambda c: c.post("/f/sales_order/new", order)),
        ("lists", lambda c: c.get(listing)),
    ):
        statuses: set[int] = set()
        found[f"{name} a second, 1 client"], found[f"{name} median ms"] = _rate(clients[:1], work, statuses)
        found[f"{name} a second, 8 clients"], _ = _rate(clients, work, statuses)
        found[f"{name} statuses"] = sorted(statuses)
    return found


def _first_choice(client: Client, path: str) -> str:
    client.line.request(
        "GET", path, headers={"Cookie": "; ".join(f"{k}={v}" for k, v in client.cookies.items())}
    )
    body = client.line.getresponse().read().decode()
    found = re.search(r'"value": ?"(\d+)"', body)
    assert found, body
    return found[1]


def _rate(clients: list[Client], work: Callable[[Client], int], statuses: set[int]) -> tuple[float, float]:
    spent: list[float] = []
    begun = time.perf_counter()

    def ask(client: Client) -> None:
        while (begin := time.perf_counter()) < begun + SECONDS:
            statuses.add(work(client))
            spent.append(time.perf_counter() - begin)

    threads = [threading.Thread(target=ask, args=(each,)) for each in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(spent) / (time.perf_counter() - begun), sorted(spent)[len(spent) // 2] * 1000


def _memory(parent: int) -> float:
    """The largest resident size among a process and all below it, in MB."""
    above: dict[int, int] = {}
    sizes: dict[int, float] = {}
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            said = dict(re.findall(r"^(Pid|PPid|VmRSS):\s+(\d+)", status.read_text(), re.M))
        except OSError:
            continue
        above[int(said["Pid"])], sizes[int(said["Pid"])] = int(said["PPid"]), int(said.get("VmRSS", 0)) / 1024
    return max(size for pid, size in sizes.items() if parent in _line(pid, above))


def _line(pid: int, above: dict[int, int]) -> Iterator[int]:
    """A process and those that it comes from."""
    while pid:
        yield pid
        pid = above.get(pid, 0)


if __name__ == "__main__":
    print(run())
