"""When a record is purged, nothing of it stays with its approvals; who decided what and when does."""

from dataclasses import replace

from sqlalchemy import delete, select, update

from formloop import events
from formloop.bridges import notices
from formloop.db import connection
from formloop.workflows import announcing, cases
from formloop.workflows.state import Note, State
from formloop.workflows.tables import case, proposal, task

ORDER = 310


def start() -> None:
    """Listen to purges; doing it twice counts once."""
    events.subscribe(on_event, ORDER)


def on_event(event: events.Event) -> None:
    """Forget titles, summaries, proposed values and messages; what was still with its initiator ends."""
    if event.name != "purged":
        return
    conn, of_record = connection(), (case.c.form == event.form) & (case.c.record == event.record)
    found = conn.execute(select(case).where(of_record)).all()
    if not found:
        return
    conn.execute(update(case).where(of_record).values(title="", summary=[]))
    conn.execute(delete(proposal).where(proposal.c.case.in_([each.id for each in found])))
    messages = select(task.c.id, task.c.case, task.c.person, task.c.why).where(
        task.c.case.in_([each.id for each in found]), task.c.kind == "message"
    )
    for each in found:
        notices.forget([each.initiator], announcing.link_of(each.id))
    for row in conn.execute(messages).all():
        notices.forget([row.person], announcing.link_of(row.case))
        why = {key: value for key, value in row.why.items() if key != "text"}
        conn.execute(update(task).where(task.c.id == row.id).values(why=why))
    for row in found:
        if row.ended_at is None:
            state = replace(State.from_json(row.state), status="voided", tokens=())
            cases.cancel_open(row.id)
            cases.move(row.id, row.revision, state, ended=True)
            cases.add_notes(row.id, [Note("void", person=event.actor.person_id)], None)
