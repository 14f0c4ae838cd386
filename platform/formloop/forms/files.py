"""Uploaded files: the content under its sha256 outside the web root, name and kind in a row.

A record keeps only a file's key, 128 random bits: whoever was shown it may use it in another record, nobody can
guess one. Content is written beside its place, synced, renamed, and then gets its row.
"""

import hashlib
import mimetypes
import os
import secrets
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import insert, select

from formloop.access.actor import Actor
from formloop.core import clock
from formloop.core.errors import Invalid, NotFound, Problem
from formloop.core.text import M
from formloop.db import connection, reading, transactional
from formloop.forms.fields.attachment import Attachment
from formloop.forms.spec import Field
from formloop.forms.tables import stored_file

_PIECE = 1024 * 1024
_BEGINNINGS = {
    ".png": (b"\x89PNG\r\n\x1a\n",),
    ".jpg": (b"\xff\xd8\xff",),
    ".jpeg": (b"\xff\xd8\xff",),
    ".gif": (b"GIF87a", b"GIF89a"),
    ".webp": (b"RIFF",),
}
_folder: list[Path] = []


@dataclass(frozen=True, slots=True)
class Stored:
    """A file that was uploaded."""

    key: str
    name: str
    size: int
    kind: str
    person: int | None
    path: Path


def use_folder(folder: Path) -> None:
    """Say where contents are kept."""
    _folder[:] = [folder]


def store(actor: Actor, field: Field, name: str, stream: BinaryIO) -> Stored:
    """Keep an uploaded file for `field`; Invalid when it is of a kind or size that the field does not take."""
    name, kind = _cleaned(name), field.type
    if not isinstance(kind, Attachment):
        raise NotFound
    problem = _refusal(field, kind, name, stream)
    if problem:
        raise Invalid([problem])
    sha256, size = _write(field, stream, kind.most_bytes(field))
    return _register(actor, name, sha256, size)


def keep_upload(actor: Actor, name: str, stream: BinaryIO, most: int) -> Stored:
    """Keep an uploaded file that goes with no field, such as that of a comment; Invalid above `most` bytes."""
    sha256, size = _write(None, stream, most)
    return _register(actor, _cleaned(name), sha256, size)


def _cleaned(name: str) -> str:
    shown = "".join(letter for letter in name if letter.isprintable())
    return Path(shown.replace("\\", "/")).name.strip()[-200:] or "file"


def keep(actor: Actor, name: str, path: Path) -> Stored:
    """Keep a file that the program made, such as an export."""
    with path.open("rb") as stream:
        sha256, size = _write(None, stream, path.stat().st_size)
    return _register(actor, name, sha256, size)


def _refusal(field: Field, kind: Attachment, name: str, stream: BinaryIO) -> Problem | None:
    ending, accepted = Path(name).suffix.lower(), kind.accepted(field)
    media = mimetypes.guess_type(name)[0] or ""
    if accepted and not any(
        a.lower() == ending or (a.endswith("/*") and media.startswith(a[:-1])) or a == media for a in accepted
    ):
        return Problem(
            "file_kind",
            field.path,
            M("“{name}” cannot be kept here; possible: {kinds}.", name=name, kinds=", ".join(accepted)),
        )
    if ending in _BEGINNINGS:
        beginning = stream.read(16)
        stream.seek(0)
        if not beginning.startswith(_BEGINNINGS[ending]):
            return Problem(
                "file_kind", field.path, M("“{name}” is not the picture its name says.", name=name)
            )
    return None


def _write(field: Field | None, stream: BinaryIO, most: int) -> tuple[str, int]:
    folder = _folder[0]
    folder.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as file:
            while piece := stream.read(_PIECE):
                size += len(piece)
                if size > most:
                    text = M("This file is too large; {count} MB are the limit.", count=most // _PIECE)
                    raise Invalid([Problem("file_size", field.path if field else "", text)])
                digest.update(piece)
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        place = path_of(digest.hexdigest())
        place.parent.mkdir(exist_ok=True)
        Path(temporary).replace(place)
        _sync(place.parent)
    finally:
        Path(temporary).unlink(missing_ok=True)
    return digest.hexdigest(), size


def _sync(folder: Path) -> None:
    """Make a rename last through a power cut; Windows has no way to open a folder."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@transactional
def _register(actor: Actor, name: str, sha256: str, size: int) -> Stored:
    key = secrets.token_hex(16)
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    values = {
        "key": key,
        "sha256": sha256,
        "name": name,
        "size": size,
        "kind": kind,
        "person": actor.person_id,
        "at": clock.now(),
    }
    connection().execute(insert(stored_file).values(values))
    return Stored(key, name, size, kind, actor.person_id, path_of(sha256))


def path_of(sha256: str) -> Path:
    """Where a content lies."""
    return _folder[0] / sha256[:2] / sha256


def list_contents() -> list[Path]:
    """Everything that lies where contents are kept, unfinished uploads too."""
    return [path for path in _folder[0].rglob("*") if path.is_file()] if _folder else []


def get_file(key: str) -> Stored:
    """An uploaded file; whoever asks has checked that it may be seen."""
    with reading() as conn:
        row = conn.execute(select(stored_file).where(stored_file.c.key == key)).one_or_none()
    if row is None:
        raise NotFound
    return Stored(row.key, row.name, row.size, row.kind, row.person, path_of(row.sha256))


def is_picture(stored: Stored) -> bool:
    """Whether a file begins as pictures do, whatever its name says; drawings that may run code are none."""
    with stored.path.open("rb") as file:
        beginning = file.read(16)
    return any(beginning.startswith(known) for known in _BEGINNINGS.values())


def names_of(keys: Iterable[str], person: int | None = None) -> dict[str, str]:
    """What files are called, in one query; with `person` of those that somebody has uploaded themselves."""
    wanted = list(keys)
    if not wanted:
        return {}
    with reading() as conn:
        query = select(stored_file.c.key, stored_file.c.name).where(stored_file.c.key.in_(wanted))
        if person is not None:
            query = query.where(stored_file.c.person == person)
        return {row.key: row.name for row in conn.execute(query)}
