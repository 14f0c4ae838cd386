"""The part of proof `power` on PostgreSQL: the server fails, and recovers from a log that ends at a random byte."""

import random
from collections.abc import Callable
from pathlib import Path

from flask import Flask
from sqlalchemy import Engine, create_engine, text

from formloop import db
from formloop.db import power
from formloop.db.throwaway import postgresql_in
from formloop.ledgers import proof_forms
from formloop.ledgers.proof_cut import Commit, enter_documents, list_faults
from formloop.settings import Settings, read_settings

_END = text("SELECT pg_current_wal_flush_lsn() - '0/0'::pg_lsn")


def cut_postgresql(
    folder: Path, create_app: Callable[[Settings], Flask], chance: random.Random, documents: int, cuts: int
) -> list[str]:
    """What is wrong in copies of a server that failed while documents were entered."""
    files, copy, problems = folder / "files", folder / "copy", list[str]()
    with postgresql_in(files) as server, create_app(_settings(folder, server.get_uri())).app_context():
        made = proof_forms.prepare()
        _tell(db.engine(), power.list_quiet())
        commits = enter_documents(documents, chance, made["here"], _logged)
        power.fail(server.get_pid())
        db.engine().dispose()
    for _ in range(cuts):
        end = chance.randrange(commits[0][0], commits[-1][0] + 1)
        power.copy_cut(files, copy, end)
        with postgresql_in(copy) as server:
            found = _look_at(create_engine(_settings(folder, server.get_uri()).database_url), end, commits)
        problems += [f"log cut at {end}: {each}" for each in found]
    return problems


def _settings(folder: Path, address: str) -> Settings:
    return read_settings({"FORMLOOP_INSTANCE": str(folder / "site"), "FORMLOOP_DATABASE_URL": address})


def _tell(engine: Engine, statements: list[str]) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        for statement in statements:
            conn.exec_driver_sql(statement)


def _logged() -> int:
    with db.engine().connect() as conn:
        return int(conn.execute(_END).scalar_one())


def _look_at(engine: Engine, end: int, commits: list[Commit]) -> list[str]:
    with engine.connect() as conn:
        found = list_faults(conn.exec_driver_sql, end, commits)
    engine.dispose()
    return found
