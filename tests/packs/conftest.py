"""The whole application on an empty database, for packs and their stories."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask

from formloop.app import create_app
from formloop.settings import Settings


@pytest.fixture
def app(database: Settings) -> Iterator[Flask]:
    application = create_app(replace(database, demo=True))
    with application.app_context():
        yield application
