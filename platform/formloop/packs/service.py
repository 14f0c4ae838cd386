"""The template centre's use cases: list, install, sample data, export."""

import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import current_app
from sqlalchemy import delete, insert, select

from formloop.access import audit, gate
from formloop.access.actor import Actor
from formloop.core import clock
from formloop.core.definitions import Doc, kinds, write
from formloop.core.errors import FormloopError, Invalid, NotFound, Problem
from formloop.core.text import M, Message, Titled
from formloop.db import connection, reading, transactional, undone
from formloop.definitions import library
from formloop.definitions import service as definitions
from formloop.definitions.apps import ORDER, App
from formloop.packs import samples
from formloop.packs.edits import check_edits
from formloop.packs.reading import MANIFEST, Pack, needs_of, read_folder
from formloop.packs.tables import pack as packs
from formloop.packs.tables import shipped

OWN_FORMS = "own_forms"  # the key under which what belongs to no application is taken along


@dataclass(frozen=True, slots=True)
class Card:
    """A pack as the template centre shows it."""

    pack: Pack
    installed: str | None
    samples: int

    @property
    def upgrade(self) -> bool:
        """Whether an older version of it is installed."""
        here = self.pack.manifest.get("version")
        return bool(self.installed and here and _order_of(here) > _order_of(self.installed))


def library_folder() -> Path:
    """Where the shipped packs are."""
    folder: Path = current_app.config["SETTINGS"].packs
    return folder


def list_cards() -> list[Card]:
    """All shipped packs with what is installed of them."""
    with reading() as conn:
        there = {row.key: row.version for row in conn.execute(select(packs.c.key, packs.c.version))}
    counts = samples.count_all()
    return [Card(pack, there.get(pack.key), counts[pack.key]) for pack in list_shipped()]


def list_shipped() -> list[Pack]:
    """All shipped packs in the order of the template centre, without asking the database."""
    found = [read_folder(path.parent) for path in library_folder().glob("*/pack.json")]
    return sorted(found, key=lambda pack: (pack.manifest.get("order", 100), pack.key))


def get_pack(key: str) -> Pack:
    """A shipped pack by key."""
    folder = library_folder() / key
    if not key.isidentifier() or not folder.is_dir():
        raise NotFound(M("There is no pack “{key}”.", key=key))
    return read_folder(folder)


def list_needed(pack: Pack) -> list[Pack]:
    """The packs that must be installed before this one and are not, the first one first."""
    with reading() as conn:
        there = set(conn.execute(select(packs.c.key)).scalars())
    found: list[Pack] = []
    for key in pack.needs:
        if key not in there:
            other = get_pack(key)
            found += [each for each in [*list_needed(other), other] if each.key not in {f.key for f in found}]
    return found


@transactional
def install(actor: Actor, pack: Pack, with_samples: bool = True) -> list[definitions.Published]:
    """Install a pack and what it needs, all or nothing; returns what was published.

    Invalid when the packs have problems, or when local edits or drafts would be lost.
    """
    gate.require(actor, "install", "pack")
    published: list[definitions.Published] = []
    for each in require_installable(pack):
        published += definitions.publish_many(
            actor,
            each.documents.values(),
            f"{each.key} {each.manifest['version']}",
            app=app_of_pack(each.key),
        )
        _remember(actor, each)
        if with_samples:
            samples.add(actor, each)
    return published


@transactional
def require_installable(pack: Pack) -> list[Pack]:
    """The packs to install for this one, itself last; Invalid with everything that stands against it."""
    if pack.problems:
        raise Invalid(pack.problems)
    if wrong := _check_key(pack):
        raise Invalid([wrong])
    packs_ = [*list_needed(pack), pack]
    problems = list(_too_old(packs_))
    problems = problems or [problem for each in packs_ for problem in each.problems or check_edits(each)]
    problems = problems or list(_shared(packs_))
    if problems:
        raise Invalid(problems)
    return packs_


