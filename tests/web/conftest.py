"""The small site, with judges of its own."""

from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from formloop.settings import Settings, read_settings
from formloop.web import faults, routes
from web.little_site import judge, make_site


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return replace(read_settings({"FORMLOOP_INSTANCE": str(tmp_path)}), zone="Asia/Shanghai")


@pytest.fixture
def app(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Flask:
    monkeypatch.setattr(routes, "_check", lambda permission, arguments: judge(permission))
    monkeypatch.setattr(faults, "_sign_in_url", lambda target: f"/sign-in?next={target}")
    return make_site(settings)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()
