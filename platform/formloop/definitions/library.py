"""What is published, prepared to run. Read everywhere and all the time, so it is a look-up in memory.

Each process keeps one shelf, exchanged as a whole when somebody has published (`refresh`). Inside the
transaction that publishes, the new definitions are seen already, by that transaction alone.
"""

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from sqlalchemy import Engine, select

from formloop.core.definitions import Doc, Kind, kinds, parse, upgrade
from formloop.core.definitions.shape import called
from formloop.core.errors import NotFound
from formloop.core.text import M
from formloop.db import counter, engine, forget_plans, glance, kept, read_counter, reading
from formloop.definitions.tables import definition
from formloop.definitions.tables import version as versions

Name = tuple[str, str]  # kind and key
_MOST_KEPT = 5_000


@dataclass(frozen=True, slots=True)
class Entry:
    """A published definition: its stable id, its version, where it belongs and its names."""

    id: str
    kind: str
    key: str
    version: int
    app: str
    title: str
    title_zh: str

    def name(self, locale: str) -> str:
        """Its title in `locale`."""
        return (self.title_zh if locale.startswith("zh") else "") or self.title


@dataclass(frozen=True, slots=True)
class _Shelf:
    engine: Engine
    epoch: int
    entries: dict[Name, Entry]
    retired: dict[Name, Entry]  # taken out of use, but what was started under them goes on
    prepared: dict[Name, Any] = field(default_factory=dict)
    forms: dict[tuple[str, int], str] = field(default_factory=dict)  # which one a version is for, by its id
    older: dict[tuple[str, int], Any] = field(default_factory=dict)
    grouped: dict[str, dict[str, list[str]]] = field(default_factory=dict)  # keys by kind and form
    notes: dict[str, dict[Any, Any]] = field(default_factory=dict)


@dataclass(slots=True)
class Overlay:
    """What the open transaction is about to publish, and what it prepared with that in mind."""

    documents: dict[Name, tuple[Doc, int]] = field(default_factory=dict)
    prepared: dict[Name, Any] = field(default_factory=dict)
    grouped: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    older: dict[tuple[str, int], Any] = field(default_factory=dict)
    notes: dict[str, dict[Any, Any]] = field(default_factory=dict)

    @contextmanager
    def trying(self) -> Iterator["Overlay"]:
        """See what is put in inside the block only."""
        before = dict(self.documents)
        try:
            yield self
        finally:
            self.documents = before
            self._forget()

    def put(self, kind: str, key: str, doc: Doc, version: int) -> None:
        """Let the open transaction see this document as published."""
        self.documents[kind, key] = (doc, version)
        self._forget()

    def _forget(self) -> None:
        self.prepared.clear()
        self.older.clear()
        self.grouped.clear()
        self.notes.clear()


_shelf: _Shelf | None = None
_exchange = threading.Lock()
_documents: dict[tuple[str, int], Doc] = {}  # versions never change


def overlay() -> Overlay:
    """What the open transaction publishes; empty outside of one."""
    return kept("definitions.overlay", Overlay)


def published(kind: str, key: str) -> Any:
    """What runs of the published definition `key` of a kind, or NotFound."""
    found = find_published(kind, key)
    if found is None:
        title = getattr(kinds.find(kind), "title", kind)
        raise NotFound(M("There is no {kind} “{key}”.", kind=title, key=key))
    return found


def find_published(kind: str, key: str) -> Any | None:
    """What runs of the published definition `key` of a kind, or None."""
    coming = overlay()
    if coming.documents:
        return _find_with(coming, kind, key)
    shelf = _current()
    found = shelf.prepared.get((kind, key))
    if found is None and (entry := shelf.entries.get((kind, key))):
        found = kinds.get(kind).prepare(_document(entry.id, entry.version), entry.version)
        shelf.prepared[kind, key] = found
    return found


def _find_with(coming: Overlay, kind: str, key: str) -> Any | None:
    name = (kind, key)
    if name not in coming.prepared:
        entry = _current().entries.get(name)
        if name in coming.documents:
            doc, number = coming.documents[name]
        elif entry:
            doc, number = _document(entry.id, entry.version, stands=True), entry.version
        else:
            return None
        coming.prepared[name] = kinds.get(kind).prepare(doc, number)
    return coming.prepared[name]


