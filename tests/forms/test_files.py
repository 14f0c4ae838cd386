"""Files: kept under their content's name, of the kinds and sizes a field takes."""

from io import BytesIO
from pathlib import Path

import pytest

from formloop.access.actor import SYSTEM
from formloop.core.errors import Invalid
from formloop.forms import files
from formloop.forms.convert import field_of
from formloop.settings import Settings
from forms.specimens import schemas

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 40


@pytest.fixture
def folder(database: Settings, tmp_path: Path) -> Path:
    files.use_folder(tmp_path / "kept")
    return tmp_path / "kept"


def test_the_same_content_is_kept_once_under_two_keys(folder: Path) -> None:
    field = field_of(schemas()["attachment"], "attachment")
    one = files.store(SYSTEM, field, "a.txt", BytesIO(b"hello"))
    other = files.store(SYSTEM, field, "../../b.txt", BytesIO(b"hello"))
    assert one.key != other.key and one.path == other.path and one.path.read_bytes() == b"hello"
    assert files.names_of([one.key, other.key]) == {one.key: "a.txt", other.key: "b.txt"}
    assert [p for p in folder.rglob("*") if p.is_file()] == [one.path]


def test_a_picture_must_be_what_its_name_says(folder: Path) -> None:
    field = field_of(schemas()["image"], "image")
    files.store(SYSTEM, field, "a.PNG", BytesIO(PNG))
    for name, content in (("a.svg", b"<svg>"), ("a.png", b"<script>")):
        with pytest.raises(Invalid):
            files.store(SYSTEM, field, name, BytesIO(content))


def test_a_file_beyond_the_limit_leaves_nothing_behind(folder: Path) -> None:
    field = field_of({**schemas()["attachment"], "x-max-mb": 1}, "attachment")
    with pytest.raises(Invalid):
        files.store(SYSTEM, field, "big.bin", BytesIO(b"0" * (1024 * 1024 + 1)))
    assert [p for p in folder.rglob("*") if p.is_file()] == []
