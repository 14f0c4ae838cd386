from pathlib import Path

import pytest

import formloop
from formloop.core.text import load_catalogues


@pytest.fixture(autouse=True, scope="session")
def both_languages():
    load_catalogues(Path(formloop.__file__).parent)
