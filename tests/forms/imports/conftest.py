"""A site with the specimen forms, and files to bring in."""

import csv
from pathlib import Path
from typing import Any

import pytest

from databases import Begun
from formloop.settings import Settings
from forms.imports.bringing import Write
from forms.specimens import publish_all


@pytest.fixture
def site(database: Settings, begun: Begun) -> Settings:
    begun(publish_all)
    return database


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_csv(
        *rows: list[Any], name: str = "rows.csv", encoding: str = "utf-8", delimiter: str = ","
    ) -> Path:
        path = tmp_path / name
        with path.open("w", encoding=encoding, newline="") as file:
            csv.writer(file, delimiter=delimiter).writerows(rows)
        return path

    return write_csv
