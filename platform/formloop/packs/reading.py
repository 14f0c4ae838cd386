"""Reading a pack from its folder or from a zip, without believing anything it says."""

import io
import json
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

import jsonschema_rs

from formloop.core.definitions import Doc, read
from formloop.core.definitions.positions import Positions
from formloop.core.errors import Invalid, NotFound, Problem
from formloop.core.json_text import loads
from formloop.core.text import M, localized
from formloop.packs.scenario_shape import check_scenario

MANIFEST, SCENARIO = "pack.json", "scenario.json"
MOST_FILES, MOST_BYTES, MOST_RATIO = 500, 50 * 1024 * 1024, 100
# damaged, of a version or in letters that nobody knows, or locked by a password
_DAMAGED = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError, ValueError)
_folders: dict[Path, tuple[object, "Pack"]] = {}  # with what their files were like when they were read
_manifest = jsonschema_rs.Draft202012Validator(
    json.loads(Path(__file__).with_name("schema.json").read_text("utf-8")), offline=True
)


def needs_of(manifest: Mapping[str, Any]) -> dict[str, str]:
    """The packs that a manifest names as needed, each with the oldest version that will do, or nothing."""
    said = (each.partition(" >= ") for each in manifest.get("needs", ()))
    return {key: least for key, _, least in said}


@dataclass(frozen=True, slots=True)
class Sample:
    """A file of sample data: records of one form, told apart by one of its fields; `text` as far as it is known."""

    file: str
    form: str
    by: str
    records: list[Mapping[str, Any]]
    text: str = ""

    def locate(self, problems: Iterable[Problem]) -> list[Problem]:
        """The problems with the file and, where its text is known, the line."""
        positions = Positions(self.text) if self.text else None
        found = []
        for problem in problems:
            place = positions.line_column(positions.offset_of(problem.at)) if positions else (None, None)
            at = f"{self.file}: {problem.at}"
            found.append(replace(problem, at=at, line=place[0], column=place[1]))
        return found


@dataclass(frozen=True, eq=False)
class Pack:
    """A pack as read: its manifest, its documents by file name, sample data in order, its scenario.

    `shipped`: it comes from a folder of this machine, not from somebody's upload.
    """

    manifest: Mapping[str, Any]
    documents: Mapping[str, Doc]
    samples: tuple[Sample, ...]
    scenario: Mapping[str, Any] | None
    problems: tuple[Problem, ...]
    shipped: bool = False

    @property
    def key(self) -> str:
        """Its key, which is its folder's name."""
        return str(self.manifest.get("key", ""))

    @cached_property
    def needs(self) -> Mapping[str, str]:
        """The packs that must be installed before it, each with the oldest version that will do, or nothing."""
        return needs_of(self.manifest)

    @cached_property
    def counts(self) -> Counter[str]:
        """How many definitions of each kind it brings."""
        return Counter(doc["x-kind"] for doc in self.documents.values())

    def said(self, word: str, locale: str) -> str:
        """A text of the manifest in `locale`."""
        return localized(self.manifest, word, locale)


def read_folder(folder: Path) -> Pack:
    """The pack in a folder; its problems say file, place and line.

    Read anew only when a file changed. It is shared: do not change it.
    """
    if not (folder / MANIFEST).is_file():
        raise NotFound(M("There is no pack in “{folder}”.", folder=folder.name))
    paths = sorted(folder.rglob("*.json"))
    state = tuple((path.as_posix(), s.st_mtime_ns, s.st_size) for path in paths for s in [path.stat()])
    known = _folders.get(folder)
    if known is None or known[0] != state:
        files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
        known = _folders[folder] = (state, replace(_read(files), shipped=True))
    return known[1]


