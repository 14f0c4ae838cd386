"""The small site, with judges of its own."""

from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from formloop.settings import Settings, read_settings
from web.little_site import make_site, stand_alone


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return replace(read_settings({"FORMLOOP_INSTANCE": str(tmp_path)}), zone="Asia/Shanghai")


@pytest.fixture
def app(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Flask:
    stand_alone(monkeypatch)
    return make_site(settings)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()
