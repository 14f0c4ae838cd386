"""The audit trail is chained: whoever changes, removes or slips in a row is found out."""

import pytest
from sqlalchemy import text

from formloop.access import audit, sealing
from formloop.access.actor import SYSTEM
from formloop.core import clock
from formloop.db import connection, is_sqlite, reading, transactional

from .conftest import Office


@transactional
def write(count: int) -> None:
    for n in range(count):
        audit.note(SYSTEM, "tested", f"thing:{n}", n=n, word="字")


@transactional
def tamper(statement: str, table: str = "fl_audit") -> None:
    """What somebody with the database in hands could do: the guards are taken off first."""
    for verb in ("update", "delete"):
        on = "" if is_sqlite() else f" ON {table}"
        connection().execute(text(f"DROP TRIGGER {table}_no_{verb}{on}"))
    connection().execute(text(statement))


def codes() -> list[str]:
    return [each.code for each in sealing.verify_audit().problems]


def test_every_row_gets_a_seal(office: Office) -> None:
    write(3)
    if not is_sqlite():
        assert sealing.verify_audit().sealed == 0
        assert sealing.seal_pending() > 3
    found = sealing.verify_audit()
    assert found.rows == found.sealed > 3 and not found.problems and len(found.head) == 64
    assert sealing.seal_pending() == 0


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("UPDATE fl_audit SET action = 'other' WHERE object = 'thing:1'", ["changed"]),
        ("UPDATE fl_audit SET person = 7 WHERE object = 'thing:1'", ["changed"]),
        ("DELETE FROM fl_audit WHERE object = 'thing:1'", ["removed"]),
    ],
)
def test_a_changed_or_removed_row_is_found(office: Office, statement: str, expected: list[str]) -> None:
    write(3)
    sealing.seal_pending()
    tamper(statement)
    assert codes() == expected


def test_a_row_removed_with_its_seal_breaks_the_chain(office: Office) -> None:
    write(3)
    sealing.seal_pending()
    with reading() as conn:
        row = conn.execute(text("SELECT id FROM fl_audit WHERE object = 'thing:1'")).scalar_one()
    tamper(
        f"DELETE FROM fl_audit_seal WHERE row = {row}"
        if is_sqlite()
        else f'DELETE FROM fl_audit_seal WHERE "row" = {row}',
        "fl_audit_seal",
    )
    tamper(f"DELETE FROM fl_audit WHERE id = {row}")
    assert codes() == ["broken"]


def test_a_row_slipped_in_without_a_seal_is_found_once_it_is_old(office: Office) -> None:
    write(1)
    sealing.seal_pending()
    old = clock.new_id() - 2 * sealing.AN_HOUR
    tamper(
        f"INSERT INTO fl_audit (id, at, action, object, detail) "
        f"SELECT {old}, at, 'forged', 'x:1', detail FROM fl_audit LIMIT 1"
    )
    assert codes() == ["unsealed"]