def _too_old(packs_: Iterable[Pack]) -> Iterator[Problem]:
    """What would be older than somebody needs it: for these packs, and of these for what is installed."""
    with reading() as conn:
        there = {row.key: {**row.manifest, "version": row.version} for row in conn.execute(select(packs))}
    coming = {each.key: each.manifest for each in packs_}
    after = {**there, **coming}
    for key, manifest in after.items():
        for needed, least in needs_of(manifest).items():
            found = str(after.get(needed, {}).get("version", least))
            if {key, needed} & coming.keys() and least and _order_of(found) < _order_of(least):
                said = {"pack": titled(key), "version": manifest["version"], "needed": titled(needed)}
                yield _older_than_needed(key, needed, key in coming, said | {"least": least, "found": found})


def _older_than_needed(key: str, needed: str, comes: bool, said: Mapping[str, Any]) -> Problem:
    text = M(
        "“{pack}” {version} needs “{needed}” {least} or newer, and {found} is installed. Upgrade “{needed}” first.",
        **said,
    )
    if comes:
        return Problem("too_old", f"{key}/{MANIFEST}: needs", text)
    text = M(
        "“{pack}” {version} is installed and needs “{needed}” {least} or newer; this is {found}.", **said
    )
    return Problem("too_old", f"{needed}/{MANIFEST}: version", text)


def titled(key: str) -> Message:
    """What a pack is called; its key where it is not known."""
    shipped_ = next((each for each in list_shipped() if each.key == key), None)
    return Titled(shipped_.manifest if shipped_ else {}, key)


def _check_key(pack: Pack) -> Problem | None:
    """Why a pack may not have its key: it brings nothing, or what is uploaded only calls itself like another one.

    The same pack brings every definition that the other one has, or is a newer version that shares some.
    """
    brought = {doc["x-id"] for doc in pack.documents.values()}
    if not brought:
        return Problem("empty", MANIFEST, M("A pack brings at least one definition."))
    if pack.shipped or pack.key == OWN_FORMS:
        return None
    version, known = _known_as(pack.key)
    if known <= brought or (known & brought and _order_of(pack.manifest["version"]) > _order_of(version)):
        return None
    text = M("There is another pack “{key}”; give this one a key of its own.", key=pack.key)
    return Problem("other_pack", f"{MANIFEST}: key", text)


def _known_as(key: str) -> tuple[str, set[str]]:
    """The version and the stable ids of the pack that is installed under a key, or else shipped."""
    with reading() as conn:
        version = conn.execute(select(packs.c.version).where(packs.c.key == key)).scalar()
        if version is not None:
            ids = conn.execute(select(shipped.c.definition).where(shipped.c.pack == key)).scalars()
            return version, set(ids)
    other = next((each for each in list_shipped() if each.key == key), None)
    if other is None:
        return "0.0.0", {entry.id for entry in library.list_entries() if entry.app == key}
    return other.manifest["version"], {doc["x-id"] for doc in other.documents.values()}


def _order_of(version: str) -> tuple[int, ...]:
    return tuple(int(part[:18]) for part in version.split("."))


def _shared(packs_: Iterable[Pack]) -> Iterator[Problem]:
    """Definitions that have a stable id or a key which another one, installed together with them, has too."""
    seen: dict[tuple[str, str], str] = {}
    for pack in packs_:
        for name, doc in pack.documents.items():
            place = f"{pack.key}/{name}"
            for word, value in (("x-id", doc["x-id"]), ("x-key", f"{doc['x-kind']} {doc['x-key']}")):
                if (other := seen.setdefault((word, value), place)) != place:
                    text = M("“{value}” is used by {other}, too.", value=value, other=other)
                    yield Problem("twice", f"{place}: {word}", text)


def app_of_pack(key: str) -> str:
    """The application that a pack's definitions belong to; own forms belong to none."""
    return "" if key == OWN_FORMS else key


