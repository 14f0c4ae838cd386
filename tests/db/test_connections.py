from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from formloop import db
from formloop.db import engines
from formloop.settings import read_settings


@pytest.mark.postgres
def test_a_connection_that_died_while_nobody_used_it_is_replaced(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = read_settings({"FORMLOOP_INSTANCE": str(tmp_path), "FORMLOOP_DATABASE_URL": postgres_url})
    db.start(Flask("formloop", root_path=str(tmp_path)), settings)
    own = text("SELECT pg_backend_pid()")
    with db.reading() as conn:
        first = conn.execute(own).scalar_one()
    other = db.engine().execution_options(isolation_level="AUTOCOMMIT")
    with db.reading(), other.connect() as conn:  # a second connection, while the first one is lent
        conn.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": first})
    monkeypatch.setattr(engines, "IDLE", 0.0)
    with db.reading() as conn:
        assert conn.execute(own).scalar_one() != first
    db.engine().dispose()
