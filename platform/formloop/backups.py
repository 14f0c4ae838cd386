"""`formloop backup` and `formloop restore`: database and files in one archive, checked when it comes back.

The secret key is not in it: keys are kept apart. After a restore, messages that were under way wait in the
repair desk for a person, since nobody can know which of them arrived after the backup was made.
"""

import hashlib
import io
import json
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from pathlib import Path

from sqlalchemy import create_engine, update
from sqlalchemy.engine import make_url

from formloop import __version__
from formloop.core import clock
from formloop.core.errors import Invalid, Problem, Unavailable
from formloop.core.text import M
from formloop.events.tables import outbox
from formloop.settings import Settings

MANIFEST = "manifest.json"
HELD = "Restored from a backup: nobody knows whether this arrived. Retry it if it should be sent again."


def backup(settings: Settings, target: Path) -> int:
    """Write the site to the archive `target`; returns its size in bytes. The site may go on working."""
    with tempfile.TemporaryDirectory(dir=target.parent) as name:
        folder = Path(name)
        database = _dump(settings, folder)
        digests = {database.name: _digest(database)}
        part = target.with_name(target.name + ".part")
        with tarfile.open(part, "w:gz") as archive:
            archive.add(database, database.name)
            for path in sorted(settings.files.rglob("*")):
                if path.is_file():
                    inside = f"files/{path.relative_to(settings.files).as_posix()}"
                    digests[inside] = _digest(path)
                    archive.add(path, inside)
            manifest = {"version": __version__, "made_at": clock.now().isoformat(), "files": digests}
            body = json.dumps(manifest, indent=2).encode()
            entry = tarfile.TarInfo(MANIFEST)
            entry.size = len(body)
            archive.addfile(entry, io.BytesIO(body))
        part.replace(target)
    return target.stat().st_size


def _dump(settings: Settings, folder: Path) -> Path:
    if settings.on_sqlite:
        path = folder / "database.sqlite"
        source = sqlite3.connect(str(make_url(settings.database_url).database))
        copy = sqlite3.connect(path)
        with copy:
            source.backup(copy)
        copy.close()
        source.close()
        return path
    path = folder / "database.dump"
    _run(["pg_dump", "--format=custom", f"--file={path}", _plain_url(settings)])
    return path


def _plain_url(settings: Settings) -> str:
    return settings.database_url.replace("postgresql+psycopg://", "postgresql://")


def _run(command: list[str]) -> None:
    if shutil.which(command[0]) is None:
        raise Unavailable(
            M("“{tool}” is missing on this machine. Install the PostgreSQL client programs.", tool=command[0])
        )
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unavailable(M("{tool} failed: {text}", tool=command[0], text=done.stderr.strip()[-500:]))


def restore(archive: Path, settings: Settings) -> int:
    """Bring an archive back into a new, empty place; returns the count of files. Nothing is overwritten."""
    database = Path(str(make_url(settings.database_url).database)) if settings.on_sqlite else None
    if (database and database.exists()) or any(settings.files.iterdir()):
        raise Invalid([Problem("not_empty", "", M("Restore goes into a new place; this one is not empty."))])
    with tempfile.TemporaryDirectory(dir=settings.instance) as name:
        folder = Path(name)
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
        manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
        wrong = [path for path, digest in manifest["files"].items() if _digest(folder / path) != digest]
        if wrong:
            raise Invalid(
                [
                    Problem("damaged", path, M("This file in the archive is damaged or missing."))
                    for path in wrong
                ]
            )
        if database:
            shutil.move(folder / "database.sqlite", database)
        else:
            _run(
                [
                    "pg_restore",
                    "--no-owner",
                    f"--dbname={_plain_url(settings)}",
                    str(folder / "database.dump"),
                ]
            )
        for path in manifest["files"]:
            if path.startswith("files/"):
                target = settings.files / path.removeprefix("files/")
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.move(folder / path, target)
    _hold(settings)
    return len(manifest["files"])


def _hold(settings: Settings) -> None:
    engine = create_engine(settings.database_url)
    with engine.begin() as conn:
        conn.execute(
            update(outbox)
            .where(outbox.c.state.in_(("ready", "leased")))
            .values(state="unknown", last_error=HELD)
        )
    engine.dispose()


def _digest(path: Path) -> str:
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
