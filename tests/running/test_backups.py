"""A backup comes back whole into a new place, its messages held, or says why it cannot."""

import json
import tarfile
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import create_engine, select

from formloop import backups, db
from formloop.core.errors import Invalid
from formloop.events import outbox, reasons, tables
from formloop.events.outbox import Topic
from formloop.settings import Settings, read_settings


@pytest.fixture
def site(tmp_path: Path) -> Settings:
    """A site with one file, one that is still being written, and one message that waits."""
    settings = read_settings({"FORMLOOP_INSTANCE": str(tmp_path / "site")})
    db.start(Flask("formloop"), settings)
    (settings.files / "ab").mkdir()
    (settings.files / "ab" / "abc").write_text("content")
    (settings.files / ".new-1").write_text("half")
    if outbox.topics.find("mail") is None:
        outbox.topics.add("mail", Topic(lambda _: None))
    db.transactional(outbox.put)("mail", "a", {"say": 1})
    yield settings
    outbox.topics._things.pop("mail")
    db.engine().dispose()


@pytest.fixture
def elsewhere(tmp_path: Path) -> Settings:
    return read_settings({"FORMLOOP_INSTANCE": str(tmp_path / "elsewhere")})


@pytest.fixture
def archive(site: Settings, tmp_path: Path) -> Path:
    path = tmp_path / "backup.tar.gz"
    backups.backup(site, path)
    return path


def test_a_backup_comes_back_with_its_files_and_its_messages_held(archive: Path, elsewhere: Settings) -> None:
    assert backups.restore(archive, elsewhere) == 2
    assert (elsewhere.files / "ab" / "abc").read_text() == "content"
    assert list(elsewhere.files.rglob(".new-*")) == []
    engine = create_engine(elsewhere.database_url)
    with engine.connect() as conn:
        ((state, error),) = conn.execute(select(tables.outbox.c.state, tables.outbox.c.last_error)).all()
    engine.dispose()
    assert state == "unknown" and "备份" in reasons.read(error, "zh-CN")


def test_a_backup_is_for_its_owner_only(archive: Path) -> None:
    assert archive.stat().st_mode & 0o077 == 0


def test_nothing_is_restored_over_a_site(archive: Path, site: Settings) -> None:
    with pytest.raises(Invalid, match="not empty"):
        backups.restore(archive, site)


def rewritten(archive: Path, folder: Path, change: str) -> Path:
    """The archive with one thing made wrong."""
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    if change == "content":
        (folder / "files/ab/abc").write_text("other")
    elif change == "missing":
        (folder / "files/ab/abc").unlink()
    elif change == "manifest":
        (folder / "manifest.json").unlink()
    else:
        manifest = json.loads((folder / "manifest.json").read_text())
        manifest["files"]["files/../../outside"] = manifest["files"].pop("files/ab/abc")
        (folder / "manifest.json").write_text(json.dumps(manifest))
    made = archive.with_name("rewritten.tar.gz")
    with tarfile.open(made, "w:gz") as packed:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                packed.add(path, path.relative_to(folder).as_posix())
    return made


@pytest.mark.parametrize("change", ["content", "missing", "manifest", "path"])
def test_a_damaged_backup_is_refused_and_leaves_the_place_empty(
    archive: Path, elsewhere: Settings, tmp_path: Path, change: str
) -> None:
    damaged = rewritten(archive, tmp_path / "unpacked", change)
    with pytest.raises(Invalid, match="damaged"):
        backups.restore(damaged, elsewhere)
    assert list(elsewhere.files.iterdir()) == []
    assert not (elsewhere.instance / "formloop.db").exists()


def test_what_is_no_archive_is_refused_in_words(elsewhere: Settings, tmp_path: Path) -> None:
    path = tmp_path / "backup.tar.gz"
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(Invalid, match="no backup of Formloop"):
        backups.restore(path, elsewhere)