def at_version(kind: str, key: str, version: int) -> Any:
    """What runs of one numbered version, for what was started under it, even if it is out of use; or NotFound."""
    coming = overlay()  # what is prepared with these in mind holds for this transaction alone
    if version == coming.documents.get((kind, key), (None, None))[1]:
        return published(kind, key)  # also what was never published and is only tried
    entry = find_entry(kind, key) or _current().retired.get((kind, key))
    if entry is None:
        raise NotFound(M("There is no {kind} “{key}”.", kind=kinds.get(kind).title, key=key))
    if version == coming.documents.get((kind, key), (None, entry.version))[1] and _is_running(kind, key):
        return published(kind, key)
    older = coming.older if coming.documents else _current().older
    found = older.get((entry.id, version))
    if found is None:
        found = kinds.get(kind).prepare(_document(entry.id, version), version)
        older[entry.id, version] = found
    return found


def _is_running(kind: str, key: str) -> bool:
    return (kind, key) in overlay().documents or (kind, key) in _current().entries


def all_published(kind: str) -> list[Any]:
    """What runs of all published definitions of a kind, in the order of their keys."""
    return [published(kind, key) for key in list_keys(kind)]


def of_form(kind: str, form: str) -> list[Any]:
    """What runs of the published definitions of a kind that are for this form, in the order of their keys."""
    coming = overlay()
    grouped = coming.grouped if coming.documents else _current().grouped
    if kind not in grouped:
        found: dict[str, list[str]] = {}
        for key in list_keys(kind):
            found.setdefault(_form_of(kind, key), []).append(key)
        grouped[kind] = found
    return [published(kind, key) for key in grouped[kind].get(form, ())]


def _form_of(kind: str, key: str) -> str:
    """Which form a definition is for; that is known of a version for ever, without preparing it again."""
    entry = find_entry(kind, key)
    if entry is None or (kind, key) in overlay().documents:
        return str(published(kind, key).form)
    known, version = _current().forms, (entry.id, entry.version)
    if version not in known:
        known[version] = str(published(kind, key).form)
    return known[version]


def find_document(kind: str, key: str) -> Doc | None:
    """The published document; it is shared, so it must not be changed."""
    coming = overlay().documents.get((kind, key))
    if coming:
        return coming[0]
    entry = _current().entries.get((kind, key))
    return _document(entry.id, entry.version, stands=True) if entry else None


def find_entry(kind: str, key: str) -> Entry | None:
    """Id, version and names of a published definition."""
    return _current().entries.get((kind, key))


def is_new(kind: str, key: str) -> bool:
    """Whether nothing was ever published under this key, apart from what the open transaction brings."""
    shelf = _current()
    return (kind, key) not in shelf.entries and (kind, key) not in shelf.retired


def list_entries(kind: str | None = None) -> list[Entry]:
    """Everything published, of one kind or of all, by kind and key."""
    return [entry for name, entry in _current().entries.items() if kind in (None, name[0])]


def list_keys(kind: str) -> list[str]:
    """The keys of all published definitions of a kind."""
    names = {*_current().entries, *overlay().documents}
    return sorted(key for each, key in names if each == kind)


def list_dependents(kind: str, key: str) -> list[Entry]:
    """The published definitions that refer to this one."""
    found = []
    for entry in list_entries():
        doc, its_kind = find_document(entry.kind, entry.key), kinds.find(entry.kind)
        if doc is not None and its_kind and (kind, key) in its_kind.references(doc):
            found.append(entry)
    return found


def list_dependents_however_far(names: Iterable[Name]) -> list[Entry]:
    """The published definitions that refer to one of `names`, or to one that does, and so on."""
    reached = set(names)
    if not reached:
        return []
    entries = {(entry.kind, entry.key): entry for entry in list_entries() if entry.kind in kinds}
    needs = {name: kinds.get(name[0]).references(doc) for name in entries if (doc := find_document(*name))}
    while more := {name for name, others in needs.items() if name not in reached and others & reached}:
        reached |= more
    return [entries[name] for name, others in needs.items() if others & reached]


def read_version(definition_id: str, version: int) -> Doc:
    """The document of a numbered version, in today's format; or NotFound. It is shared: do not change it."""
    return _document(definition_id, version)


