"""What somebody was filling in: kept two seconds after the last change, offered again when they come back."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.engine import Row

from formloop.access.actor import Actor
from formloop.core import clock
from formloop.core.errors import TooLarge
from formloop.core.json_text import dumps
from formloop.core.text import M
from formloop.db import connection, reading, transactional
from formloop.forms.tables import fill

LARGEST = 1_000_000


_mine = [fill.c[name] == bindparam(f"my_{name}") for name in ("person", "form", "record")]
_FIND, _FORGET = select(fill).where(*_mine), delete(fill).where(*_mine)


def _page(actor: Actor, form: str, record: int | None) -> dict[str, Any]:
    return {"my_person": actor.person_id, "my_form": form, "my_record": record or 0}


@transactional
def keep(actor: Actor, form: str, record: int | None, raw: Mapping[str, Any]) -> None:
    """Keep the raw values of a page that is being filled in, in place of what was kept of it before."""
    if len(dumps(dict(raw))) > LARGEST:
        raise TooLarge(M("This is too much to keep as a draft. Save it."))
    conn = connection()
    conn.execute(_FORGET, _page(actor, form, record))
    conn.execute(
        insert(fill).values(
            person=actor.person_id, form=form, record=record or 0, raw=dict(raw), at=clock.now()
        )
    )


def find(actor: Actor, form: str, record: int | None) -> Row[Any] | None:
    """What was kept of this page, if anything."""
    with reading() as conn:
        return conn.execute(_FIND, _page(actor, form, record)).one_or_none()


@transactional
def forget(actor: Actor, form: str, record: int | None) -> None:
    """Drop what was kept: it was saved, or is not wanted."""
    connection().execute(_FORGET, _page(actor, form, record))
