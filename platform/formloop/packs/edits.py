"""What would be lost by installing: local edits, drafts, and what belongs to another pack."""

from sqlalchemy import select

from formloop.core.definitions import Doc, Kind, kinds, write
from formloop.core.errors import Problem
from formloop.core.text import M, Message, Titled
from formloop.db import connection
from formloop.definitions import library
from formloop.definitions.drafts import lock
from formloop.packs.reading import Pack
from formloop.packs.tables import shipped


def check_edits(pack: Pack) -> list[Problem]:
    """The definitions here that installing would overwrite although people, or another pack, made them so.

    A definition whose text is already what the pack brings loses nothing. Locks what it looks at.
    """
    query = select(shipped.c.definition, shipped.c.pack, shipped.c.body).where(
        shipped.c.definition.in_([doc["x-id"] for doc in pack.documents.values()])
    )
    before = {row.definition: row for row in connection().execute(query)}
    problems = []
    for name, doc in pack.documents.items():
        was = before.get(doc["x-id"])
        if was is not None and was.pack != pack.key:
            text = M("“{title}” belongs to the pack “{pack}” already.", title=Titled(doc), pack=was.pack)
            problems.append(Problem("other_pack", name, text))
        elif message := _lost(doc, was.body if was is not None else None):
            problems.append(Problem("changed_here", name, message))
    return problems


def _lost(doc: Doc, shipped_body: str | None) -> Message | None:
    row, kind = lock(doc["x-id"]), kinds.find(doc["x-kind"])
    if row is None or kind is None or row.kind != kind.name:
        return None  # new here, or refused by publishing itself
    if row.draft is not None:
        return M(
            "“{title}” has a draft that is not published. Publish or discard it first.", title=Titled(doc)
        )
    here = write(library.read_version(row.id, row.version), kind) if row.version else None
    if here is None or here in (write(doc, kind), _in_todays_format(shipped_body, kind)):
        return None
    return M("“{title}” was changed here; installing would discard these changes.", title=Titled(doc))


def _in_todays_format(body: str | None, kind: Kind) -> str | None:
    return None if body is None else write(library.load_body(body, kind), kind)
