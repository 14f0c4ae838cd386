from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import BigInteger, Column, MetaData, Table, insert, inspect, text
from sqlalchemy.exc import OperationalError

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


@pytest.mark.postgres
def test_a_connection_keeps_what_it_prepared_for_more_statements_than_the_driver_would(
    postgres_url: str, tmp_path: Path
) -> None:
    settings = read_settings({"FORMLOOP_INSTANCE": str(tmp_path), "FORMLOOP_DATABASE_URL": postgres_url})
    db.start(Flask("formloop", root_path=str(tmp_path)), settings)
    kept = text("SELECT count(*) FROM pg_prepared_statements")
    with db.reading() as conn:
        for _ in range(8):
            for number in range(150):
                conn.exec_driver_sql(f"SELECT {number}")
        assert conn.execute(kept).scalar_one() >= 150
    db.engine().dispose()


def _on_sqlite(folder: Path) -> None:
    db.start(Flask("formloop", root_path=str(folder)), read_settings({"FORMLOOP_INSTANCE": str(folder)}))


def test_one_who_writes_has_the_lock_at_once_and_one_who_reads_has_none(tmp_path: Path) -> None:
    _on_sqlite(tmp_path)
    with db.begin_writing(db.engine()), db.reading() as conn:
        conn.execute(text("SELECT 1"))  # beside the writer
        other = db.engine().connect()
        other.exec_driver_sql("PRAGMA busy_timeout=1")
        other.rollback()
        other.info["writes"] = True
        with pytest.raises(OperationalError, match="locked"), other.begin():
            pass
        other.close()
    db.engine().dispose()


def test_an_id_is_the_place_of_its_row_on_sqlite_without_an_index_beside_it(tmp_path: Path) -> None:
    _on_sqlite(tmp_path)
    things = Table("thing", MetaData(), Column("id", BigInteger, primary_key=True, autoincrement=False))
    with db.begin_writing(db.engine()) as conn:
        things.create(conn)
        conn.execute(insert(things), [{"id": 2**53}, {"id": 7}])
        assert conn.execute(text("SELECT rowid FROM thing ORDER BY id")).scalars().all() == [7, 2**53]
        assert inspect(conn).get_indexes("thing", include_auto_indexes=True) == []
    db.engine().dispose()