def _remember(actor: Actor, pack: Pack) -> None:
    conn = connection()
    conn.execute(delete(packs).where(packs.c.key == pack.key))
    conn.execute(
        insert(packs).values(
            key=pack.key,
            version=pack.manifest["version"],
            manifest=dict(pack.manifest),
            installed_at=clock.now(),
            installed_by=actor.person_id,
        )
    )
    conn.execute(delete(shipped).where(shipped.c.pack == pack.key))
    rows = [
        {"definition": doc["x-id"], "pack": pack.key, "body": write(doc, kinds.get(doc["x-kind"]))}
        for doc in pack.documents.values()
    ]
    if rows:
        conn.execute(insert(shipped), rows)
    audit.note(actor, "pack.installed", f"pack:{pack.key}", version=pack.manifest["version"])


def export(actor: Actor, app: str) -> dict[str, str]:
    """The files of an application as a pack: its published definitions in canonical text, and a manifest.

    `own_forms` stands for what was made here and belongs to no application.
    """
    gate.require(actor, "design", "definition")
    docs = documents_of(app)
    return {
        "pack.json": _manifest(app, docs),
        **{file_name(doc): write(doc, kinds.get(doc["x-kind"])) for doc in docs},
    }


def documents_of(app: str) -> list[Doc]:
    """The published definitions of an application; NotFound when there are none."""
    docs = [
        doc
        for entry in library.list_entries()
        if entry.app == app_of_pack(app) and (doc := library.find_document(entry.kind, entry.key)) is not None
    ]
    if not docs:
        raise NotFound(M("There is no application “{app}” with anything published.", app=app))
    return docs


def file_name(doc: Doc) -> str:
    """The name of a definition's file in a pack."""
    return f"{doc['x-key']}.{doc['x-kind']}.json"


def list_apps() -> dict[str, App]:
    """The applications that packs brought along, with their own forms' one, by key."""
    with reading() as conn:
        found = {row.key: row.manifest for row in conn.execute(select(packs.c.key, packs.c.manifest))}
    own = M("Own forms")
    return {"": App("", own.render("en"), own.render("zh-CN"), ORDER * 2)} | {
        key: App(
            key,
            said["title"],
            said.get("x-title", {}).get("zh-CN", ""),
            said.get("order", ORDER),
            said.get("icon", "apps"),
            said.get("color", "blue"),
            text=(said.get("summary", ""), said.get("x-summary", {}).get("zh-CN", "")),
        )
        for key, said in found.items()
        if key != OWN_FORMS
    }


def _manifest(app: str, docs: Iterable[Doc]) -> str:
    with reading() as conn:
        known = conn.execute(select(packs.c.manifest).where(packs.c.key == app)).scalar()
    needs = {
        entry.app
        for doc in docs
        for reference in kinds.get(doc["x-kind"]).references(doc)
        if (entry := library.find_entry(*reference)) is not None and entry.app not in ("", app)
    }
    manifest: dict[str, Any] = known or {
        "key": app,
        "title": app.replace("_", " ").capitalize(),
        **({"x-title": {"zh-CN": M("Own forms").render("zh-CN")}} if app == OWN_FORMS else {}),
        "version": "1.0.0",
        "summary": "",
    }
    face = library.find_document("app", app) or {}
    manifest |= {word: face[word] for word in ("title", "x-title", "icon", "color", "order") if word in face}
    said = {each.partition(" ")[0]: each for each in manifest.get("needs", ())}
    return write({**manifest, "needs": sorted(said.get(key, key) for key in needs)})


def zipped(files: dict[str, str]) -> bytes:
    """The files of a pack in one archive, the same bytes for the same files."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, (2025, 1, 1, 0, 0, 0)), text)
    return body.getvalue()


def check(actor: Actor, pack: Pack) -> list[Problem]:
    """Everything that stands against installing a pack: its files are looked at, then it is tried and undone."""
    by_name = {file_name(doc): name for name, doc in pack.documents.items()}
    misnamed = [
        Problem("name", name, M("This file should be called “{name}”.", name=right))
        for right, name in by_name.items()
        if right != name
    ]
    try:
        undone(lambda: install(actor, pack))
    except Invalid as error:
        return [*misnamed, *error.problems]
    except FormloopError as error:
        return [*misnamed, Problem(error.code, "", error.message)]
    return misnamed
