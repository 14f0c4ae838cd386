"""Where running cases of a workflow stand: at every place of theirs, not only at the first."""

from collections.abc import Iterator

from sqlalchemy import Connection, func, select

from formloop.db import reading
from formloop.workflows.state import State, Token
from formloop.workflows.tables import case


def list_states(conn: Connection, key: str) -> list[tuple[int, State]]:
    """The version and the state of every running case."""
    query = select(case.c.version, case.c.state).where(case.c.workflow == key, case.c.ended_at.is_(None))
    return [(row.version, State.from_json(row.state)) for row in conn.execute(query)]


def count_running(key: str, unlike: int | None = None) -> int:
    """How many cases of a workflow run; with a version only those of others."""
    query = select(func.count()).where(case.c.workflow == key, case.c.ended_at.is_(None))
    with reading() as conn:
        return int(
            conn.execute(query if unlike is None else query.where(case.c.version != unlike)).scalar_one()
        )


def places_of(state: State) -> set[str]:
    """The steps at which a case waits; "" is the initiator."""
    return {token.at for token in state.leaves}


def tokens_of(state: State) -> Iterator[Token]:
    """Every token of a case, those too that are to take a place again when it comes straight back."""
    ahead = list(state.tokens)
    while ahead:
        token = ahead.pop()
        yield token
        ahead += token.parked