def read_zip(body: bytes) -> Pack:
    """The pack in a zip, read in memory; Invalid when the archive itself is not acceptable."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(body))
    except _DAMAGED as error:
        raise Invalid([Problem("zip", "", M("This file is not a pack (a zip archive)."))]) from error
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    declared = sum(entry.file_size for entry in entries)
    packed = max(1, sum(entry.compress_size for entry in entries))
    if len(entries) > MOST_FILES or declared > MOST_BYTES or declared / packed > MOST_RATIO:
        raise Invalid([Problem("zip", "", M("This archive is too large to be a pack."))])
    files = {}
    for entry in entries:
        name = PurePosixPath(entry.filename)
        if name.is_absolute() or ".." in name.parts or "\\" in entry.filename or entry.filename in files:
            raise Invalid(
                [
                    Problem(
                        "zip",
                        entry.filename[:80],
                        M("A file in this archive has a name that is not allowed."),
                    )
                ]
            )
        content = _unpacked(archive, entry)
        if len(content) > entry.file_size:
            raise Invalid([Problem("zip", entry.filename[:80], M("This archive is too large to be a pack."))])
        files[entry.filename] = content
    if MANIFEST not in files:
        raise Invalid([Problem("zip", MANIFEST, M("A pack needs a file “{file}”.", file=MANIFEST))])
    return _read(files)


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    try:
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise zipfile.BadZipFile  # nobody needs the others, whose unpacking takes what memory it likes
        with archive.open(entry) as file:
            return file.read(entry.file_size + 1)
    except _DAMAGED as error:
        text = M("This file of the archive cannot be read.")
        raise Invalid([Problem("zip", entry.filename[:80], text)]) from error


def _read(files: Mapping[str, bytes]) -> Pack:
    problems: list[Problem] = []
    manifest = _plain(MANIFEST, files[MANIFEST], problems)
    problems += [
        Problem(
            "manifest",
            f"{MANIFEST}: {'.'.join(map(str, error.instance_path))}",
            M("This is not as it should be: {text}", text=error.message),
        )
        for error in _manifest.iter_errors(json.loads(json.dumps(manifest, default=str)))
    ]
    documents: dict[str, Doc] = {}
    samples: list[Sample] = []
    scenario: Mapping[str, Any] | None = None
    for name, body in files.items():
        if name == MANIFEST:
            continue
        if name == SCENARIO:
            wrong = check_scenario(body)
            problems += [_in_file(name, problem) for problem in wrong]
            scenario = None if wrong else loads(body.decode("utf-8"))
        elif name.startswith("sample/"):
            part = _plain(name, body, problems)
            wrong = list(_check_sample(name, part)) if part else []
            problems += wrong
            if part and not wrong:
                samples.append(Sample(name, part["form"], part["by"], part["records"], body.decode("utf-8")))
        else:
            doc, wrong = read(body)
            problems += [_in_file(name, problem) for problem in wrong]
            if doc is not None:
                documents[name] = doc
    return Pack(manifest, documents, tuple(samples), scenario, tuple(problems))


def _in_file(name: str, problem: Problem) -> Problem:
    return replace(problem, at=f"{name}: {problem.at}")


def _plain(name: str, body: bytes, problems: list[Problem]) -> Mapping[str, Any]:
    """The JSON object in a file; empty, with the reason among `problems`, when there is none."""
    try:
        found = loads(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        problems.append(Problem("json", name, M("This is not valid JSON: {text}", text=str(error))))
        return {}
    if isinstance(found, dict) and found:
        return found
    problems.append(Problem("object", name, M("This must be a JSON object with something in it.")))
    return {}


def _check_sample(name: str, part: Mapping[str, Any]) -> Iterator[Problem]:
    for key in ("form", "by"):
        if not isinstance(part.get(key), str):
            yield Problem("sample", f"{name}: {key}", M("Sample data need a text under “{key}”.", key=key))
    records = part.get("records")
    if not isinstance(records, list):
        yield Problem("sample", f"{name}: records", M("Sample data need a list under “records”."))
        return
    for index, record in enumerate(records):
        if not isinstance(record, dict) or record.get(str(part.get("by"))) is None:
            text = M("A sample record must be an object with a value for “{key}”.", key=part.get("by"))
            yield Problem("sample", f"{name}: records.{index}", text)
