"""A real Chromium on a real server."""

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from browser.sites import Photograph, Site, served
from formloop.settings import read_settings
from web.little_site import make_site, stand_alone

HERE = Path(__file__).parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PICTURES = HERE.parents[1] / "build" / "screenshots"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what stands in this folder, so that `-m 'not browser'` leaves it out."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker("browser")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Chromium of the system; nothing that would talk to the outside."""
    path = os.environ.get("FORMLOOP_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.fail("no Chromium here: `make test` installs one, or set FORMLOOP_CHROMIUM")
    flags = [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ]
    return {**browser_type_launch_args, "executable_path": path, "args": flags}


@pytest.fixture(autouse=True)
def left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Pages that a test opened are closed after it; left open, they go on asking the server for news."""
    yield
    if "browser" in request.fixturenames:
        for context in request.getfixturevalue("browser").contexts:
            context.close()


@pytest.fixture
def screenshot() -> Photograph:
    """Save the page as build/screenshots/<name>.png."""

    def photograph(page: Page, name: str) -> Path:
        PICTURES.mkdir(parents=True, exist_ok=True)
        path = PICTURES / f"{name}.png"
        page.screenshot(path=path)
        return path

    return photograph


@pytest.fixture
def shell_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The shell with a few pages, served by a thread; its address."""
    stand_alone(monkeypatch)
    app = make_site(read_settings({"FORMLOOP_INSTANCE": str(tmp_path)}))
    with served(app) as address:
        yield address


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    instance = tmp_path_factory.mktemp("site")
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("FORMLOOP_")}
    surroundings |= {"FORMLOOP_INSTANCE": str(instance), "FORMLOOP_DEMO": "1", "PYTHONUNBUFFERED": "1"}
    formloop = [sys.executable, "-m", "formloop.cli"]
    subprocess.run(
        [*formloop, "demo", "--if-needed", "--without-story"], env=surroundings, check=True, timeout=120
    )
    command = [*formloop, "serve", "--port", str(free_port())]
    with (
        (instance / "serve.log").open("w") as log,
        subprocess.Popen(command, env=surroundings, stdout=subprocess.PIPE, stderr=log, text=True) as served,
    ):
        try:
            yield Site(read_address(served), instance)
        finally:
            served.terminate()
            served.wait(timeout=30)


def free_port() -> int:
    """A port nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def read_address(served: "subprocess.Popen[str]") -> str:
    """What the server prints once it is ready."""
    assert served.stdout is not None
    for line in served.stdout:
        if found := re.search(r"http://127\.0\.0\.1:\d+", line):
            return found[0]
    pytest.fail("`formloop serve` ended before it printed its address")