class _View:
    """The library as checks see it."""

    def find_document(self, kind: str, key: str) -> Doc | None:
        return find_document(kind, key)

    def find_prepared(self, kind: str, key: str) -> Any | None:
        return find_published(kind, key)

    def list_keys(self, kind: str) -> list[str]:
        return list_keys(kind)


VIEW: Final = _View()


def epoch() -> int:
    """The number that rises with each publishing, as the database has it now."""
    return read_counter("definitions")


def until_published(what: str) -> dict[Any, Any]:
    """A place for what follows from the published definitions: empty again after the next publishing.

    Inside a transaction that publishes, or tries to, it is that transaction's own.
    """
    coming = overlay()
    notes = coming.notes if coming.documents else _current().notes
    return notes.setdefault(what, {})


def refresh(epoch: int) -> None:
    """Look again when the database says that somebody has published since; cheap when nobody has."""
    shelf = _shelf
    if shelf is None or shelf.epoch < epoch or shelf.engine is not engine():
        _load()


glance("definitions", counter("definitions"), refresh, binds=True)


def _current() -> _Shelf:
    shelf = _shelf
    if shelf is None or shelf.engine is not engine():
        return _load()
    return shelf


def _load() -> _Shelf:
    global _shelf
    forget_plans()
    with reading() as conn:
        now = read_counter("definitions")
        wanted = definition.c.version.is_not(None)
        columns = [
            definition.c[name] for name in ("id", "kind", "key", "version", "app", "title", "title_zh")
        ]
        query = select(*columns).order_by(definition.c.kind, definition.c.key)
        entries, retired = (
            {(row.kind, row.key): Entry(**row._mapping) for row in conn.execute(query.where(wanted, which))}
            for which in (~definition.c.archived, definition.c.archived)
        )
    with _exchange:
        before = _shelf
        if before is not None and before.engine is engine():
            if before.epoch >= now:
                return before
            shelf = _Shelf(engine(), now, entries, retired, _still_valid(before, entries), {**before.forms})
        else:
            _documents.clear()
            shelf = _Shelf(engine(), now, entries, retired)
        _shelf = shelf
    return shelf


def _still_valid(before: _Shelf, entries: Mapping[Name, Entry]) -> dict[Name, Any]:
    """What was prepared and neither changed itself nor refers, however far, to something that changed."""
    prepared = dict(before.prepared)
    needs = {name: _references(before.entries[name]) for name in prepared}
    names = {*before.entries, *entries}
    stale = {name for name in names if before.entries.get(name) != entries.get(name)}
    stale |= {name for name, others in needs.items() if others is None}
    while more := {name for name, others in needs.items() if name not in stale and others and others & stale}:
        stale |= more
    return {name: found for name, found in prepared.items() if name not in stale}


def _references(entry: Entry) -> set[Name] | None:
    """What a published definition refers to; None when its document is not in memory any more."""
    doc = _documents.get((entry.id, entry.version))
    return None if doc is None else set(kinds.get(entry.kind).references(doc))


def _document(definition_id: str, number: int, stands: bool = False) -> Doc:
    """A version's document, kept if it `stands` or this transaction publishes nothing, which may be taken back."""
    name = (definition_id, number)
    found = _documents.get(name)
    if found is None:
        found = _read(definition_id, number)
        if stands or not overlay().documents:
            if len(_documents) >= _MOST_KEPT:
                _documents.clear()
            _documents[name] = found
    return found


def _read(definition_id: str, number: int) -> Doc:
    with reading() as conn:
        row = conn.execute(
            select(versions.c.body, definition.c.kind)
            .join(definition, definition.c.id == versions.c.definition)
            .where(versions.c.definition == definition_id, versions.c.version == number)
        ).one_or_none()
    if row is None:
        raise NotFound(M("There is no version {version} of this definition.", version=number))
    return load_body(row.body, kinds.get(row.kind))


def load_body(body: str, kind: Kind) -> Doc:
    """The document of a stored text, in today's format."""
    return upgrade(parse(body).doc, kind)[0]


def _title_of(kind: str, key: str, locale: str) -> str:
    """What a published definition is called; nothing where there is none."""
    found = find_entry(kind, key)
    return "" if found is None else (found.title_zh if locale.startswith("zh") else "") or found.title


for _kind in ("form", "dataset", "role", "workflow", "plan", "ledger"):
    called.add(_kind, partial(_title_of, _kind))
