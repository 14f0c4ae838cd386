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
import zlib
from contextlib import suppress
from pathlib import Path, PurePosixPath

from sqlalchemy import create_engine, update
from sqlalchemy.engine import make_url

from formloop import __version__
from formloop.core import clock
from formloop.core.errors import Invalid, Problem, Unavailable
from formloop.core.text import M, load_catalogues
from formloop.events.reasons import written
from formloop.events.tables import outbox
from formloop.settings import Settings

MANIFEST = "manifest.json"
HELD = M("Restored from a backup: nobody knows whether this arrived. Retry it if it should be sent again.")


def backup(settings: Settings, target: Path) -> int:
    """Write the site to the archive `target`; returns its size in bytes. The site may go on working."""
    with tempfile.TemporaryDirectory(dir=target.parent) as name:
        folder = Path(name)
        database = _dump(settings, folder)
        digests = {database.name: _digest(database)}
        part = target.with_name(target.name + ".part")
        part.touch(mode=0o600)  # it holds everything that the site's rights protect
        with tarfile.open(part, "w:gz") as archive:
            archive.add(database, database.name)
            for path in _kept_files(settings):
                inside = f"files/{path.relative_to(settings.files).as_posix()}"
                with suppress(FileNotFoundError):  # swept since it was listed
                    digest = _digest(path)
                    archive.add(path, inside)
                    digests[inside] = digest
            manifest = {"version": __version__, "made_at": clock.now().isoformat(), "files": digests}
            body = json.dumps(manifest, indent=2).encode()
            entry = tarfile.TarInfo(MANIFEST)
            entry.size = len(body)
            archive.addfile(entry, io.BytesIO(body))
        part.replace(target)
    return target.stat().st_size


def _kept_files(settings: Settings) -> list[Path]:
    """The files of the site, without those that are still being written."""
    return [p for p in sorted(settings.files.rglob("*")) if p.is_file() and not p.name.startswith(".")]


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
        digests = _unpack(archive, folder)
        wrong = [path for path, digest in digests.items() if _digest(folder / path) != digest]
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
                    "--single-transaction",
                    "--exit-on-error",
                    f"--dbname={_plain_url(settings)}",
                    str(folder / "database.dump"),
                ]
            )
        for path in digests:
            if path.startswith("files/"):
                target = settings.files / path.removeprefix("files/")
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.move(folder / path, target)
    _hold(settings)
    return len(digests)


def _unpack(archive: Path, folder: Path) -> dict[str, str]:
    """The files of an archive in `folder`, with the digests that they should have."""
    try:
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
        digests: dict[str, str] = json.loads((folder / MANIFEST).read_text("utf-8"))["files"]
    except (tarfile.TarError, EOFError, zlib.error, OSError, ValueError, LookupError, TypeError) as error:
        text = M("This is no backup of Formloop, or it is damaged.")
        raise Invalid([Problem("no_backup", archive.name, text)]) from error
    if any(".." in PurePosixPath(path).parts for path in digests):
        raise Invalid(
            [Problem("no_backup", archive.name, M("This is no backup of Formloop, or it is damaged."))]
        )
    return digests


def _hold(settings: Settings) -> None:
    load_catalogues(Path(__file__).parent)  # the reason is kept in every language
    engine = create_engine(settings.database_url)
    with engine.begin() as conn:
        conn.execute(
            update(outbox)
            .where(outbox.c.state.in_(("ready", "leased")))
            .values(state="unknown", last_error=written(HELD))
        )
    engine.dispose()


def _digest(path: Path) -> str:
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
