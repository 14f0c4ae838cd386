"""What people say about a record."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select

from formloop.access import gate, people
from formloop.access.actor import Actor
from formloop.core import clock
from formloop.core.errors import Invalid, Problem
from formloop.core.text import M
from formloop.db import connection, reading, transactional
from formloop.forms import reads
from formloop.forms.tables import comment

LONGEST = 5_000


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment with its author's name."""

    person: str
    at: datetime
    text: str


@transactional
def add(actor: Actor, form: str, record: int, text: str) -> None:
    """Add a comment to a record that the person may see."""
    gate.require(actor, "comment", f"form:{form}")
    reads.get_record(actor, form, record, "comment")
    if not text.strip():
        raise Invalid([Problem("required", "text", M("Write something first."))])
    if len(text) > LONGEST:
        raise Invalid([Problem("long", "text", M("At most {count} characters.", count=LONGEST))])
    connection().execute(
        insert(comment).values(
            id=clock.new_id(),
            form=form,
            record=record,
            person=actor.person_id,
            at=clock.now(),
            text=text.strip(),
        )
    )


def list_of(form: str, record: int) -> list[Comment]:
    """The newest 500 comments of a record, oldest first."""
    with reading() as conn:
        query = select(comment).where(comment.c.form == form, comment.c.record == record)
        rows = list(conn.execute(query.order_by(comment.c.id.desc()).limit(500)))
    names = people.names_of(row.person for row in rows)
    return [Comment(names.get(row.person, "?"), row.at, row.text) for row in reversed(rows)]
